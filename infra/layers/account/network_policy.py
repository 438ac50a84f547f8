"""The account's policy for serverless compute: what it may reach outside of the account's own data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_databricks as databricks

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class NetworkPolicyArgs:
    """Inputs of `NetworkPolicy`.

    Attributes:
        account_id: Id of the Databricks account.
        policy: Id of the policy, by which a workspace names it.
        domains: Domains on the internet.
        buckets: Names of buckets, each with its region.
        workspaces: Numbers of workspaces that exist and get the policy.
        enforced: Whether other destinations are refused; if not, they are only logged.
    """

    account_id: str
    policy: str
    domains: Sequence[str]
    buckets: Sequence[tuple[str, str]]
    workspaces: Sequence[int]
    enforced: bool


class NetworkPolicy(pulumi.ComponentResource):
    """Owns the policy, and gives it to workspaces that exist; others are given it by whoever makes them.

    Databricks takes no policy from a workspace: it is given another, `default-policy`, before this one can go.
    """

    def __init__(self, name: str, args: NetworkPolicyArgs, opts: pulumi.ResourceOptions) -> None:
        """Declares the policy."""
        super().__init__("churn:account:NetworkPolicy", name, None, opts)
        policy = databricks.AccountNetworkPolicy(
            args.policy,
            # Without it the provider takes the account for unknown at each change, and replaces the policy.
            account_id=args.account_id,
            network_policy_id=args.policy,
            egress={
                "network_access": {
                    "restriction_mode": "RESTRICTED_ACCESS",
                    "allowed_internet_destinations": [
                        {"destination": domain, "internet_destination_type": "DNS_NAME"} for domain in args.domains
                    ],
                    "allowed_storage_destinations": [
                        {"bucket_name": bucket, "region": region, "storage_destination_type": "AWS_S3"}
                        for bucket, region in args.buckets
                    ],
                    "policy_enforcement": {"enforcement_mode": "ENFORCED" if args.enforced else "DRY_RUN"},
                }
            },
            opts=pulumi.ResourceOptions(parent=self),
        )
        for workspace in args.workspaces:
            databricks.WorkspaceNetworkOption(
                f"network-option-{workspace}",
                workspace_id=str(workspace),
                network_policy_id=policy.network_policy_id,
                opts=pulumi.ResourceOptions(parent=self),
            )
        self.register_outputs({})
