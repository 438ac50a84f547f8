"""Rules over several values about the stream: its topics, and how its pipeline reaches them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.names import DEAD_LETTERS_TOPIC, EVENTS_TOPIC
from infra.written.sections import BrokenRule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from infra.written.settings.stack import Settings

STREAM = ("churn:platform", "stream")
AWS = ("churn:ground", "aws")
WIDEST_UNITS = 16  # between the bounds of autoscaling, from Databricks, "Autoscaling" of Lakebase


def _a_stream_has_brokers(settings: Settings) -> Iterator[BrokenRule]:
    """Requires a cluster of Kafka whose role a service credential can be made of."""
    if not settings.platform or not settings.platform.stream:
        return
    ground = settings.ground
    forms = ground.model_fields_set & {"aws", "stack", "storage_root"} if ground else ()
    if ground and len(forms) == 1 and not ground.makes_kafka_role:  # another rule asks for one form
        yield BrokenRule(
            place=STREAM,
            received="a stream, and no Kafka in churn:ground.aws",
            allowed="kafka or adopted_kafka beside a stream, whose topic is read by a credential of their role",
            remedy="add one of the two to churn:ground.aws, or remove stream",
        )


def _a_stream_has_its_topics(settings: Settings) -> Iterator[BrokenRule]:
    """Requires the topic of events, and that of the messages which the pipeline cannot use."""
    aws = settings.ground.aws if settings.ground else None
    if not settings.platform or not settings.platform.stream or not aws:
        return
    if aws.kafka:
        place, names = (*AWS, "kafka", "topics"), [topic.name for topic in aws.kafka.topics]
    elif aws.adopted_kafka:
        place, names = (*AWS, "adopted_kafka", "topics"), [*aws.adopted_kafka.topics]
    else:
        return
    for missing in (topic for topic in (EVENTS_TOPIC, DEAD_LETTERS_TOPIC) if topic not in names):
        yield BrokenRule(
            place=place,
            received=names,
            allowed=f"{missing} among them, since the stack has a stream",
            remedy=f"add {missing}, or remove churn:platform.stream",
        )


def _serverless_compute_reaches_the_brokers(settings: Settings) -> Iterator[BrokenRule]:
    """Requires the private link where the pipeline runs outside of the network."""
    aws, platform = settings.ground.aws if settings.ground else None, settings.platform
    if not platform or not platform.stream or not platform.compute.serverless or not aws or not aws.kafka:
        return
    if not aws.kafka.serverless_link:
        yield BrokenRule(
            place=(*AWS, "kafka", "serverless_link"),
            received=False,
            allowed="true, since compute.serverless is: the pipeline of the stream runs outside of the network",
            remedy="set serverless_link to true, or compute.serverless to false where nodes stand in the network",
        )


def _workers_are_within_the_policy(settings: Settings) -> Iterator[BrokenRule]:
    """Refuses more nodes than the cluster policy of jobs allows."""
    platform = settings.platform
    if platform and platform.stream and platform.stream.workers > platform.compute.workers:
        yield BrokenRule(
            place=(*STREAM, "workers"),
            received=platform.stream.workers,
            allowed=f"compute.workers ({platform.compute.workers}) or fewer: the cluster policy allows no more",
            remedy="lower stream.workers, or raise compute.workers",
        )


def _the_online_store_grows(settings: Settings) -> Iterator[BrokenRule]:
    """Refuses bounds that exclude each other, or that lie further apart than Lakebase allows."""
    online = settings.platform.stream.online if settings.platform and settings.platform.stream else None
    if online and not 0 <= online.maximum_units - online.minimum_units <= WIDEST_UNITS:
        yield BrokenRule(
            place=(*STREAM, "online", "maximum_units"),
            received=online.maximum_units,
            allowed=f"minimum_units ({online.minimum_units}) to {WIDEST_UNITS} more",
            remedy="raise maximum_units, or change minimum_units",
        )


def _plain_text_stays_on_this_machine(settings: Settings) -> Iterator[BrokenRule]:
    """Refuses plain text to an online store of Databricks itself."""
    platform = settings.platform
    online = platform.stream.online if platform and platform.stream else None
    if platform and online and not online.tls and platform.workspace.host.startswith("https:"):
        yield BrokenRule(
            place=(*STREAM, "online", "tls"),
            received=False,
            allowed="true, since the workspace is not on this machine",
            remedy="remove tls",
        )


STREAM_RULES: tuple[Callable[[Settings], Iterator[BrokenRule]], ...] = (
    _a_stream_has_brokers,
    _a_stream_has_its_topics,
    _serverless_compute_reaches_the_brokers,
    _workers_are_within_the_policy,
    _the_online_store_grows,
    _plain_text_stays_on_this_machine,
)
