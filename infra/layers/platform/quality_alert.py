"""The alert on data: feeds that are late by the clock, as contracts say, and checks that the last day has broken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi

from infra.layers.platform.alert import AlertArgs, declare_alert

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from churn.core.contract import Contract
    from infra.layers.platform.permit import Principals

QUERY = "data_quality.sql"
COLUMN = "problem"
MORNING = "06:00"  # when it looks, where no contract says by when yesterday's rows are there


@dataclass(frozen=True)
class QualityAlertArgs:
    """Inputs of `QualityAlert`.

    Attributes:
        stack: Name of the stack, for the title.
        folder: Workspace folder that it lies in, under `/Workspace`.
        catalog: Catalog whose tables it reads.
        warehouse_id: SQL warehouse that its query runs on.
        contracts: Of the delivered tables.
        paused: Whether days run by hand alone; nobody waits for a feed then.
        notify: E-mail addresses that are notified.
        principals: Principal of each role.
    """

    stack: str
    folder: pulumi.Input[str]
    catalog: str
    warehouse_id: pulumi.Input[str]
    contracts: Sequence[Contract]
    paused: bool
    notify: Sequence[str]
    principals: Principals


class QualityAlert(pulumi.ComponentResource):
    """Owns the alert."""

    def __init__(self, name: str, args: QualityAlertArgs, opts: pulumi.ResourceOptions) -> None:
        """Declares the alert."""
        super().__init__("churn:platform:QualityAlert", name, None, opts)
        alert = AlertArgs(
            title=f"Churn data is late or broken ({args.stack})",
            folder=args.folder,
            warehouse_id=args.warehouse_id,
            query=QUERY,
            values={"catalog": args.catalog, "feeds": feeds(args.contracts)},
            cron=_after(args.contracts),
            paused=args.paused,
            column=COLUMN,
            aggregation="COUNT",
            threshold=0,
            notify=args.notify,
            principals=args.principals,
        )
        declare_alert(self, "data-quality", alert)
        self.register_outputs({})


def feeds(contracts: Iterable[Contract]) -> str:
    """Service levels of what files deliver, as the query takes them: domain, days between two files, and minutes.

    The minutes are those from the end of a day to the time by which its rows are to be there.
    """
    levels = []
    for contract in contracts:
        if contract.topic is None:
            service = contract.service
            days = max(service.frequency.days, 1)
            minutes = _minutes(service.available_by) if service.available_by else service.latency.total_seconds() / 60
            levels.append(f"('{contract.domain}', {days}, {minutes:.0f})")
    return ", ".join(levels)


def _after(contracts: Iterable[Contract]) -> str:
    """Quartz expression of the time of day by which all contracts have yesterday's rows."""
    hours, minutes = divmod(max(_minutes(each.service.available_by or MORNING) for each in contracts), 60)
    return f"0 {minutes} {hours} * * ?"


def _minutes(clock: str) -> int:
    """Minutes from midnight to a time of day."""
    hours, _, minutes = clock.partition(":")
    return int(hours) * 60 + int(minutes)
