"""Runs Lakeflow pipeline sources on open Spark's declarative pipelines engine, and adds expectations and `cloudFiles`.

One process is one update, over Spark Connect; events go to standard output, one JSON object a line. SIGTERM or SIGINT
cancels the update, which is the only end of a continuous one beside a failure.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
import types
import uuid
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyspark.pipelines.add_pipeline_analysis_context import add_pipeline_analysis_context
from pyspark.pipelines.block_session_mutations import block_session_mutations
from pyspark.pipelines.graph_element_registry import graph_element_registration_context
from pyspark.pipelines.spark_connect_graph_element_registry import SparkConnectGraphElementRegistry
from pyspark.pipelines.spark_connect_pipeline import create_dataflow_graph, start_run
from pyspark.sql import SparkSession

from local.errors import TooBusyError
from local.settings import LocalSettings
from local.spark import cloud_files_client
from local.spark.pipeline_events import EventLog, Metrics, follow
from local.spark.pipeline_plan import analyse_late
from local.spark.pipeline_registry import Registry, install_api
from local.spark.pipeline_streams import Streams
from local.spark.server import observed_metrics

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# By default the engine polls each stream once a second, and starts 16 flows at once. On two cores the flows only delay
# each other, and Python sources that do not start within 10 s fail.
ENGINE_CONFIGURATION = {
    "spark.sql.pipelines.execution.streamstate.pollingInterval": "0",
    "spark.sql.pipelines.execution.maxConcurrentFlows": "2",
}

FLOW_RETRIES, DEFAULT_FLOW_RETRIES = "pipelines.maxFlowRetryAttempts", "2"  # of Databricks
TOO_BUSY = "Python worker failed to connect back"  # within 10 s, which no setting of Spark changes


def run(options: argparse.Namespace) -> bool:
    """Runs one update.

    Returns:
        Whether it completed; if not, the event log says why.

    Raises:
        TooBusyError: The update should be started again.
    """
    log = EventLog(options.update_id, sys.stdout, continuous=options.continuous)
    configuration = dict(pair.split("=", 1) for pair in options.configuration)
    spark = SparkSession.builder.remote(options.remote).create()
    stopping = threading.Event()
    cancellation = threading.Thread(target=spark.interruptAll)

    def cancel(*_: object) -> None:
        if cancellation.ident is None:
            stopping.set()
            cancellation.start()

    try:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, cancel)
        connect: Any = spark
        # by this name the server cancels the queries of a session that has ended
        session = {"spark.lakehouse.session": connect.session_id}
        log.write("session", session=connect.session_id)
        retries = {f"spark.sql.{FLOW_RETRIES}": configuration.get(FLOW_RETRIES, DEFAULT_FLOW_RETRIES)}
        for key, value in {**ENGINE_CONFIGURATION, **configuration, **session, **retries}.items():
            spark.conf.set(key, value)
        update(options, spark, configuration, log, stopping)
        if options.continuous:
            log.write("update_progress", state="CANCELED")
    except Exception as error:  # any error is the update's outcome, and must reach the event log
        if TOO_BUSY in str(error) and cancellation.ident is None and options.starts > 1:
            log.write("message", message=f"{TOO_BUSY}, as this machine is busy: the update starts again")
            raise TooBusyError from error
        state = "FAILED" if cancellation.ident is None else "CANCELED"
        message = str(error).split("\n\nJVM")[0]
        log.write("update_progress", state=state, error_class=type(error).__name__, message=message)
        return False
    finally:
        if cancellation.ident is not None:
            cancellation.join()
        spark.stop()  # ends the session on the server, with its queries
        for path in observed_metrics(LocalSettings.load()).glob(f"{options.update_id}.*"):
            path.unlink(missing_ok=True)  # of views that were not reported, because the update failed before
    return True


def update(
    options: argparse.Namespace,
    spark: SparkSession,
    configuration: Mapping[str, str],
    log: EventLog,
    stopping: threading.Event,
) -> None:
    """Reads the sources and follows the engine through their update; a continuous one goes on until `stopping`."""
    cloud_files_client.register(spark)
    analyse_late()
    graph = create_dataflow_graph(spark, options.catalog, options.schema, dict(configuration))
    engine = SparkConnectGraphElementRegistry(spark, graph)
    registry = Registry(engine, options.update_id, options.catalog, options.schema)
    install_api(registry)
    with graph_element_registration_context(registry), block_session_mutations():
        with add_pipeline_analysis_context(spark=spark, dataflow_graph_id=graph, flow_name=None):
            for source in options.sources:
                _execute(source, spark)
        registry.commit()
    registry.check_resets(options.full_refresh)
    for table in registry.tables:
        log.write("dataset", dataset=table)
    metrics = Metrics(registry, log, observed_metrics(LocalSettings.load()))
    spark.streams.addListener(metrics)

    try:
        results = start_run(
            spark,
            graph,
            options.full_refresh,
            options.full_refresh_all,
            options.refresh,
            options.validate,
            str(options.storage),
        )
        follow(results, registry, metrics, log)
        if options.continuous and not options.validate:
            Streams(spark, registry, options, configuration).run(metrics, stopping)
    finally:
        metrics.drain(spark)


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Parses the command line."""
    parser = argparse.ArgumentParser(prog="python -m local.spark.pipeline_runner", description=__doc__)
    parser.add_argument("sources", nargs="+", type=Path, help="Python sources of the pipeline")
    for name in ("remote", "catalog", "schema"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--storage", required=True, type=_folder, help="folder of the streams' checkpoints")
    parser.add_argument("--update-id", default=uuid.uuid4().hex)
    parser.add_argument("--configuration", action="append", default=[], metavar="KEY=VALUE")
    for name in ("refresh", "full-refresh"):
        parser.add_argument(f"--{name}", action="append", default=[], metavar="TABLE")
    parser.add_argument("--full-refresh-all", action="store_true")
    parser.add_argument("--starts", type=int, default=3, help="how often to start on a machine that is too busy")
    parser.add_argument("--continuous", action="store_true", help="go on until a signal comes")
    parser.add_argument("--validate", action="store_true", help="check the graph, run nothing")
    return parser.parse_args(arguments)


def _folder(path: str) -> str:
    """The URI of a folder, which the engine requires."""
    return path if "://" in path else Path(path).resolve().as_uri()


def _execute(source: Path, spark: SparkSession) -> None:
    module: Any = types.ModuleType(source.stem)
    module.__dict__.update(spark=spark, __file__=str(source))
    SourceFileLoader(source.stem, str(source)).exec_module(module)


if __name__ == "__main__":
    options = parse(sys.argv[1:])
    try:
        completed = run(options)
    except TooBusyError:
        sys.stdout.flush()
        os.execv(sys.executable, [*sys.orig_argv, "--starts", str(options.starts - 1)])  # noqa: S606 (this very program)
    sys.stdout.flush()
    os._exit(0 if completed else 1)  # the client's threads may outlive an update that failed
