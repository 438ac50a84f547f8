"""Alert over tables of the platform: a query of the SQL warehouse on a schedule, and whom it notifies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_databricks as databricks

from infra.access.permissions import ObjectKind
from infra.access.roles import Role
from infra.layers.platform.permit import permit
from infra.written.paths import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from infra.layers.platform.permit import Principals

QUERIES = REPOSITORY / "workloads" / "alerts"


@dataclass(frozen=True)
class AlertArgs:
    """Inputs of an alert.

    Attributes:
        title: What has happened when it notifies.
        folder: Workspace folder that it lies in, under `/Workspace`.
        warehouse_id: SQL warehouse that its query runs on.
        query: File of the query, in `QUERIES`.
        values: What stands in the query for `${name}`, by name.
        cron: Quartz expression of its schedule, in UTC.
        paused: Whether it never looks by itself.
        column: Column that is compared.
        aggregation: Of the column's values, in the words of the service.
        threshold: Value above which it notifies.
        notify: E-mail addresses that are notified.
        principals: Principal of each role.
    """

    title: str
    folder: pulumi.Input[str]
    warehouse_id: pulumi.Input[str]
    query: str
    values: dict[str, str]
    cron: str
    paused: bool
    column: str
    aggregation: str
    threshold: float
    notify: Sequence[str]
    principals: Principals

    @property
    def text(self) -> str:
        """The query with its values."""
        return query_text(self.query, self.values)


def query_text(query: str, values: Mapping[str, str]) -> str:
    """The text of a query in `QUERIES`, with what stands in it for `${name}`, by name."""
    text = (QUERIES / query).read_text(encoding="utf-8")
    for name, value in values.items():
        text = text.replace(f"${{{name}}}", value)
    return text


def declare_alert(parent: pulumi.Resource, name: str, args: AlertArgs) -> None:
    """Declares an alert and its permissions. It reads as the runner, so that no person's leaving ends it."""
    alert = databricks.AlertV2(
        name,
        display_name=args.title,
        parent_path=args.folder,
        warehouse_id=args.warehouse_id,
        query_text=args.text,
        run_as={"service_principal_name": args.principals[Role.RUNNER]},
        schedule={
            "quartz_cron_schedule": args.cron,
            "timezone_id": "UTC",
            "pause_status": "PAUSED" if args.paused else "UNPAUSED",
        },
        evaluation={
            "source": {"name": args.column, "aggregation": args.aggregation},
            "comparison_operator": "GREATER_THAN",
            "threshold": {"value": {"double_value": args.threshold}},
            "empty_result_state": "OK",
            "notification": {
                "notify_on_ok": True,
                "subscriptions": [{"user_email": address} for address in args.notify],
            },
        },
        opts=pulumi.ResourceOptions(parent=parent),
    )
    permit(parent, name, ObjectKind.ALERT, alert.id, args.principals)
