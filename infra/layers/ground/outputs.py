"""Outputs of the ground for the layers above, in the stack that makes them and in one that reads them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pulumi


@dataclass(frozen=True)
class GroundOutputs:
    """Outputs of the ground for the platform; None where this ground has no such thing.

    A stack exports each value under the name that it has as an attribute, so that another stack can read it.

    Attributes:
        storage_root: Cloud location of the catalog's managed tables and volumes, below an external location; None takes
            the metastore's.
        catalog_url: Cloud location that this ground makes for the catalog; `storage_root` lies in it.
        raw_url: Cloud location of deliveries, below which each domain has a folder.
        checkpoints_url: Cloud location of streams' progress.
        workspace_bucket: Name of the bucket of the workspace's own files.
        logs_bucket: Name of the bucket of logs.
        vpc_id: Id of the network.
        subnet_ids: Ids of its private subnets.
        nodes_group_id: Id of the security group of nodes.
        control_plane_endpoint_ids: Ids of the endpoints of Databricks' services, by what they serve.
        role_arns: ARNs of roles, by purpose; each is known once the role has its rights.
        key_arns: ARNs of KMS keys, by use.
        kafka_bootstrap_brokers: Addresses of brokers for clients that speak TLS and IAM.
        kafka_topics: Names of topics.
        kafka_services: Endpoint services of brokers, each with `service_name` and `domain`.
        workspace_host: URL of the workspace that this ground makes.
        workspace_id: Its number.
    """

    storage_root: pulumi.Input[str] | None = None
    catalog_url: pulumi.Input[str] | None = None
    raw_url: pulumi.Input[str] | None = None
    checkpoints_url: pulumi.Input[str] | None = None
    workspace_bucket: pulumi.Input[str | None] = None
    logs_bucket: pulumi.Input[str | None] = None
    vpc_id: pulumi.Input[str | None] = None
    subnet_ids: pulumi.Input[Sequence[str] | None] = None
    nodes_group_id: pulumi.Input[str | None] = None
    control_plane_endpoint_ids: pulumi.Input[Mapping[str, str] | None] = None
    role_arns: Mapping[str, pulumi.Output[str]] | pulumi.Output[dict[str, str]] | None = None
    key_arns: pulumi.Input[Mapping[str, str] | None] = None
    kafka_bootstrap_brokers: pulumi.Input[str | None] = None
    kafka_topics: pulumi.Input[Sequence[str] | None] = None
    kafka_services: Sequence[pulumi.Output[dict[str, str]]] | pulumi.Output[list[dict[str, str]]] | None = None
    workspace_host: pulumi.Input[str | None] = None
    workspace_id: pulumi.Input[str | None] = None
