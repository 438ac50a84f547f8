"""One broker: its folder, its properties and its process."""

from __future__ import annotations

import base64
import os
import shutil
import signal
import subprocess
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from local import leftovers
from local.errors import BrokerError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

HEAP = "256m"
LOGGING = ("-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-Dorg.slf4j.simpleLogger.showDateTime=true")
STOP_SECONDS = 20
ANSWER_SECONDS = 2.0
ALONE = {
    "default.replication.factor": "1",
    "min.insync.replicas": "1",
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "group.initial.rebalance.delay.ms": "0",
}
"""What a broker without others must be told, whatever the configuration of its cluster says."""


def properties_of(text: str) -> dict[str, str]:
    """Reads the properties of an MSK configuration."""
    lines = [line.strip() for line in text.splitlines()]
    pairs = [line.partition("=") for line in lines if line and not line.startswith(("#", "!"))]
    return {key.strip(): value.strip() for key, _, value in pairs}


@dataclass(frozen=True)
class Broker:
    """A broker and controller in one process, on two ports of 127.0.0.1.

    Attributes:
        folder: Folder of its data, its properties and its log.
        port: Port for clients; the next one is its own.
        jars: Folder of Kafka's jars.
    """

    folder: Path
    port: int
    jars: Path

    @property
    def address(self) -> str:
        """Where clients reach it."""
        return f"127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """File of what it wrote."""
        return self.folder / "broker.log"

    @property
    def _file(self) -> Path:
        return self.folder / "server.properties"

    def start(self, configuration: Mapping[str, str]) -> subprocess.Popen[bytes]:
        """Starts the process; the first time, its storage is formatted before.

        Args:
            configuration: Properties of the cluster's configuration.

        Raises:
            BrokerError: Its storage cannot be formatted.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self.end_leftover()
        self._file.write_text(self._properties(configuration))
        data = self.folder / "data"
        if not (data / "meta.properties").exists():
            self._format()
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                self._java("kafka.Kafka", str(self._file), heap=HEAP),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # whoever ends the server by Ctrl-C leaves the broker to it
            )
        (self.folder / "broker.pid").write_text(str(process.pid))
        return process

    def stop(self, process: subprocess.Popen[bytes]) -> None:
        """Ends the process, by force where it takes too long."""
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def remove(self) -> None:
        """Removes all that it kept."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def answers(self) -> bool:
        """Whether clients get an answer."""
        try:
            self.admin().list_topics(timeout=ANSWER_SECONDS)
        except KafkaException:
            return False
        return True

    def admin(self) -> AdminClient:
        """A client that makes, changes and removes topics."""
        return AdminClient({"bootstrap.servers": self.address, "log_level": 0, "socket.timeout.ms": 10_000})

    def end_leftover(self) -> None:
        """Ends a process that a server which was killed has left."""
        with suppress(OSError, ValueError, psutil.Error):
            process = psutil.Process(int((self.folder / "broker.pid").read_text()))
            if str(self._file) in process.cmdline():
                process.send_signal(signal.SIGTERM)
                deadline = time.monotonic() + STOP_SECONDS
                while leftovers.alive(process):
                    if time.monotonic() > deadline:
                        process.kill()
                    time.sleep(0.1)

    def last_lines(self) -> str:
        """The end of its log that says something."""
        try:
            return _telling(self.log.read_text(errors="replace")[-20_000:])
        except OSError:
            return ""

    def _properties(self, configuration: Mapping[str, str]) -> str:
        controller = f"127.0.0.1:{self.port + 1}"
        own = {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.voters": f"1@{controller}",
            "listeners": f"PLAINTEXT://{self.address},CONTROLLER://{controller}",
            "advertised.listeners": f"PLAINTEXT://{self.address}",
            "controller.listener.names": "CONTROLLER",
            "log.dirs": str(self.folder / "data"),
            **ALONE,
        }
        return "".join(f"{key}={value}\n" for key, value in {**configuration, **own}.items())

    def _format(self) -> None:
        command = self._java("kafka.tools.StorageTool", "format", "-t", cluster_id(), "-c", str(self._file))
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise BrokerError(f"its storage cannot be formatted: {_telling(done.stdout + done.stderr)}")

    def _java(self, main: str, *arguments: str, heap: str = "64m") -> list[str]:
        flags = [f"-Xmx{heap}", "-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError", *LOGGING]
        return ["java", *flags, "-cp", f"{self.jars}{os.sep}*", main, *arguments]


def cluster_id() -> str:
    """A new id of a cluster: a random UUID as 22 characters of URL-safe base64.

    None begins with a hyphen, for which Kafka's tool would take it for an option. Kafka draws its own ids so too
    (`org.apache.kafka.common.Uuid.randomUuid`).
    """
    while True:
        written = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not written.startswith("-"):
            return written


def _telling(output: str) -> str:
    """The last lines of what Java wrote, without the stack."""
    lines = [line for line in output.splitlines() if not line.startswith(("\tat ", "\t..."))]
    return "\n".join(lines[-10:])
