"""`platform stream`: what is said of a stream, its account, and the simulator as a process."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from unittest.mock import create_autospec

import psutil
import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.service.jobs import BaseRun, RunLifeCycleState, RunResultState, RunState
from databricks.sdk.service.pipelines import GetPipelineResponse, PipelineSpec, PipelineState
from typer.testing import CliRunner

from cli import simulator, stream_account, stream_repair, stream_status
from cli.brokers import Offsets
from cli.deployed_stream import DeployedStream, stream_of
from cli.errors import CommandError
from cli.stream import app
from local.settings import LocalSettings
from tests.golden import assert_matches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

RECORDS = Path(__file__).parent / "records"
OUTPUTS: dict[str, Any] = {
    "catalog": "churn_local",
    "warehouse_id": "w",
    "job_ids": {"churn_daily": "1", "churn_activity": "2"},
    "pipeline_ids": {"churn_stream": "p"},
}


class InTurn(list[list[list[str]]]):
    """Answers to the same query, one after the other."""


class Tables:
    """Answers of the SQL warehouse, by a part of the query."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self.answers, self.asked = answers, list[str]()

    def rows(self, _client: object, _outputs: object, statement: str) -> list[list[str]]:
        self.asked.append(statement)
        answer: Any = next(value for part, value in self.answers.items() if part in statement)
        if isinstance(answer, Exception):
            raise answer
        found: list[list[str]] = answer.pop(0) if isinstance(answer, InTurn) else answer
        return found


@pytest.fixture
def settings(tmp_path: Path) -> LocalSettings:
    return LocalSettings(tmp_path)


def run_of(state: str) -> BaseRun:
    """A run of the job that runs, or has ended so."""
    if state == "RUNNING":
        return BaseRun(state=RunState(life_cycle_state=RunLifeCycleState.RUNNING))
    ended = RunState(life_cycle_state=RunLifeCycleState.TERMINATED, result_state=RunResultState(state))
    return BaseRun(state=ended)


def stream(state: str = "RUNNING", job: str = "RUNNING") -> DeployedStream:
    client = create_autospec(WorkspaceClient, instance=True)
    world = {"snapshot_date": "2026-01-31", "seed": "7"}
    task = SimpleNamespace(task_key="simulate", python_wheel_task=SimpleNamespace(named_parameters=world))
    client.jobs.list_runs.return_value = iter([run_of(job)])
    client.jobs.get.return_value = SimpleNamespace(settings=SimpleNamespace(tasks=[task]))
    return DeployedStream(client, OUTPUTS, "customer.events", "127.0.0.1:18004", state)


@pytest.fixture
def tables(monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, Any]], Tables]:
    def answering(answers: dict[str, Any]) -> Tables:
        made = Tables(answers)
        monkeypatch.setattr("cli.deployed_stream.rows", made.rows)
        return made

    return answering


def test_a_stack_without_a_stream_says_so() -> None:
    with pytest.raises(CommandError, match=r"no stream\n.*add churn:platform\.stream"):
        stream_of(create_autospec(WorkspaceClient, instance=True), OUTPUTS | {"pipeline_ids": {}})


def test_a_stream_is_found_by_its_pipeline() -> None:
    client = create_autospec(WorkspaceClient, instance=True)
    configuration = {"churn.kafka.topic": "customer.events", "churn.kafka.bootstrap_servers": "b-1:9098"}
    client.pipelines.get.return_value = GetPipelineResponse(
        spec=PipelineSpec(configuration=configuration), state=PipelineState.RUNNING
    )
    found = stream_of(client, OUTPUTS)
    assert (found.topic, found.brokers, found.state) == ("customer.events", "b-1:9098", "RUNNING")


def brokers(monkeypatch: pytest.MonkeyPatch, found: dict[int, Offsets] | CommandError) -> None:
    def offsets(_servers: str, _topic: str) -> dict[int, Offsets]:
        if isinstance(found, CommandError):
            raise found
        return found

    monkeypatch.setattr(stream_status, "offsets", offsets)
    monkeypatch.setattr(stream_account, "offsets", offsets)


TABLES = {
    "min(_accepted_at)": [["4"]],
    "GROUP BY partition": [["0", "120"], ["1", "80"]],
    "SELECT (SELECT count(*)": [["200", "180", "15"]],
    "stream_freshness": [["event_online", "180", "4.5", "9.1", "12.0"], ["broker_bronze", "180", "1.5", "2.5", "3.0"]],
}


def test_the_state_of_a_stream_is_shown(
    settings: LocalSettings, tables: Callable[..., Tables], monkeypatch: pytest.MonkeyPatch
) -> None:
    tables(TABLES)
    brokers(monkeypatch, {0: Offsets(0, 130), 1: Offsets(0, 80), 2: Offsets(5, 5)})
    found = stream_status.status(settings, stream())
    assert found.well
    assert found.lag == {0: 10, 1: 0, 2: 0}
    assert_matches(RECORDS / "stream_status.txt", "\n".join(stream_status.lines(found)) + "\n")


def test_a_stream_that_is_down_is_shown_too(
    settings: LocalSettings, tables: Callable[..., Tables], monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = CommandError("the query failed: [TABLE_OR_VIEW_NOT_FOUND] mlops.stream_freshness")
    tables(TABLES | {"min(_accepted_at)": missing, "stream_freshness": missing})
    brokers(monkeypatch, CommandError("the brokers 127.0.0.1:18004 do not answer: timed out\n  → look"))
    found = stream_status.status(settings, stream("IDLE", "FAILED"))
    assert not found.well
    assert_matches(RECORDS / "stream_status_down.txt", "\n".join(stream_status.lines(found)) + "\n")


def accounted(*partitions: str) -> list[list[str]]:
    return [row.split() for row in partitions]


def test_every_message_is_accounted_for(tables: Callable[..., Tables], monkeypatch: pytest.MonkeyPatch) -> None:
    made = tables({"WITH bounds": accounted("0 130 118 7 5 0 0 0", "1 80 80 0 0 0 0 0"), "HAVING count": [["0"]]})
    brokers(monkeypatch, {0: Offsets(0, 130), 1: Offsets(20, 100)})
    account = stream_account.audit(stream(), 0)
    assert (account.lost, account.twice) == (0, 0)
    assert "(0, 0L, 130L), (1, 20L, 100L)" in made.asked[0]
    assert_matches(RECORDS / "stream_audit.txt", "\n".join(stream_account.lines(account)) + "\n")


@pytest.mark.parametrize(
    ("row", "ids_twice", "lost", "twice"),
    [
        ("0 130 118 7 5 0 0 0", "0", 0, 0),
        ("0 128 116 7 5 0 0 0", "0", 2, 0),  # two are not in bronze
        ("0 130 115 7 5 0 3 0", "0", 3, 0),  # three are nowhere else
        ("0 130 118 7 5 0 0 4", "0", 0, 4),
        ("0 130 118 7 5 0 0 0", "6", 0, 6),  # by the ids of events
    ],
)
def test_what_is_lost_or_there_twice_is_counted(
    tables: Callable[..., Tables], monkeypatch: pytest.MonkeyPatch, row: str, ids_twice: str, lost: int, twice: int
) -> None:
    tables({"WITH bounds": accounted(row), "HAVING count": [[ids_twice]]})
    brokers(monkeypatch, {0: Offsets(0, 130)})
    account = stream_account.audit(stream(), 0)
    assert (account.lost, account.twice) == (lost, twice)


def test_a_partition_without_a_row_is_lost_and_not_forgotten(
    tables: Callable[..., Tables], monkeypatch: pytest.MonkeyPatch
) -> None:
    tables({"WITH bounds": [], "HAVING count": [["0"]]})
    brokers(monkeypatch, {0: Offsets(0, 3)})
    assert stream_account.audit(stream(), 0).lost == 3


def test_messages_on_the_way_are_waited_for(tables: Callable[..., Tables], monkeypatch: pytest.MonkeyPatch) -> None:
    on_the_way, arrived = accounted("0 128 118 5 5 0 0 0"), accounted("0 130 118 7 5 0 0 0")
    tables({"WITH bounds": InTurn([on_the_way, arrived]), "HAVING count": [["0"]]})
    brokers(monkeypatch, {0: Offsets(0, 130)})
    monkeypatch.setattr(stream_account, "POLL_SECONDS", 0.01)
    assert stream_account.audit(stream(), 30).lost == 0


@pytest.mark.parametrize(
    ("row", "code"), [("0 130 118 7 5 0 0 0", 0), ("0 128 116 7 5 0 0 0", 1), ("0 130 118 7 5 0 0 4", 1)]
)
def test_the_audit_ends_with_its_verdict(
    tables: Callable[..., Tables], monkeypatch: pytest.MonkeyPatch, row: str, code: int
) -> None:
    tables({"WITH bounds": accounted(row), "HAVING count": [["0"]]})
    brokers(monkeypatch, {0: Offsets(0, 130)})
    monkeypatch.setattr("cli.deployed_stream.deployed_stream", lambda _settings: stream())
    assert CliRunner().invoke(app, ["audit", "--wait", "0"]).exit_code == code
    tables({"WITH bounds": accounted(row), "HAVING count": [["0"]]})
    printed = CliRunner().invoke(app, ["audit", "--wait", "0", "--json"])
    assert printed.exit_code == code
    assert json.loads(printed.stdout)["partitions"][0]["silver"] == int(row.split()[2])


@pytest.mark.parametrize(
    ("state", "job", "waits", "code"),
    [
        ("RUNNING", "RUNNING", "4", 0),
        ("IDLE", "RUNNING", "4", 1),
        ("RUNNING", "FAILED", "4", 1),
        ("RUNNING", "RUNNING", "601", 1),  # the job waits for a database that is away
    ],
)
def test_the_status_ends_with_whether_the_stream_is_up(
    tables: Callable[..., Tables],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    state: str,
    job: str,
    waits: str,
    code: int,
) -> None:
    monkeypatch.setenv("PLATFORM_HOME", str(tmp_path))
    tables(TABLES | {"min(_accepted_at)": [[waits]]})
    brokers(monkeypatch, {0: Offsets(0, 130)})
    monkeypatch.setattr("cli.deployed_stream.deployed_stream", lambda _settings: stream(state, job))
    printed = CliRunner().invoke(app, ["status", "--json"])
    assert printed.exit_code == code
    assert json.loads(printed.stdout)["lag"] == {"0": 10}


@pytest.fixture
def sender(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: LocalSettings) -> Iterator[Path]:
    """A module in place of the simulator: it writes down its arguments, reports, and waits for its end."""
    module = tmp_path / "pretended_sender.py"
    module.write_text(
        "import json, signal, sys, time\n"
        f"open({str(tmp_path / 'arguments')!r}, 'w').write(' '.join(sys.argv[1:]))\n"
        "signal.signal(signal.SIGTERM, lambda *_: (print(json.dumps({'produced': 42}), flush=True), sys.exit()))\n"
        "print(json.dumps({'produced': 41}), flush=True)\n"
        "if '--rate=3' in sys.argv: sys.exit('no broker')\n"
        "time.sleep(60)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(simulator, "MODULE", module.stem)
    monkeypatch.setattr(simulator, "FIRST_REPORT_SECONDS", 1.0)
    yield tmp_path / "arguments"
    simulator.stop(settings)


LAST_DAY = {"max(date)": [["2026-02-03"]]}


def test_the_simulator_runs_in_the_background_once(
    settings: LocalSettings, sender: Path, tables: Callable[..., Tables]
) -> None:
    tables(LAST_DAY)
    started = simulator.start(settings, stream(), 1000, None, {"duplicate": 0.05})
    arguments = sender.read_text().split()
    assert {"--rate=1000", "--seed=7", "--snapshot-date=2026-01-31", "--duplicate=0.05"} <= set(arguments)
    assert {"--date=2026-02-03", "--world-seed=7"} <= set(arguments), "customers of the last scored day"
    assert "--topic=customer.events" in arguments
    assert "--bootstrap-servers=127.0.0.1:18004" in arguments
    with pytest.raises(CommandError, match=rf"process {started.process.pid}, 1000 messages a second\n.*stream stop"):
        simulator.start(settings, stream(), 1, None, {})
    found = simulator.running(settings)
    assert found
    assert (found.rate, found.report) == (1000, {"produced": 41})
    assert simulator.stop(settings) == {"produced": 42}
    assert not psutil.pid_exists(started.process.pid) or started.process.status() == psutil.STATUS_ZOMBIE
    assert simulator.stop(settings) is None


def test_another_process_of_the_same_number_is_no_simulator(settings: LocalSettings) -> None:
    kept = {"pid": psutil.Process().pid, "create_time": time.time() - 1e6, "rate": 1, "seed": 1, "started": "then"}
    (settings.home / "simulator.json").write_text(json.dumps(kept))
    assert simulator.running(settings) is None


def test_messages_are_sent_at_once(sender: Path, tables: Callable[..., Tables]) -> None:
    tables({"max(date)": [[None]]})
    with pytest.raises(CommandError, match=r"ended with status 1:\nno broker"):
        simulator.send(stream(), simulator.simulated_world(stream()), 300, 3, 8, timedelta(hours=2))
    arguments = sender.read_text().split()
    [start] = [word.partition("=")[2] for word in arguments if word.startswith("--start=")]
    assert timedelta(hours=2) <= datetime.now(UTC) - datetime.fromisoformat(start) < timedelta(hours=3)
    assert {"--messages=300", "--unpaced", "--seed=8", "--date=2026-01-31", "--world-seed=7"} <= set(arguments)


def test_a_simulator_that_ends_at_once_says_why(
    settings: LocalSettings, sender: Path, tables: Callable[..., Tables]
) -> None:
    tables(LAST_DAY)
    with pytest.raises(CommandError, match=r"ended with status 1:\n(?s:.*)no broker"):
        simulator.start(settings, stream(), 3, None, {})
    assert simulator.running(settings) is None


def test_a_simulator_is_refused_where_nobody_would_read(settings: LocalSettings) -> None:
    with pytest.raises(CommandError, match="the pipeline churn_stream is IDLE"):
        simulator.start(settings, stream("IDLE"), 1, None, {})


def test_a_stack_that_simulates_nothing_has_no_simulator(settings: LocalSettings) -> None:
    real = stream()
    real.client.jobs.get.return_value = SimpleNamespace(settings=SimpleNamespace(tasks=[]))  # type: ignore[attr-defined]  # the client is a mock
    with pytest.raises(CommandError, match="its events come from real customers"):
        simulator.start(settings, real, 1, None, {})


LINES = ['{"partition":0,"offset":5,"value":"{"}', '{"partition":2,"offset":9,"value":"x"}']


def test_quarantined_messages_are_written_as_lines(tables: Callable[..., Tables], tmp_path: Path) -> None:
    made = tables({"to_json": [[line] for line in LINES]})
    assert stream_repair.quarantine(stream(), tmp_path / "poison.jsonl") == 2
    assert (tmp_path / "poison.jsonl").read_text() == "".join(f"{line}\n" for line in LINES)
    assert "LEFT ANTI JOIN" in made.asked[0], "what was replayed is not listed"


def resend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> Path:
    """A module in place of the wheel's sender, which keeps what it is given."""
    given = tmp_path / "given.json"
    (tmp_path / "pretended_resend.py").write_text(
        f"import sys\ntext = sys.stdin.read()\nopen({str(given)!r}, 'w').write(text)\n{body}\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(stream_repair, "MODULE", "pretended_resend")
    monkeypatch.setattr(stream_repair, "POLL_SECONDS", 0.01)
    return given


def test_repaired_messages_are_sent_and_waited_for(
    tables: Callable[..., Tables], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = resend(tmp_path, monkeypatch, "print('{\"sent\": 2}')")
    before, after = [["7", "7"]], [["7", "7"], ["0", "5"], ["2", "9"]]
    made = tables({"_raw FROM": [["0", "5", "{"], ["2", "9", "y"]], "replay-of": InTurn([before, before, after])})
    file = tmp_path / "poison.jsonl"
    file.write_text("\n".join([*LINES, "", "no JSON"]))
    assert stream_repair.replay(stream(), file) == 2
    assert json.loads(given.read_text()) == {
        "lines": [*LINES, "", "no JSON"],
        "quarantined": [[0, 5, "{"], [2, 9, "y"]],
        "done": [[7, 7]],
    }
    assert "(_partition = 0 AND _offset = 5) OR (_partition = 2 AND _offset = 9)" in made.asked[0]


def test_a_wrong_line_stops_the_replay_and_says_why(
    tables: Callable[..., Tables], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    resend(tmp_path, monkeypatch, "sys.exit('line 1: partition 0, offset 5 was replayed before; remove the line')")
    tables({"_raw FROM": [["0", "5", "{"]], "replay-of": [["0", "5"]]})
    file = tmp_path / "poison.jsonl"
    file.write_text(LINES[0])
    with pytest.raises(CommandError, match=r"nothing was replayed:\nline 1: .* was replayed before"):
        stream_repair.replay(stream(), file)
    with pytest.raises(CommandError, match="stream quarantine"):
        stream_repair.replay(stream(), tmp_path / "missing.jsonl")


def test_messages_that_bronze_does_not_get_are_not_forgotten(
    tables: Callable[..., Tables], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    resend(tmp_path, monkeypatch, "print('{\"sent\": 1}')")
    monkeypatch.setattr(stream_repair, "READ_SECONDS", 0.05)
    tables({"_raw FROM": [["0", "5", "{"]], "replay-of": []})
    file = tmp_path / "poison.jsonl"
    file.write_text(LINES[0])
    with pytest.raises(CommandError, match="1 of 1 replayed messages are not in bronze"):
        stream_repair.replay(stream(), file)
