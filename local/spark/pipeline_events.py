"""Events of a pipeline update as JSON lines, made from the engine's messages and from observed metrics."""

from __future__ import annotations

import json
import re
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TextIO

from pyspark.errors import PySparkValueError
from pyspark.sql.connect.proto import Command
from pyspark.sql.streaming.listener import StreamingQueryListener

from local.spark.expectations import quality

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from pyspark.sql import SparkSession

    from local.spark.pipeline_registry import Registry

FLOW_STATE = re.compile(r"Flow '?(?P<flow>[\w.`]+)'? (?:is|has|was) (?P<state>[A-Z_]+)", re.DOTALL)
RUN_STATE = re.compile(r"Run (?:is|has) (?P<state>[A-Z_]+)")
METRICS_WAIT_SECONDS = 30.0
TERMINATED_WAIT_SECONDS = 5.0
DRAIN_SECONDS = 30.0


class EventLog:
    """Log of events as JSON lines, safe to use from several threads.

    Attributes:
        completed: Whether the engine has reported the update, or this pass of a continuous one, as complete.
        continuous: Whether the update goes on after the engine's passes: it and its flows are not COMPLETED then.
    """

    def __init__(self, update_id: str, stream: TextIO, *, continuous: bool = False) -> None:
        self.completed = False
        self.continuous = continuous
        self._running = False
        self._update_id = update_id
        self._stream = stream
        self._lock = threading.Lock()

    def write(self, event_type: str, at: datetime | None = None, **details: object) -> None:
        """Writes one event, of this moment unless another is given."""
        moment = at or datetime.now(UTC)
        event = {"update_id": self._update_id, "timestamp": moment.isoformat(), "event_type": event_type, **details}
        with self._lock:
            self._stream.write(json.dumps(event, default=str) + "\n")
            self._stream.flush()

    def flow(self, at: datetime, flow: str, state: str, message: str) -> None:
        """Writes what the engine says of a flow; the first such word means that a continuous update runs."""
        if self.continuous and not self._running:  # the engine tells the end of a pass alone
            self._running = True
            self.write("update_progress", at, state="RUNNING")
        if not (self.continuous and state == "COMPLETED"):
            self.write("flow_progress", at, flow=flow, state=state, message=message)

    def run(self, at: datetime, state: str, message: str) -> None:
        """Writes what the engine says of the update, or keeps it for itself where a pass is over."""
        self.completed = state == "COMPLETED"
        if not (self.continuous and self.completed):
            self.write("update_progress", at, state=state, message=message)


class Metrics(StreamingQueryListener):
    """Writes observed metrics as `flow_metrics` events.

    The key of a stream's batch is `<query id>/<batch id>`. Both ids are kept in the checkpoint, so a reader that stores
    the events by key counts a repeated batch once. A materialized view's key is
    `<update id>.<flow>.<number>`.

    Attributes:
        streams: Number of streams that have ended or are about to.
        batches: Number of batches of streams that had rows.
        ended: Ids of the runs of streams that have ended.
    """

    def __init__(self, registry: Registry, log: EventLog, observed: Path) -> None:
        super().__init__()
        self._registry = registry
        self._log = log
        self._observed = observed
        self._terminated = threading.Semaphore(0)
        self._views = 0
        self.streams = 0
        self.batches = 0
        self.ended: set[str] = set()

    def onQueryStarted(self, event: Any) -> None:  # noqa: N802 (Spark's name)
        """Ignored: this event has no counts of rows."""

    def onQueryTerminated(self, event: Any) -> None:  # noqa: N802 (Spark's name)
        """Counts a stream whose last event has arrived."""
        self.ended.add(str(event.runId))
        self._terminated.release()

    def onQueryProgress(self, event: Any) -> None:  # noqa: N802 (Spark's name)
        """Reports the metrics of one batch of a stream."""
        progress = event.progress
        self.batches += progress.numInputRows > 0
        for flow in self._registry.expectations:
            row = progress.observedMetrics.get(self._registry.metric(flow))
            if row is not None:
                milliseconds = progress.durationMs.get("triggerExecution")
                self._report(flow, row.asDict(), f"{progress.id}/{progress.batchId}", duration_ms=milliseconds)

    def drain(self, spark: SparkSession) -> None:
        """Stops listening after all events are handled; the server drops events that it has not yet sent.

        `removeListener` does the same, but can deadlock: it holds a lock while it waits for the thread that handles
        events, and that thread needs the lock for the next event.
        """
        deadline = time.monotonic() + TERMINATED_WAIT_SECONDS
        for _ in range(self.streams):
            self._terminated.acquire(timeout=max(0, deadline - time.monotonic()))
        connect: Any = spark
        command = Command()
        command.streaming_query_listener_bus_command.remove_listener_bus_listener = True
        connect.client.execute_command(command)
        bus = connect.streams._sqlb  # noqa: SLF001 (there is no public way to wait for its thread)
        if bus._execution_thread is not None:  # noqa: SLF001 (as above)
            bus._execution_thread.join(DRAIN_SECONDS)  # noqa: SLF001 (as above)
        bus._listener_bus.clear()  # noqa: SLF001 (as above)

    def report_batch(self, flow: str) -> None:
        """Reports a materialized view; the server's listener writes its metrics to a file when the view is complete."""
        path = self._observed / f"{self._registry.metric(flow)}.json"
        deadline = time.monotonic() + METRICS_WAIT_SECONDS
        while not path.exists():
            if time.monotonic() > deadline:
                raise TimeoutError(f"the server wrote no metrics of {flow} to {path}: is it this cloud's Spark server?")
            time.sleep(0.05)
        self._views += 1  # a continuous update makes a view many times
        self._report(flow, json.loads(path.read_text()), f"{self._registry.metric(flow)}.{self._views}")
        path.unlink()

    def _report(self, flow: str, counts: Mapping[str, int], key: str, **details: Any) -> None:
        rows, dropped = counts["rows"], counts["dropped"]
        self._log.write(
            "flow_metrics",
            flow=flow,
            key=key,
            output_rows=rows - dropped,
            dropped_rows=dropped,
            expectations=quality(self._registry.expectations[flow], counts),
            **details,
        )


def follow(results: Iterable[Mapping[str, Any]], registry: Registry, metrics: Metrics, log: EventLog) -> None:
    """Reads the engine's messages until the update or pass ends, and writes an event for each."""
    log.completed = False
    try:
        _follow(results, registry, metrics, log)
    except PySparkValueError as error:
        # after the last event of a run with Python sources, the client fails on their accumulators
        if not log.completed or error.getCondition() != "UNKNOWN_RESPONSE":
            raise


def _follow(results: Iterable[Mapping[str, Any]], registry: Registry, metrics: Metrics, log: EventLog) -> None:
    views: set[str] = set()
    for result in results:
        if "pipeline_event_result" not in result:
            continue
        event = result["pipeline_event_result"].event
        at = event.timestamp.ToDatetime().replace(tzinfo=UTC)
        if match := FLOW_STATE.match(event.message):
            flow, state = match["flow"].replace("`", ""), match["state"]
            log.flow(at, flow, state, event.message)
            if state == "PLANNING":  # the engine plans batch flows only
                views.add(flow)
            if state == "COMPLETED" and flow in views:
                metrics.report_batch(registry.flow_name(flow))
            elif state == "COMPLETED":
                metrics.streams += 1
        elif match := RUN_STATE.match(event.message):
            log.run(at, match["state"], event.message)
        else:
            log.write("message", at, message=event.message)
