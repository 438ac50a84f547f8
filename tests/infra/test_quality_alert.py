"""The alert on data: what it asks follows from the contracts, and whom it notifies from the settings."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from churn.core.contract import contract_of, contracts
from infra.layers.platform.quality_alert import COLUMN, feeds
from tests.infra.program import RUNNER

if TYPE_CHECKING:
    from tests.infra.program import Program


def test_service_levels_are_those_of_the_contracts() -> None:
    usage, events = contract_of("usage"), contract_of("events")
    weekly = replace(usage.service, frequency=timedelta(days=7), available_by=None)
    assert feeds([usage, events]) == "('usage', 1, 360)", "the stream has an alert of its own"
    assert feeds([replace(usage, service=weekly)]) == "('usage', 7, 1440)"


def test_it_looks_when_all_rows_of_yesterday_are_due(program: Program) -> None:
    alert = program.of("AlertV2")["data-quality"].inputs
    assert alert["runAs"] == {"servicePrincipalName": RUNNER}
    assert alert["schedule"]["quartzCronSchedule"] == "0 0 6 * * ?"
    assert alert["evaluation"]["source"] == {"name": COLUMN, "aggregation": "COUNT"}
    assert alert["evaluation"]["threshold"] == {"value": {"doubleValue": 0}}
    assert f"AS {COLUMN}" in alert["queryText"]
    assert feeds(contracts()) in alert["queryText"]
    assert f"{program.outputs['catalog']}.mlops.quality_results" in alert["queryText"]
    assert "${" not in alert["queryText"]


def test_it_rests_where_days_run_by_hand_and_notifies_who_is_told_of_days(programs: dict[str, Program]) -> None:
    alerts = {stack: programs[stack].of("AlertV2")["data-quality"].inputs for stack in ("local", "prod")}
    assert {stack: alert["schedule"]["pauseStatus"] for stack, alert in alerts.items()} == {
        "local": "PAUSED",
        "prod": "UNPAUSED",
    }
    told = alerts["prod"]["evaluation"]["notification"]["subscriptions"]
    assert told == [{"userEmail": "churn-oncall@example.com"}]
