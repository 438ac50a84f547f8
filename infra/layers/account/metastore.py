"""The metastore that the account's stack makes, where a region has none."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_databricks as databricks


@dataclass(frozen=True)
class MetastoreArgs:
    """Inputs of `Metastore`.

    Attributes:
        name: Name of the metastore.
        region: Its region.
        protect: Whether to refuse to destroy it: every catalog of the region would be lost.
    """

    name: str
    region: str
    protect: bool


class Metastore(pulumi.ComponentResource):
    """Owns the metastore. It has no storage root: each catalog brings its own.

    Attributes:
        metastore_id: Id of the metastore.
    """

    metastore_id: pulumi.Output[str]

    def __init__(self, name: str, args: MetastoreArgs, opts: pulumi.ResourceOptions) -> None:
        """Declares the metastore."""
        super().__init__("churn:account:Metastore", name, None, opts)
        metastore = databricks.Metastore(
            f"{args.name}-metastore",
            api="account",
            name=args.name,
            region=args.region,
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
        )
        self.metastore_id = metastore.id
        self.register_outputs({"metastore_id": self.metastore_id})
