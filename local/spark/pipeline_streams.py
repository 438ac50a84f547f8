"""The flows of a continuous pipeline after their first pass: streams that wait for new data, and views made anew.

The engine itself knows passes alone, which process what is there and end. A first pass makes the tables and catches up.
Then each streaming flow goes on here: the same query with the same checkpoint, as a stream with a trigger interval.
"""

from __future__ import annotations

import socket
import time
from contextlib import contextmanager
from graphlib import TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from pyspark.pipelines.output import MaterializedView, Sink, TemporaryView
from pyspark.sql import functions as sf

from local.errors import FlowError, ServerError
from local.spark import pipeline_plan

if TYPE_CHECKING:
    import argparse
    import threading
    from collections.abc import Iterator, Mapping

    from pyspark.pipelines.flow import Flow
    from pyspark.pipelines.output import Output
    from pyspark.sql import SparkSession
    from pyspark.sql.streaming.query import StreamingQuery

    from local.spark.pipeline_events import Metrics
    from local.spark.pipeline_registry import Registry

INTERVAL = "pipelines.trigger.interval"
# Databricks' defaults for streams and for views over Delta: https://docs.databricks.com/aws/en/ldp/pipeline-mode
STREAM_INTERVAL = "5 seconds"
VIEW_INTERVAL_SECONDS = 60.0
TICK_SECONDS = 0.5
LOOK_SECONDS = 10.0  # between questions to the server whether all streams live, beside its events


class Streams:
    """The flows of one continuous update, after the engine's first pass."""

    def __init__(
        self, spark: SparkSession, registry: Registry, options: argparse.Namespace, configuration: Mapping[str, str]
    ) -> None:
        self._spark, self._registry = spark, registry
        self._remote = urlsplit(options.remote)
        self._default = (options.catalog, options.schema)
        self._checkpoints = Path(unquote(urlsplit(options.storage).path), "_checkpoints")
        self._interval = configuration.get(INTERVAL, STREAM_INTERVAL)
        self._queries: dict[str, StreamingQuery] = {}
        self._flows: list[tuple[Flow, Output]] = []

    def run(self, metrics: Metrics, stopping: threading.Event) -> None:
        """Runs the streams until `stopping` is set.

        Args:
            metrics: The listener that is told of each batch and of the end of each stream.
            stopping: Set when the update shall end.

        Raises:
            FlowError: A stream has ended.
            ServerError: Spark does not answer any more.
        """
        try:
            self._start()
            self._follow(metrics, stopping)
        finally:
            metrics.streams += len(self._queries)
        for query in self._queries.values():
            query.stop()

    def _start(self) -> None:
        self._spark.catalog.setCurrentCatalog(self._default[0])
        self._spark.catalog.setCurrentDatabase(self._default[1])
        self._flows = self._in_order()
        for flow, output in self._flows:
            if isinstance(output, TemporaryView):
                self._registry.query(flow).createOrReplaceTempView(flow.target)
        for flow, output in self._flows:
            if not isinstance(output, TemporaryView | MaterializedView):
                self._queries[flow.name] = self._start_one(flow, output)

    def _in_order(self) -> list[tuple[Flow, Output]]:
        """The flows, each after those into what it reads."""
        name, flows = self._registry.three_part_name, self._registry.flows
        reads = {flow.name: {name(table) for table in pipeline_plan.reads(flow.func())} for flow, _ in flows}
        before = {
            flow.name: {other.name for other, output in flows if name(output.name) in reads[flow.name]} - {flow.name}
            for flow, _ in flows
        }
        order = list(TopologicalSorter(before).static_order())
        return sorted(flows, key=lambda item: order.index(item[0].name))

    def _start_one(self, flow: Flow, output: Output) -> StreamingQuery:
        with self._settings(flow.spark_conf):
            writer = self._registry.query(flow).writeStream.queryName(flow.name).outputMode("append")
            writer = writer.option("checkpointLocation", self._checkpoint(flow, output))
            writer = writer.trigger(processingTime=flow.spark_conf.get(INTERVAL, self._interval))
            if isinstance(output, Sink):
                return writer.format(output.format).options(**output.options).start()
            return writer.toTable(self._registry.three_part_name(output.name))

    @contextmanager
    def _settings(self, values: Mapping[str, str]) -> Iterator[None]:
        """Sets a flow's own settings while its stream starts, which copies them."""
        earlier: dict[str, str | None] = {name: self._spark.conf.get(name, None) for name in values}
        for name, value in values.items():
            self._spark.conf.set(name, value)
        yield
        for name, before in earlier.items():
            if before is None:
                self._spark.conf.unset(name)
            else:
                self._spark.conf.set(name, before)

    def _checkpoint(self, flow: Flow, output: Output) -> str:
        """The checkpoint that the first pass used: the highest number, as a full refresh begins the next one.

        The engine names its folder by the last part of the flow's name, which is its table's where it has none.
        """
        name = output.name if isinstance(output, Sink) else self._registry.three_part_name(output.name)
        folder = self._checkpoints.joinpath(*name.split("."), flow.name.rpartition(".")[2])
        return str(folder / str(max(int(path.name) for path in folder.iterdir() if path.name.isdecimal())))

    def _follow(self, metrics: Metrics, stopping: threading.Event) -> None:
        runs = {str(query.runId) for query in self._queries.values()}
        looked = made = time.monotonic()
        batches = metrics.batches
        while not stopping.wait(TICK_SECONDS):
            self._check_port()
            now = time.monotonic()
            if metrics.ended & runs or now > looked + LOOK_SECONDS:
                self._check_streams()
                looked = now
            if metrics.batches > batches and now > made + VIEW_INTERVAL_SECONDS:
                batches = metrics.batches
                self._make_materialized_views(metrics)
                made = time.monotonic()

    def _make_materialized_views(self, metrics: Metrics) -> None:
        for flow, output in self._flows:
            if isinstance(output, MaterializedView):
                name = self._registry.three_part_name(output.name)
                self._registry.query(flow).writeTo(name).overwrite(sf.lit(True))
                metrics.report_batch(flow.name)

    def _check_streams(self) -> None:
        for name, query in self._queries.items():
            if not query.isActive:
                error: Any = query.exception()
                raise FlowError(f"flow {name} has FAILED: {error or 'its stream was stopped'}")

    def _check_port(self) -> None:
        """Raises ServerError where nothing listens: Spark's client would retry for minutes."""
        try:
            socket.create_connection((self._remote.hostname or "", self._remote.port or 0), timeout=5).close()
        except OSError as error:
            raise ServerError(f"Spark Connect at {self._remote.netloc} does not answer any more: {error}") from error
