"""The Spark Connect server of one local cloud, in the foreground."""

from __future__ import annotations

import os
import socket
import sys
from typing import TYPE_CHECKING

from local.errors import ServerError
from local.maven import complete
from local.settings import KAFKA_PORTS, REPOSITORY
from local.spark.install import jars_folder, spark_home

if TYPE_CHECKING:
    from pathlib import Path

    from local.settings import LocalSettings

CATALOG_CLASS = "lakehouse.NamespacedCatalog"
CHECKPOINTS_CLASS = "org.apache.spark.sql.execution.streaming.checkpointing.FileSystemBasedCheckpointFileManager"
STATE_STORE_CLASS = "org.apache.spark.sql.execution.streaming.state.RocksDBStateStoreProvider"
HEAP = "1536m"
# With small data the JVM runs mostly code that it has not yet compiled: the quick compiler alone saves a third of the
# processor time. Its code cache of 48 MB would fill within a few runs, after which everything is interpreted.
JAVA_OPTIONS = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=256m -Duser.timezone=UTC"


def warehouse(settings: LocalSettings) -> Path:
    """Folder of the managed tables: `<catalog>/<schema>/<table>`."""
    return settings.tables / "warehouse"


def observed_metrics(settings: LocalSettings) -> Path:
    """Folder where the server writes the observed metrics of batch queries, one file each."""
    return settings.tables / "observed_metrics"


def serve(settings: LocalSettings) -> None:
    """Replaces this process by the server, so that a signal to the process reaches Spark, which stops on SIGTERM.

    Raises:
        ServerError: The jars are not installed or the port is taken.
    """
    jars = jars_folder()
    if not complete(jars):
        raise ServerError("the jars are not all installed: run `python -m local.spark install`")
    _check_port(settings.spark_port)
    for folder in (warehouse(settings), observed_metrics(settings), settings.tables / "scratch"):
        folder.mkdir(parents=True, exist_ok=True)
    home = _home(settings)
    pythonpath = os.pathsep.join(filter(None, [str(REPOSITORY), os.environ.get("PYTHONPATH")]))
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("SPARK_", "PYSPARK_"))},
        "SPARK_HOME": str(home),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "PYSPARK_PYTHON": sys.executable,
        "PYTHONPATH": pythonpath,
        "PLATFORM_HOME": str(settings.home),  # where the Python workers find volumes
        "PLATFORM_PORT": str(settings.port),
    }
    os.chdir(settings.tables)
    submit = str(home / "bin" / "spark-submit")
    os.execve(submit, [submit, *submit_arguments(settings, jars)], environment)  # noqa: S606 (no shell)


def _home(settings: LocalSettings) -> Path:
    """A home of Spark without its archive of Python modules, which every Python worker would compile anew.

    Workers take the modules from the installed package instead. One that is not ready after 10 s is given up.
    """
    home = settings.tables / "spark"
    home.mkdir(exist_ok=True)
    for name in ("bin", "jars"):
        link = home / name
        link.unlink(missing_ok=True)
        link.symlink_to(spark_home() / name)
    return home


# What serverless compute tunes by itself, for data of megabytes on two cores; a session may set it otherwise.
SMALL_DATA = {
    "spark.sql.shuffle.partitions": "2",
    # Code for each expression and statistics for each file pay off over many rows; here they are a quarter of the work.
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.databricks.delta.stats.collect": "false",
    # Constraints are derived from every pair of filter and column: planning one wide, checked row takes minutes.
    "spark.sql.constraintPropagation.enabled": "false",
}


def submit_arguments(settings: LocalSettings, jars: Path) -> list[str]:
    """The arguments of spark-submit, which hold for all sessions that set nothing else."""
    tables = settings.tables
    configuration = {
        "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.connect.grpc.binding.port": str(settings.spark_port),
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.local.dir": str(tables / "scratch"),
        "spark.ui.enabled": "false",
        "spark.log.level": "WARN",
        "spark.sql.session.timeZone": "UTC",
        "spark.driver.extraJavaOptions": f'{JAVA_OPTIONS} -Dderby.system.home="{tables}"',
        # the metastore: Hive's, in an embedded Derby database, so that tables survive a restart
        "spark.sql.catalogImplementation": "hive",
        "spark.hadoop.javax.jdo.option.ConnectionURL": f"jdbc:derby:;databaseName={tables / 'metastore'};create=true",
        "spark.hadoop.datanucleus.schema.autoCreateTables": "true",
        "spark.hadoop.hive.metastore.schema.verification": "false",
        "spark.sql.warehouse.dir": str(warehouse(settings)),
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        "spark.sql.sources.default": "delta",
        # Delta's default of 50 is for logs of gigabytes and costs 6 s a read with small ones. Set for the server and
        # not by session, because the server keeps a table's state for all sessions, as the first of them read it.
        "spark.databricks.delta.snapshotPartitions": "2",
        **SMALL_DATA,
        "spark.sql.catalog.catalogs": "lakehouse.Catalogs",
        **{f"spark.sql.catalog.{name}": CATALOG_CLASS for name in catalogs(settings)},
        "spark.hadoop.fs.file.impl": "lakehouse.Volumes",
        "spark.hadoop.lakehouse.volumes": str(settings.volumes),
        # by the file system above; the default manager asks another class of Hadoop, which knows no volumes
        "spark.sql.streaming.checkpointFileManagerClass": CHECKPOINTS_CLASS,
        # as in pipelines of Databricks; Spark's own default holds the whole state in the heap
        "spark.sql.streaming.stateStore.providerClass": STATE_STORE_CLASS,
        "spark.connect.extensions.relation.classes": "lakehouse.LateAnalysis",
        "spark.extraListeners": "lakehouse.ObservedMetrics,lakehouse.EndedSessions",
        "spark.lakehouse.observedMetrics.directory": str(observed_metrics(settings)),
        # who may use brokers of Kafka: the workspace says it, and these are addresses of MSK's stand-in
        "spark.lakehouse.workspace.url": settings.workspace_url,
        "spark.lakehouse.workspace.token": str(settings.admin_token),
        "spark.lakehouse.kafka.firstPort": str(settings.kafka_port),
        "spark.lakehouse.kafka.ports": str(KAFKA_PORTS),
    }
    arguments = ["--class", "org.apache.spark.sql.connect.service.SparkConnectServer", "--name", "local"]
    arguments += ["--master", "local[2]", "--driver-memory", HEAP]
    arguments += ["--driver-class-path", f"{jars}/*"]  # not by --jars, which come after the class of the file system
    for key, value in configuration.items():
        arguments += ["--conf", f"{key}={value}"]
    return [*arguments, "spark-internal"]


def catalogs(settings: LocalSettings) -> list[str]:
    """Catalogs that exist when the server starts; `CREATE SCHEMA catalogs.<name>` makes later ones."""
    return sorted(path.name for path in warehouse(settings).iterdir() if path.is_dir())


def _check_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise ServerError(
                f"port {port} of Spark Connect is taken ({error.strerror}): stop what listens there, "
                "or set PLATFORM_PORT to another base port"
            ) from error
