"""The stream on this machine: latency of each hop by rate, catching up with a backlog, and memory over an hour."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from bench.measuring import memory, peak_memory, platform
from cli import simulator
from cli.brokers import offsets
from cli.deployed_stream import PIPELINE, DeployedStream, deployed_stream
from cli.errors import CommandError
from cli.stream_account import Account, audit
from cli.stream_status import HOPS
from local.settings import LocalSettings

RATES = (100, 300, 1000)
WARM_SECONDS, MEASURED_SECONDS = 90, 180
COPIED_SECONDS = 60  # after which measurements of the online store are in the lake too
BACKLOG_HOURS, BACKLOG_RATE = 2, 100
ACCEPTED_SHARE = 0.9  # of a backlog at least: the simulator's faults are fewer
HOUR_RATE, HOUR_MINUTES = 300, 60
DEADLINE_SECONDS = 3600.0
# Batches that the online store took in a span, by the versions of silver.events that they cover.
VERSIONS = """
SELECT min(version), max(version) FROM {{catalog}}.mlops.stream_freshness
WHERE hop = 'event_online' AND written_at BETWEEN '{begin}' AND '{end}'
"""
# The last version of silver.events that the online store has, when it had it, and the events of later ones.
ONLINE = """
SELECT max(version), date_format(to_utc_timestamp(max(written_at), current_timezone()), "yyyy-MM-dd'T'HH:mm:ss")
FROM {catalog}.mlops.stream_freshness
"""
LEFT = """
SELECT count(*) FROM table_changes('{{catalog}}.silver.events', {version})
WHERE _commit_version > {version} AND _source = 'stream'
"""
PERCENTILES = ", ".join(f"percentile(CAST(took AS DECIMAL(18, 6)), {share})" for share in (0.5, 0.95, 0.99))
SCORED = """
SELECT count(*), {percentiles}
FROM (
  SELECT scored_at - event_time AS took FROM {{catalog}}.gold.churn_scores_live
  WHERE scored_at BETWEEN '{begin}' AND '{end}'
)
"""
LATENCY = """
WITH batches AS (
  SELECT version AS until, lag(version) OVER (ORDER BY version) AS after, written_at
  FROM {{catalog}}.mlops.stream_freshness WHERE hop = 'event_online' AND version BETWEEN {first} AND {last}
),
moments AS (
  SELECT e.event_time, e._broker_time AS broker, e._read_at AS bronze, e._accepted_at AS silver, b.written_at AS online
  FROM batches b JOIN table_changes('{{catalog}}.silver.events', {first}, {last}) e
    ON e._commit_version > b.after AND e._commit_version <= b.until
  WHERE e._source = 'stream'
),
hops AS (
  SELECT stack(5, 'event_broker', broker - event_time, 'broker_bronze', bronze - broker, 'bronze_silver',
    silver - bronze, 'silver_online', online - silver, 'event_online', online - event_time) AS (hop, took)
  FROM moments
)
SELECT hop, count(*), {percentiles}
FROM hops GROUP BY hop
"""


def stream() -> Iterator[tuple[str, str]]:
    """Latency of each hop at several rates, then two hours' backlog caught up, on a platform of its own."""
    with platform() as settings:
        for rate in RATES:
            yield from _at_rate(settings, rate)
        yield from _catch_up(settings)


def stream_hour() -> Iterator[tuple[str, str]]:
    """Memory of a platform whose stream runs for an hour."""
    with platform() as settings:
        simulator.start(settings, deployed_stream(settings), HOUR_RATE, None, {})
        samples = []
        for _ in range(HOUR_MINUTES):
            time.sleep(60)
            samples.append(memory(settings) / 2**30)
        simulator.stop(settings)
        sixth = HOUR_MINUTES // 6
        parts = [statistics.mean(samples[start : start + sixth]) for start in range(0, HOUR_MINUTES, sixth)]
        shown = ", ".join(f"{part:.2f}" for part in parts)
        yield f"memory in each {sixth} minutes of an hour at {HOUR_RATE} messages/s", f"{shown} GiB"
        yield _row(f"{HOUR_MINUTES} minutes", audit(deployed_stream(settings), DEADLINE_SECONDS))


def _at_rate(settings: LocalSettings, rate: int) -> Iterator[tuple[str, str]]:
    found = deployed_stream(settings)
    simulator.start(settings, found, rate, None, {})
    time.sleep(WARM_SECONDS)
    begin, before = _now(), _end(found)
    with peak_memory(settings) as peak:
        time.sleep(MEASURED_SECONDS)
    end, after = _now(), _end(found)
    lag = after - _read(found)
    simulator.stop(settings)
    yield f"at {rate} messages/s: sent", f"{(after - before) / MEASURED_SECONDS:.0f}/s; {lag} on the way at the end"
    yield f"at {rate} messages/s: memory of everything, at most", f"{peak.bytes / 2**30:.2f} GiB"
    time.sleep(COPIED_SECONDS)
    ((first, last),) = found.rows(VERSIONS.format(begin=begin, end=end))
    rows = {hop: values for hop, *values in found.rows(LATENCY.format(first=first, last=last, percentiles=PERCENTILES))}
    for hop in HOPS:
        if hop in rows:
            yield f"at {rate} messages/s: {hop}", _percentiles(rows[hop], "events")
    ((*scored,),) = found.rows(SCORED.format(begin=begin, end=end, percentiles=PERCENTILES))
    if int(scored[0]):
        yield f"at {rate} messages/s: event to new score in a running session", _percentiles(scored, "scores")
    yield _row(f"{rate} messages/s", audit(found, DEADLINE_SECONDS))


def _catch_up(settings: LocalSettings) -> Iterator[tuple[str, str]]:
    """Sends hours of messages while the pipeline is stopped, and times how long it takes them over."""
    found = deployed_stream(settings)
    client, pipeline = found.client, found.outputs["pipeline_ids"][PIPELINE]
    client.pipelines.stop_and_wait(pipeline)
    messages = BACKLOG_HOURS * 3600 * BACKLOG_RATE
    before = _end(found)
    world = simulator.simulated_world(found)
    other = int(world["seed"]) + 1  # which draws other events than those before
    accepted = _accepted(found)
    simulator.send(found, world, messages, BACKLOG_RATE, other, ago=timedelta(hours=BACKLOG_HOURS))
    waiting = _end(found) - before
    begin, began = datetime.now(UTC), time.monotonic()
    client.pipelines.start_update(pipeline)
    while _read(found) < _end(found):  # which costs less than the account, and so disturbs less
        if time.monotonic() - began > DEADLINE_SECONDS:
            raise CommandError(f"the backlog is not read after {DEADLINE_SECONDS:.0f} s")
        time.sleep(5)
    account = audit(found, DEADLINE_SECONDS)
    ended = time.monotonic()
    newly = _accepted(found) - accepted
    if newly < ACCEPTED_SHARE * waiting:
        raise CommandError(f"of {waiting:,} messages of the backlog {newly:,} are in silver: it is not what was timed")
    for where, seconds in (("silver", ended - began), ("the online store", _online(found, begin))):
        rate = waiting / seconds
        yield (
            f"{BACKLOG_HOURS} hours at {BACKLOG_RATE} messages/s caught up to {where}, start of the pipeline included",
            f"{seconds:.0f} s ({rate:.0f} messages/s, {rate / BACKLOG_RATE:.1f} times as fast)",
        )
    yield "messages of the backlog, and events of them in silver", f"{waiting:,}, {newly:,}"
    yield _row("the backlog", account)


def _online(found: DeployedStream, begin: datetime) -> float:
    """Seconds until the online store has every event of silver; waits for that."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while True:
        ((version, written),) = found.rows(ONLINE)
        ((left,),) = found.rows(LEFT.format(version=version))
        if not int(left):
            return (datetime.fromisoformat(written).replace(tzinfo=UTC) - begin).total_seconds()
        if time.monotonic() > deadline:
            raise CommandError(f"the online store lacks {left} events after {DEADLINE_SECONDS:.0f} s")
        time.sleep(5)


def _percentiles(found: Sequence[str], of: str) -> str:
    number, p50, p95, p99 = (float(value) for value in found)
    return f"p50 {p50:.1f} s, p95 {p95:.1f} s, p99 {p99:.1f} s ({number:,.0f} {of})"


def _row(what: str, account: Account) -> tuple[str, str]:
    produced = sum(partition.produced for partition in account.partitions)
    silver = sum(partition.silver for partition in account.partitions)
    quarantined = sum(partition.quarantined for partition in account.partitions)
    shown = f"{produced:,} messages, {silver:,} in silver, {quarantined:,} in quarantine"
    return f"account after {what}", f"{shown}, {account.lost} lost, {account.twice} twice"


def _end(found: DeployedStream) -> int:
    """Messages that the brokers have."""
    return sum(each.end for each in offsets(found.brokers, found.topic).values())


def _accepted(found: DeployedStream) -> int:
    """Events of the stream in silver."""
    ((accepted,),) = found.rows("SELECT count(*) FROM {catalog}.silver.events WHERE _source = 'stream'")
    return int(accepted)


def _read(found: DeployedStream) -> int:
    ((read,),) = found.rows("SELECT count(*) FROM {catalog}.bronze.events")
    return int(read)


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")
