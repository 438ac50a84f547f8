"""`platform quarantine`: one family of commands for rows of files and messages of the stream."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from unittest.mock import create_autospec

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import AlreadyExists, NotFound
from typer.testing import CliRunner

from cli import quarantine, quarantined, stream_repair
from cli.errors import CommandError
from cli.main import app
from cli.quarantined import Release

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

OUTPUTS = {"catalog": "c", "warehouse_id": "w"}
ROW_ID = "0b0e7c1e-3c1f-4f8e-9d53-6a3f4b1c2d3e"
FOUND = [ROW_ID, "support/2026-01-05/a.csv", "17", '["priority_is_known"]', None, "2.0.0", '{"priority":"urgent"}']
MASKED = [ROW_ID, "support/2026-01-05/a.csv", "17", '["priority_is_known"]', None, "2.0.0", None]


class Warehouse:
    """Answers of the SQL warehouse, by a part of the query."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self.answers, self.asked = answers, list[str]()

    def rows(self, _client: object, outputs: dict[str, Any], statement: str) -> list[list[Any]]:
        self.asked.append(statement.format(catalog=outputs["catalog"]))
        found: Any = next(value for part, value in self.answers.items() if part in statement)
        if isinstance(found, Exception):
            raise found
        return list(found)


@pytest.fixture
def client() -> Any:
    made = create_autospec(WorkspaceClient, instance=True)
    names = ("support", "quarantine_support", "quarantine_events")
    made.tables.list.return_value = [SimpleNamespace(name=name) for name in names]
    return made


@pytest.fixture
def warehouse(client: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, Any]], Warehouse]:
    monkeypatch.setattr(quarantine, "_reach", lambda _stack: (client, OUTPUTS))

    def answering(answers: dict[str, Any]) -> Warehouse:
        made = Warehouse(answers)
        monkeypatch.setattr(quarantined, "rows", made.rows)
        return made

    return answering


def platform(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["quarantine", *arguments], env={"COLUMNS": "120"})
    return done.exit_code, done.output


def test_all_tables_are_counted_by_rule_and_day(warehouse: Callable[..., Warehouse]) -> None:
    made = warehouse(
        {
            "silver.quarantine_support": [["2026-01-05", "priority_is_known", "3", "1"]],
            "silver.quarantine_events": [["2026-01-06", "event_is_not_late", "2", "0"]],
        }
    )
    status, output = platform("list")
    assert status == 0
    lines = [line.replace("│", " ").split() for line in output.splitlines()]
    assert ["quarantine_events", "2026-01-06", "event_is_not_late", "2", "0"] in lines
    assert ["quarantine_support", "2026-01-05", "priority_is_known", "3", "1"] in lines
    assert all("{" not in statement for statement in made.asked)
    denied = CommandError("the query 'SELECT' failed: [INSUFFICIENT_PERMISSIONS] no SELECT on quarantine_events")
    warehouse({"silver.quarantine_support": [], "silver.quarantine_events": denied})
    said = "quarantine_events was not counted: [INSUFFICIENT_PERMISSIONS] no SELECT on quarantine_events"
    assert platform("list")[1].split("\n")[:2] == ["nothing is quarantined", said]
    warehouse({"silver.": []})
    assert "nothing is quarantined" in platform("list")[1]


def test_rows_are_shown_with_what_is_known_of_them(warehouse: Callable[..., Warehouse], tmp_path: Path) -> None:
    made = warehouse({"silver.quarantine_support": [FOUND, MASKED]})
    file = tmp_path / "repair.jsonl"
    status, output = platform(
        "show", "support", "--rule", "it's", "--day", "2026-01-05", "--limit", "7", "--output", str(file)
    )
    assert (status, "2 rows in" in output) == (0, True)
    first, masked = (json.loads(line) for line in file.read_text().splitlines())
    assert first == {
        "row_id": ROW_ID,
        "file": "support/2026-01-05/a.csv",
        "run_id": "17",
        "reasons": ["priority_is_known"],
        "malformed": None,
        "contract_version": "2.0.0",
        "row": {"priority": "urgent"},
    }
    assert masked["row"] is None
    (asked,) = made.asked
    assert r"array_contains(_reasons, 'it\'s') AND " in asked
    assert "= '2026-01-05' ORDER BY _file, _row_id LIMIT 7" in asked


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("show", "support;DROP"), "is no table"),
        (("show", "support", "--day", "yesterday"), "is no day"),
        (("show", "events", "--day", "2026-01-05"), "lie in no day's folder"),
    ],
)
def test_what_cannot_be_asked_is_said(
    warehouse: Callable[..., Warehouse], arguments: tuple[str, ...], said: str
) -> None:
    warehouse({})
    status, output = platform(*arguments)
    assert (status, said in output) == (2, True)


def test_what_becomes_of_repaired_rows_is_said(
    warehouse: Callable[..., Warehouse], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    warehouse({})
    asked: list[Any] = []

    def release(*given: Any, dry: bool) -> Release:
        asked.append((*given, dry))
        return Release(("support/2026-01-05/repaired-r.csv",), 2)

    monkeypatch.setattr(quarantined, "release", release)
    status, output = platform("release", "support", str(tmp_path / "f"), "--dry-run")
    assert (status, "1 rows would be delivered, 2 were released before" in output) == (0, True)
    assert "churn_daily" not in output
    assert "the next run of churn_daily takes them in" in platform("release", "support", str(tmp_path / "f"))[1]
    assert [each[2:] for each in asked] == [("support", tmp_path / "f", True), ("support", tmp_path / "f", False)]


def test_messages_go_the_way_of_the_stream(
    warehouse: Callable[..., Warehouse], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    warehouse({})
    lines = ['{"reasons": ["a"], "value": "1"}', '{"reasons": ["b"], "value": "2"}']
    stream = SimpleNamespace(rows=lambda _query: [[line] for line in lines])
    monkeypatch.setattr(quarantine, "_stream", lambda *_: stream)
    assert platform("show", "events", "--rule", "b")[1].strip() == lines[1]
    replayed: list[Any] = []

    def replay(*given: Any, dry: bool) -> int:
        replayed.append((*given, dry))
        return 5

    monkeypatch.setattr(stream_repair, "replay", replay)
    assert "5 messages would be replayed" in platform("release", "events", str(tmp_path / "f"), "--dry-run")[1]
    assert replayed == [(stream, tmp_path / "f", True)]


def test_a_file_that_is_missing_or_too_long_is_not_asked_about(
    client: Any, warehouse: Callable[..., Warehouse], tmp_path: Path
) -> None:
    warehouse({})
    file = tmp_path / "repair.jsonl"
    with pytest.raises(CommandError, match=r"there is no file .*\n  → `platform quarantine show"):
        quarantined.release(client, OUTPUTS, "support", file)
    file.write_text('{"row_id": "r", "row": {}}\n' * 1001)
    with pytest.raises(CommandError, match=r"1,001 rows, and 1,000 are the most .*\n  → .* corrected file"):
        quarantined.release(client, OUTPUTS, "support", file)


def pretended(monkeypatch: pytest.MonkeyPatch, folder: Path, body: str) -> None:
    """A module in the place of the wheel's own."""
    (folder / "pretended_repaired.py").write_text(f"import json, os, sys\ngiven = json.load(sys.stdin)\n{body}\n")
    monkeypatch.setenv("PYTHONPATH", str(folder))
    monkeypatch.setattr(quarantined, "MODULE", "pretended_repaired")


def test_each_row_is_uploaded_once_and_never_over_another(
    client: Any, warehouse: Callable[..., Warehouse], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    warehouse({"_row_id IN": [[ROW_ID, "f", "{}"]], "AS row_id": [["gone"]]})
    files = [{"path": f"support/2026-01-05/repaired-{name}.csv", "content": "YQ=="} for name in ("new", "waits")]
    pretended(
        monkeypatch,
        tmp_path,
        f"assert given['quarantined'] == {{{ROW_ID!r}: {{'file': 'f', 'raw': '{{}}'}}}}, given\n"
        "assert given['released'] == ['gone'], given\n"
        "assert 'SPARK_REMOTE' not in os.environ and '--master local[1]' in os.environ['PYSPARK_SUBMIT_ARGS']\n"
        f"print(json.dumps({{'files': {files!r}, 'released': 1}}))",
    )
    monkeypatch.setenv("SPARK_REMOTE", "sc://nowhere:1")
    file = tmp_path / "repair.jsonl"
    file.write_text(json.dumps({"row_id": ROW_ID, "row": {}}))

    def upload(path: str, contents: Any, *, overwrite: bool) -> None:
        assert (contents.read(), overwrite) == (b"a", False)
        if "waits" in path:
            raise AlreadyExists("it is there")

    client.files.upload.side_effect = upload
    done = quarantined.release(client, OUTPUTS, "support", file)
    assert done == Release(("support/2026-01-05/repaired-new.csv",), 2)
    client.files.get_metadata.side_effect = [NotFound("no such file"), None]
    client.files.upload.reset_mock()
    assert quarantined.release(client, OUTPUTS, "support", file, dry=True) == done
    client.files.upload.assert_not_called()


def test_what_is_wrong_with_lines_is_said_line_by_line(
    client: Any, warehouse: Callable[..., Warehouse], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    warehouse({"_row_id IN": [], "AS row_id": []})
    pretended(monkeypatch, tmp_path, "raise ValueError('line 1: it is no row; remove it; line 2: nor this')")
    file = tmp_path / "repair.jsonl"
    file.write_text("{}")
    with pytest.raises(CommandError) as error:
        quarantined.release(client, OUTPUTS, "support", file)
    assert str(error.value) == "nothing was released:\n  line 1: it is no row; remove it\n  line 2: nor this"
    client.files.upload.assert_not_called()
