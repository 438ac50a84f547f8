"""Connects the ground in AWS with Unity Catalog: credentials of its roles, external locations over its buckets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_databricks as databricks

from infra.names import CATALOG_LOCATION, CHECKPOINTS_LOCATION, KAFKA_CREDENTIAL, STORAGE_CREDENTIAL, landing_location

if TYPE_CHECKING:
    from collections.abc import Sequence

# Of this workspace alone, to which the provider binds it.
ISOLATED = "ISOLATION_MODE_ISOLATED"


@dataclass(frozen=True)
class CloudStorageArgs:
    """Inputs of `CloudStorage`.

    Attributes:
        prefix: Beginning of each name, since all stacks of a metastore share its names.
        owner: Group that owns all of it.
        role_arn: ARN of the role that reads and writes the buckets.
        catalog_url: Location below which the catalog's managed tables and volumes lie.
        raw_url: Location of deliveries, below which each domain has its own.
        checkpoints_url: Location of streams' progress.
        domains: Domains whose files are delivered.
        protect: Whether to refuse to destroy.
    """

    prefix: str
    owner: pulumi.Input[str]
    role_arn: pulumi.Input[str]
    catalog_url: pulumi.Input[str]
    raw_url: pulumi.Input[str]
    checkpoints_url: pulumi.Input[str]
    domains: Sequence[str]
    protect: bool


class CloudStorage(pulumi.ComponentResource):
    """Owns the storage credential and the external locations. Grants are made with all others.

    Attributes:
        catalog: The location that the catalog needs to exist first.
        landing_urls: Location of each domain's deliveries.
    """

    catalog: databricks.ExternalLocation
    landing_urls: dict[str, pulumi.Output[str]]

    def __init__(self, name: str, args: CloudStorageArgs, opts: pulumi.ResourceOptions) -> None:
        """Declares the credential and the locations."""
        super().__init__("churn:platform:CloudStorage", name, None, opts)
        self._args = args
        self._child = pulumi.ResourceOptions(parent=self, protect=args.protect)
        self._credential = databricks.StorageCredential(
            STORAGE_CREDENTIAL,
            name=f"{args.prefix}-{STORAGE_CREDENTIAL}",
            aws_iam_role={"role_arn": args.role_arn},
            owner=args.owner,
            isolation_mode=ISOLATED,
            comment="Role of the buckets of the catalog, of deliveries and of checkpoints",
            opts=self._child,
        )
        self.catalog = self._location(CATALOG_LOCATION, args.catalog_url, "Managed tables and volumes of the catalog")
        self._location(CHECKPOINTS_LOCATION, args.checkpoints_url, "Progress of streams")
        self.landing_urls = {
            domain: self._location(
                landing_location(domain),
                pulumi.Output.concat(args.raw_url, "/", domain),
                f"Deliveries of {domain} as they come",
            ).url
            for domain in args.domains
        }
        self.register_outputs({"landing_urls": self.landing_urls})

    def _location(self, purpose: str, url: pulumi.Input[str], comment: str) -> databricks.ExternalLocation:
        return databricks.ExternalLocation(
            f"{purpose}-location",
            name=f"{self._args.prefix}-{purpose}",
            url=url,
            credential_name=self._credential.name,
            owner=self._args.owner,
            isolation_mode=ISOLATED,
            comment=comment,
            opts=self._child,
        )


@dataclass(frozen=True)
class KafkaCredentialArgs:
    """Inputs of `KafkaCredential`.

    Attributes:
        prefix: Beginning of the name.
        owner: Group that owns it.
        role_arn: ARN of the role that reads the topics.
    """

    prefix: str
    owner: pulumi.Input[str]
    role_arn: pulumi.Input[str]


class KafkaCredential(pulumi.ComponentResource):
    """Owns the service credential by which pipelines read the topics of Kafka."""

    def __init__(self, name: str, args: KafkaCredentialArgs, opts: pulumi.ResourceOptions) -> None:
        """Declares the credential."""
        super().__init__("churn:platform:KafkaCredential", name, None, opts)
        databricks.Credential(
            KAFKA_CREDENTIAL,
            name=f"{args.prefix}-{KAFKA_CREDENTIAL}",
            purpose="SERVICE",
            aws_iam_role={"role_arn": args.role_arn},
            owner=args.owner,
            isolation_mode=ISOLATED,
            comment="Role of the topics of Kafka",
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})
