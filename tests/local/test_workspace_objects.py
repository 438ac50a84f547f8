"""Cluster policies, warehouses, secrets, permissions, dashboards."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from databricks.sdk.errors import Aborted, BadRequest, NotFound, PermissionDenied, ResourceAlreadyExists
from databricks.sdk.errors import NotImplemented as NotBuilt
from databricks.sdk.service import catalog, dashboards, iam, sql
from databricks.sdk.service import workspace as workspace_sdk

from local.workspace.core.context import Workspace
from local.workspace.core.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from databricks.sdk import WorkspaceClient

    from tests.local.conftest import LocalWorkspace


@pytest.fixture
def client(workspace: LocalWorkspace) -> WorkspaceClient:
    return workspace.client()


@pytest.fixture
def warehouse(client: WorkspaceClient) -> Iterator[sql.GetWarehouseResponse]:
    made = client.warehouses.create_and_wait(name="queries", cluster_size="2X-Small", auto_stop_mins=10)
    yield made
    client.warehouses.delete(made.id)


@pytest.fixture
def reader(workspace: LocalWorkspace, client: WorkspaceClient) -> Iterator[WorkspaceClient]:
    """A client of a service principal without any right."""
    made = client.service_principals.create(display_name="reader")
    in_process = Workspace(workspace.settings, Store(workspace.settings.home / "workspace.sqlite"))
    token = in_process.token_for(made.application_id)
    in_process.store.close()
    yield workspace.client(token)
    client.service_principals.delete(made.id)


def test_effective_grants_are_those_on_the_metastore(client: WorkspaceClient) -> None:
    metastore = client.metastores.summary().metastore_id or ""
    right = catalog.Privilege.CREATE_CATALOG
    client.grants.update("metastore", metastore, changes=[catalog.PermissionsChange(principal="users", add=[right])])
    administrators = f"_workspace_admins_local_{client.get_workspace_id()}"  # who may make objects from the start
    for principal, expected in ((None, {administrators, "users"}), ("users", {"users"}), ("account users", set())):
        held = client.grants.get_effective("metastore", metastore, max_results=0, principal=principal)
        assert {item.principal for item in held.privilege_assignments or []} == expected
    assert held.next_page_token is None
    granted = client.grants.get_effective("metastore", metastore, principal="users").privilege_assignments or []
    assert granted[0].privileges == [catalog.EffectivePrivilege(privilege=right)]
    client.grants.update("metastore", metastore, changes=[catalog.PermissionsChange(principal="users", remove=[right])])
    with pytest.raises(NotFound, match=r"Schema 'main.gold' does not exist"):
        client.grants.get_effective("schema", "main.gold")


def test_runtimes_and_types_of_nodes_are_listed(client: WorkspaceClient) -> None:
    versions = client.clusters.spark_versions().versions or []
    assert {version.key for version in versions} == {"17.3.x-scala2.13", "18.0.x-scala2.13"}
    nodes = {node.node_type_id: node for node in client.clusters.list_node_types().node_types or []}
    assert (nodes["m6id.xlarge"].memory_mb, nodes["m6id.xlarge"].num_cores) == (16384, 4)


@pytest.mark.shows("compute: cluster policies", client="databricks-sdk")
def test_policies_are_made_edited_listed_and_deleted(client: WorkspaceClient) -> None:
    made = client.cluster_policies.create(name="small", definition='{"num_workers": {"type": "fixed", "value": 1}}')
    with pytest.raises(BadRequest, match="Policy with name 'small' already exists"):
        client.cluster_policies.create(name="small", definition="{}")
    client.cluster_policies.edit(made.policy_id, name="smaller", definition="{}", description="d")
    policy = client.cluster_policies.get(made.policy_id)
    assert (policy.name, policy.definition, policy.description) == ("smaller", "{}", "d")
    assert policy.creator_user_name == "admin@churn.local"
    assert made.policy_id in [item.policy_id for item in client.cluster_policies.list()]
    client.cluster_policies.delete(made.policy_id)
    with pytest.raises(NotFound):
        client.cluster_policies.delete(made.policy_id)


def test_policies_that_cannot_be(client: WorkspaceClient) -> None:
    with pytest.raises(BadRequest, match="definition is not JSON"):
        client.cluster_policies.create(name="p", definition="{")
    with pytest.raises(BadRequest, match="missing field definition"):
        client.cluster_policies.create(name="p")
    with pytest.raises(NotBuilt, match="policy_family_id"):
        client.cluster_policies.create(name="p", policy_family_id="job-cluster")


@pytest.mark.shows("compute: SQL warehouses start, stop and change", client="databricks-sdk")
def test_warehouses_start_stop_and_change(client: WorkspaceClient, warehouse: sql.GetWarehouseResponse) -> None:
    assert warehouse.state == sql.State.RUNNING
    assert warehouse.odbc_params.path == f"/sql/1.0/warehouses/{warehouse.id}"
    assert client.warehouses.stop(warehouse.id).result().state == sql.State.STOPPED
    assert client.warehouses.start(warehouse.id).result().num_clusters == 1
    client.warehouses.edit(warehouse.id, name="queries", cluster_size="Small")
    changed = client.warehouses.get(warehouse.id)
    assert (changed.cluster_size, changed.auto_stop_mins) == ("Small", 10)
    assert warehouse.id in [source.warehouse_id for source in client.data_sources.list()]


def test_warehouses_that_cannot_be(client: WorkspaceClient, warehouse: sql.GetWarehouseResponse) -> None:
    with pytest.raises(BadRequest, match="name `queries` already exists"):
        client.warehouses.create(name="queries", cluster_size="Small")
    with pytest.raises(BadRequest, match="cluster_size is 'Huge'; allowed: 2X-Small"):
        client.warehouses.create(name="huge", cluster_size="Huge")
    with pytest.raises(BadRequest, match=r"min_num_clusters \(3\) is greater"):
        client.warehouses.create(name="many", cluster_size="Small", min_num_clusters=3, max_num_clusters=2)
    with pytest.raises(NotFound):
        client.warehouses.get("0")


@pytest.mark.shows("secrets: scopes, secrets, access control lists, which are enforced", client="databricks-sdk")
def test_a_secret_is_read_by_whom_its_scope_lets(client: WorkspaceClient, reader: WorkspaceClient) -> None:
    client.secrets.create_scope("team")
    with pytest.raises(ResourceAlreadyExists, match="already exists"):
        client.secrets.create_scope("team")
    client.secrets.put_secret("team", "password", string_value="hünter")
    assert client.dbutils.secrets.get("team", "password") == "hünter"
    assert [secret.key for secret in client.secrets.list_secrets("team")] == ["password"]

    with pytest.raises(PermissionDenied, match="READ permission on scope team"):
        reader.secrets.get_secret("team", "password")
    name = reader.current_user.me().user_name
    client.secrets.put_acl("team", name, workspace_sdk.AclPermission.READ)
    assert reader.dbutils.secrets.get("team", "password") == "hünter"
    with pytest.raises(PermissionDenied, match="WRITE permission"):
        reader.secrets.put_secret("team", "password", string_value="x")
    client.secrets.delete_acl("team", name)
    with pytest.raises(PermissionDenied):
        reader.secrets.get_secret("team", "password")

    client.secrets.delete_scope("team")
    with pytest.raises(NotFound, match="Scope team does not exist"):
        client.secrets.get_secret("team", "password")


def test_a_secret_s_value_is_in_no_list_and_no_log(workspace: LocalWorkspace, client: WorkspaceClient) -> None:
    client.secrets.create_scope("quiet")
    client.secrets.put_secret("quiet", "key", string_value="never-shown")
    with workspace.http() as http:
        assert "value" not in http.get("/api/2.0/secrets/list", params={"scope": "quiet"}).json()["secrets"][0]
        sent = {"scope": "quiet", "key": "key", "string_value": "never-shown", "bytes_value": "never-shown"}
        assert "never-shown" not in http.post("/api/2.0/secrets/put", json=sent).text
    assert "never-shown" not in workspace.log("workspace")


def test_secrets_that_cannot_be(client: WorkspaceClient) -> None:
    with pytest.raises(BadRequest, match="scope is 'a b'"):
        client.secrets.create_scope("a b")
    client.secrets.create_scope("limits")
    with pytest.raises(BadRequest, match="at most 131072"):
        client.secrets.put_secret("limits", "key", string_value="x" * 131_073)
    with pytest.raises(BadRequest, match="exactly one of string_value and bytes_value"):
        client.secrets.put_secret("limits", "key")
    with pytest.raises(NotFound, match="no active user or service principal 'nobody'"):
        client.secrets.put_acl("limits", "nobody", workspace_sdk.AclPermission.READ)
    with pytest.raises(NotFound, match="key: none"):
        client.secrets.get_secret("limits", "none")


@pytest.mark.shows("identity: permissions on objects are read, replaced and added to", client="databricks-sdk")
def test_permissions_are_read_replaced_and_added_to(
    client: WorkspaceClient, reader: WorkspaceClient, warehouse: sql.GetWarehouseResponse
) -> None:
    name = reader.current_user.me().user_name
    first = client.permissions.get("warehouses", warehouse.id)
    assert _levels(first)["admin@churn.local"] == ["IS_OWNER"]
    client.permissions.set(
        "warehouses",
        warehouse.id,
        access_control_list=[
            iam.AccessControlRequest(group_name="users", permission_level=iam.PermissionLevel.CAN_USE)
        ],
    )
    client.permissions.update(
        "sql/warehouses",
        warehouse.id,
        access_control_list=[
            iam.AccessControlRequest(service_principal_name=name, permission_level=iam.PermissionLevel.CAN_MONITOR)
        ],
    )
    found = client.permissions.get("sql/warehouses", warehouse.id)
    assert found.object_type == "warehouses"
    assert _levels(found) == {
        "users": ["CAN_USE"],
        "admin@churn.local": ["IS_OWNER"],
        name: ["CAN_MONITOR"],
        "admins": ["CAN_MANAGE"],
    }
    inherited = next(entry for entry in found.access_control_list if entry.group_name == "admins")
    assert inherited.all_permissions[0].inherited


def test_an_owner_that_is_a_service_principal_is_known_by_either_name(
    client: WorkspaceClient, reader: WorkspaceClient, warehouse: sql.GetWarehouseResponse
) -> None:
    """The Terraform provider sends whoever deploys as a user."""
    name = reader.current_user.me().user_name
    owner = iam.AccessControlRequest(user_name=name, permission_level=iam.PermissionLevel.IS_OWNER)
    client.permissions.set("warehouses", warehouse.id, access_control_list=[owner])
    found = client.permissions.get("warehouses", warehouse.id).access_control_list
    assert [entry.service_principal_name for entry in found if not entry.group_name] == [name]


def test_permissions_that_cannot_be(client: WorkspaceClient, warehouse: sql.GetWarehouseResponse) -> None:
    def give(level: iam.PermissionLevel, **who: str) -> None:
        request = iam.AccessControlRequest(permission_level=level, **who)
        client.permissions.set("warehouses", warehouse.id, access_control_list=[request])

    with pytest.raises(BadRequest, match="allowed for warehouses: CAN_VIEW, CAN_USE"):
        give(iam.PermissionLevel.CAN_RUN, group_name="users")
    with pytest.raises(NotFound, match=r"GroupName\(ghosts\) does not exist"):
        give(iam.PermissionLevel.CAN_USE, group_name="ghosts")
    with pytest.raises(BadRequest, match="exactly one of user_name"):
        give(iam.PermissionLevel.CAN_USE)
    with pytest.raises(BadRequest, match="exactly one owner"):
        give(iam.PermissionLevel.IS_OWNER, group_name="users")
    with pytest.raises(NotFound, match="warehouses 0 does not exist"):
        client.permissions.get("warehouses", "0")
    with pytest.raises(NotBuilt, match="permissions of apps"):
        client.permissions.get("apps", "0")


@pytest.mark.shows(
    "dashboards: a dashboard is drafted, published, changed by its etag, and trashed", client="databricks-sdk"
)
def test_a_dashboard_is_drafted_published_and_trashed(
    client: WorkspaceClient, warehouse: sql.GetWarehouseResponse
) -> None:
    made = client.lakeview.create(
        dashboards.Dashboard(
            display_name="Churn",
            parent_path="/Workspace/Shared",
            warehouse_id=warehouse.id,
            serialized_dashboard='{"pages": []}',
        )
    )
    assert made.path == "/Shared/Churn.lvdash.json"
    status = client.workspace.get_status("/Shared/Churn.lvdash.json")
    assert status.object_type == workspace_sdk.ObjectType.DASHBOARD
    assert status.resource_id == made.dashboard_id
    with pytest.raises(NotFound, match="not published"):
        client.lakeview.get_published(made.dashboard_id)
    client.lakeview.publish(made.dashboard_id, embed_credentials=False)
    assert client.lakeview.get_published(made.dashboard_id).warehouse_id == warehouse.id
    assert client.lakeview.get(made.dashboard_id).etag == made.etag

    changed = client.lakeview.update(made.dashboard_id, dashboards.Dashboard(serialized_dashboard='{"pages": [{}]}'))
    assert changed.etag != made.etag
    with pytest.raises(Aborted, match="read it again"):
        client.lakeview.update(made.dashboard_id, dashboards.Dashboard(etag=made.etag, display_name="Old"))

    client.lakeview.trash(made.dashboard_id)
    assert client.lakeview.get(made.dashboard_id).lifecycle_state == dashboards.LifecycleState.TRASHED
    assert made.dashboard_id not in [item.dashboard_id for item in client.lakeview.list()]
    with pytest.raises(PermissionDenied, match="in the trash"):
        client.lakeview.publish(made.dashboard_id)


def test_dashboards_that_cannot_be(client: WorkspaceClient) -> None:
    def make(**fields: str) -> None:
        client.lakeview.create(dashboards.Dashboard(**({"display_name": "D", "parent_path": "/Shared"} | fields)))

    with pytest.raises(NotFound, match=r"Path \(/Shared/none\) doesn't exist"):
        make(parent_path="/Shared/none")
    with pytest.raises(BadRequest, match="serialized_dashboard is not JSON"):
        make(serialized_dashboard="{")
    with pytest.raises(NotFound, match="SQL warehouse 7 does not exist"):
        make(warehouse_id="7")
    with pytest.raises(NotFound, match="Unable to find dashboard 7"):
        client.lakeview.get("7")


def _levels(permissions: iam.ObjectPermissions) -> dict[str, list[str]]:
    return {
        entry.user_name or entry.group_name or entry.service_principal_name: [
            permission.permission_level.value for permission in entry.all_permissions
        ]
        for entry in permissions.access_control_list
    }
