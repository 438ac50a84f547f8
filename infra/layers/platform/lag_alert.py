"""The alert on lag: a query over the stream's tables, on a schedule."""

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
    from collections.abc import Sequence

    from infra.layers.platform.permit import Principals
    from infra.written.settings.stream import Stream

QUERY = REPOSITORY / "workloads" / "alerts" / "stream_lag.sql"
CATALOG, SILENCE = "${catalog}", "${longest_silence_minutes}"
COLUMN = "lag_minutes"


@dataclass(frozen=True)
class LagAlertArgs:
    """Inputs of `LagAlert`.

    Attributes:
        stack: Name of the stack, for the title.
        folder: Workspace folder that it lies in, under `/Workspace`.
        catalog: Catalog whose tables it reads.
        warehouse_id: SQL warehouse that its query runs on.
        settings: The stack's section `stream`.
        notify: E-mail addresses that are notified.
        principals: Principal of each role.
    """

    stack: str
    folder: pulumi.Input[str]
    catalog: str
    warehouse_id: pulumi.Input[str]
    settings: Stream
    notify: Sequence[str]
    principals: Principals


def query_text(catalog: str, longest_silence_minutes: int | None) -> str:
    """Writes the query over the tables of a catalog; without a longest silence none is reported."""
    silence = "NULL" if longest_silence_minutes is None else str(longest_silence_minutes)
    return QUERY.read_text(encoding="utf-8").replace(CATALOG, catalog).replace(SILENCE, silence)


class LagAlert(pulumi.ComponentResource):
    """Owns the alert and its permissions. It reads as the runner, so that no person's leaving ends it."""

    def __init__(self, name: str, args: LagAlertArgs, opts: pulumi.ResourceOptions) -> None:
        """Declares the alert."""
        super().__init__("churn:platform:LagAlert", name, None, opts)
        alert = databricks.AlertV2(
            "stream-lag",
            display_name=f"Churn stream is late ({args.stack})",
            parent_path=args.folder,
            warehouse_id=args.warehouse_id,
            query_text=query_text(args.catalog, args.settings.longest_silence_minutes),
            run_as={"service_principal_name": args.principals[Role.RUNNER]},
            schedule={
                "quartz_cron_schedule": _every(args.settings.look_every_minutes),
                "timezone_id": "UTC",
                "pause_status": "UNPAUSED",
            },
            evaluation={
                "source": {"name": COLUMN, "aggregation": "MAX"},
                "comparison_operator": "GREATER_THAN",
                "threshold": {"value": {"double_value": args.settings.maximum_lag_minutes}},
                "empty_result_state": "OK",
                "notification": {
                    "notify_on_ok": True,
                    "subscriptions": [{"user_email": address} for address in args.notify],
                },
            },
            opts=pulumi.ResourceOptions(parent=self),
        )
        permit(self, "stream-lag", ObjectKind.ALERT, alert.id, args.principals)
        self.register_outputs({})


def _every(minutes: int) -> str:
    """Quartz expression of every so many minutes from the full hour on; a step of 60 is none that Quartz takes."""
    return "0 0 * * * ?" if minutes == 60 else f"0 0/{minutes} * * * ?"
