"""The alert on lag: a query over the stream's tables, on a schedule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi

from churn.core.blanks import BLANKS_IN_SQL
from infra.layers.platform.alert import AlertArgs, declare_alert

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.layers.platform.permit import Principals
    from infra.written.settings.stream import Stream

QUERY = "stream_lag.sql"
COLUMN = "lag_minutes"
# What a look reads at least, and what it reads beyond the time since the look before: measurements are copied twice a
# minute, and a warehouse that is woken starts late.
LEAST_MINUTES, MORE_MINUTES = 15, 5


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


def values(catalog: str, look_every_minutes: int, longest_silence_minutes: int | None) -> dict[str, str]:
    """What stands in the query for its names; without a longest silence none is reported."""
    return {
        "catalog": catalog,
        "blanks": BLANKS_IN_SQL,
        "recent_minutes": str(max(LEAST_MINUTES, look_every_minutes + MORE_MINUTES)),
        "longest_silence_minutes": "NULL" if longest_silence_minutes is None else str(longest_silence_minutes),
    }


class LagAlert(pulumi.ComponentResource):
    """Owns the alert."""

    def __init__(self, name: str, args: LagAlertArgs, opts: pulumi.ResourceOptions) -> None:
        """Declares the alert."""
        super().__init__("churn:platform:LagAlert", name, None, opts)
        alert = AlertArgs(
            title=f"Churn stream is late ({args.stack})",
            folder=args.folder,
            warehouse_id=args.warehouse_id,
            query=QUERY,
            values=values(args.catalog, args.settings.look_every_minutes, args.settings.longest_silence_minutes),
            cron=_every(args.settings.look_every_minutes),
            paused=False,
            column=COLUMN,
            aggregation="MAX",
            threshold=args.settings.maximum_lag_minutes,
            notify=args.notify,
            principals=args.principals,
        )
        declare_alert(self, "stream-lag", alert)
        self.register_outputs({})


def _every(minutes: int) -> str:
    """Quartz expression of every so many minutes from the full hour on; a step of 60 is none that Quartz takes."""
    return "0 0 * * * ?" if minutes == 60 else f"0 0/{minutes} * * * ?"
