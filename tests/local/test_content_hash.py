"""A build is found again by its inputs, wherever the checkout lies, and by nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local.content_hash import content_hash

if TYPE_CHECKING:
    from pathlib import Path


def test_the_hash_changes_with_every_input(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for root in (first, second):
        (root / "folder").mkdir(parents=True)
        (root / "folder" / "a").write_text("one")
    hashes = [
        content_hash(first, [first / "folder" / "a"], ["1.0"]),
        content_hash(first, [first / "folder" / "a"], ["1.1"]),
        content_hash(first, [], ["1.0"]),
        content_hash(first / "folder", [first / "folder" / "a"], ["1.0"]),
    ]
    assert content_hash(second, [second / "folder" / "a"], ["1.0"]) == hashes[0]
    (second / "folder" / "a").write_text("two")
    hashes.append(content_hash(second, [second / "folder" / "a"], ["1.0"]))
    assert len(set(hashes)) == len(hashes)
