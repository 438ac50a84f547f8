"""SQL warehouses: each is a name for the one Spark Connect server."""

from typing import Annotated, Literal

from databricks.sdk.service import sql
from fastapi import APIRouter

from local.workspace.compute.documents import WAREHOUSES, WarehouseDocument
from local.workspace.core.context import Caller, Workspace, WorkspaceDep
from local.workspace.core.errors import bad_request
from local.workspace.core.requests import body
from local.workspace.core.store import Document

router = APIRouter()
_API = "/api/2.0/sql/warehouses"
_SIZES = ["2X-Small", "X-Small", "Small", "Medium", "Large", "X-Large", "2X-Large", "3X-Large", "4X-Large", "5X-Large"]
_DEFAULTS = {
    "auto_stop_mins": 120,
    "channel": {"name": "CHANNEL_NAME_CURRENT"},
    "enable_photon": True,
    "enable_serverless_compute": False,
    "max_num_clusters": 1,
    "min_num_clusters": 1,
    "spot_instance_policy": "COST_OPTIMIZED",
    "warehouse_type": "PRO",
}


@router.post(_API)
def create(
    request: Annotated[Document, body(sql.WarehousesAPI.create)], workspace: WorkspaceDep, caller: Caller
) -> Document:
    """Creates a warehouse."""
    with workspace.store.transaction():
        identifier = f"{workspace.store.next_id(WAREHOUSES):016x}"
        _write(workspace, _DEFAULTS | request | {"id": identifier, "creator_name": caller.name, "state": "RUNNING"})
        return {"id": identifier}


@router.get(_API)
def list_all(workspace: WorkspaceDep) -> Document:
    """Returns all warehouses."""
    return {"warehouses": [_shown(workspace, document) for _, document in workspace.store.items(WAREHOUSES)]}


@router.get(f"{_API}/{{identifier}}")
def get(identifier: str, workspace: WorkspaceDep) -> Document:
    """Returns a warehouse."""
    return _shown(workspace, _find(workspace, identifier))


@router.post(f"{_API}/{{identifier}}/edit")
def edit(
    identifier: str,
    request: Annotated[Document, body(sql.WarehousesAPI.edit, {"id": str})],
    workspace: WorkspaceDep,
) -> Document:
    """Changes a warehouse."""
    with workspace.store.transaction():
        old = _find(workspace, identifier)
        kept = {key: value for key, value in old.items() if key in ("id", "creator_name", "state")}
        _write(workspace, {**old, **request, **kept})
        return {}


@router.post(f"{_API}/{{identifier}}/start")
def start_warehouse(identifier: str, workspace: WorkspaceDep) -> Document:
    """Starts a warehouse."""
    return _set_state(workspace, identifier, "RUNNING")


@router.post(f"{_API}/{{identifier}}/stop")
def stop_warehouse(identifier: str, workspace: WorkspaceDep) -> Document:
    """Stops a warehouse."""
    return _set_state(workspace, identifier, "STOPPED")


@router.delete(f"{_API}/{{identifier}}")
def delete(identifier: str, workspace: WorkspaceDep) -> Document:
    """Deletes a warehouse."""
    _find(workspace, identifier)
    workspace.store.delete(WAREHOUSES, identifier)
    return {}


@router.get("/api/2.0/preview/sql/data_sources")
def data_sources(workspace: WorkspaceDep) -> list[Document]:
    """Returns the data source of each warehouse, which legacy queries name."""
    return [
        {"id": f"source-{identifier}", "name": document["name"], "warehouse_id": identifier, "type": "databricks"}
        for identifier, document in workspace.store.items(WAREHOUSES)
    ]


def _find(workspace: Workspace, identifier: str) -> WarehouseDocument:
    return workspace.find(WAREHOUSES, identifier, f"SQL warehouse {identifier} does not exist.")


def _write(workspace: Workspace, document: Document) -> None:
    if not document.get("name"):
        raise bad_request("missing field name")
    if document.get("cluster_size") not in _SIZES:
        raise bad_request(f"cluster_size is {document.get('cluster_size')!r}; allowed: {', '.join(_SIZES)}")
    if document["min_num_clusters"] > document["max_num_clusters"]:
        few, many = document["min_num_clusters"], document["max_num_clusters"]
        raise bad_request(f"min_num_clusters ({few}) is greater than max_num_clusters ({many})")
    if 0 < document["auto_stop_mins"] < 10 and not document["enable_serverless_compute"]:
        raise bad_request(f"auto_stop_mins is {document['auto_stop_mins']}: 0, or 10 and more")
    for key, other in workspace.store.items(WAREHOUSES):
        if other["name"] == document["name"] and key != document["id"]:
            raise bad_request(f"SQL warehouse with name `{document['name']}` already exists")
    workspace.store.put(WAREHOUSES, document["id"], WAREHOUSES.document(document))


def _set_state(workspace: Workspace, identifier: str, state: Literal["RUNNING", "STOPPED"]) -> Document:
    with workspace.store.transaction():
        warehouse = _find(workspace, identifier)
        warehouse["state"] = state
        workspace.store.put(WAREHOUSES, identifier, warehouse)
        return {}


def _shown(workspace: Workspace, document: WarehouseDocument) -> Document:
    running = document["state"] == "RUNNING"
    path = f"/sql/1.0/warehouses/{document['id']}"
    host, port = "127.0.0.1", workspace.settings.port
    return {
        **document,
        "num_clusters": int(running),
        "num_active_sessions": 0,
        "health": {"status": "HEALTHY"},
        "jdbc_url": f"jdbc:databricks://{host}:{port}/default;transportMode=http;ssl=0;AuthMech=3;httpPath={path};",
        "odbc_params": {"hostname": host, "path": path, "port": port, "protocol": "http"},
    }
