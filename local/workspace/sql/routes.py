"""Routes of the Statement Execution API: SQL on a warehouse, which is Spark behind the workspace."""

from typing import Annotated

from databricks.sdk.service import sql as sdk
from fastapi import APIRouter

from local.workspace.compute.documents import WAREHOUSES
from local.workspace.core.context import Caller, Workspace, WorkspaceDep
from local.workspace.core.errors import bad_request, not_built
from local.workspace.core.requests import body
from local.workspace.core.store import Document
from local.workspace.sql.runtime import Statements

router = APIRouter()
_API = "/api/2.0/sql/statements"

_WAIT_SECONDS = (5, 50)
_NOT_BUILT = {"byte_limit": None, "disposition": "INLINE", "format": "JSON_ARRAY", "query_tags": None}


def start(workspace: Workspace) -> None:
    """Starts the area, without any statement."""
    workspace.add_service(Statements())


def stop(workspace: Workspace) -> None:
    """Cancels all statements."""
    _statements(workspace).close()


def _statements(workspace: Workspace) -> Statements:
    return workspace.service(Statements)


@router.post(_API)
def execute(
    request: Annotated[Document, body(sdk.StatementExecutionAPI.execute_statement)],
    workspace: WorkspaceDep,
    caller: Caller,
) -> Document:
    for name, known in _NOT_BUILT.items():
        if request.get(name, known) != known:
            raise not_built(f"{name} {request[name]!r}")
    if not request["statement"].strip():
        raise bad_request("statement is empty")
    wait = _seconds(request.get("wait_timeout", "10s"))
    missing = f"SQL warehouse {request['warehouse_id']} does not exist."
    warehouse = workspace.find(WAREHOUSES, request["warehouse_id"], missing)
    if warehouse["state"] != "RUNNING":  # a statement starts its warehouse
        warehouse["state"] = "RUNNING"
        workspace.store.put(WAREHOUSES, request["warehouse_id"], warehouse)
    statement = _statements(workspace).execute(workspace, caller, request)
    if not statement.ended.wait(wait) and wait and request.get("on_wait_timeout") == "CANCEL":
        statement.cancel()
    return statement.answer()


def _seconds(text: str) -> int:
    number = text.removesuffix("s")
    low, high = _WAIT_SECONDS
    if not text.endswith("s") or not number.isdecimal() or not (int(number) == 0 or low <= int(number) <= high):
        raise bad_request(f"wait_timeout is {text!r}; it must be 0s, or from {low}s to {high}s")
    return int(number)


@router.get(f"{_API}/{{statement_id}}")
def get(statement_id: str, workspace: WorkspaceDep, caller: Caller) -> Document:
    return _statements(workspace).get(caller, statement_id).answer()


@router.get(f"{_API}/{{statement_id}}/result/chunks/{{chunk_index}}")
def get_chunk(statement_id: str, chunk_index: int, workspace: WorkspaceDep, caller: Caller) -> Document:
    result = _statements(workspace).get(caller, statement_id).result
    if result is None:
        raise bad_request(f"statement {statement_id} has no result")
    return result.chunk(chunk_index)


@router.post(f"{_API}/{{statement_id}}/cancel")
def cancel(statement_id: str, workspace: WorkspaceDep, caller: Caller) -> Document:
    _statements(workspace).get(caller, statement_id).cancel()
    return {}
