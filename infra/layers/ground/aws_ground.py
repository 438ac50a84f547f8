"""The ground in AWS, part by part: each is made, or adopted by its id and then left as it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_aws as aws

from infra.layers.ground.buckets import CREDENTIAL_BUCKETS, Buckets, BucketsArgs
from infra.layers.ground.endpoints import Endpoints, EndpointsArgs
from infra.layers.ground.environment import Environment
from infra.layers.ground.kafka import Kafka, KafkaArgs, Topic
from infra.layers.ground.kafka_alarms import KafkaAlarms, KafkaAlarmsArgs
from infra.layers.ground.kafka_link import KafkaLink, KafkaLinkArgs
from infra.layers.ground.keys import Keys, KeysArgs
from infra.layers.ground.network import Network, NetworkArgs
from infra.layers.ground.outputs import GroundOutputs
from infra.layers.ground.provider import make_provider
from infra.layers.ground.roles import Github, Roles, RolesArgs
from infra.layers.ground.security_groups import SecurityGroups, SecurityGroupsArgs
from infra.layers.ground.watch import Watch, WatchArgs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from infra.written.settings.aws import Aws
    from infra.written.settings.aws import Network as NetworkSettings
    from infra.written.settings.kafka import AdoptedKafka
    from infra.written.settings.kafka import Kafka as KafkaSettings


@dataclass(frozen=True)
class _Base:
    """What every part needs.

    Attributes:
        environment: Account, region and names.
        protect: Whether to refuse to destroy whatever holds data.
        opts: Options with the provider.
    """

    environment: Environment
    protect: bool
    opts: pulumi.ResourceOptions


@dataclass(frozen=True)
class _Place:
    """The network that nodes and brokers stand in.

    Attributes:
        vpc_id: Id of the VPC.
        subnet_ids: Id of a private subnet in each zone.
        nodes_group_id: Id of the security group of nodes.
        control_plane_ids: Ids of the endpoints of Databricks' control plane, by what they serve; None without any.
    """

    vpc_id: pulumi.Input[str]
    subnet_ids: Sequence[pulumi.Input[str]]
    nodes_group_id: pulumi.Input[str]
    control_plane_ids: pulumi.Output[dict[str, str]] | None = None


@dataclass(frozen=True)
class _Cluster:
    """The cluster of Kafka.

    Attributes:
        arn: ARN of the cluster.
        bootstrap_brokers: Addresses of brokers for TLS with IAM.
        topics: Names of the topics.
        services: Endpoint service of each broker, with `service_name` and `domain`; none without private link.
    """

    arn: pulumi.Input[str]
    bootstrap_brokers: pulumi.Input[str]
    topics: Sequence[str]
    services: Sequence[pulumi.Output[dict[str, str]]] = ()


def deploy_aws(stack: str, settings: Aws, tags: Mapping[str, str], protect: bool) -> GroundOutputs:
    """Makes and adopts what the settings say.

    Args:
        stack: Name of the stack.
        settings: Its section `ground.aws`.
        tags: Tags of everything.
        protect: Whether to refuse to destroy whatever holds data.
    """
    environment = Environment(settings.account_id, settings.region, stack)
    provider = make_provider(environment, tags, settings.endpoint)
    base = _Base(environment, protect, pulumi.ResourceOptions(providers=[provider]))
    databricks_account_id = str(settings.databricks_account_id)

    adopted_keys = settings.keys.model_dump(exclude_none=True)
    keys = Keys("keys", KeysArgs(environment, databricks_account_id, protect, adopted_keys), base.opts).arns
    budget, notify = settings.watch.budget_usd_per_month, settings.watch.notify
    watch = Watch("watch", WatchArgs(environment, keys["watch"], notify, budget), base.opts)
    place = _place(base, settings)
    adopted_buckets = settings.buckets.model_dump(exclude_none=True)
    buckets = Buckets(
        "buckets",
        BucketsArgs(environment, databricks_account_id, keys["storage"], protect, adopted_buckets),
        base.opts,
    ).names
    cluster = _cluster(base, settings, place, keys["kafka"], watch)
    roles = Roles(
        "roles",
        RolesArgs(
            environment=environment,
            databricks_account_id=databricks_account_id,
            vpc_id=place.vpc_id,
            nodes_group_id=place.nodes_group_id,
            buckets=[buckets[purpose] for purpose in CREDENTIAL_BUCKETS],
            storage_key_arn=keys["storage"],
            kafka_arn=cluster.arn if cluster else None,
            topics=cluster.topics if cluster else (),
            github=Github(**settings.github.model_dump()) if settings.github else None,
            seconds=settings.role_seconds,
        ),
        base.opts,
    ).arns
    return GroundOutputs(
        storage_root=pulumi.Output.concat("s3://", buckets["catalog"], "/managed"),
        catalog_url=pulumi.Output.concat("s3://", buckets["catalog"]),
        raw_url=pulumi.Output.concat("s3://", buckets["raw"]),
        checkpoints_url=pulumi.Output.concat("s3://", buckets["checkpoints"]),
        workspace_bucket=buckets["workspace"],
        logs_bucket=buckets["logs"],
        vpc_id=place.vpc_id,
        subnet_ids=pulumi.Output.all(*place.subnet_ids),
        nodes_group_id=place.nodes_group_id,
        control_plane_endpoint_ids=place.control_plane_ids,
        role_arns=roles,
        key_arns=pulumi.Output.all(**keys),
        kafka_bootstrap_brokers=cluster.bootstrap_brokers if cluster else None,
        kafka_topics=cluster.topics if cluster else None,
        kafka_services=(cluster.services if cluster else ()) or None,
    )


def _place(base: _Base, settings: Aws) -> _Place:
    """The network, made or adopted."""
    if settings.network:
        return _made_place(base, settings.network)
    adopted = settings.adopted_network
    if adopted is None:
        raise AssertionError("settings have network or adopted_network")
    return _Place(adopted.vpc_id, adopted.subnet_ids, adopted.nodes_group_id)


def _made_place(base: _Base, settings: NetworkSettings) -> _Place:
    """A new network with its security groups and endpoints."""
    network = Network(
        "network", NetworkArgs(base.environment, settings.cidr, settings.zones, settings.nat, base.protect), base.opts
    )
    groups = SecurityGroups(
        "security-groups", SecurityGroupsArgs(base.environment, network.vpc_id, settings.cidr), base.opts
    )
    endpoints = Endpoints(
        "endpoints",
        EndpointsArgs(
            environment=base.environment,
            vpc_id=network.vpc_id,
            subnet_ids=network.subnet_ids,
            route_table_ids=network.route_table_ids,
            security_group_id=groups.endpoints_id,
            control_plane=settings.control_plane.model_dump() if settings.control_plane else {},
        ),
        base.opts,
    )
    interfaces = pulumi.Output.all(**endpoints.control_plane_ids) if endpoints.control_plane_ids else None
    return _Place(network.vpc_id, network.subnet_ids, groups.nodes_id, interfaces)


def _cluster(base: _Base, settings: Aws, place: _Place, key_arn: pulumi.Input[str], watch: Watch) -> _Cluster | None:
    """The cluster of Kafka, made or adopted, if there is one."""
    if settings.kafka:
        return _made_cluster(base, settings.kafka, place, key_arn, watch)
    return _adopted_cluster(base, settings.adopted_kafka) if settings.adopted_kafka else None


def _made_cluster(
    base: _Base, settings: KafkaSettings, place: _Place, key_arn: pulumi.Input[str], watch: Watch
) -> _Cluster:
    """A new cluster with its alarms and, by setting, the way from serverless compute."""
    kafka = Kafka(
        "kafka",
        KafkaArgs(
            environment=base.environment,
            vpc_id=place.vpc_id,
            subnet_ids=place.subnet_ids,
            nodes_group_id=place.nodes_group_id,
            key_arn=key_arn,
            log_group=watch.log_group,
            version=settings.version,
            broker_type=settings.broker_type,
            storage_gib=settings.storage_gib,
            maximum_storage_gib=settings.maximum_storage_gib,
            topics=[Topic(**topic.model_dump()) for topic in settings.topics],
            protect=base.protect,
        ),
        base.opts,
    )
    KafkaAlarms(
        "kafka-alarms",
        KafkaAlarmsArgs(base.environment, kafka.cluster_name, len(place.subnet_ids), watch.topic_arn),
        base.opts,
    )
    topics = [topic.name for topic in settings.topics]
    if not settings.serverless_link:
        return _Cluster(kafka.arn, kafka.bootstrap_brokers, topics)
    link = KafkaLink(
        "kafka-link",
        KafkaLinkArgs(base.environment, place.vpc_id, place.subnet_ids, kafka.arn, kafka.brokers_group_id),
        base.opts,
    )
    return _Cluster(kafka.arn, kafka.bootstrap_brokers, topics, link.services)


def _adopted_cluster(base: _Base, settings: AdoptedKafka) -> _Cluster:
    """A cluster that exists; where its brokers are is looked up."""
    provider = base.opts.providers
    found = aws.msk.get_bootstrap_brokers_output(
        cluster_arn=settings.cluster_arn,
        opts=pulumi.InvokeOutputOptions(provider=provider[0] if isinstance(provider, list) else None),
    )
    return _Cluster(settings.cluster_arn, found.bootstrap_brokers_sasl_iam, settings.topics)
