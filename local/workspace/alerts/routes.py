"""Alerts of SQL (`/api/2.0/alerts`): made, changed, and moved to the trash."""

import uuid
from typing import Annotated, Any

from databricks.sdk.service import sql as sdk
from fastapi import APIRouter

from local.workspace.alerts.conditions import OF_NULL
from local.workspace.alerts.documents import ALERTS, NOTIFICATIONS, AlertDocument
from local.workspace.alerts.runtime import Evaluations, schedule_of
from local.workspace.compute.documents import WAREHOUSES
from local.workspace.core.clock import timestamp
from local.workspace.core.context import Caller, Principal, Workspace, WorkspaceDep
from local.workspace.core.errors import bad_request, not_built, not_found
from local.workspace.core.paging import page
from local.workspace.core.requests import body
from local.workspace.core.store import Document
from local.workspace.files import workspace_files
from local.workspace.files.documents import OBJECTS
from local.workspace.identity.documents import PERMISSIONS
from local.workspace.identity.run_as import check_run_as, run_as_name

router = APIRouter()
_API = "/api/2.0/alerts"
_PAGE = 100  # alerts of a page at most
# What the workspace alone writes; a client may send back what it has read.
_OUTPUTS = ("create_time", "effective_run_as", "id", "lifecycle_state", "owner_user_name", "update_time")


def start(workspace: Workspace) -> None:
    """Starts the scheduler of alerts."""
    workspace.add_service(Evaluations(workspace))


def stop(workspace: Workspace) -> None:
    """Stops it."""
    workspace.service(Evaluations).close()


@router.post(_API)
def create(request: Annotated[Document, body(sdk.AlertV2)], workspace: WorkspaceDep, caller: Caller) -> Document:
    with workspace.store.transaction():
        alert: Document = {
            "id": str(uuid.uuid4()),
            "owner_user_name": caller.name,
            "create_time": timestamp(),
            "lifecycle_state": "ACTIVE",
        }
        return _write(workspace, caller, alert, request)


@router.get(_API)
def list_all(workspace: WorkspaceDep, page_size: int = 0, page_token: str = "") -> Document:
    shown = [alert for _, alert in workspace.store.items(ALERTS) if alert["lifecycle_state"] == "ACTIVE"]
    return page(shown, "alerts", page_size or _PAGE, page_token, most=_PAGE)


@router.get(f"{_API}/{{identifier}}")
def get(identifier: str, workspace: WorkspaceDep) -> Document:
    return {**_find(workspace, identifier)}


@router.patch(f"{_API}/{{identifier}}")
def update(
    identifier: str,
    request: Annotated[Document, body(sdk.AlertV2)],
    workspace: WorkspaceDep,
    caller: Caller,
    update_mask: str = "*",
) -> Document:
    """Changes the fields of the mask; one that the request lacks is removed."""
    with workspace.store.transaction():
        alert: dict[str, Any] = {**_find(workspace, identifier)}
        names = [*sdk.AlertV2.__dataclass_fields__] if update_mask == "*" else update_mask.split(",")
        if nested := [name for name in names if "." in name]:
            raise not_built(f"update_mask with a part of a field ({nested[0]})")
        if unknown := [name for name in names if name not in sdk.AlertV2.__dataclass_fields__]:
            raise bad_request(f"update_mask has {unknown[0]!r}; it is no field of an alert")
        parent = request.get("parent_path", alert.get("parent_path"))
        if parent != alert.get("parent_path"):
            raise bad_request("parent_path can only be set on create")
        kept = {name: value for name, value in alert.items() if name not in names or name in (*_OUTPUTS, "parent_path")}
        changed = {name: value for name, value in request.items() if name in names}
        return _write(workspace, caller, kept, changed)


@router.delete(f"{_API}/{{identifier}}")
def trash(identifier: str, workspace: WorkspaceDep, purge: bool = False) -> Document:
    with workspace.store.transaction():
        alert = _find(workspace, identifier)
        alert["lifecycle_state"] = "DELETED"
        workspace.store.put(ALERTS, identifier, alert)
        if purge:
            workspace.store.delete(ALERTS, identifier)
        workspace.store.delete(NOTIFICATIONS, identifier)
        workspace.store.delete(PERMISSIONS, f"{ALERTS}/{identifier}")
        return {}


def _find(workspace: Workspace, identifier: str) -> AlertDocument:
    alert = workspace.find(ALERTS, identifier, f"Alert {identifier} does not exist.")
    if alert["lifecycle_state"] != "ACTIVE":
        raise not_found(f"Alert {identifier} is in the trash.")
    return alert


def _write(workspace: Workspace, caller: Principal, alert: Document, request: Document) -> Document:
    """Checks an alert with its changes, and keeps it."""
    alert = {**alert, **{name: value for name, value in request.items() if name not in _OUTPUTS}}
    for name in ("display_name", "query_text"):
        if not alert.get(name, "").strip():
            raise bad_request(f"{name} is empty")
    missing = f"SQL warehouse {alert['warehouse_id']} does not exist."
    workspace.find(WAREHOUSES, alert["warehouse_id"], missing)
    if alert.get("custom_template_format"):
        raise not_built("custom_template_format of an alert")
    schedule_of(alert["schedule"])
    _check_evaluation(alert["evaluation"])
    if parent := alert.get("parent_path"):
        folder = workspace.store.get(OBJECTS, workspace_files.canonical(parent))
        if folder is None or folder["object_type"] != "DIRECTORY":
            raise not_found(f"Path ({parent}) doesn't exist.")
    if old_name := alert.get("run_as_user_name"):
        raise not_built(f"run_as_user_name {old_name!r} of an alert, which run_as replaces,")
    runs_as = run_as_name(workspace, alert) or alert["owner_user_name"]
    check_run_as(workspace, caller, request)
    kind = "user_name" if workspace.principal(runs_as).kind == "user" else "service_principal_name"
    alert |= {"effective_run_as": {kind: runs_as}, "update_time": timestamp()}
    workspace.store.put(ALERTS, alert["id"], ALERTS.document(alert))
    return alert


def _check_evaluation(evaluation: Document) -> None:
    """Requires a threshold of one kind, and subscriptions that name one recipient each."""
    evaluation.setdefault("state", "UNKNOWN")
    threshold = evaluation.get("threshold", {})
    if (evaluation["comparison_operator"] in OF_NULL) == bool(threshold):
        raise bad_request("evaluation.threshold: IS_NULL and IS_NOT_NULL have none, every other operator has one")
    if threshold and (len(threshold) != 1 or ("value" in threshold and len(threshold["value"]) != 1)):
        raise bad_request("evaluation.threshold: give either column, or value with one of its kinds")
    for index, subscription in enumerate(evaluation.get("notification", {}).get("subscriptions", [])):
        if "destination_id" in subscription:
            raise not_built(f"evaluation.notification.subscriptions[{index}].destination_id")
        if not subscription.get("user_email"):
            raise bad_request(f"evaluation.notification.subscriptions[{index}].user_email is missing")
