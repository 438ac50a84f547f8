"""The catalog with its schemas, and the volumes that files are delivered to and go through."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_databricks as databricks

from infra.names import LANDING, SCHEMAS, VOLUMES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True)
class StorageArgs:
    """Inputs of `Storage`.

    Attributes:
        catalog: Name of the catalog.
        metastore_id: Metastore that holds it.
        owner: Group that owns all of it.
        root: Cloud location of its managed tables; None takes the metastore's.
        domains: Domains whose files are delivered.
        landing_urls: Cloud location of each domain's deliveries; without one they lie where the catalog does.
        protect: Whether to refuse to destroy; if not, destroying takes tables along that jobs have made.
    """

    catalog: str
    metastore_id: pulumi.Input[str]
    owner: pulumi.Input[str]
    root: pulumi.Input[str | None]
    domains: Sequence[str]
    landing_urls: Mapping[str, pulumi.Input[str]]
    protect: bool


class Storage(pulumi.ComponentResource):
    """Owns the catalog, its schemas, the volumes of landing and bronze, and the folders that pipelines read.

    Tables belong to whoever fills them, delivered files to `ingest`.
    """

    catalog: pulumi.Output[str]
    schemas: dict[str, databricks.Schema]

    def __init__(self, name: str, args: StorageArgs, opts: pulumi.ResourceOptions) -> None:
        """Declares the catalog and what lies in it."""
        super().__init__("churn:platform:Storage", name, None, opts)
        child = pulumi.ResourceOptions(parent=self, protect=args.protect)
        catalog = databricks.Catalog(
            "catalog",
            name=args.catalog,
            metastore_id=args.metastore_id,
            storage_root=args.root,
            owner=args.owner,
            comment="Customer churn: from raw deliveries to scores",
            isolation_mode="ISOLATED",  # of this workspace alone, to which the provider binds it
            force_destroy=not args.protect,
            opts=child,
        )
        self.catalog = catalog.name
        self.schemas = {
            schema: databricks.Schema(
                schema,
                catalog_name=catalog.name,
                name=schema,
                owner=args.owner,
                comment=comment,
                force_destroy=not args.protect,
                opts=child,
            )
            for schema, comment in SCHEMAS.items()
        }
        volumes = {
            volume: databricks.Volume(
                volume,
                catalog_name=catalog.name,
                schema_name=self.schemas["bronze"].name,
                name=volume,
                volume_type="MANAGED",
                owner=args.owner,
                comment=comment,
                opts=child,
            )
            for volume, comment in VOLUMES.items()
        }
        for domain in args.domains:
            self._landing(domain, args, child)
            # A stream cannot begin on a folder that is missing; it ignores names that begin with an underscore.
            databricks.File(
                f"admitted-{domain}",
                path=pulumi.Output.concat(volumes["admitted"].volume_path, f"/{domain}/_keep"),
                content_base64=base64.b64encode(b"Keeps the folder.").decode(),
                opts=pulumi.ResourceOptions(parent=self),
            )
        self.register_outputs({"catalog": self.catalog})

    def _landing(self, domain: str, args: StorageArgs, opts: pulumi.ResourceOptions) -> None:
        """Declares the volume of a domain's deliveries."""
        databricks.Volume(
            f"landing-{domain}",
            catalog_name=self.catalog,
            schema_name=self.schemas[LANDING].name,
            name=domain,
            volume_type="EXTERNAL" if domain in args.landing_urls else "MANAGED",
            storage_location=args.landing_urls.get(domain),
            owner=args.owner,
            comment=f"Deliveries of {domain} as they come, in <day>/",
            opts=opts,
        )
