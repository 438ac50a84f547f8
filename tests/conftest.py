"""Fixtures that most tests share: a running Spark server of the local cloud, and sessions on it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from local.settings import REPOSITORY, LocalSettings
from tests.ports import free_base_port
from tests.small_data import SMALL_DATA

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pyspark.sql import SparkSession

TEST_CATALOG = "churn_test"
START_SECONDS = 90
# Interpreter whose Spark serves; another than that of the tests where these have the Spark client of the cloud.
SERVER_PYTHON = os.environ.get("SPARK_SERVER_PYTHON", sys.executable)

# without this an MLflow server starts ten more processes for jobs, which no test needs
os.environ["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] = "false"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--soak", action="store_true", help="full counts of what is otherwise sampled; takes hours")


@pytest.fixture(scope="session")
def kills(request: pytest.FixtureRequest) -> int:
    """How many times a service is killed in the middle of its work."""
    return 20 if request.config.getoption("--soak") else 2


class SparkServer:
    """The process of a Spark Connect server, with a home folder of its own."""

    def __init__(self, settings: LocalSettings) -> None:
        self.settings = settings
        self.log = settings.logs / "spark.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None, "the server was not started"
        return self._process.pid

    def start(self) -> None:
        """Starts the server and waits until it listens."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        environment = {
            **os.environ,
            "PLATFORM_HOME": str(self.settings.home),
            "PLATFORM_PORT": str(self.settings.port),
        }
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [SERVER_PYTHON, "-m", "local.spark", "serve"],
                cwd=REPOSITORY,
                env=environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._listens():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"the Spark server did not start:\n{self.log.read_text()[-4000:]}")
            time.sleep(0.2)

    def stop(self) -> int:
        """Stops the server as the supervisor does, and returns the exit code of its process."""
        assert self._process is not None, "the server was not started"
        self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise

    def _listens(self) -> bool:
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", self.settings.spark_port)) == 0


def connect(settings: LocalSettings) -> SparkSession:
    """A new session, with settings for small data."""
    from pyspark.sql import SparkSession as AnySession

    session = AnySession.builder.remote(settings.spark_remote).create()
    for key, value in SMALL_DATA.items():
        session.conf.set(key, value)
    return session


@pytest.fixture(scope="session")
def spark_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkServer]:
    """A running Spark server with a home folder of its own."""
    subprocess.run([SERVER_PYTHON, "-m", "local.spark", "install"], cwd=REPOSITORY, check=True)
    server = SparkServer(LocalSettings(tmp_path_factory.mktemp("platform"), free_base_port()))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def spark_home(spark_server: SparkServer) -> LocalSettings:
    """Settings of a local cloud whose Spark server runs."""
    return spark_server.settings


@pytest.fixture(scope="session")
def spark(spark_home: LocalSettings) -> Iterator[SparkSession]:
    """A session with the catalog `churn_test` and its schemas bronze, silver, gold and mlops."""
    session = connect(spark_home)
    session.sql(f"CREATE SCHEMA IF NOT EXISTS catalogs.{TEST_CATALOG}")
    for schema in ("bronze", "silver", "gold", "mlops"):
        session.sql(f"CREATE SCHEMA IF NOT EXISTS {TEST_CATALOG}.{schema}")
    yield session
    session.stop()


@pytest.fixture
def new_session(spark_home: LocalSettings, spark: SparkSession) -> Iterator[Callable[[], SparkSession]]:
    """Makes further sessions, which end with the test."""
    sessions: list[SparkSession] = []

    def make() -> SparkSession:
        sessions.append(connect(spark_home))
        return sessions[-1]

    yield make
    for session in sessions:
        session.stop()


@pytest.fixture
def volume(spark_home: LocalSettings, request: pytest.FixtureRequest) -> Path:
    """An empty folder under the volume churn_test.bronze.raw, with the name of the test."""
    folder: Path = spark_home.volumes / TEST_CATALOG / "bronze" / "raw" / request.node.name
    folder.mkdir(parents=True)
    return folder
