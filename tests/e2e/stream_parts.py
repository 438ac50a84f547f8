"""The parts of the stream of a whole platform, killed one at a time, and what its online store has in the end."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

import psutil
import psycopg

from churn.online.connection import OnlineStore, OnlineStoreAwayError
from cli import simulator
from cli.deployed_stream import PIPELINE, deployed_stream
from local import leftovers

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.conftest import Platform

WAIT_SECONDS = 300  # the machine is shared
CATCH_UP_SECONDS = 1800
STREAMED = "SELECT count(*) FROM {catalog}.silver.events WHERE _source = 'stream'"
DAYS_OF_SILVER = """
    SELECT event_date, count(*), count_if(kind = 'session_start') FROM {catalog}.silver.events
    WHERE event_date > current_date() - 30 GROUP BY 1 ORDER BY 1
"""
DAYS_OF_THE_STORE = b"""
    SELECT event_date::text, sum(events)::text, sum(sessions)::text FROM churn.customer_days
    WHERE event_date > current_date - 30 GROUP BY 1 ORDER BY 1
"""
MARKS = {  # what the command lines of each have
    "broker": "kafka.Kafka",
    "online store": "/postgres -D",
    "pipeline": "local.spark.pipeline_runner",
    "activity": '"entry_point": "activity"',
    "Spark": "SparkConnectServer",
    "workspace": "-m local.workspace",
}


def kill(platform: Platform, part: str) -> None:
    """Kills the processes of one part of the stream, once there are any."""
    mark = MARKS[part]

    def killed() -> bool:
        found = [each for each in leftovers.processes(platform.settings) if mark in " ".join(each.info["cmdline"])]
        for process in found:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        # Until its memory is given back, a large one still takes connections.
        wait_until(lambda: not any(leftovers.alive(process) for process in found))
        return bool(found)

    wait_until(killed)


def days_of_the_online_store(platform: Platform) -> list[tuple[str, ...]]:
    """Events and sessions of each recent day, as the online store has them; empty while it does not answer."""
    online = platform.outputs()["online_store"]
    store = OnlineStore(platform.client(), online["endpoint"], online["database"], "disable")
    try:
        with store.connect() as connection:
            return connection.execute(DAYS_OF_THE_STORE).fetchall()
    except (OnlineStoreAwayError, psycopg.OperationalError):
        return []


def leave_behind(platform: Platform, *, hours: float, rate: float) -> None:
    """Sends the messages of some hours while the pipeline stands still; it has to take over almost all of them."""
    stream = deployed_stream(platform.settings)
    pipeline = stream.outputs["pipeline_ids"][PIPELINE]
    stream.client.pipelines.stop_and_wait(pipeline)
    before, messages = platform.number(STREAMED), int(hours * 3600 * rate)
    simulator.send(stream, simulator.simulated_world(stream), messages, rate, seed=29, ago=timedelta(hours=hours))
    assert platform.number(STREAMED) == before, "the pipeline stands still"
    stream.client.pipelines.start_update(pipeline)
    wait_until(lambda: platform.number(STREAMED) - before > 0.9 * messages, CATCH_UP_SECONDS)


def wait_until(ready: Callable[[], object], seconds: float = WAIT_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < deadline, f"not so after {seconds} s"
        time.sleep(2)
