"""Deployment, change and destruction of each resource type, by the real engine and the real provider."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.inventory import inventory

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.local.conftest import LocalWorkspace

PROGRAM = Path(__file__).parent / "programs" / "workspace"


@pytest.mark.shows(
    "engine: every resource type is deployed, changed, refreshed without drift, destroyed",
    "identity: groups, members, service principals, users, assignments, rule sets as resources",
    "unity catalog: catalogs, schemas, volumes, models, grants as resources",
    "secrets: scopes, secrets, access control lists as resources",
    "files: folders and files of the workspace as resources",
    "compute: cluster policies and SQL warehouses as resources",
    "dashboards: dashboards as resources",
    "alerts: alerts as resources",
    "mlflow: experiments as resources",
    "lakebase: projects, endpoints, roles, databases as resources",
    client="Databricks provider",
)
def test_every_resource_type_is_deployed_changed_and_destroyed(
    lakehouse: LocalWorkspace, pulumi: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    client = lakehouse.client()
    before = inventory(client)
    pulumi("up", "--yes", "--skip-preview")
    outputs = _outputs(pulumi)
    assert (outputs["model_comment"], outputs["group_found"]) == ("edition 1", True)
    assert outputs["location_url"] == "s3://proof"
    assert _assigned(lakehouse) == {
        "Bob's Research and Development": ["USER"],
        "runner 1": ["USER"],
        "ann@churn.local": ["USER"],
        "team": ["ADMIN"],
    }
    assert _roles(lakehouse, "runner 1") == {"roles/servicePrincipal.manager": ["users/admin@churn.local"]}
    deployed = inventory(client)
    unchanged = {kind for kind, names in deployed.items() if names == before[kind]}
    assert unchanged == {"clusters", "endpoints", "jobs", "pipelines"}, "these have a program of their own"
    # once as the state has it, and once as the workspace has it
    pulumi("preview", "--expect-no-changes")
    pulumi("preview", "--refresh", "--expect-no-changes")

    pulumi("config", "set", "edition", "2")
    pulumi("preview", "--expect-no-changes", fails=True)
    pulumi("up", "--yes", "--skip-preview")
    pulumi("preview", "--refresh", "--expect-no-changes")
    assert _outputs(pulumi)["model_comment"] == "edition 2"
    assert client.catalogs.get("proof").comment == "edition 2"
    assert client.dbutils.secrets.get("churn", "password") == "hidden 2"
    project, branch = client.postgres.get_project("projects/online"), "projects/online/branches/production"
    assert project.status
    assert project.status.display_name == "edition 2"
    endpoint = client.postgres.get_endpoint(f"{branch}/endpoints/primary").status
    assert endpoint
    assert (endpoint.autoscaling_limit_max_cu, endpoint.suspend_timeout_duration) == (2, None)
    role = client.postgres.get_role(f"{branch}/roles/writer").status
    assert role
    assert role.attributes
    assert role.attributes.createdb
    database = client.postgres.get_database(f"{branch}/databases/churn").status
    assert database
    assert database.postgres_database == "churn2"
    assert _assigned(lakehouse)["ann@churn.local"] == ["ADMIN"]
    assert _roles(lakehouse, "runner 2") == {
        "roles/servicePrincipal.manager": ["users/admin@churn.local"],
        "roles/servicePrincipal.user": ["groups/Bob's Research and Development"],
    }

    pulumi("destroy", "--yes", "--skip-preview")
    assert inventory(client) == before
    assert not list(client.postgres.list_projects(show_deleted=True))
    assert _assigned(lakehouse) == {}


@pytest.mark.shows("engine: what was changed by hand shows in a refreshed preview", client="Databricks provider")
def test_what_was_changed_by_hand_shows_in_the_preview(
    lakehouse: LocalWorkspace, pulumi: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    pulumi("up", "--yes", "--skip-preview")
    client = lakehouse.client()
    client.catalogs.update("proof", comment="by hand")
    shown = pulumi("preview", "--refresh", "--diff", "--expect-no-changes", fails=True).stdout
    assert '"by hand" => "edition 1"' in shown
    pulumi("destroy", "--yes", "--skip-preview")


def _assigned(lakehouse: LocalWorkspace) -> dict[str, list[str]]:
    """Permissions of all principals that are assigned to the workspace, by display name."""
    with lakehouse.http() as http:
        answer = http.get("/api/2.0/preview/permissionassignments").json()
    return {item["principal"]["display_name"]: item["permissions"] for item in answer["permission_assignments"]}


def _roles(lakehouse: LocalWorkspace, display_name: str) -> dict[str, list[str]]:
    """Principals with a role on a service principal, by role."""
    client = lakehouse.client()
    (runner,) = client.service_principals.list(filter=f'displayName eq "{display_name}"')
    account = client.config.account_id
    name = f"accounts/{account}/servicePrincipals/{runner.application_id}/ruleSets/default"
    rules = client.account_access_control_proxy.get_rule_set(name, "").grant_rules or []
    return {rule.role: rule.principals or [] for rule in rules}


def _outputs(pulumi: Callable[..., subprocess.CompletedProcess[str]]) -> dict[str, Any]:
    outputs: dict[str, Any] = json.loads(pulumi("stack", "output", "--json").stdout)
    return outputs
