"""The dashboard over the marts."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_databricks as databricks

from infra.access.permissions import ObjectKind
from infra.layers.platform.permissions import permit
from infra.written.paths import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

    from infra.layers.platform.permissions import Principals

DASHBOARD = REPOSITORY / "workloads" / "dashboards" / "churn.lvdash.json"
CATALOG_PLACEHOLDER = "${catalog}"


def serialize_dashboard(source: Path, catalog: str) -> str:
    """Writes the dashboard for one catalog as JSON that compares equal whatever its layout: sorted, without blanks."""
    text = source.read_text(encoding="utf-8").replace(CATALOG_PLACEHOLDER, catalog)
    return json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"))


@dataclass(frozen=True)
class ChurnDashboardArgs:
    """Inputs of `ChurnDashboard`.

    Attributes:
        stack: Name of the stack, for the title.
        folder: Workspace folder that the dashboard lies in, under `/Workspace`.
        warehouse_id: SQL warehouse that its queries run on.
        serialized: Its JSON.
        principals: Principal of each role.
    """

    stack: str
    folder: pulumi.Input[str]
    warehouse_id: pulumi.Input[str]
    serialized: str
    principals: Principals


class ChurnDashboard(pulumi.ComponentResource):
    """Owns the published dashboard and its permissions; the marts that it reads are filled by `churn_daily`."""

    dashboard_id: pulumi.Output[str]

    def __init__(self, name: str, args: ChurnDashboardArgs, opts: pulumi.ResourceOptions) -> None:
        """Declares the dashboard."""
        super().__init__("churn:platform:ChurnDashboard", name, None, opts)
        dashboard = databricks.Dashboard(
            "dashboard",
            display_name=f"Churn ({args.stack})",
            parent_path=args.folder,
            warehouse_id=args.warehouse_id,
            serialized_dashboard=args.serialized,
            embed_credentials=False,  # viewers read with their own grants
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.dashboard_id = dashboard.id
        permit(self, "dashboard", ObjectKind.DASHBOARD, dashboard.id, args.principals)
        self.register_outputs({"dashboard_id": self.dashboard_id})
