"""A suppression of a lint rule or a type error has its rule and its reason on the line."""

from __future__ import annotations

import io
import re
import tokenize

from local.settings import REPOSITORY
from tests.architecture.sources import product_files, shown

SUPPRESSION = re.compile(r"#\s*(?:(?:ruff: )?noqa|type:\s*ignore)")
# mypy reads no text behind its brackets except a comment
WITH_REASON = re.compile(
    r"# (?:ruff: )?noqa: [A-Z]+[0-9]+(?:, [A-Z]+[0-9]+)* \(\w.+\)|# type: ignore\[[a-z-]+(?:, [a-z-]+)*\]  # \w.+"
)


def without_reason(source: str) -> list[str]:
    """Comments of a source that suppress something and do not say which rule, or why."""
    comments = (token.string for token in tokenize.generate_tokens(io.StringIO(source).readline))
    found = (comment for comment in comments if SUPPRESSION.match(comment))
    return [comment for comment in found if not WITH_REASON.fullmatch(comment)]


def test_suppressions_have_a_reason() -> None:
    files = [*product_files(), *(REPOSITORY / "tests").rglob("*.py")]
    wrong = {shown(path): without_reason(path.read_text()) for path in files}
    assert {path: comments for path, comments in wrong.items() if comments} == {}


def test_a_suppression_without_a_reason_is_seen() -> None:
    wrong = [
        "# noqa",
        "# noqa: S105",
        "# noqa: A001, S105",
        "# type: ignore",
        "# type: ignore[misc]",
        "#noqa: S1 (why)",
    ]
    right = ["# noqa: S105 (no secret)", "# noqa: A001, S105 (no secret)", "# type: ignore[arg-type]  # why"]
    source = "".join(f"x = 1  {comment}\n" for comment in [*wrong, *right])
    assert without_reason(source) == wrong
    assert without_reason("x = '# noqa: S105'  # a comment\n") == []
    assert without_reason("# ruff: noqa: N802, ARG002\n") == ["# ruff: noqa: N802, ARG002"]
