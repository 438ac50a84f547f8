"""Budgets of the account (`/api/2.1/accounts/{id}/budgets`); the local account costs nothing, so that none alerts."""

import uuid
from decimal import Decimal, InvalidOperation
from typing import Annotated

from databricks.sdk.service import billing as sdk
from fastapi import APIRouter

from local.workspace.account.collection import ACCOUNT
from local.workspace.account.documents import BUDGETS, BudgetDocument
from local.workspace.core.clock import now_ms
from local.workspace.core.context import ACCOUNT_ID, Workspace, WorkspaceDep
from local.workspace.core.errors import bad_request, not_built
from local.workspace.core.requests import body
from local.workspace.core.store import Document

router = APIRouter()
_ALL = f"{ACCOUNT.replace('2.0', '2.1')}/budgets"
_ONE = f"{_ALL}/{{identifier}}"
_ALERTS = 4  # of a budget at most


@router.post(_ALL)
def create(request: Annotated[Document, body(sdk.BudgetsAPI.create)], workspace: WorkspaceDep) -> Document:
    """Makes a budget."""
    own = {"budget_configuration_id": str(uuid.uuid4()), "create_time": now_ms()}
    new = BUDGETS.document(_checked(request["budget"]) | own)
    workspace.store.put(BUDGETS, new["budget_configuration_id"], new)
    return {"budget": new}


@router.get(_ALL)
def list_all(workspace: WorkspaceDep) -> Document:
    """Returns all budgets."""
    return {"budgets": [budget for _, budget in workspace.store.items(BUDGETS)]}


@router.get(_ONE)
def get(identifier: str, workspace: WorkspaceDep) -> Document:
    """Returns a budget."""
    return {"budget": _find(workspace, identifier)}


@router.put(_ONE)
def replace(
    identifier: str, request: Annotated[Document, body(sdk.BudgetsAPI.update)], workspace: WorkspaceDep
) -> Document:
    """Replaces a budget."""
    with workspace.store.transaction():
        before = _find(workspace, identifier)
        own = {"budget_configuration_id": identifier, "create_time": before["create_time"]}
        new = BUDGETS.document(_checked(request["budget"]) | own)
        workspace.store.put(BUDGETS, identifier, new)
    return {"budget": new}


@router.delete(_ONE)
def delete(identifier: str, workspace: WorkspaceDep) -> Document:
    """Removes a budget."""
    with workspace.store.transaction():
        _find(workspace, identifier)
        workspace.store.delete(BUDGETS, identifier)
    return {}


def _find(workspace: Workspace, identifier: str) -> BudgetDocument:
    return workspace.find(BUDGETS, identifier, f"There is no budget {identifier}")


def _checked(budget: Document) -> Document:
    """A budget with ids of its alerts; amounts come back with all their digits, as from Databricks."""
    for name in ("filter", "include_external_spend"):
        if budget.get(name):
            raise not_built(f"{name} of a budget")
    alerts = budget.get("alert_configurations", [])
    if not 1 <= len(alerts) <= _ALERTS:
        raise bad_request(f"alert_configurations has {len(alerts)} alerts; 1 to {_ALERTS} are allowed")
    thresholds = [_amount(alert.get("quantity_threshold", "")) for alert in alerts]
    if len(set(thresholds)) < len(thresholds):
        raise bad_request("alert_configurations: each quantity_threshold must be another")
    return budget | {
        "account_id": ACCOUNT_ID,
        "update_time": now_ms(),
        "alert_configurations": [
            {"alert_configuration_id": str(uuid.uuid4())} | alert | {"quantity_threshold": f"{threshold:.18f}"}
            for alert, threshold in zip(alerts, thresholds, strict=True)
        ],
    }


def _amount(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise bad_request(f"quantity_threshold is {text!r}, which is no amount") from error
