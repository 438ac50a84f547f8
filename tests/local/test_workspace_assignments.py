"""Assignments of principals to the workspace, and rule sets of service principals and groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from databricks.sdk import errors
from databricks.sdk.service import iam, jobs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from databricks.sdk import WorkspaceClient

    from tests.local.conftest import LocalWorkspace

ASSIGNMENTS = "/api/2.0/preview/permissionassignments"


@pytest.fixture
def client(workspace: LocalWorkspace) -> WorkspaceClient:
    return workspace.client()


@pytest.fixture
def runner(client: WorkspaceClient) -> Iterator[iam.ServicePrincipal]:
    made = client.service_principals.create(display_name="runner")
    yield made
    client.service_principals.delete(made.id)


@pytest.fixture
def research(client: WorkspaceClient) -> Iterator[iam.Group]:
    made = client.groups.create(display_name="Research and Development")
    yield made
    client.groups.delete(made.id)


def _assign(client: WorkspaceClient, *permissions: str, **names: str) -> dict[str, Any]:
    """Assigns one principal by name, as the provider does."""
    body = {"permission_assignments": [{"permissions": list(permissions), **names}]}
    answer = client.api_client.do("POST", ASSIGNMENTS, body=body)
    assert isinstance(answer, dict)
    (item,) = answer["permission_assignments"]
    return item


def _assigned(client: WorkspaceClient) -> dict[int, list[str]]:
    answer = client.api_client.do("GET", ASSIGNMENTS)
    assert isinstance(answer, dict)
    return {item["principal"]["principal_id"]: item["permissions"] for item in answer["permission_assignments"]}


def test_a_group_is_assigned_by_name_and_by_id_and_removed(client: WorkspaceClient, research: iam.Group) -> None:
    identifier = int(research.id or 0)
    item = _assign(client, "USER", group_name="Research and Development")
    assert item["principal"]["principal_id"] == identifier
    assert _assigned(client)[identifier] == ["USER"]
    one = f"{ASSIGNMENTS}/principals/{identifier}"
    client.api_client.do("PUT", one, body={"permissions": ["USER", "ADMIN"]})
    assert _assigned(client)[identifier] == ["ADMIN"]
    assert [group.display for group in client.groups.get(research.id).groups or []] == ["admins"]
    client.api_client.do("DELETE", one)
    assert identifier not in _assigned(client)
    assert client.groups.get(research.id).groups == []
    with pytest.raises(errors.NotFound, match=f"Principal {identifier} is not assigned"):
        client.api_client.do("DELETE", one)


def test_permissions_that_are_none_remove_an_assignment(client: WorkspaceClient, research: iam.Group) -> None:
    _assign(client, "USER", group_name="Research and Development")
    answer = client.api_client.do("PUT", f"{ASSIGNMENTS}/principals/{research.id}", body={"permissions": ["USERS"]})
    assert isinstance(answer, dict)
    assert answer["permissions"] == []
    assert int(research.id or 0) not in _assigned(client)


@pytest.mark.parametrize(
    ("permissions", "names", "says"),
    [
        (["USER"], {"group_name": "Research"}, "Principal: group_name Research does not exist"),
        (["USER"], {"user_name": "nobody@churn.local"}, "user_name nobody@churn.local does not exist"),
        (["USER"], {"service_principal_name": "runner"}, "service_principal_name runner does not exist"),
        (["USER"], {}, "give exactly one of user_name, group_name, service_principal_name"),
        (["ADMIN"], {"group_name": "Research and Development"}, "Invalid permission: ADMIN is invalid"),
        (["USERS"], {"group_name": "Research and Development"}, "Invalid permission: USERS is invalid"),
    ],
)
def test_a_wrong_assignment_by_name_says_so_in_its_item(
    client: WorkspaceClient, research: iam.Group, permissions: list[str], names: dict[str, str], says: str
) -> None:
    assert says in _assign(client, *permissions, **names)["error"]
    assert int(research.id or 0) not in _assigned(client)


def test_an_id_that_nobody_has_is_refused(client: WorkspaceClient) -> None:
    with pytest.raises(errors.NotFound, match="Principal 7 not found in account"):
        client.api_client.do("PUT", f"{ASSIGNMENTS}/principals/7", body={"permissions": ["USER"]})


def test_who_leaves_the_directory_is_assigned_no_more(client: WorkspaceClient) -> None:
    group = client.groups.create(display_name="leaving")
    _assign(client, "USER", group_name="leaving")
    client.groups.delete(group.id)
    assert int(group.id or 0) not in _assigned(client)


def test_only_administrators_assign(
    workspace: LocalWorkspace, client: WorkspaceClient, runner: iam.ServicePrincipal
) -> None:
    other = workspace.client(workspace.token_of(runner.application_id))
    with pytest.raises(errors.PermissionDenied, match="not an administrator"):
        _assigned(other)
    with pytest.raises(errors.PermissionDenied, match="not a manager"):
        other.account_access_control_proxy.get_rule_set(_rule_set(client, runner), "")


def _rule_set(client: WorkspaceClient, runner: iam.ServicePrincipal) -> str:
    return f"accounts/{client.config.account_id}/servicePrincipals/{runner.application_id}/ruleSets/default"


def _replace(client: WorkspaceClient, name: str, role: str, *principals: str, etag: str | None = None) -> None:
    proxy = client.account_access_control_proxy
    current = proxy.get_rule_set(name, "").etag if etag is None else etag
    rules = [iam.GrantRule(role=role, principals=list(principals))]
    proxy.update_rule_set(name, iam.RuleSetUpdateRequest(name=name, etag=current, grant_rules=rules))


@pytest.mark.shows("identity: rule sets, replaced by their etag", client="databricks-sdk")
def test_a_rule_set_is_replaced_by_who_read_it_last(
    workspace: LocalWorkspace, client: WorkspaceClient, runner: iam.ServicePrincipal
) -> None:
    name = _rule_set(client, runner)
    first = client.account_access_control_proxy.get_rule_set(name, "")
    assert first.grant_rules in (None, [])
    _replace(client, name, "roles/servicePrincipal.manager", f"servicePrincipals/{runner.application_id}")
    with pytest.raises(errors.ResourceConflict, match="was changed since its etag was read"):
        _replace(client, name, "roles/servicePrincipal.user", "groups/users", etag=first.etag)
    # Now the runner manages itself.
    other = workspace.client(workspace.token_of(runner.application_id))
    _replace(other, name, "roles/servicePrincipal.user", "users/admin@churn.local")
    (rule,) = client.account_access_control_proxy.get_rule_set(name, "").grant_rules or []
    assert (rule.role, rule.principals) == ("roles/servicePrincipal.user", ["users/admin@churn.local"])


@pytest.mark.shows("identity: run_as needs the role of users on the service principal", client="databricks-sdk")
def test_running_as_a_service_principal_needs_its_role_of_users(
    workspace: LocalWorkspace, client: WorkspaceClient, runner: iam.ServicePrincipal
) -> None:
    run_as = jobs.JobRunAs(service_principal_name=runner.application_id)
    job_id = client.jobs.create(name="runs as another").job_id or 0
    _replace(client, _rule_set(client, runner), "roles/servicePrincipal.manager", "users/admin@churn.local")
    pipeline = {"name": "runs as another", "catalog": "c", "schema": "s", "libraries": [{"file": {"path": "/x.py"}}]}
    pipeline["run_as"] = run_as.as_dict()
    for attempt in (
        lambda: client.jobs.create(name="second", run_as=run_as),
        lambda: client.jobs.update(job_id, new_settings=jobs.JobSettings(run_as=run_as)),
        lambda: client.jobs.reset(job_id, jobs.JobSettings(run_as=run_as)),
        lambda: client.api_client.do("POST", "/api/2.0/pipelines", body=pipeline),
    ):
        with pytest.raises(errors.PermissionDenied, match=r"admin@churn.local lacks the role servicePrincipal\.user"):
            attempt()
    assert client.jobs.get(job_id).run_as_user_name == "admin@churn.local"

    _replace(client, _rule_set(client, runner), "roles/servicePrincipal.user", "groups/users")
    client.jobs.update(job_id, new_settings=jobs.JobSettings(run_as=run_as))
    assert client.jobs.get(job_id).run_as_user_name == runner.application_id
    made = client.api_client.do("POST", "/api/2.0/pipelines", body=pipeline)
    assert isinstance(made, dict)
    client.pipelines.delete(made["pipeline_id"])
    client.jobs.delete(job_id)


def test_who_is_no_administrator_runs_jobs_as_itself_only(
    workspace: LocalWorkspace, runner: iam.ServicePrincipal
) -> None:
    other = workspace.client(workspace.token_of(runner.application_id))
    itself = jobs.JobRunAs(service_principal_name=runner.application_id)
    job_id = other.jobs.create(name="as itself", run_as=itself).job_id or 0
    with pytest.raises(errors.PermissionDenied, match="may set only its own name"):
        other.jobs.update(job_id, new_settings=jobs.JobSettings(run_as=jobs.JobRunAs(user_name="admin@churn.local")))
    other.jobs.delete(job_id)


def test_a_group_has_a_rule_set_too(client: WorkspaceClient, research: iam.Group) -> None:
    name = f"accounts/{client.config.account_id}/groups/{research.id}/ruleSets/default"
    _replace(client, name, "roles/group.manager", "users/admin@churn.local")
    (rule,) = client.account_access_control_proxy.get_rule_set(name, "").grant_rules or []
    assert rule.role == "roles/group.manager"


@pytest.mark.parametrize(
    ("role", "principal", "says"),
    [
        ("roles/servicePrincipal.owner", "groups/users", "Invalid role: roles/servicePrincipal.owner; allowed"),
        ("roles/servicePrincipal.user", "groups/", "Unsupported principal: groups/"),
        ("roles/servicePrincipal.user", "account users", "Unsupported principal: account users"),
    ],
)
def test_a_wrong_rule_is_refused(
    client: WorkspaceClient, runner: iam.ServicePrincipal, role: str, principal: str, says: str
) -> None:
    with pytest.raises(errors.BadRequest, match=says):
        _replace(client, _rule_set(client, runner), role, principal)


def test_a_rule_for_nobody_is_refused(client: WorkspaceClient, runner: iam.ServicePrincipal) -> None:
    with pytest.raises(errors.NotFound, match="Principal: groups/ghosts does not exist"):
        _replace(client, _rule_set(client, runner), "roles/servicePrincipal.user", "groups/ghosts")


def test_a_wrong_name_of_a_rule_set_is_refused(client: WorkspaceClient, runner: iam.ServicePrincipal) -> None:
    get = client.account_access_control_proxy.get_rule_set
    account = client.config.account_id
    with pytest.raises(errors.BadRequest, match="Invalid rule set name: servicePrincipals/x"):
        get("servicePrincipals/x", "")
    with pytest.raises(errors.BadRequest, match="this workspace belongs to the account 0000"):
        get(f"accounts/other/servicePrincipals/{runner.application_id}/ruleSets/default", "")
    with pytest.raises(errors.NotFound, match="does not exist"):
        get(f"accounts/{account}/servicePrincipals/{runner.id}/ruleSets/default", "")
    with pytest.raises(errors.NotImplemented, match="a rule set of tagPolicies is not part of the local workspace"):
        get(f"accounts/{account}/tagPolicies/1/ruleSets/default", "")
