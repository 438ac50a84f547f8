"""Filters of SCIM lists (RFC 7644, section 3.4.2.2): comparisons joined by `and`, which binds first, and `or`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from local.workspace.core.errors import bad_request

if TYPE_CHECKING:
    from local.workspace.core.store import Document

# A value may hold blanks, apostrophes and the word "and", so that a filter is read from left to right, never split.
_VALUE = r"""(?:"(?P<double>(?:[^"\\]|\\.)*)"|'(?P<single>[^']*)'|(?P<bare>[^\s"']+))"""
_COMPARISON = re.compile(rf"\s*(?P<attribute>\w+)\s+(?P<operator>eq|ne|co|sw)\s+{_VALUE}\s*", re.IGNORECASE)
_JOINED = re.compile(r"(?P<word>and|or)(?=\s)", re.IGNORECASE)


def matches(document: Document, text: str) -> bool:
    """Whether a document passes a filter; values are compared without regard to case, as Databricks does.

    Args:
        document: A user, group or service principal.
        text: The filter, such as `displayName eq "Research and Development"`; empty lets everything pass.

    Raises:
        ApiError: The filter is not of this form.
    """
    return any(all(_holds(document, *comparison) for comparison in joined) for joined in _alternatives(text))


def _alternatives(text: str) -> list[list[tuple[str, str, str]]]:
    """Attribute, operator and value of each comparison; those within a list are joined by `and`."""
    alternatives: list[list[tuple[str, str, str]]] = [[]]
    position = 0
    while position < len(text):
        separator = _JOINED.match(text, position) if position else None
        match = _COMPARISON.match(text, separator.end() if separator else position)
        if match is None or (position and separator is None):
            raise bad_request(
                f'filter {text!r} is not of the form: attribute eq|ne|co|sw "value" [and|or …]', "invalidFilter"
            )
        if separator and separator["word"].lower() == "or":
            alternatives.append([])
        value = next(match[name] for name in ("double", "single", "bare") if match[name] is not None)
        if match["double"] is not None:
            value = re.sub(r"\\(.)", r"\1", value)
        alternatives[-1].append((match["attribute"], match["operator"].lower(), value))
        position = match.end()
    return alternatives


def _holds(document: Document, attribute: str, operator: str, wanted: str) -> bool:
    value, wanted = str(document.get(attribute, "")).lower(), wanted.lower()
    answers = {"eq": value == wanted, "ne": value != wanted, "co": wanted in value, "sw": value.startswith(wanted)}
    return answers[operator]
