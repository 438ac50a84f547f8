"""The state of the stream: simulator, brokers, pipeline, job, lag by partition, freshness by hop, counts."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from cli import simulator
from cli.brokers import offsets
from cli.deployed_stream import JOB, PIPELINE
from cli.errors import CommandError

if TYPE_CHECKING:
    from cli.deployed_stream import DeployedStream
    from local.settings import LocalSettings

RECENT_MINUTES = 10
READ = "SELECT partition, max(offset) + 1 FROM {catalog}.bronze.events GROUP BY partition"
COUNTS = """
SELECT (SELECT count(*) FROM {catalog}.bronze.events),
  (SELECT count(*) FROM {catalog}.silver.events WHERE _source = 'stream'),
  (SELECT count(*) FROM {catalog}.silver.quarantine_events)
"""
# Of each hop the latest batches, weighed by their rows.
FRESHNESS = f"""
SELECT hop, sum(rows), round(sum(p50 * rows) / sum(rows), 2), round(max(p95), 2), round(max(p99), 2)
FROM {{catalog}}.mlops.stream_freshness
WHERE written_at > current_timestamp() - INTERVAL {RECENT_MINUTES} MINUTES GROUP BY hop
"""
# For how many seconds silver has had the oldest event that no batch has brought to the online store.
WAITS = """
SELECT coalesce(timestampdiff(SECOND, min(_accepted_at), current_timestamp()), 0) FROM {catalog}.silver.events
WHERE _source = 'stream' AND _accepted_at >
  (SELECT coalesce(max(written_at), TIMESTAMP '1970-01-01') FROM {catalog}.mlops.stream_freshness)
"""
HOPS = ("event_broker", "broker_bronze", "bronze_silver", "silver_online", "event_online")


@dataclass(frozen=True)
class Status:
    """The state of a stream.

    Attributes:
        simulator: Rate, seed, beginning and last report; None where none runs.
        pipeline: State of the pipeline.
        job: State of the newest run of the job that brings events to the online store.
        waits: Seconds for which the oldest event of silver has waited for the online store; None before the first run.
        brokers: Their addresses, or why they do not answer.
        lag: Messages that bronze has not read, by partition; None where brokers do not answer.
        freshness: By hop: events, p50, the largest p95 and p99 of a batch, in seconds, of the last minutes.
        counts: Messages in bronze, events in silver, messages in quarantine, duplicates and messages on the way.
    """

    simulator: dict[str, Any] | None
    pipeline: str
    job: str
    waits: float | None
    brokers: str
    lag: dict[int, int] | None
    freshness: dict[str, list[float]]
    counts: dict[str, int]

    @property
    def well(self) -> bool:
        """Whether pipeline and job run, the brokers answer, and the online store gets events within minutes."""
        online = self.job == "RUNNING" and self.waits is not None and self.waits <= RECENT_MINUTES * 60
        return self.pipeline == "RUNNING" and self.lag is not None and online

    def as_dict(self) -> dict[str, Any]:
        """All of it, for JSON."""
        return asdict(self)


def status(settings: LocalSettings, stream: DeployedStream) -> Status:
    """Asks for the state of the stream. Brokers that do not answer are part of it."""
    sender = simulator.running(settings)
    read = {int(partition): int(end) for partition, end in stream.rows(READ)}
    try:
        bounds = offsets(stream.brokers, stream.topic)
        lag = {number: max(each.end - max(read.get(number, 0), each.first), 0) for number, each in bounds.items()}
        brokers = stream.brokers
    except CommandError as error:
        lag, brokers = None, str(error).splitlines()[0]
    ((bronze, silver, quarantined),) = stream.rows(COUNTS)
    messages = {"bronze": int(bronze), "silver": int(silver), "quarantined": int(quarantined)}
    return Status(
        simulator={"rate": sender.rate, "seed": sender.seed, "started": sender.started, **sender.report}
        if sender
        else None,
        pipeline=stream.state,
        job=stream.job_state(),
        waits=_waits(stream),
        brokers=brokers,
        lag=lag,
        freshness=_freshness(stream),
        counts=messages | {"duplicates or on the way": int(bronze) - int(silver) - int(quarantined)},
    )


def _freshness(stream: DeployedStream) -> dict[str, list[float]]:
    """Freshness by hop, in the order of the way; none before the first batch reached the online store."""
    found = {hop: [float(value) for value in values] for hop, *values in _measured(stream, FRESHNESS)}
    return {hop: found[hop] for hop in HOPS if hop in found}


def _waits(stream: DeployedStream) -> float | None:
    return next((float(seconds) for (seconds,) in _measured(stream, WAITS)), None)


def _measured(stream: DeployedStream, query: str) -> list[list[str]]:
    """Rows of a query of the measurements, whose table the job makes; none before its first run."""
    try:
        return stream.rows(query)
    except CommandError as error:
        if "TABLE_OR_VIEW_NOT_FOUND" in str(error):
            return []
        raise


def lines(found: Status) -> list[str]:
    """Writes the state for people."""
    sender = found.simulator
    said = (
        f"{sender['rate']:g} messages a second since {sender['started']}, {sender.get('produced', 0):,} confirmed"
        if sender
        else "none runs"
    )
    waits = (
        "nothing is measured yet" if found.waits is None else f"the online store is {found.waits:,.0f} s behind silver"
    )
    shown = [
        f"simulator   {said}",
        f"brokers     {found.brokers}",
        f"pipeline    {PIPELINE} is {found.pipeline}",
        f"job         {JOB} is {found.job}; {waits}",
        f"messages    {', '.join(f'{number:,} {name}' for name, number in found.counts.items())}",
    ]
    if found.lag is not None:
        waiting = ", ".join(f"{number}: {lag:,}" for number, lag in sorted(found.lag.items()))
        shown.append(f"lag         {sum(found.lag.values()):,} messages ({waiting})")
    for hop, (events, p50, p95, p99) in found.freshness.items():
        shown.append(f"{hop:<15} p50 {p50:7.2f} s   p95 {p95:7.2f} s   p99 {p99:7.2f} s   {events:,.0f} events")
    if not found.freshness:
        shown.append(f"freshness   no event reached the online store within {RECENT_MINUTES} minutes")
    return shown
