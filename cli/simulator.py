"""The simulator of events as a process of this machine: one at a time, found again by a file in the home folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import psutil

from cli.days import DAILY_JOB
from cli.errors import CommandError
from local import leftovers
from local.settings import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from cli.deployed_stream import DeployedStream
    from local.settings import LocalSettings

MODULE = "churn.simulation.stream_events"
END_SECONDS = 70.0  # the sender waits a minute for what the brokers have not confirmed
FIRST_REPORT_SECONDS = 2.0
LAST_DAY = "SELECT max(date) FROM {catalog}.gold.marts_churn_overview"  # that was scored; NULL before the first


@dataclass(frozen=True)
class Simulator:
    """A simulator that was started.

    Attributes:
        process: The process, which may have ended.
        rate: Messages a second.
        seed: Seed of every draw.
        started: When, in UTC.
        report: What the brokers have confirmed by its last report; empty before the first.
    """

    process: psutil.Process
    rate: float
    seed: int
    started: str
    report: Mapping[str, Any]


def running(settings: LocalSettings) -> Simulator | None:
    """The simulator that runs; None without one."""
    file = _file(settings)
    if not file.exists():
        return None
    kept = json.loads(file.read_text())
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(kept["pid"])
        if process.create_time() == kept["create_time"] and leftovers.alive(process):
            return Simulator(process, kept["rate"], kept["seed"], kept["started"], _last_report(settings))
    return None


def start(
    settings: LocalSettings, stream: DeployedStream, rate: float, seed: int | None, options: Mapping[str, float]
) -> Simulator:
    """Starts the simulator.

    Args:
        settings: The local cloud.
        stream: What it sends to.
        rate: Messages a second.
        seed: Seed of every draw; None takes that of the stack's simulated world.
        options: Further options of the sender, by name: shares of faults, and the skew.

    Raises:
        CommandError: One runs already, the stream's pipeline does not run, the stack simulates nothing, or the process
            ends at once.
    """
    if earlier := running(settings):
        raise CommandError(
            f"a simulator runs since {earlier.started}: process {earlier.process.pid}, {earlier.rate:g} messages a "
            "second\n  → `platform stream stop` ends it"
        )
    if stream.state != "RUNNING":
        raise CommandError(
            f"the pipeline churn_stream is {stream.state}, so nobody would read the messages\n  → `platform stream "
            "status` shows the stream; `platform local logs` has the reason"
        )
    world = simulated_world(stream)
    seed = int(world["seed"]) if seed is None else seed
    started = datetime.now(UTC).isoformat(timespec="seconds")
    process = _begin(settings, command(stream, world, started, {"rate": rate, "seed": seed, **options}))
    kept = {"pid": process.pid, "create_time": process.create_time(), "rate": rate, "seed": seed, "started": started}
    _file(settings).write_text(json.dumps(kept))
    return Simulator(process, rate, seed, started, {})


def command(stream: DeployedStream, world: Mapping[str, str], started: str, options: Mapping[str, float]) -> list[str]:
    """The command of the sender.

    Args:
        stream: What it sends to.
        world: The simulated world, as `simulated_world` gives it.
        started: Moment of the first message, ISO 8601 in UTC.
        options: Further options of the sender, by name: rate, seed, shares of faults.
    """
    given = {
        "bootstrap-servers": stream.brokers,
        "topic": stream.topic,
        "start": started,
        "snapshot-date": world["snapshot_date"],
        "date": world["date"],
        "world-seed": world["seed"],
        **options,
    }
    return [sys.executable, "-m", MODULE, *(f"--{name}={value}" for name, value in given.items())]


def send(
    stream: DeployedStream,
    world: Mapping[str, str],
    messages: int,
    rate: float,
    seed: int,
    ago: timedelta = timedelta(),
) -> Mapping[str, Any]:
    """Sends simulated messages as fast as the brokers take them, and waits until they have.

    Args:
        stream: What they are sent to.
        world: The simulated world, as `simulated_world` gives it.
        messages: Their number.
        rate: Messages a second, by their own times.
        seed: Seed of every draw.
        ago: How long ago the first message was due.

    Returns:
        The sender's last report.

    Raises:
        CommandError: The brokers did not confirm all of them.
    """
    started = (datetime.now(UTC) - ago).isoformat(timespec="seconds")
    options = {"rate": rate, "seed": seed, "messages": messages}
    sender = [*command(stream, world, started, options), "--unpaced"]
    sent = subprocess.run(sender, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    if sent.returncode != 0:
        raise CommandError(f"the simulator ended with status {sent.returncode}:\n{sent.stderr[-2000:]}")
    report: Mapping[str, Any] = json.loads(sent.stdout.splitlines()[-1])
    return report


def _begin(settings: LocalSettings, sender: list[str]) -> psutil.Process:
    """Starts the process, in a session of its own, and looks whether it goes on."""
    settings.logs.mkdir(parents=True, exist_ok=True)
    # By this variable `platform local stop` finds the process, should nobody have stopped it before.
    environment = {**os.environ, "SUPERVISOR_SERVER_URL": f"unix://{settings.supervisor_socket}"}
    with _log(settings).open("w") as log:
        process = subprocess.Popen(
            sender,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd=REPOSITORY,
            env=environment,
        )
    time.sleep(FIRST_REPORT_SECONDS)
    if process.poll() is not None:
        said = _log(settings).read_text()[-2000:]
        raise CommandError(f"the simulator ended with status {process.returncode}:\n{said}")
    return psutil.Process(process.pid)


def stop(settings: LocalSettings) -> Mapping[str, Any] | None:
    """Stops the simulator, and gives its last report; None if none runs.

    Raises:
        CommandError: The process does not end.
    """
    simulator = running(settings)
    if simulator is None:
        return None
    with suppress(psutil.NoSuchProcess):
        simulator.process.terminate()
    deadline = time.monotonic() + END_SECONDS
    while leftovers.alive(simulator.process):
        if time.monotonic() > deadline:
            raise CommandError(f"the simulator, process {simulator.process.pid}, does not end: see {_log(settings)}")
        time.sleep(0.1)
    _file(settings).unlink(missing_ok=True)
    return _last_report(settings)


def simulated_world(stream: DeployedStream) -> Mapping[str, str]:
    """The world that the stack's files come from: `snapshot_date` and `seed`, as the daily job has them, and `date`.

    The date is the last that was scored, so that those who send are active customers whom the platform knows.

    Args:
        stream: A stream of the stack.

    Raises:
        CommandError: The stack simulates nothing.
    """
    job = stream.client.jobs.get(int(stream.outputs["job_ids"][DAILY_JOB]))
    for task in (job.settings.tasks if job.settings else None) or []:
        if task.task_key == "simulate" and task.python_wheel_task:
            world = task.python_wheel_task.named_parameters or {}
            ((last,),) = stream.rows(LAST_DAY)
            return {**world, "date": last or world["snapshot_date"]}
    raise CommandError(
        f"{DAILY_JOB} simulates nothing in this stack: its events come from real customers\n  → set "
        "churn:platform.simulation.enabled where they may be simulated"
    )


def _file(settings: LocalSettings) -> Path:
    return settings.home / "simulator.json"


def _log(settings: LocalSettings) -> Path:
    return settings.logs / "simulator.log"


def _last_report(settings: LocalSettings) -> Mapping[str, Any]:
    """The last line of the log that is a report."""
    lines = _log(settings).read_text().splitlines() if _log(settings).exists() else []
    for line in reversed(lines):
        if line.startswith("{"):
            report: Mapping[str, Any] = json.loads(line)
            return report
    return {}
