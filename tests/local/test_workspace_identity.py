"""Users, groups, service principals, tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from databricks.sdk.errors import BadRequest, NotFound, ResourceConflict, Unauthenticated
from databricks.sdk.errors import NotImplemented as NotBuilt
from databricks.sdk.service import iam

if TYPE_CHECKING:
    from collections.abc import Iterator

    from databricks.sdk import WorkspaceClient

    from tests.local.conftest import LocalWorkspace

PATCH = [iam.PatchSchema.URN_IETF_PARAMS_SCIM_API_MESSAGES_2_0_PATCH_OP]


@pytest.fixture
def client(workspace: LocalWorkspace) -> WorkspaceClient:
    return workspace.client()


@pytest.fixture
def left_behind(client: WorkspaceClient) -> Iterator[None]:
    """Deletes the principals that a test leaves, whether it passes or fails."""
    apis = (client.users, client.service_principals, client.groups)
    before = {(api, item.id) for api in apis for item in api.list()}
    yield
    for api in apis:
        for item in api.list():
            if (api, item.id) not in before and item.id:
                api.delete(item.id)


@pytest.fixture
def runner(client: WorkspaceClient) -> Iterator[iam.ServicePrincipal]:
    made = client.service_principals.create(display_name="runner")
    yield made
    client.service_principals.delete(made.id)


@pytest.mark.shows("identity: current user, id of the workspace", client="databricks-sdk")
def test_me_tells_the_workspace_in_a_header(workspace: LocalWorkspace, client: WorkspaceClient) -> None:
    assert client.current_user.me().user_name == "admin@churn.local"
    assert client.get_workspace_id() == int(
        workspace.http().get("/api/2.0/preview/scim/v2/Me").headers["X-Databricks-Org-Id"]
    )


def test_the_account_s_directory_is_read_at_the_address_of_the_workspace(client: WorkspaceClient) -> None:
    path = "/api/2.0/account/scim/v2/Groups"
    (listed,) = _answer(client, path, filter='displayName eq "admins"')["Resources"]
    assert _answer(client, f"{path}/{listed['id']}")["members"][0]["display"] == "Administrator"
    with pytest.raises(NotBuilt, match=f"POST {path} is not part of the local workspace"):
        client.api_client.do("POST", path, body={"displayName": "new"})


@pytest.mark.shows("identity: groups, members and entitlements (SCIM)", client="databricks-sdk")
@pytest.mark.usefixtures("left_behind")
def test_groups_are_made_found_changed_and_deleted(client: WorkspaceClient, runner: iam.ServicePrincipal) -> None:
    group = client.groups.create(display_name="Analysts", entitlements=[iam.ComplexValue(value="workspace-access")])
    assert group.meta == iam.ResourceMeta(resource_type="WorkspaceGroup")
    with pytest.raises(ResourceConflict, match="Group with name Analysts already exists"):
        client.groups.create(display_name="Analysts")
    (found,) = client.groups.list(filter='displayName eq "analysts"', attributes="displayName")
    assert (found.id, found.entitlements) == (group.id, [])

    add = iam.Patch(op=iam.PatchOp.ADD, path="members", value=[{"value": runner.id}])
    client.groups.patch(group.id, operations=[add, add], schemas=PATCH)
    (member,) = client.groups.get(group.id).members
    assert (member.value, member.display) == (runner.id, "runner")
    assert [held.display for held in client.service_principals.get(runner.id).groups] == ["Analysts"]

    remove = iam.Patch(op=iam.PatchOp.REMOVE, path=f'members[value eq "{runner.id}"]')
    rename = iam.Patch(op=iam.PatchOp.REPLACE, value={"displayName": "Team"})
    client.groups.patch(group.id, operations=[remove, rename], schemas=PATCH)
    changed = client.groups.get(group.id)
    assert (changed.display_name, changed.members) == ("Team", [])

    client.groups.delete(group.id)
    with pytest.raises(NotFound, match=f"Group with id {group.id} not found"):
        client.groups.get(group.id)


def test_a_member_that_does_not_exist_is_refused(client: WorkspaceClient) -> None:
    with pytest.raises(NotFound, match="no user, group or service principal has the id 7"):
        client.groups.create(display_name="ghosts", members=[iam.ComplexValue(value="7")])


@pytest.mark.shows("identity: built-in groups cannot be deleted", client="databricks-sdk")
def test_built_in_groups_stay(client: WorkspaceClient) -> None:
    (admins,) = client.groups.list(filter="displayName eq admins")
    with pytest.raises(BadRequest, match="built in"):
        client.groups.delete(admins.id)


def test_the_administrator_stays(workspace: LocalWorkspace, client: WorkspaceClient) -> None:
    (admin,) = client.users.list(filter="userName eq admin@churn.local")
    with pytest.raises(BadRequest, match="built in and cannot be deleted"):
        client.users.delete(admin.id)
    with pytest.raises(BadRequest, match="built in and cannot be renamed"):
        client.users.update(admin.id, user_name="root@churn.local")
    off = iam.Patch(op=iam.PatchOp.REPLACE, path="active", value=False)
    with pytest.raises(BadRequest, match="built in and cannot be deactivated"):
        client.users.patch(admin.id, operations=[off], schemas=PATCH)
    client.users.update(admin.id, user_name="admin@churn.local", display_name="Root", active=True)
    assert client.current_user.me().display_name == "Root"
    client.users.update(admin.id, user_name="admin@churn.local", display_name=admin.display_name, active=True)


def test_a_filter_that_is_not_understood_is_refused(client: WorkspaceClient) -> None:
    with pytest.raises(BadRequest, match="filter 'displayName present' is not of the form"):
        list(client.groups.list(filter="displayName present"))


@pytest.mark.shows("identity: SCIM filters by any display name", client="databricks-sdk")
@pytest.mark.usefixtures("left_behind")
@pytest.mark.parametrize("name", ["Research and Development", "Bob's team", "Sales eq and", "and", 'the "best"'])
def test_a_group_is_found_by_any_name(client: WorkspaceClient, name: str) -> None:
    group = client.groups.create(display_name=name)
    escaped = name.replace('"', '\\"')
    (found,) = client.groups.list(filter=f'displayName eq "{escaped.lower()}" AND id eq {group.id}')
    assert found.display_name == name
    assert list(client.groups.list(filter=f'displayName eq "{escaped}" and id eq "0"')) == []


@pytest.mark.shows("identity: SCIM filters with and, or and not equal", client="databricks-sdk")
@pytest.mark.usefixtures("left_behind")
@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('displayName eq "filter one" or displayName eq "filter two"', {"filter one", "filter two"}),
        ('displayName sw "filter" and displayName ne "Filter One"', {"filter two", "filter three"}),
        (
            'displayName eq "filter one" or displayName sw "filter" and displayName co "three"',
            {"filter one", "filter three"},
        ),
    ],
)
def test_filters_are_joined_as_documented(client: WorkspaceClient, text: str, names: set[str]) -> None:
    """The word `and` binds before `or`, as in RFC 7644."""
    for name in ("one", "two", "three"):
        client.groups.create(display_name=f"filter {name}")
    assert {group.display_name for group in client.groups.list(filter=text)} == names


@pytest.mark.parametrize(
    "text", ['displayName eq "a" displayName eq "b"', 'displayName eq "a" and', 'and displayName eq "a"', '"a" eq "a"']
)
def test_a_filter_that_joins_wrongly_is_refused(client: WorkspaceClient, text: str) -> None:
    with pytest.raises(BadRequest, match="is not of the form"):
        list(client.groups.list(filter=text))


def test_a_patch_operation_that_does_not_exist_is_refused(client: WorkspaceClient, workspace: LocalWorkspace) -> None:
    (group,) = client.groups.list(filter="displayName eq users")
    with workspace.http() as http:
        answer = http.patch(
            f"/api/2.0/preview/scim/v2/Groups/{group.id}", json={"Operations": [{"op": "move", "path": "members"}]}
        )
    assert answer.status_code == 400


@pytest.mark.shows("identity: a deleted principal leaves its groups and loses its token", client="databricks-sdk")
@pytest.mark.usefixtures("left_behind")
def test_a_deleted_member_leaves_its_groups_and_loses_its_token(
    workspace: LocalWorkspace, client: WorkspaceClient
) -> None:
    made = client.service_principals.create(display_name="short-lived")
    group = client.groups.create(display_name="holders", members=[iam.ComplexValue(value=made.id)])
    token = workspace.token_of(made.application_id)
    assert workspace.client(token).current_user.me().user_name == made.application_id
    client.service_principals.delete(made.id)
    assert client.groups.get(group.id).members == []
    with pytest.raises(Unauthenticated):
        workspace.client(token).current_user.me()


@pytest.mark.shows("identity: a deactivated principal cannot call", client="databricks-sdk")
@pytest.mark.usefixtures("left_behind")
def test_an_inactive_principal_cannot_call(workspace: LocalWorkspace, client: WorkspaceClient) -> None:
    made = client.service_principals.create(display_name="paused")
    token = workspace.token_of(made.application_id)
    client.service_principals.update(made.id, display_name="paused", active=False)
    with pytest.raises(Unauthenticated, match="no active"):
        workspace.client(token).current_user.me()
    client.service_principals.update(made.id, display_name="paused", active=True)
    assert workspace.client(token).current_user.me().display_name == "paused"


@pytest.mark.shows("identity: SCIM lists in pages", client="databricks-sdk")
@pytest.mark.usefixtures("left_behind")
def test_lists_come_in_pages(client: WorkspaceClient) -> None:
    users = [client.users.create(user_name=f"user{number}@churn.local") for number in range(5)]
    names = [user.user_name for user in client.users.list(count=2, filter='userName sw "user"')]
    assert names == [user.user_name for user in users]


def _answer(client: WorkspaceClient, path: str, **query: str) -> Any:
    return client.api_client.do("GET", path, query=query)


@pytest.mark.shows("identity: names of users ignore case", client="databricks-sdk")
@pytest.mark.usefixtures("left_behind")
def test_the_case_of_a_users_name_does_not_count(workspace: LocalWorkspace, client: WorkspaceClient) -> None:
    made = client.users.create(user_name="Ann.Lee@Churn.local")
    assert made.user_name == "ann.lee@churn.local"
    with pytest.raises(ResourceConflict, match=r"User with username ann.lee@churn.local already exists"):
        client.users.create(user_name="ANN.LEE@churn.local")
    policy = client.cluster_policies.create(name="of Ann", definition="{}")
    entry = iam.AccessControlRequest(user_name="Ann.Lee@churn.local", permission_level=iam.PermissionLevel.CAN_USE)
    client.permissions.set("cluster-policies", str(policy.policy_id), access_control_list=[entry])
    client.cluster_policies.delete(str(policy.policy_id))
    token = workspace.token_of("ANN.lee@churn.local")
    assert workspace.client(token).current_user.me().user_name == "ann.lee@churn.local"
