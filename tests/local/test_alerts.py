"""Alerts through the official SDK: conditions, the API, and evaluations on real Spark."""

from __future__ import annotations

import dataclasses
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from databricks.sdk.errors import BadRequest, NotFound
from databricks.sdk.errors import NotImplemented as NotBuilt
from databricks.sdk.service import iam
from databricks.sdk.service.sql import (
    Aggregation,
    AlertEvaluationState,
    AlertV2,
    AlertV2Evaluation,
    AlertV2Notification,
    AlertV2Operand,
    AlertV2OperandColumn,
    AlertV2OperandValue,
    AlertV2RunAs,
    AlertV2Subscription,
    ComparisonOperator,
    CronSchedule,
)

from local.workspace.alerts.conditions import WrongColumnError, state_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.local.conftest import LocalWorkspace

EVERY_SECOND = CronSchedule("* * * * * ?", "UTC")
NEVER = CronSchedule("0 0 0 1 1 ? 2099", "UTC")


def evaluation(comparison: str, threshold: dict[str, Any] | None, **more: Any) -> dict[str, Any]:
    source = {"name": "lag", "aggregation": more.pop("aggregation", None)}
    return {"source": source, "comparison_operator": comparison, "threshold": threshold or {}, **more}


@pytest.mark.parametrize(
    ("condition", "rows", "state"),
    [
        (evaluation("GREATER_THAN", {"value": {"double_value": 9.5}}), [["10", "1"]], "TRIGGERED"),
        (evaluation("GREATER_THAN", {"value": {"double_value": 10}}), [["10", "1"]], "OK"),
        (evaluation("GREATER_THAN_OR_EQUAL", {"column": {"name": "limit"}}), [["10", "10"]], "TRIGGERED"),
        (
            evaluation("LESS_THAN", {"value": {"double_value": 2}}, aggregation="MIN"),
            [["5", ""], ["1", ""]],
            "TRIGGERED",
        ),
        (evaluation("EQUAL", {"value": {"double_value": 2}}, aggregation="COUNT"), [["5", ""], [None, ""]], "OK"),
        (evaluation("EQUAL", {"value": {"string_value": "down"}}), [["down", ""]], "TRIGGERED"),
        (evaluation("NOT_EQUAL", {"value": {"bool_value": True}}), [["true", ""]], "OK"),
        (evaluation("IS_NULL", None), [[None, ""]], "TRIGGERED"),
        (evaluation("IS_NOT_NULL", None), [[None, ""]], "OK"),
        (evaluation("GREATER_THAN", {"value": {"double_value": 1}}), [[None, ""]], "OK"),
        (evaluation("GREATER_THAN", {"value": {"double_value": 1}}), [], "UNKNOWN"),
        (evaluation("GREATER_THAN", {"value": {"double_value": 1}}, empty_result_state="TRIGGERED"), [], "TRIGGERED"),
    ],
)
def test_a_result_is_judged(condition: dict[str, Any], rows: list[list[str | None]], state: str) -> None:
    assert state_of(condition, ["lag", "limit"], rows)[0] == state


@pytest.mark.parametrize(
    ("columns", "aggregation", "said"),
    [(["other"], None, "no column 'lag'; it has other"), (["lag"], "SUM", "SUM of lag: could not convert")],
)
def test_a_condition_that_does_not_fit_its_result_says_so(
    columns: list[str], aggregation: str | None, said: str
) -> None:
    condition = evaluation("EQUAL", {"value": {"double_value": 1}}, aggregation=aggregation)
    with pytest.raises(WrongColumnError, match=said):
        state_of(condition, columns, [["down"]])


@pytest.fixture
def alert(workspace: LocalWorkspace) -> AlertV2:
    """An alert of the workspace without Spark, which is never due."""
    return wanted(workspace, "SELECT 1 AS lag", NEVER)


def wanted(workspace: LocalWorkspace, query: str, schedule: CronSchedule, **notification: Any) -> AlertV2:
    client = workspace.client()
    warehouse = client.warehouses.create(
        name=f"alerts-{time.monotonic_ns()}", cluster_size="2X-Small", auto_stop_mins=10
    )
    return AlertV2(
        display_name="lag",
        query_text=query,
        warehouse_id=warehouse.id,
        schedule=schedule,
        evaluation=AlertV2Evaluation(
            source=AlertV2OperandColumn("lag", Aggregation.MAX),
            comparison_operator=ComparisonOperator.GREATER_THAN,
            threshold=AlertV2Operand(value=AlertV2OperandValue(double_value=60)),
            empty_result_state=AlertEvaluationState.OK,
            notification=AlertV2Notification(
                subscriptions=[AlertV2Subscription(user_email="oncall@example.com")], **notification
            ),
        ),
    )


@pytest.mark.shows("alerts: made, changed, listed, moved to the trash", client="databricks-sdk")
def test_an_alert_is_made_changed_and_trashed(workspace: LocalWorkspace, alert: AlertV2) -> None:
    client = workspace.client()
    made = client.alerts_v2.create_alert(alert)
    assert made.id
    assert made.effective_run_as == AlertV2RunAs(user_name="admin@churn.local")
    assert made.evaluation.state is AlertEvaluationState.UNKNOWN
    changed = dataclasses.replace(alert, display_name="older", query_text="SELECT 2 AS lag")
    client.alerts_v2.update_alert(made.id, changed, "display_name")
    found = client.alerts_v2.get_alert(made.id)
    assert (found.display_name, found.query_text) == ("older", "SELECT 1 AS lag"), "the mask names the fields"
    assert made.id in [each.id for each in client.alerts_v2.list_alerts()]
    client.alerts_v2.trash_alert(made.id)
    assert made.id not in [each.id for each in client.alerts_v2.list_alerts()]
    with pytest.raises(NotFound, match="in the trash"):
        client.alerts_v2.get_alert(made.id)


@pytest.mark.shows("alerts: permissions", client="databricks-sdk")
def test_an_alert_has_permissions(workspace: LocalWorkspace, alert: AlertV2) -> None:
    client = workspace.client()
    made = client.alerts_v2.create_alert(alert)
    level = iam.AccessControlRequest(group_name="users", permission_level=iam.PermissionLevel.CAN_READ)
    client.permissions.set("alertsv2", str(made.id), access_control_list=[level])
    held = client.permissions.get("alertsv2", str(made.id)).access_control_list or []
    assert "users" in [entry.group_name for entry in held]


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"display_name": " "}, BadRequest, "display_name is empty"),
        ({"warehouse_id": "none"}, NotFound, "SQL warehouse none does not exist"),
        ({"schedule": CronSchedule("0 0 25 * * ?", "UTC")}, BadRequest, "schedule: .*25"),
        ({"run_as": AlertV2RunAs(service_principal_name="nobody")}, BadRequest, "run_as: no active user"),
        ({"parent_path": "/Workspace/missing"}, NotFound, "doesn't exist"),
        ({"run_as_user_name": "admin@churn.local"}, NotBuilt, "which run_as replaces"),
    ],
)
def test_a_wrong_alert_is_refused(
    workspace: LocalWorkspace, alert: AlertV2, changes: dict[str, Any], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        workspace.client().alerts_v2.create_alert(dataclasses.replace(alert, **changes))


def test_a_condition_without_threshold_is_refused(workspace: LocalWorkspace, alert: AlertV2) -> None:
    wrong = dataclasses.replace(alert.evaluation, threshold=None)
    with pytest.raises(BadRequest, match="every other operator has one"):
        workspace.client().alerts_v2.create_alert(dataclasses.replace(alert, evaluation=wrong))


def wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.2)


@pytest.mark.shows("alerts: evaluated on schedule by the warehouse", client="databricks-sdk")
def test_an_alert_is_evaluated_when_it_is_due_and_notifies(lakehouse: LocalWorkspace) -> None:
    client = lakehouse.client()
    made = client.alerts_v2.create_alert(wanted(lakehouse, "SELECT explode(array(10, 61)) AS lag", EVERY_SECOND))
    assert made.id

    def state() -> AlertEvaluationState | None:
        return client.alerts_v2.get_alert(str(made.id)).evaluation.state

    wait(lambda: state() is AlertEvaluationState.TRIGGERED)
    wait(
        lambda: (
            "oncall@example.com" in (page := httpx.get(lakehouse.settings.workspace_url).text) and "lag is 61" in page
        )
    )
    calm = dataclasses.replace(made, query_text="SELECT 10 AS lag", evaluation=made.evaluation)
    client.alerts_v2.update_alert(made.id, calm, "query_text")
    wait(lambda: state() is AlertEvaluationState.OK)
    client.alerts_v2.update_alert(made.id, dataclasses.replace(calm, query_text="SELECT broken"), "query_text")
    wait(lambda: state() is AlertEvaluationState.ERROR)
    client.alerts_v2.trash_alert(made.id, purge=True)
