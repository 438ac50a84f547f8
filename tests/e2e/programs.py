"""The project's own program, deployed by the real engine to a local cloud of a test's own."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import yaml
from databricks.sdk import AccountClient
from databricks.sdk.service import tags

from infra.access.masks import GOVERNED
from local.settings import REPOSITORY
from local.workspace.core.context import ACCOUNT_ID
from tests.local.engine_programs import Program

if TYPE_CHECKING:
    from pathlib import Path

    from tests.local.conftest import LocalWorkspace

PROGRAM = """
import runpy

runpy.run_module("infra", run_name="__main__", alter_sys=True)
"""
GROUPS = (
    "churn-platform",
    "churn-engineers",
    "churn-scientists",
    "churn-analysts",
    "churn-pii-readers",
    "churn-deliverers-customer",
    "churn-deliverers-marketing",
    "churn-deliverers-support",
    "churn-deliverers-transactions",
    "churn-deliverers-usage",
    "team-retention",
)
# The engine makes providers in any case, and so what these need.
PROVIDERS = (
    "**pulumi:providers:databricks::*",
    "**churn:platform:Identities**",
    "**churn:platform:Serving::serving",
    "**ServicePrincipalSecret::server-secret",
)
ACCOUNT, GROUND, PLATFORM = "churn:account", "churn:ground", "churn:platform"


def program_of(workspace: LocalWorkspace, folder: Path, stack: str) -> Program:
    """The project's own program for a stack, with the workspace's credentials."""
    program = Program.create(folder, name="churn", stack=stack)
    program.environment["PYTHONPATH"] = os.pathsep.join([str(REPOSITORY), str(REPOSITORY / "workloads" / "src")])
    program.environment.update(DATABRICKS_TOKEN=workspace.token, DATABRICKS_AUTH_TYPE="pat")
    program.write(PROGRAM)
    return program


def section_of(stack: str, name: str) -> dict[str, Any]:
    """A section of a stack's file, without protection."""
    document = yaml.safe_load((REPOSITORY / f"Pulumi.{stack}.yaml").read_text())
    section: dict[str, Any] = document["config"][name] | {"protect_data": False}
    return section


def configure(program: Program, stack: str, sections: dict[str, dict[str, Any]]) -> None:
    """Makes sections the settings of a stack of the program."""
    file = program.folder / f"Pulumi.{stack}.yaml"
    kept = yaml.safe_load(file.read_text()) if file.exists() else {}
    file.write_text(yaml.safe_dump({**kept, "config": sections}))


def account_of(workspace: LocalWorkspace) -> AccountClient:
    """The official client of the account."""
    url = workspace.settings.workspace_url
    return AccountClient(host=url, account_id=ACCOUNT_ID, token=workspace.token, auth_type="pat")


def platform_section(workspace: LocalWorkspace, **replaced: str) -> dict[str, Any]:
    """Section `churn:platform` of a stack for a workspace, with other values in its part `workspace`.

    It has no stream, which would ask for Kafka.
    """
    section = section_of("dev", PLATFORM) | {"account_id": ACCOUNT_ID}
    section.pop("stream")
    section["workspace"] = {"host": workspace.settings.workspace_url, "deployer": "admin@churn.local"} | replaced
    return section


def targets(*parts: str) -> list[str]:
    """Arguments that deploy some components of the platform alone, with all that is in them."""
    names = [*(f"**churn:platform:{part}**" for part in parts), *PROVIDERS]
    return [argument for name in names for argument in ("--target", name)]


def prepare(workspace: LocalWorkspace, *groups: str) -> None:
    """Makes what the stack of an account makes: groups, more of them, and governed tags."""
    client = workspace.client()
    for group in (*GROUPS, *groups):
        client.groups.create(display_name=group)
    for key, values in GOVERNED.items():
        allowed = [tags.Value(name=value) for value in values]
        client.tag_policies.create_tag_policy(tags.TagPolicy(tag_key=key, values=allowed))


def join(workspace: LocalWorkspace, group: str, member: str) -> None:
    """Puts a principal into a group."""
    client = workspace.client()
    (found,) = client.groups.list(filter=f'displayName eq "{group}"')
    patch = {"Operations": [{"op": "add", "value": {"members": [{"value": member}]}}]}
    client.api_client.do("PATCH", f"/api/2.0/preview/scim/v2/Groups/{found.id}", body=patch)
