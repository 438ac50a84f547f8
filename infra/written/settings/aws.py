"""Section `ground.aws`: what this stack makes or adopts in AWS."""

from __future__ import annotations

import ipaddress
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints

from infra.written.sections import Section, wrong_value
from infra.written.settings.kafka import AdoptedKafka, Kafka
from infra.written.settings.values import BucketName, Email, Url

ZONES = 3  # as many as replicas of a topic
# Databricks wants subnets of /17 to /26; each is a quarter of the network.
LARGEST_PREFIX, SMALLEST_PREFIX = 16, 24
# What Databricks' own examples wait before they use a new role.
# https://registry.terraform.io/providers/databricks/databricks/latest/docs/guides/aws-workspace
ROLE_SECONDS = 20.0


def _addresses(cidr: str) -> str:
    """Refuses what is no private network of the right size."""
    try:
        network = ipaddress.IPv4Network(cidr)
        if network.is_private and LARGEST_PREFIX <= network.prefixlen <= SMALLEST_PREFIX:
            return cidr
    except ValueError:
        pass
    allowed = f"a private network of /{LARGEST_PREFIX} to /{SMALLEST_PREFIX}, such as 10.20.0.0/16"
    raise wrong_value(allowed, "choose one whose addresses no connected network has")


Cidr = Annotated[str, AfterValidator(_addresses)]
TagValue = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[\w .:/=+@-]+$")]
KeyArn = Annotated[str, StringConstraints(pattern=r"^arn:aws:kms:[\w-]+:\d{12}:key/[\w-]+$")]
EndpointService = Annotated[str, StringConstraints(pattern=r"^com\.amazonaws\.vpce\.[\w-]+\.vpce-svc-[0-9a-f]+$")]


class Tags(Section):
    """Tags that everything carries, besides `project` and `stack`."""

    owner: TagValue = Field(description="who answers for it, such as a team")
    cost_center: TagValue = Field(description="who pays for it")


class ControlPlane(Section):
    """Databricks' endpoint services of the region, from its list "PrivateLink VPC endpoint services"."""

    workspace: EndpointService = Field(description="service of the workspace, its REST API included")
    relay: EndpointService = Field(description="service of the secure cluster connectivity relay")


class Network(Section):
    """A network that this stack makes."""

    cidr: Cidr = Field(description="addresses of the network, /16 to /24")
    zones: tuple[str, ...] = Field(
        min_length=ZONES, max_length=ZONES, description="names of three availability zones of the region"
    )
    nat: bool = Field(
        description="true lets nodes reach the internet through a NAT gateway in each zone; false lets them reach only "
        "what has an endpoint in the network"
    )
    control_plane: ControlPlane | None = Field(
        default=None,
        description="Databricks' endpoint services of the region; null reaches Databricks through the internet, which "
        "needs nat",
    )


class AdoptedNetwork(Section):
    """A network that exists, which this stack leaves as it is."""

    vpc_id: str = Field(pattern=r"^vpc-[0-9a-f]+$", description="id of the VPC")
    subnet_ids: tuple[str, ...] = Field(
        min_length=ZONES, max_length=ZONES, description="ids of a private subnet in each of three zones"
    )
    nodes_group_id: str = Field(
        pattern=r"^sg-[0-9a-f]+$",
        description="id of the security group of Databricks' nodes, which lets them call port 9098 of the network",
    )


class AdoptedKeys(Section):
    """KMS keys that exist, by what they encrypt; null makes one."""

    storage: KeyArn | None = Field(default=None, description="ARN of the key of buckets and disks")
    kafka: KeyArn | None = Field(default=None, description="ARN of the key of topics")
    managed_services: KeyArn | None = Field(default=None, description="ARN of the key of Databricks' control plane")
    watch: KeyArn | None = Field(default=None, description="ARN of the key of logs and alarms")


class AdoptedBuckets(Section):
    """Buckets that exist, by what lies in them; null makes one."""

    catalog: BucketName | None = Field(default=None, description="name of the bucket of the catalog's managed tables")
    raw: BucketName | None = Field(default=None, description="name of the bucket of deliveries")
    checkpoints: BucketName | None = Field(default=None, description="name of the bucket of streams' progress")
    workspace: BucketName | None = Field(default=None, description="name of the bucket of the workspace's own files")
    logs: BucketName | None = Field(default=None, description="name of the bucket of logs")


class Github(Section):
    """Deploying from GitHub Actions by OpenID Connect, without a stored key."""

    subject: str = Field(
        pattern=r"^repo:[\w.-]+/[\w.-]+:[^*?\s]+$",
        description="the one subject of GitHub's tokens that may deploy, such as repo:example/churn:environment:prod",
    )
    provider_arn: str | None = Field(
        default=None,
        pattern=r"^arn:aws:iam::\d{12}:oidc-provider/\S+$",
        description="ARN of GitHub's OpenID Connect provider, of which an AWS account has one; null makes it",
    )


class Watch(Section):
    """Who is notified, and of what cost."""

    budget_usd_per_month: int = Field(
        ge=1, le=1_000_000, description="US dollars that what carries the stack's tag may cost in a month"
    )
    notify: tuple[Email, ...] = Field(
        min_length=1, max_length=10, description="e-mail addresses that are notified of alarms and of the budget"
    )


class Aws(Section):
    """What the stack stands on in AWS."""

    account_id: str = Field(pattern=r"^\d{12}$", description="id of the AWS account, quoted; no other is deployed to")
    region: str = Field(pattern=r"^[a-z]{2}-[a-z]+-\d$", description="region of everything, such as eu-west-1")
    endpoint: Url | None = Field(
        default=None,
        pattern=r"^http://(127\.0\.0\.1|localhost):\d+$",
        description="URL on this machine that answers instead of every service of AWS; null takes AWS itself",
    )
    databricks_account_id: UUID = Field(description="id of the Databricks account, the external id of its roles")
    role_seconds: float = Field(
        default=ROLE_SECONDS,
        ge=0,
        le=600,
        description="seconds to wait until AWS has told all its services of a new role",
    )
    tags: Tags = Field(description="tags that everything carries, besides project and stack")
    network: Network | None = Field(default=None, description="the network that is made; null adopts one")
    adopted_network: AdoptedNetwork | None = Field(default=None, description="the network that exists; null makes one")
    keys: AdoptedKeys = Field(default=AdoptedKeys(), description="KMS keys that exist")
    buckets: AdoptedBuckets = Field(default=AdoptedBuckets(), description="buckets that exist")
    kafka: Kafka | None = Field(default=None, description="the cluster of Kafka that is made; null makes none")
    adopted_kafka: AdoptedKafka | None = Field(default=None, description="the cluster of Kafka that exists")
    github: Github | None = Field(default=None, description="deploying from GitHub Actions; null lets nobody in")
    watch: Watch = Field(description="who is notified, and of what cost")
