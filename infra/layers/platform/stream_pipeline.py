"""The pipeline of the stream: Kafka to silver, day and night, where it reaches the brokers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pulumi
import pulumi_databricks as databricks

from infra.access.permissions import ObjectKind
from infra.layers.platform.compute import node_rules
from infra.layers.platform.job_tasks import STREAM_PIPELINE
from infra.layers.platform.permit import permit
from infra.layers.platform.pipelines import declare_pipeline

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from infra.layers.platform.pipelines import PipelinesArgs
    from infra.written.settings.compute import Compute

# The service starts a failed continuous pipeline again for as long as it takes, with growing pauses: each try is one
# mail, since none is the last, and the alert on lag sees a pipeline that reads no message late or, where topics may be
# silent, not at all. The failure of a flow would be a second mail of the same try.
NOTIFIED = ("on-update-failure", "on-update-fatal-failure")


@dataclass(frozen=True)
class StreamPipelineArgs:
    """Inputs of `StreamPipeline`.

    Attributes:
        common: What all pipelines have.
        kafka: Brokers, topics and credential, by name.
        tags: Tags of its nodes.
        compute: The stack's section `compute`.
        workers: Worker nodes of its cluster.
        notify: E-mail addresses that are notified of failures.
    """

    common: PipelinesArgs
    kafka: Mapping[str, pulumi.Input[str]]
    tags: Mapping[str, str]
    compute: Compute
    workers: int
    notify: Sequence[str]


def policy_definition(compute: Compute, workers: int, tags: Mapping[str, str]) -> str:
    """Writes the cluster policy as JSON: clusters of pipelines alone, of the stack's node type and this size."""
    return json.dumps(
        {
            **node_rules(compute.node_type_id, tags),
            "cluster_type": {"type": "fixed", "value": "dlt"},
            "num_workers": {"type": "range", "minValue": 1, "maxValue": workers},
        },
        sort_keys=True,
    )


class StreamPipeline(pulumi.ComponentResource):
    """Owns the pipeline, with its permissions, and the policy of its cluster.

    On clusters it runs in the network that the brokers stand in. Serverless compute comes to them by private link.
    """

    id: pulumi.Output[str]

    def __init__(self, name: str, args: StreamPipelineArgs, opts: pulumi.ResourceOptions) -> None:
        """Declares the pipeline."""
        super().__init__("churn:platform:StreamPipeline", name, None, opts)
        notifications = [{"email_recipients": [*args.notify], "alerts": [*NOTIFIED]}] if args.notify else None
        pipeline = declare_pipeline(
            self,
            STREAM_PIPELINE,
            args.common,
            {f"churn.kafka.{name}": value for name, value in args.kafka.items()},
            continuous=True,
            notifications=notifications,
            **self._compute(args),
        )
        self.id = pipeline.id
        self.register_outputs({"id": self.id})

    def _compute(self, args: StreamPipelineArgs) -> dict[str, Any]:
        """Describes what it runs on: serverless compute, or one cluster of a fixed size under a policy of its own."""
        if args.compute.serverless:
            return {"serverless": True}
        policy = databricks.ClusterPolicy(
            "stream-policy",
            name=f"{args.common.prefix}-stream",
            definition=policy_definition(args.compute, args.workers, args.tags),
            opts=pulumi.ResourceOptions(parent=self),
        )
        permit(self, "stream-policy", ObjectKind.CLUSTER_POLICY, policy.id, args.common.principals)
        cluster = {
            "label": "default",
            "policy_id": policy.id,
            "node_type_id": args.compute.node_type_id,
            "num_workers": args.workers,
            "custom_tags": dict(args.tags),
        }
        return {"serverless": False, "clusters": [cluster]}
