"""Comparison of a program's whole output with a record beside its test."""

from __future__ import annotations

import os
from pathlib import Path

REWRITE = "REWRITE_RECORDS"


def assert_matches(record: Path, output: str) -> None:
    """Compares an output with its record, whole.

    With the environment variable `REWRITE_RECORDS` set, the record is written instead; `git diff` then shows the
    change, which belongs in the commit that causes it.

    Args:
        record: Text file beside the test, such as `records/doctor_all_well.txt`.
        output: What the program printed. The caller replaces what differs from run to run (paths, times) first.

    Raises:
        AssertionError: The output differs from the record, or there is no record.
    """
    if os.environ.get(REWRITE):
        record.parent.mkdir(parents=True, exist_ok=True)
        record.write_text(output)
        return
    remedy = f"if the change is meant, run the test with {REWRITE}=yes and commit {record.name}"
    assert record.exists(), f"there is no record {record}: {remedy}"
    recorded = record.read_text()
    assert output == recorded, f"the output differs from {record}: {remedy}"
