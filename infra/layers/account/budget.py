"""The budget over everything that the account spends in Databricks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_databricks as databricks

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class BudgetArgs:
    """Inputs of `Budget`.

    Attributes:
        alerts_usd_per_month: US dollars of a month, at list price, at which to notify; rising.
        notify: E-mail addresses that are notified.
    """

    alerts_usd_per_month: Sequence[int]
    notify: Sequence[str]


class Budget(pulumi.ComponentResource):
    """Owns the budget. A budget notifies; nothing stops at its amounts."""

    def __init__(self, name: str, args: BudgetArgs, opts: pulumi.ResourceOptions) -> None:
        """Declares the budget."""
        super().__init__("churn:account:Budget", name, None, opts)
        databricks.Budget(
            "account-budget",
            display_name="churn-account",
            alert_configurations=[
                {
                    "time_period": "MONTH",
                    "trigger_type": "CUMULATIVE_SPENDING_EXCEEDED",
                    "quantity_type": "LIST_PRICE_DOLLARS_USD",
                    "quantity_threshold": str(amount),
                    "action_configurations": [
                        {"action_type": "EMAIL_NOTIFICATION", "target": address} for address in args.notify
                    ],
                }
                for amount in args.alerts_usd_per_month
            ],
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})
