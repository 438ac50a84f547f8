"""What people look at: the dashboard over the marts."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_databricks as databricks

from infra.written.stacks import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

    from infra.written.tenancy import Groups

DASHBOARD = REPOSITORY / "workloads" / "dashboards" / "churn.lvdash.json"
CATALOG_MARK = "${catalog}"


def serialized(source: Path, catalog: str) -> str:
    """The dashboard's JSON for one catalog, in the form that compares equal: sorted and without blanks."""
    text = source.read_text(encoding="utf-8").replace(CATALOG_MARK, catalog)
    return json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"))


@dataclass(frozen=True)
class AnalyticsArgs:
    """Attributes:
    stack: Name of the stack, for the title.
    folder: Workspace folder that the dashboard lies in, under `/Workspace`.
    warehouse_id: SQL warehouse that its queries run on.
    dashboard: The dashboard's serialized JSON.
    groups: Display names of the account's groups.
    """

    stack: str
    folder: pulumi.Input[str]
    warehouse_id: pulumi.Input[str]
    dashboard: str
    groups: Groups


class Analytics(pulumi.ComponentResource):
    """Owns the published dashboard and its permissions; the marts it reads are made by `churn_daily`."""

    dashboard_id: pulumi.Output[str]

    def __init__(self, name: str, args: AnalyticsArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("churn:analytics:Analytics", name, None, opts)
        here = pulumi.ResourceOptions(parent=self)
        dashboard = databricks.Dashboard(
            "dashboard",
            display_name=f"Churn ({args.stack})",
            parent_path=args.folder,
            warehouse_id=args.warehouse_id,
            serialized_dashboard=args.dashboard,
            # Viewers read with their own grants.
            embed_credentials=False,
            opts=here,
        )
        self.dashboard_id = dashboard.id
        databricks.Permissions(
            "dashboard-permissions",
            dashboard_id=dashboard.id,
            access_controls=[
                {"group_name": args.groups.engineers, "permission_level": "CAN_MANAGE"},
                {"group_name": args.groups.scientists, "permission_level": "CAN_READ"},
                {"group_name": args.groups.analysts, "permission_level": "CAN_READ"},
            ],
            opts=here,
        )
        self.register_outputs({"dashboard_id": self.dashboard_id})
