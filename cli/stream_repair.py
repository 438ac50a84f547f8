"""Quarantined messages: listed for people to repair, and put back into the topic once."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

from cli.errors import CommandError
from local.settings import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cli.deployed_stream import DeployedStream

POLL_SECONDS = 2.0
READ_SECONDS = 120.0
MODULE = "churn.streaming.resend"
# Messages that a later one has replayed, by its header.
REPLAYED = """
SELECT CAST(split_part(place, '/', 1) AS INT) AS partition, CAST(split_part(place, '/', 2) AS BIGINT) AS offset
FROM (
  SELECT DISTINCT CAST(header.value AS STRING) AS place
  FROM {catalog}.bronze.events LATERAL VIEW explode(headers) AS header WHERE header.key = 'replay-of'
)
"""
LISTING = f"""
SELECT to_json(struct(
  _partition AS partition, _offset AS offset, _reasons AS reasons, _malformed AS malformed,
  date_format(to_utc_timestamp(_first_broker_time, current_timezone()), "yyyy-MM-dd'T'HH:mm:ss.SSSSSS'Z'")
    AS first_broker_time,
  _key AS key, _raw AS value
))
FROM {{catalog}}.silver.quarantine_events q LEFT ANTI JOIN ({REPLAYED.replace("{catalog}", "{{catalog}}")}) done
  ON q._partition = done.partition AND q._offset = done.offset
ORDER BY _partition, _offset
""".replace("{{", "{").replace("}}", "}")
QUARANTINED = """
SELECT _partition, _offset, _raw FROM {{catalog}}.silver.quarantine_events
WHERE {places}
"""


def listed(stream: DeployedStream, *, rule: str, limit: int) -> list[str]:
    """Quarantined messages that nobody has replayed, as lines of JSON.

    Args:
        stream: The stream.
        rule: A rule that they break; empty for all.
        limit: Most messages.
    """
    lines = (line for (line,) in stream.rows(LISTING))
    return [line for line in lines if not rule or rule in json.loads(line)["reasons"]][:limit]


def quarantine(stream: DeployedStream, file: Path) -> int:
    """Writes the quarantined messages that nobody has replayed to a file, a line of JSON each.

    Returns:
        Their number.
    """
    lines = [line for (line,) in stream.rows(LISTING)]
    file.write_text("".join(f"{line}\n" for line in lines))
    return len(lines)


def replay(stream: DeployedStream, file: Path, *, dry: bool = False) -> int:
    """Puts repaired messages back into the topic, and waits until bronze has them, so that none can go twice.

    Args:
        stream: The stream.
        file: Lines as `quarantine` has written them, each with another value.
        dry: Whether to check them alone.

    Returns:
        Number of messages.

    Raises:
        CommandError: A line is wrong, or names a message that was replayed or never quarantined; nothing is sent then.
            Or the stream does not take them over in time.
    """
    if not file.exists():
        raise CommandError(f"there is no file {file}\n  → `platform stream quarantine {file}` writes it")
    lines = file.read_text().splitlines()
    places = _places(lines)
    quarantined = stream.rows(QUARANTINED.format(places=_any_of(places))) if places else []
    given = {
        "lines": lines,
        "quarantined": [[int(partition), int(offset), value] for partition, offset, value in quarantined],
        "done": [[int(partition), int(offset)] for partition, offset in stream.rows(REPLAYED)],
    }
    sent = _send(stream, given, dry=dry)
    if dry:
        return sent
    deadline = time.monotonic() + READ_SECONDS
    while missing := places - {(int(row[0]), int(row[1])) for row in stream.rows(REPLAYED)}:
        if time.monotonic() > deadline:
            raise CommandError(
                f"{len(missing)} of {sent} replayed messages are not in bronze.events after {READ_SECONDS:g} s\n  → "
                "`platform stream status` shows the stream; do not replay them again before it has caught up"
            )
        time.sleep(POLL_SECONDS)
    return sent


def _places(lines: Sequence[str]) -> set[tuple[int, int]]:
    """Partition and offset of each line that has both; the wheel reports the others."""
    found = set()
    for line in lines:
        try:
            fields = json.loads(line) if line.strip() else None
        except ValueError:
            continue
        if isinstance(fields, dict) and all(type(fields.get(name)) is int for name in ("partition", "offset")):
            found.add((fields["partition"], fields["offset"]))
    return found


def _any_of(places: set[tuple[int, int]]) -> str:
    return " OR ".join(f"(_partition = {partition} AND _offset = {offset})" for partition, offset in sorted(places))


def _send(stream: DeployedStream, given: dict[str, Any], *, dry: bool) -> int:
    """Lets the wheel check the lines and, unless it is a dry run, send their messages."""
    command = [sys.executable, "-m", MODULE, f"--bootstrap-servers={stream.brokers}", f"--topic={stream.topic}"]
    command += ["--dry-run"] if dry else []
    done = subprocess.run(command, input=json.dumps(given), capture_output=True, text=True, cwd=REPOSITORY, check=False)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or [""])[-1]  # of a traceback: the error's name and its text
        raise CommandError(f"nothing was replayed:\n{last.partition('Error: ')[2] or last}")
    return int(json.loads(done.stdout)["sent"])
