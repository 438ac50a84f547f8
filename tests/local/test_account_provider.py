"""Deployment, change and destruction of each resource type of the account, by the real engine and provider."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from databricks.sdk import AccountClient

from infra.adoption.adoption import adopt
from infra.adoption.cloud import Deployer
from infra.adoption.engine import Engine
from local.workspace.core.context import ACCOUNT_ID
from tests.local.engine_programs import STACK, Program

if TYPE_CHECKING:
    from tests.local.conftest import LocalWorkspace

SOURCE = Path(__file__).parent / "programs" / "account" / "__main__.py"


@pytest.fixture
def program(workspace: LocalWorkspace, tmp_path: Path) -> Program:
    """The program of all types, ready to be deployed to the workspace's account."""
    program = Program.create(tmp_path / "program")
    program.write(SOURCE.read_text())
    for name, value in (("host", workspace.settings.workspace_url), ("account", ACCOUNT_ID), ("edition", "1")):
        program.run("config", "set", name, value)
    program.run("config", "set", "--secret", "token", workspace.token)
    return program


def lose(program: Program, name: str) -> None:
    """Takes one resource out of the state, as a lost answer does; its object stays."""
    state = json.loads(program.run("stack", "export"))
    (urn,) = (each["urn"] for each in state["deployment"]["resources"] if each["urn"].endswith(f"::{name}"))
    program.run("state", "delete", urn, "--yes")


def account_of(workspace: LocalWorkspace) -> AccountClient:
    """The official client of the account."""
    return AccountClient(
        host=workspace.settings.workspace_url, account_id=ACCOUNT_ID, token=workspace.token, auth_type="pat"
    )


def inventory(workspace: LocalWorkspace) -> dict[str, Any]:
    """What the account has."""
    account, client = account_of(workspace), workspace.client()
    return {
        "groups": {group.display_name for group in account.groups_v2.list()},
        "metastores": {metastore.name for metastore in account.metastores.list()},
        "workspaces": {made.workspace_name for made in account.workspaces.list()},
        "tags": {policy.tag_key: policy.description for policy in client.tag_policies.list_tag_policies()},
    }


@pytest.mark.shows(
    "account: every resource that the program uses is deployed, changed, destroyed", client="Databricks provider"
)
def test_every_type_of_the_account_is_deployed_changed_and_destroyed(
    workspace: LocalWorkspace, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = inventory(workspace)
    program.preview()
    program.up()
    outputs = json.loads(program.run("stack", "output", "--json"))
    assert outputs["workspace_url"] == workspace.settings.workspace_url
    deployed = inventory(workspace)
    assert deployed["groups"] - before["groups"] == {"Children's team 1"}
    assert deployed["metastores"] == {"local", "eu"}
    assert deployed["workspaces"] == {"local", "made"}
    assert deployed["tags"] == {"classification": "edition 1", "domain": "the domain of a table"}
    program.preview("--expect-no-changes")
    program.run("refresh", "--yes", "--skip-preview", "--expect-no-changes")

    program.run("config", "set", "edition", "2")
    program.preview("--expect-no-changes", succeeds=False)
    program.up()
    program.preview("--refresh", "--expect-no-changes")
    account = account_of(workspace)
    (deployer,) = account.workspace_assignment.list(int(outputs["workspace_id"]))
    assert [held.value for held in deployer.permissions or []] == ["ADMIN"]
    made = account.workspaces.get(int(outputs["workspace_id"]))
    assert made.custom_tags == {"edition": "2"}
    assert made.network_connectivity_config_id
    rules = account.network_connectivity.list_private_endpoint_rules(made.network_connectivity_config_id)
    assert sorted(name for rule in rules for name in rule.domain_names or []) == [
        "b-1.edition-2.example",
        "b-2.edition-2.example",
    ]
    assert inventory(workspace)["tags"]["classification"] == "edition 2"
    (group,) = workspace.client().groups.list(filter='displayName eq "Children\'s team 2"')
    assert {held.value for held in group.entitlements or []} == {"workspace-access", "databricks-sql-access"}

    # a rule of the stack whose creation was never heard of is taken into the state
    for name, value in (program.environment | {"DATABRICKS_TOKEN": workspace.token}).items():
        monkeypatch.setenv(name, value)
    lose(program, "broker-1")
    engine = Engine(STACK, program.folder / f"Pulumi.{STACK}.yaml", program.folder)
    assert adopt(engine, Deployer(frozenset(), ACCOUNT_ID)) == []
    program.preview("--expect-no-changes")

    program.run("destroy", "--yes", "--skip-preview")
    assert inventory(workspace) == before
