"""Rules over several values of the section `ground.aws`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from infra.written.sections import BrokenRule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from infra.written.settings.aws import Aws
    from infra.written.settings.stack import Settings

# Names of load balancers have 32 characters, `churn-<stack>-broker-1` among them.
LONGEST_STACK_NAME = 17


def _broken(place: str, received: Any, allowed: str, remedy: str) -> BrokenRule:
    """A broken rule; `place` is below `churn:ground.aws`."""
    names = ("churn:ground", "aws", *place.split("."))
    return BrokenRule(place=names, received=received, allowed=allowed, remedy=remedy)


def _aws(settings: Settings) -> Aws | None:
    return settings.ground.aws if settings.ground else None


def _network_is_made_or_adopted(settings: Settings) -> Iterator[BrokenRule]:
    """There is one network."""
    aws = _aws(settings)
    if aws and (aws.network is None) == (aws.adopted_network is None):
        received = aws.model_dump(include={"network", "adopted_network"}, exclude_none=True)
        yield _broken("network", received, "either network or adopted_network", "write one of the two")


def _kafka_is_made_or_adopted(settings: Settings) -> Iterator[BrokenRule]:
    """There is one cluster of Kafka at most."""
    aws = _aws(settings)
    if aws and aws.kafka and aws.adopted_kafka:
        received, allowed = aws.adopted_kafka.cluster_arn, "nothing beside kafka, which makes a cluster"
        yield _broken("adopted_kafka", received, allowed, "remove adopted_kafka or kafka")


def _zones_are_of_the_region(settings: Settings) -> Iterator[BrokenRule]:
    """Zones are different ones of the region."""
    aws = _aws(settings)
    zones = aws.network.zones if aws and aws.network else ()
    if aws and (len({*zones}) < len(zones) or not all(zone.startswith(aws.region) for zone in zones)):
        allowed = f"different zones of {aws.region}, such as {aws.region}a"
        yield _broken("network.zones", zones, allowed, "name zones of the region, each once")


def _nodes_reach_the_control_plane(settings: Settings) -> Iterator[BrokenRule]:
    """Nodes reach Databricks through the internet or by private link."""
    aws = _aws(settings)
    if aws and aws.network and not aws.network.nat and aws.network.control_plane is None:
        allowed = "Databricks' endpoint services where nat is false: nodes must reach their control plane"
        yield _broken("network.control_plane", None, allowed, "add control_plane, or set nat to true")


def _disks_grow(settings: Settings) -> Iterator[BrokenRule]:
    """Disks of brokers grow and never shrink."""
    aws = _aws(settings)
    if aws and aws.kafka and aws.kafka.maximum_storage_gib < aws.kafka.storage_gib:
        allowed = f"{aws.kafka.storage_gib} or more: disks grow and never shrink"
        yield _broken(
            "kafka.maximum_storage_gib", aws.kafka.maximum_storage_gib, allowed, "raise it, or lower storage_gib"
        )


def _topics_are_named_once(settings: Settings) -> Iterator[BrokenRule]:
    """No two topics have one name."""
    aws = _aws(settings)
    names = [topic.name for topic in aws.kafka.topics] if aws and aws.kafka else []
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        yield _broken("kafka.topics", twice, "each name once", "rename or remove one of each")


def _one_databricks_account(settings: Settings) -> Iterator[BrokenRule]:
    """Roles trust the Databricks account whose workspace is deployed to."""
    aws, platform = _aws(settings), settings.platform
    if aws and platform and aws.databricks_account_id != platform.account_id:
        allowed = f"{platform.account_id}, the account_id of churn:platform"
        yield _broken("databricks_account_id", aws.databricks_account_id, allowed, "write the same id in both")


def _names_fit(settings: Settings) -> Iterator[BrokenRule]:
    """The stack's name leaves room in names of AWS."""
    if _aws(settings) and len(settings.stack) > LONGEST_STACK_NAME:
        yield BrokenRule(
            place=(),
            received=f"the stack name {settings.stack!r}",
            allowed=f"{LONGEST_STACK_NAME} characters or fewer, since names of load balancers are short",
            remedy="rename the file and the stack",
        )


AWS_RULES: tuple[Callable[[Settings], Iterator[BrokenRule]], ...] = (
    _network_is_made_or_adopted,
    _kafka_is_made_or_adopted,
    _zones_are_of_the_region,
    _nodes_reach_the_control_plane,
    _disks_grow,
    _topics_are_named_once,
    _one_databricks_account,
    _names_fit,
)
