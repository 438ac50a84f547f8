"""Section `ground`: what the platform stands on in the cloud, made by this stack or read from another."""

from __future__ import annotations

from pydantic import Field

from infra.written.sections import Section
from infra.written.settings.aws import Aws
from infra.written.settings.databricks_workspace import MadeWorkspace


class Ground(Section):
    """Settings of the ground layer: its values and the parts to make in AWS, or the stack whose outputs have them."""

    storage_root: str | None = Field(
        default=None,
        pattern=r"^(s3|abfss|gs)://\S+$",
        description="cloud location of the catalog's tables, below an external location that exists; null takes the "
        "root of the metastore, which those that Databricks makes lack",
    )
    stack: str | None = Field(
        default=None,
        pattern=r"^[\w.-]+/[\w.-]+/[\w.-]+$",
        description="organization/project/stack whose ground in AWS this is, read from its outputs",
    )
    kafka: bool = Field(
        default=False,
        description="beside stack: true if that ground has Kafka, for which the platform makes a service credential",
    )
    aws: Aws | None = Field(
        default=None,
        description="network, keys, buckets, roles and Kafka that this stack makes; without it AWS is not needed",
    )
    workspace: MadeWorkspace | None = Field(
        default=None,
        description="the workspace that this stack makes in its part aws; null if the platform goes to one that exists",
    )
    protect_data: bool = Field(default=True, description="true refuses to destroy whatever holds data in the cloud")

    @property
    def makes_storage(self) -> bool:
        """Whether AWS has buckets of this ground, and a role for them."""
        return self.aws is not None or self.stack is not None

    @property
    def makes_kafka_role(self) -> bool:
        """Whether AWS has a role of this ground for clients of Kafka."""
        return self.kafka or (self.aws is not None and (self.aws.kafka or self.aws.adopted_kafka) is not None)
