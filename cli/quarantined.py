"""Quarantined rows of delivered files: counted, shown to whoever may see them, and delivered again once repaired."""

from __future__ import annotations

import base64
import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cli.errors import CommandError
from cli.queries import literal, rows
from local.settings import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from databricks.sdk import WorkspaceClient

MODULE = "churn.quality.repaired"
TABLES = "quarantine_"  # beginning of their names in silver
STREAMED = "events"  # whose rows are messages: `platform stream` repairs them too
MOST_ROWS = 1_000  # of one release: each row is a file
DAY = "regexp_extract(_file, '/bronze/admitted/[^/]+/([0-9-]+)/', 1)"  # of the folder that a row was delivered to
# Rows that were delivered again: the name of such a file has the id of the row that it repairs.
RELEASED = """
SELECT DISTINCT regexp_extract(file, '/repaired-([0-9a-f-]+)[.]', 1) AS row_id FROM {catalog}.bronze.deliveries
WHERE status = 'admitted' AND file LIKE '%/repaired-%'
"""
REPLAYED = """
SELECT DISTINCT CAST(header.value AS STRING) AS place
FROM {catalog}.bronze.events LATERAL VIEW explode(headers) AS header WHERE header.key = 'replay-of'
"""
RUNS = """
SELECT substring_index(stored, '/', -1) AS name, max_by(run_id, date) AS run_id FROM {catalog}.bronze.deliveries
WHERE stored IS NOT NULL GROUP BY substring_index(stored, '/', -1)
"""
FIELDS = ("row_id", "file", "run_id", "reasons", "malformed", "contract_version", "row")


@dataclass(frozen=True)
class Count:
    """Quarantined rows that break one rule.

    Attributes:
        table: Name of the quarantine table.
        day: Day that their files were delivered to, or on which messages were read.
        rule: The rule; a row that breaks several counts for each.
        rows: Number of rows.
        released: Of these, rows that were delivered again.
    """

    table: str
    day: str
    rule: str
    rows: int
    released: int


@dataclass(frozen=True)
class Release:
    """What became of repaired rows.

    Attributes:
        files: Paths below `landing` of what was delivered, or would be.
        before: Number of rows that were released before, or wait to be taken in.
    """

    files: tuple[str, ...]
    before: int


def counts(client: WorkspaceClient, outputs: dict[str, Any]) -> tuple[list[Count], dict[str, str]]:
    """Counts quarantined rows by table, rule and day.

    Args:
        client: The workspace.
        outputs: Outputs of the stack.

    Returns:
        The counts; and why a table was not counted, by its name: whoever may know of a table need not be let read it.
    """
    refused: dict[str, str] = {}
    named = (str(table.name) for table in client.tables.list(outputs["catalog"], "silver"))
    found = []
    for table in sorted(name for name in named if name.startswith(TABLES)):
        query = _counts_of_events(table) if table == f"{TABLES}{STREAMED}" else _counts_of_files(table)
        try:
            counted = rows(client, outputs, query)
        except CommandError as error:
            refused[table] = str(error).rpartition("' failed: ")[2]
            continue
        found += [Count(table, day, rule, int(number), int(released)) for day, rule, number, released in counted]
    return found, refused


def shown(
    client: WorkspaceClient, outputs: dict[str, Any], domain: str, *, rule: str = "", day: str = "", limit: int
) -> list[str]:
    """Quarantined rows that were not released, as lines of JSON for people to repair: they correct `row`.

    Values that the caller may not see are masked; then `row` is null.

    Args:
        client: The workspace.
        outputs: Outputs of the stack.
        domain: Name of the contract.
        rule: A rule that they break; empty for all.
        day: Day that they were delivered to, YYYY-MM-DD; empty for all.
        limit: Most rows.
    """
    conditions = [f"array_contains(_reasons, {literal(rule)})"] if rule else []
    conditions += [f"{DAY} = {literal(day)}"] if day else []
    query = f"""
        SELECT _row_id, substring_index(_file, '/bronze/admitted/', -1), run_id, to_json(_reasons), _malformed,
          _contract_version, _raw
        FROM {{catalog}}.silver.{TABLES}{domain}
        LEFT ANTI JOIN ({RELEASED}) ON _row_id = row_id
        LEFT JOIN ({RUNS}) ON substring_index(_file, '/', -1) = name
        WHERE {" AND ".join(conditions) or "true"} ORDER BY _file, _row_id LIMIT {limit}
    """
    lines = []
    for found in rows(client, outputs, query):
        fields: dict[str, Any] = dict(zip(FIELDS, found, strict=True))
        fields["reasons"] = json.loads(fields["reasons"])
        fields["row"] = json.loads(fields["row"]) if fields["row"] else None
        lines.append(json.dumps(fields, ensure_ascii=False))
    return lines


def release(client: WorkspaceClient, outputs: dict[str, Any], domain: str, file: Path, *, dry: bool = False) -> Release:
    """Delivers repaired rows again, each once, to the volume of their domain; the next run of the day takes them in.

    All rows are checked by the contract's rules before the first is delivered.

    Args:
        client: The workspace; its user may read personal data, and deliver for the domain.
        outputs: Outputs of the stack.
        domain: Name of the contract.
        file: Lines as `shown` has them, each with a repaired row.
        dry: Whether to check them alone.

    Raises:
        CommandError: A line is wrong, or its row still breaks a rule; nothing is delivered then.
    """
    from databricks.sdk.errors import ResourceConflict

    lines = _lines(file)
    ids = _ids(lines)
    if len(ids) > MOST_ROWS:
        raise CommandError(
            f"{file} has {len(ids):,} rows, and {MOST_ROWS:,} are the most of one release\n  → so many rows have one "
            "cause: ask their source system for a corrected file, or release them in parts"
        )
    any_of = ", ".join(map(literal, ids)) or "NULL"
    wanted = f"SELECT _row_id, _file, _raw FROM {{catalog}}.silver.{TABLES}{domain} WHERE _row_id IN ({any_of})"
    quarantined = {row_id: {"file": path, "raw": raw or "null"} for row_id, path, raw in rows(client, outputs, wanted)}
    released = [row_id for (row_id,) in rows(client, outputs, RELEASED)]
    checked = _checked({"domain": domain, "lines": lines, "quarantined": quarantined, "released": released})
    before, delivered = int(checked["released"]), []
    for each in checked["files"]:
        path = f"/Volumes/{outputs['catalog']}/landing/{each['path']}"
        if dry:
            waits = _is_there(client, path)
        else:
            waits = False
            try:
                client.files.upload(path, io.BytesIO(base64.b64decode(each["content"])), overwrite=False)
            except ResourceConflict:
                waits = True
        before += waits
        delivered += [] if waits else [each["path"]]
    return Release(tuple(delivered), before)


def _counts_of_files(table: str) -> str:
    """Query of the counts of a table of rows."""
    return f"""
        SELECT day, rule, count(*), count(row_id) FROM (
          SELECT {DAY} AS day, explode(_reasons) AS rule, row_id
          FROM {{catalog}}.silver.{table} LEFT JOIN ({RELEASED}) ON _row_id = row_id
        ) GROUP BY day, rule ORDER BY day, rule
    """


def _counts_of_events(table: str) -> str:
    """Query of the counts of a table of messages."""
    return f"""
        SELECT day, rule, count(*), count(place) FROM (
          SELECT CAST(to_date(_read_at) AS STRING) AS day, explode(_reasons) AS rule, place
          FROM {{catalog}}.silver.{table} LEFT JOIN ({REPLAYED}) ON concat(_partition, '/', _offset) = place
        ) GROUP BY day, rule ORDER BY day, rule
    """


def _is_there(client: WorkspaceClient, path: str) -> bool:
    from databricks.sdk.errors import NotFound

    try:
        client.files.get_metadata(path)
    except NotFound:
        return False
    return True


def _lines(file: Path) -> list[str]:
    if not file.exists():
        raise CommandError(f"there is no file {file}\n  → `platform quarantine show DOMAIN --output {file}` writes it")
    return file.read_text(encoding="utf-8").splitlines()


def _ids(lines: Iterable[str]) -> list[str]:
    """Row ids of the lines that have one; the wheel reports the others."""
    found = []
    for line in lines:
        try:
            fields = json.loads(line) if line.strip() else None
        except ValueError:
            continue
        if isinstance(fields, dict) and isinstance(fields.get("row_id"), str):
            found.append(fields["row_id"])
    return found


def _checked(given: dict[str, Any]) -> dict[str, Any]:
    """Lets the wheel check the lines, with a Spark of its own, and make their files."""
    command = [sys.executable, "-m", MODULE]
    done = subprocess.run(
        command,
        input=json.dumps(given),
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
        env=_environment(),
        check=False,
    )
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or [""])[-1]  # of a traceback: the error's name and its text
        said = last.partition("Error: ")[2] or last
        raise CommandError("nothing was released:\n  " + said.replace("; line ", "\n  line "))
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _environment() -> dict[str, str]:
    """Environment in which Spark runs within the process, reachable by nobody, and as silver's does in what counts."""
    settings = {
        "spark.ui.enabled": "false",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",  # which pays off over many rows
        "spark.sql.constraintPropagation.enabled": "false",  # planning one wide, checked row would take minutes
    }
    options = " ".join(f"--conf {name}={value}" for name, value in settings.items())
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SPARK_", "PYSPARK_"))}
    return {
        **kept,
        "SPARK_LOCAL_IP": "127.0.0.1",
        "PYSPARK_SUBMIT_ARGS": f"--master local[1] {options} pyspark-shell",
    }
