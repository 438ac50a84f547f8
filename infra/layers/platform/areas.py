"""Workspace areas: the schema and volume that a team has requested."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_databricks as databricks

if TYPE_CHECKING:
    from infra.written.requests import WorkspaceArea


@dataclass(frozen=True)
class AreaArgs:
    """Inputs of `Area`.

    Attributes:
        catalog: Catalog that the area lies in.
        request: What the team requested.
        protect: Whether to refuse to destroy it.
    """

    catalog: pulumi.Input[str]
    request: WorkspaceArea
    protect: bool


class Area(pulumi.ComponentResource):
    """Owns the schema and the volume of one team; what lies in them is the team's. Grants are made with all others."""

    def __init__(self, name: str, args: AreaArgs, opts: pulumi.ResourceOptions) -> None:
        """Declares the schema and its volume."""
        super().__init__("churn:platform:Area", name, None, opts)
        child = pulumi.ResourceOptions(parent=self, protect=args.protect)
        request = args.request
        schema = databricks.Schema(
            request.schema_name,
            catalog_name=args.catalog,
            name=request.schema_name,
            comment=request.purpose,
            owner=request.owner_group,
            force_destroy=not args.protect,
            opts=child,
        )
        databricks.Volume(
            f"{request.schema_name}-{request.volume}",
            catalog_name=args.catalog,
            schema_name=schema.name,
            name=request.volume,
            volume_type="MANAGED",
            owner=request.owner_group,
            comment=f"Files of {request.team}",
            opts=child,
        )
        self.register_outputs({"schema_name": schema.name})
