"""Settings of the stream: what it needs beside it, and who is notified."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from churn.core.faults import FaultsError
from infra.written.stacks import read_settings
from tests.infra.stack_files import platform_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TOPIC = {"name": "customer.events", "partitions": 1, "retention_hours": 1}
ADOPTED = {
    "cluster_arn": "arn:aws:kafka:eu-west-1:123456789012:cluster/shared/00000000-0000-0000-0000-000000000008-1",
    "topics": ["customer.events"],
}
KAFKA = "churn:ground.aws.kafka"
ONLINE = "churn:platform.stream.online"
ACCOUNT = "00000000-0000-0000-0000-000000000000"


@pytest.mark.parametrize(
    ("changes", "place", "said"),
    [
        ({"churn:ground": {"storage_root": None}}, "churn:platform.stream", "no Kafka in churn:ground.aws"),
        ({KAFKA: None}, "churn:platform.stream", "kafka or adopted_kafka beside a stream"),
        ({f"{KAFKA}.topics": [TOPIC]}, "churn:ground.aws.kafka.topics", "customer.events.dlq among them"),
        (
            {KAFKA: None, "churn:ground.aws.adopted_kafka": ADOPTED},
            "churn:ground.aws.adopted_kafka.topics",
            "add customer.events.dlq",
        ),
        (
            {"churn:platform.compute.serverless": True},
            "churn:ground.aws.kafka.serverless_link",
            "set serverless_link to true",
        ),
        ({"churn:platform.stream.workers": 0}, "churn:platform.stream.workers", "received 0"),
        ({"churn:platform.stream.workers": 2}, "churn:platform.stream.workers", "compute.workers (1) or fewer"),
        ({f"{ONLINE}.minimum_units": 0.7}, f"{ONLINE}.minimum_units", "multiple of 0.5"),
        ({f"{ONLINE}.minimum_units": 2}, f"{ONLINE}.maximum_units", "minimum_units (2.0) to 16 more"),
        ({f"{ONLINE}.maximum_units": 17}, f"{ONLINE}.maximum_units", "minimum_units (0.5) to 16 more"),
        (
            {
                "churn:platform.workspace.host": "https://dbc-1.example.com",
                "churn:account.console": {"host": "https://accounts.example.com", "account_id": ACCOUNT},
            },
            f"{ONLINE}.tls",
            "the workspace is not on this machine",
        ),
        ({"churn:platform.stream.notify": ["nobody"]}, "churn:platform.stream.notify[0]", '"nobody"'),
    ],
)
def test_a_stream_asks_for_what_it_needs(
    altered: Callable[..., Path], changes: dict[str, Any], place: str, said: str
) -> None:
    with pytest.raises(FaultsError) as caught:
        read_settings(altered(changes))
    (fault,) = str(caught.value).splitlines()[1:]
    assert f": {place}: " in fault
    assert said in fault


@pytest.mark.parametrize(
    "changes",
    [
        {KAFKA: None},
        {f"{KAFKA}.topics": []},
        {"churn:platform.compute.serverless": True},
        {"churn:ground": {"storage_root": None}},
    ],
)
def test_a_stack_without_a_stream_needs_none_of_it(altered: Callable[..., Path], changes: dict[str, Any]) -> None:
    assert platform_of(altered({"churn:platform.stream": None, **changes})).stream is None


def test_a_stream_notifies_its_own_people_or_those_of_the_day(altered: Callable[..., Path]) -> None:
    day = {"churn:platform.daily.notify": ["day@example.com"]}
    assert platform_of(altered(day)).stream_notify == ("day@example.com",)
    own = {"churn:platform.stream.notify": ["stream@example.com"]}
    assert platform_of(altered(day | own)).stream_notify == ("stream@example.com",)
    assert platform_of(altered(day | {"churn:platform.stream.notify": []})).stream_notify == ()
