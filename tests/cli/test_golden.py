"""The comparison with a record fails on any difference, and writes only when asked to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests import golden

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def compares(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(golden.REWRITE, raising=False)


def test_a_missing_or_other_record_is_named_with_the_way_to_write_it(tmp_path: Path) -> None:
    record = tmp_path / "records" / "output.txt"
    with pytest.raises(AssertionError, match=r"there is no record .*output\.txt: .*REWRITE_RECORDS=yes"):
        golden.assert_matches(record, "one\n")
    record.parent.mkdir()
    record.write_text("one\n")
    golden.assert_matches(record, "one\n")
    with pytest.raises(AssertionError, match=r"differs from .*output\.txt: .*REWRITE_RECORDS=yes"):
        golden.assert_matches(record, "one")


def test_a_record_is_written_on_demand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(golden.REWRITE, "yes")
    record = tmp_path / "records" / "output.txt"
    golden.assert_matches(record, "one\n")
    assert record.read_text() == "one\n"
