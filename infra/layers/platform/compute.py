"""What may be started, and by whom: the cluster policy, the SQL warehouse, the secret scope."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_databricks as databricks

if TYPE_CHECKING:
    from infra.written.settings import Compute as ComputeSettings
    from infra.written.settings import Warehouse
    from infra.written.tenancy import Groups

SECURITY_MODE = "USER_ISOLATION"


def policy_definition(settings: ComputeSettings, stack: str) -> str:
    """The cluster policy as JSON: job clusters alone, of the stack's runtime, node type and size."""
    return json.dumps(
        {
            "cluster_type": {"type": "fixed", "value": "job"},
            "custom_tags.project": {"type": "fixed", "value": "churn"},
            "custom_tags.stack": {"type": "fixed", "value": stack},
            "data_security_mode": {"type": "fixed", "value": SECURITY_MODE},
            "driver_node_type_id": {"type": "allowlist", "values": [settings.node_type_id], "isOptional": True},
            "node_type_id": {"type": "allowlist", "values": [settings.node_type_id]},
            "num_workers": {"type": "range", "minValue": 1, "maxValue": settings.workers},
            "spark_version": {"type": "fixed", "value": settings.spark_version},
        },
        sort_keys=True,
    )


@dataclass(frozen=True)
class ComputeArgs:
    """Attributes:
    prefix: Name of the objects, as `churn-local`.
    stack: Name of the stack, for tags.
    settings: The stack's section `compute`.
    warehouse: The stack's section `warehouse`.
    groups: Display names of the account's groups.
    runner: Application id of the service principal that jobs run as.
    protect: Whether to refuse to destroy the secret scope: nothing brings back secrets that people put there.
    """

    prefix: str
    stack: str
    settings: ComputeSettings
    warehouse: Warehouse
    groups: Groups
    runner: pulumi.Input[str]
    protect: bool


class Compute(pulumi.ComponentResource):
    """Owns the cluster policy, the SQL warehouse and the secret scope, with their permissions.

    Clusters are left to the jobs that need them.
    """

    policy_id: pulumi.Output[str]
    warehouse_id: pulumi.Output[str]
    secret_scope: pulumi.Output[str]

    def __init__(self, name: str, args: ComputeArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("churn:compute:Compute", name, None, opts)
        here = pulumi.ResourceOptions(parent=self)
        tags = [
            databricks.SqlEndpointTagsCustomTagArgs(key="project", value="churn"),
            databricks.SqlEndpointTagsCustomTagArgs(key="stack", value=args.stack),
        ]

        policy = databricks.ClusterPolicy(
            "policy", name=f"{args.prefix}-jobs", definition=policy_definition(args.settings, args.stack), opts=here
        )
        self.policy_id = policy.id
        databricks.Permissions(
            "policy-permissions",
            cluster_policy_id=policy.id,
            access_controls=[
                {"service_principal_name": args.runner, "permission_level": "CAN_USE"},
                {"group_name": args.groups.engineers, "permission_level": "CAN_USE"},
            ],
            opts=here,
        )

        warehouse = databricks.SqlEndpoint(
            "warehouse",
            name=args.prefix,
            cluster_size=args.warehouse.size.value,
            min_num_clusters=1,
            max_num_clusters=args.warehouse.maximum_clusters,
            auto_stop_mins=args.warehouse.auto_stop_minutes,
            enable_serverless_compute=True,
            warehouse_type="PRO",
            tags=databricks.SqlEndpointTagsArgs(custom_tags=tags),
            opts=here,
        )
        self.warehouse_id = warehouse.id
        databricks.Permissions(
            "warehouse-permissions",
            sql_endpoint_id=warehouse.id,
            access_controls=[
                {"service_principal_name": args.runner, "permission_level": "CAN_USE"},
                {"group_name": args.groups.engineers, "permission_level": "CAN_MANAGE"},
                {"group_name": args.groups.scientists, "permission_level": "CAN_USE"},
                {"group_name": args.groups.analysts, "permission_level": "CAN_USE"},
            ],
            opts=here,
        )

        scope = databricks.SecretScope(
            "secrets", name=args.prefix, opts=pulumi.ResourceOptions(parent=self, protect=args.protect)
        )
        self.secret_scope = scope.name
        for who, principal, permission in (
            ("runner", args.runner, "READ"),
            ("engineers", args.groups.engineers, "WRITE"),
        ):
            databricks.SecretAcl(
                f"secrets-{who}", scope=scope.name, principal=principal, permission=permission, opts=here
            )
        self.register_outputs({"warehouse_id": self.warehouse_id})
