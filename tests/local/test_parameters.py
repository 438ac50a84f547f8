"""Named parameter markers of SQL statements."""

from __future__ import annotations

import pytest

from local.workspace.core.errors import ApiError
from local.workspace.sql.parameters import bound

CASES = [
    ("SELECT :a", "SELECT CAST('x' AS STRING)"),
    (
        "SELECT ':a', \":a\", `:a` -- :a\n, :a /* :a */",
        "SELECT ':a', \":a\", `:a` -- :a\n, CAST('x' AS STRING) /* :a */",
    ),
    ("SELECT 1::INT, c:a, 'it\\'s :a', (:a)", "SELECT 1::INT, c:a, 'it\\'s :a', (CAST('x' AS STRING))"),
]


@pytest.mark.parametrize(("statement", "expected"), CASES)
def test_only_markers_are_replaced(statement: str, expected: str) -> None:
    assert bound(statement, [{"name": "a", "value": "x"}]) == expected


def test_a_value_cannot_leave_its_literal() -> None:
    assert bound("SELECT :a", [{"name": "a", "value": "\\' OR 1=1 --"}]) == "SELECT CAST('\\\\\\' OR 1=1 --' AS STRING)"


def test_null_has_its_type() -> None:
    assert bound("SELECT :a", [{"name": "a", "type": "DATE"}]) == "SELECT CAST(NULL AS DATE)"


@pytest.mark.parametrize(
    ("parameter", "named"),
    [
        ({"name": "a", "type": "INT", "value": "1.5"}, "parameter a: '1.5' is not of type INT"),
        ({"name": "a", "type": "INT) --", "value": "1"}, "parameter a is of type INT\\) --"),
        ({"name": "b"}, "unbound parameter: a"),
    ],
)
def test_what_is_wrong_is_named(parameter: dict[str, str], named: str) -> None:
    with pytest.raises(ApiError, match=named):
        bound("SELECT :a", [parameter])
