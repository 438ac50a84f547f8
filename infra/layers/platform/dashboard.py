"""Dashboards: pages of queries over the platform's tables, published for who may read those."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_databricks as databricks

from infra.access.permissions import ObjectKind
from infra.layers.platform.permit import permit
from infra.written.paths import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

    from infra.layers.platform.permit import Principals

DASHBOARDS = REPOSITORY / "workloads" / "dashboards"
CATALOG_PLACEHOLDER = "${catalog}"


def serialize_dashboard(source: Path, catalog: str) -> str:
    """Writes a dashboard for one catalog as JSON that compares equal whatever its layout: sorted, without blanks."""
    text = source.read_text(encoding="utf-8").replace(CATALOG_PLACEHOLDER, catalog)
    return json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"))


@dataclass(frozen=True)
class DashboardArgs:
    """Inputs of a dashboard.

    Attributes:
        title: Its title.
        file: Its file in `DASHBOARDS`.
        kind: Whose permissions it has.
        folder: Workspace folder that it lies in, under `/Workspace`.
        catalog: Catalog whose tables it reads.
        warehouse_id: SQL warehouse that its queries run on.
        principals: Principal of each role.
    """

    title: str
    file: str
    kind: ObjectKind
    folder: pulumi.Input[str]
    catalog: str
    warehouse_id: pulumi.Input[str]
    principals: Principals


def declare_dashboard(parent: pulumi.Resource, name: str, args: DashboardArgs) -> databricks.Dashboard:
    """Declares a published dashboard with its permissions.

    Args:
        parent: The component that owns it.
        name: Its logical name.
        args: What it shows, where, and to whom.
    """
    dashboard = databricks.Dashboard(
        name,
        display_name=args.title,
        parent_path=args.folder,
        warehouse_id=args.warehouse_id,
        serialized_dashboard=serialize_dashboard(DASHBOARDS / args.file, args.catalog),
        embed_credentials=False,  # viewers read with their own grants
        opts=pulumi.ResourceOptions(parent=parent),
    )
    permit(parent, name, args.kind, dashboard.id, args.principals)
    return dashboard


class ChurnDashboard(pulumi.ComponentResource):
    """Owns the dashboard over the marts, which `churn_daily` fills."""

    dashboard_id: pulumi.Output[str]

    def __init__(self, name: str, args: DashboardArgs, opts: pulumi.ResourceOptions) -> None:
        """Declares the dashboard."""
        super().__init__("churn:platform:ChurnDashboard", name, None, opts)
        self.dashboard_id = declare_dashboard(self, "dashboard", args).id
        self.register_outputs({"dashboard_id": self.dashboard_id})
