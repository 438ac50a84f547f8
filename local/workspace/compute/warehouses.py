"""SQL warehouses; each is the Spark Connect server under another name."""

from typing import Annotated, Any

from databricks.sdk.service import sql
from fastapi import APIRouter, Depends

from local.workspace.core.context import Caller, Here, Workspace
from local.workspace.core.errors import bad_request, not_found
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
    sent: Annotated[dict[str, Any], Depends(body(sql.WarehousesAPI.create))], here: Here, caller: Caller
) -> Document:
    with here.store.transaction():
        identifier = f"{here.store.next_id('warehouses'):016x}"
        _write(here, _DEFAULTS | sent | {"id": identifier, "creator_name": caller.name, "state": "RUNNING"})
        return {"id": identifier}


@router.get(_API)
def list_all(here: Here) -> Document:
    return {"warehouses": [_shown(here, document) for _, document in here.store.items("warehouses")]}


@router.get(f"{_API}/{{identifier}}")
def get(identifier: str, here: Here) -> Document:
    return _shown(here, _find(here, identifier))


@router.post(f"{_API}/{{identifier}}/edit")
def edit(
    identifier: str,
    sent: Annotated[dict[str, Any], Depends(body(sql.WarehousesAPI.edit, {"id": str}))],
    here: Here,
) -> Document:
    with here.store.transaction():
        old = _find(here, identifier)
        kept = {key: old[key] for key in ("id", "creator_name", "state")}
        _write(here, old | sent | kept)
        return {}


@router.post(f"{_API}/{{identifier}}/start")
def start_warehouse(identifier: str, here: Here) -> Document:
    return _set_state(here, identifier, "RUNNING")


@router.post(f"{_API}/{{identifier}}/stop")
def stop_warehouse(identifier: str, here: Here) -> Document:
    return _set_state(here, identifier, "STOPPED")


@router.delete(f"{_API}/{{identifier}}")
def delete(identifier: str, here: Here) -> Document:
    _find(here, identifier)
    here.store.delete("warehouses", identifier)
    return {}


@router.get("/api/2.0/preview/sql/data_sources")
def data_sources(here: Here) -> list[Document]:
    return [
        {"id": f"source-{identifier}", "name": document["name"], "warehouse_id": identifier, "type": "databricks"}
        for identifier, document in here.store.items("warehouses")
    ]


def _find(here: Workspace, identifier: str) -> Document:
    document = here.store.get("warehouses", identifier)
    if document is None:
        raise not_found(f"SQL warehouse {identifier} does not exist.")
    return document


def _write(here: Workspace, document: Document) -> None:
    if not document.get("name"):
        raise bad_request("missing field name")
    if document.get("cluster_size") not in _SIZES:
        raise bad_request(f"cluster_size is {document.get('cluster_size')!r}; allowed: {', '.join(_SIZES)}")
    if document["min_num_clusters"] > document["max_num_clusters"]:
        few, many = document["min_num_clusters"], document["max_num_clusters"]
        raise bad_request(f"min_num_clusters ({few}) is greater than max_num_clusters ({many})")
    if 0 < document["auto_stop_mins"] < 10 and not document["enable_serverless_compute"]:
        raise bad_request(f"auto_stop_mins is {document['auto_stop_mins']}: 0, or 10 and more")
    for key, other in here.store.items("warehouses"):
        if other["name"] == document["name"] and key != document["id"]:
            raise bad_request(f"SQL warehouse with name `{document['name']}` already exists")
    here.store.put("warehouses", document["id"], document)


def _set_state(here: Workspace, identifier: str, state: str) -> Document:
    with here.store.transaction():
        here.store.put("warehouses", identifier, _find(here, identifier) | {"state": state})
        return {}


def _shown(here: Workspace, document: Document) -> Document:
    running = document["state"] == "RUNNING"
    path = f"/sql/1.0/warehouses/{document['id']}"
    host, port = "127.0.0.1", here.settings.port
    return document | {
        "num_clusters": int(running),
        "num_active_sessions": 0,
        "health": {"status": "HEALTHY"},
        "jdbc_url": f"jdbc:databricks://{host}:{port}/default;transportMode=http;ssl=0;AuthMech=3;httpPath={path};",
        "odbc_params": {"hostname": host, "path": path, "port": port, "protocol": "http"},
    }
