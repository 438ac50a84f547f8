"""Compute that may be started, and the secrets of jobs: cluster policy, SQL warehouse, secret scope."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_databricks as databricks

from infra.access.permissions import ObjectKind
from infra.layers.platform.permit import permit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.layers.platform.permit import Principals
    from infra.written.settings.compute import Compute as ComputeSettings
    from infra.written.settings.compute import Warehouse

SECURITY_MODE = "USER_ISOLATION"


# What a cluster must not have: code that nobody has reviewed, and rights of AWS beside those of Unity Catalog.
CLOSED = {
    "aws_attributes.instance_profile_arn": {"type": "forbidden"},
    "docker_image.basic_auth.password": {"type": "forbidden"},
    "docker_image.basic_auth.username": {"type": "forbidden"},
    "docker_image.url": {"type": "forbidden"},
    **{
        f"init_scripts.*.{place}.destination": {"type": "forbidden"}
        for place in ("abfss", "dbfs", "file", "gcs", "s3", "volumes", "workspace")
    },
}


def node_rules(node_type_id: str, tags: Mapping[str, str]) -> dict[str, object]:
    """Rules of every cluster policy: the stack's node type and tags, and nothing that opens another way."""
    return {
        **CLOSED,
        **{f"custom_tags.{key}": {"type": "fixed", "value": value} for key, value in tags.items()},
        "driver_node_type_id": {"type": "allowlist", "values": [node_type_id], "isOptional": True},
        "node_type_id": {"type": "allowlist", "values": [node_type_id]},
    }


def policy_definition(settings: ComputeSettings, tags: Mapping[str, str]) -> str:
    """Writes the cluster policy as JSON: job clusters alone, of the stack's runtime, node type and size."""
    return json.dumps(
        {
            **node_rules(settings.node_type_id, tags),
            "cluster_type": {"type": "fixed", "value": "job"},
            "data_security_mode": {"type": "fixed", "value": SECURITY_MODE},
            "dbus_per_hour": {"type": "range", "maxValue": settings.dbus_per_hour},
            "num_workers": {"type": "range", "minValue": 1, "maxValue": settings.workers},
            "runtime_engine": {"type": "fixed", "value": "STANDARD"},  # Photon costs more DBU a node
            "spark_version": {"type": "fixed", "value": settings.spark_version},
        },
        sort_keys=True,
    )


@dataclass(frozen=True)
class ComputeArgs:
    """Inputs of `Compute`.

    Attributes:
        prefix: Name of the objects, as `churn-local`.
        tags: Tags of nodes and of the warehouse.
        settings: The stack's section `compute`.
        warehouse: The stack's section `warehouse`.
        principals: Principal of each role.
        protect: Whether to refuse to destroy the secret scope: nothing brings back secrets that people put there.
    """

    prefix: str
    tags: Mapping[str, str]
    settings: ComputeSettings
    warehouse: Warehouse
    principals: Principals
    protect: bool


class Compute(pulumi.ComponentResource):
    """Owns the cluster policy, the SQL warehouse and the secret scope, with their permissions.

    Clusters are left to the jobs that need them.
    """

    policy_id: pulumi.Output[str]
    warehouse_id: pulumi.Output[str]
    secret_scope: pulumi.Output[str]

    def __init__(self, name: str, args: ComputeArgs, opts: pulumi.ResourceOptions) -> None:
        """Declares the policy, the warehouse and the scope."""
        super().__init__("churn:platform:Compute", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        policy = databricks.ClusterPolicy(
            "policy", name=f"{args.prefix}-jobs", definition=policy_definition(args.settings, args.tags), opts=child
        )
        self.policy_id = policy.id
        permit(self, "policy", ObjectKind.CLUSTER_POLICY, policy.id, args.principals)
        warehouse = databricks.SqlEndpoint(
            "warehouse",
            name=args.prefix,
            cluster_size=args.warehouse.size.value,
            min_num_clusters=1,
            max_num_clusters=args.warehouse.maximum_clusters,
            auto_stop_mins=args.warehouse.auto_stop_minutes,
            enable_serverless_compute=True,
            warehouse_type="PRO",
            tags={"custom_tags": [{"key": key, "value": value} for key, value in args.tags.items()]},
            opts=child,
        )
        self.warehouse_id = warehouse.id
        permit(self, "warehouse", ObjectKind.WAREHOUSE, warehouse.id, args.principals)
        scope = databricks.SecretScope(
            "secrets", name=args.prefix, opts=pulumi.ResourceOptions(parent=self, protect=args.protect)
        )
        self.secret_scope = scope.name
        permit(self, "secrets", ObjectKind.SECRET_SCOPE, scope.name, args.principals)
        self.register_outputs({"warehouse_id": self.warehouse_id})
