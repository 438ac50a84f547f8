"""SQL as trees, conditions of policies, and names: what needs no Spark."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from cli.access import Access, _route
from local.workspace.authorisation.conditions import check_condition, holds_for
from local.workspace.authorisation.dialect import check_nodes, function_body, read, type_name, written
from local.workspace.authorisation.prepared import Prepared
from local.workspace.authorisation.relations import _is_cte
from local.workspace.authorisation.scope import Scope
from local.workspace.authorisation.volume_paths import check_path
from local.workspace.core.errors import ApiError

TAGS = {"classification": "pii.email", "row_filter": "region"}


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("hasTag('classification')", True),
        ("has_tag_value('classification', 'pii.email')", True),
        ("hasTagValue('classification', 'pii.id')", False),
        ("hasTag('row_filter') AND NOT hasTag('other')", True),
        ("(hasTag('other') OR hasTag('row_filter')) AND hasTagValue('classification', 'pii.email')", True),
        ("TRUE", True),
    ],
)
def test_conditions_are_judged_by_tags(condition: str, holds: bool) -> None:
    assert holds_for(condition, TAGS) is holds


@pytest.mark.parametrize(
    "condition", ["hasTag()", "hasTag(classification)", "1 = 1", "other('x')", "hasTag('a') +", ""]
)
def test_conditions_of_another_form_are_refused(condition: str) -> None:
    with pytest.raises(ApiError, match="match_columns"):
        check_condition(condition, "match_columns[0].condition")


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY x), count(DISTINCT y), array(1, 2)[0] FROM t",
        "SELECT max_by(a, b) FILTER(WHERE c > 1), date_trunc('day', x) FROM t GROUP BY GROUPING SETS ((a), (b))",
        "SELECT transform(x, y -> y + 1), named_struct('a', 1).a, nvl(a, b), approx_percentile(x, 0.5) FROM t",
    ],
)
def test_functions_keep_their_names(statement: str) -> None:
    tree = read(statement)
    check_nodes(tree)
    assert written(tree).lower() == statement.lower()


def test_decimal_literals_keep_their_digits() -> None:
    assert written(read("SELECT 1.50BD AS d")) == "SELECT CAST('1.50' AS DECIMAL(3, 2)) AS d"


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 1; SELECT 2",
        "SELECT '${env:HOME}'",
        "SELECT TRANSFORM(x) USING 'cat' FROM t",
        "SELECT reflect('a', 'b')",
        "SELECT * FROM STREAM t",
        "SELECT a:b FROM t",
        "SELECT " + "(" * 500 + "1" + ")" * 500,
        "SELECT 'open",
        "",
    ],
)
def test_what_is_not_known_is_refused(statement: str) -> None:
    with pytest.raises(ApiError):
        check_nodes(read(statement))


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("WITH a AS (SELECT * FROM b), b AS (SELECT * FROM a) SELECT * FROM b", {"b": [False, True], "a": [True]}),
        ("WITH a AS (SELECT * FROM a) SELECT * FROM A", {"a": [False, True]}),
        ("WITH a AS (SELECT 1) SELECT * FROM (SELECT * FROM a) b JOIN s.a ON TRUE", {"a": [True, False]}),
        ("SELECT * FROM (WITH a AS (SELECT 1) SELECT * FROM a) b, a", {"a": [True, False]}),
    ],
)
def test_names_of_with_queries_hold_where_spark_has_them(statement: str, found: dict[str, list[bool]]) -> None:
    from sqlglot import exp

    seen: dict[str, list[bool]] = {}
    for table in read(statement).find_all(exp.Table):
        seen.setdefault(table.name.lower(), []).append(_is_cte(table))
    assert {name: sorted(held) for name, held in seen.items()} == {name: sorted(held) for name, held in found.items()}


def test_a_body_is_one_expression_over_its_parameters() -> None:
    assert function_body("concat(v, secret('a', 'b'))", ("v",))
    for body in ("(SELECT max(x) FROM t)", "v FROM t", "w", "v, v", "count(*)"):
        with pytest.raises(ApiError):
            function_body(body, ("v",))
    assert (type_name("bigint"), type_name("DECIMAL(3, 1)")) == ("LONG", "DECIMAL")


def test_names_are_completed_and_versions_in_names_refused() -> None:
    scope = Scope("Main", "Raw")
    assert [scope.full(parts) for parts in (["T"], ["s", "t"], ["c", "s", "t"])] == ["main.raw.t", "main.s.t", "c.s.t"]
    for parts in (["t@v1"], ["a", "b", "c", "d"], ["a/b"], [""]):
        with pytest.raises(ApiError, match="TABLE_OR_VIEW_NOT_FOUND"):
            scope.full(parts)


@pytest.mark.parametrize("path", ["/etc/x", "s3://b/x", "/Volumes/a/b/c/../../x", "/Volumes/a/*/c/x", "/Volumes/a/b"])
def test_paths_outside_of_volumes_are_refused(path: str) -> None:
    reader: Any = SimpleNamespace()
    with pytest.raises(ApiError, match="SELECT on any file"):
        check_path(reader, path)


def test_messages_on_masked_values_are_replaced() -> None:
    message = "[CAST_INVALID_INPUT] The value 'ann@x.org' …"
    assert "ann" not in Prepared("", guarded=True).shown(message, "CAST_INVALID_INPUT")
    assert Prepared("").shown(message, "CAST_INVALID_INPUT") == message
    assert "key" not in Prepared("", secrets={"key"}).shown("[X] key", "TABLE_OR_VIEW_NOT_FOUND")


def test_a_route_needs_the_way_to_the_table() -> None:
    rights = [("staff", "SELECT", "c.s.t"), ("staff", "USE_SCHEMA", "c.s"), ("ann", "USE_CATALOG", "c")]
    assert (
        _route({"ann", "staff"}, rights)
        == "SELECT on c.s.t by staff; USE_SCHEMA on c.s by staff; USE_CATALOG on c by ann"
    )
    assert _route({"staff"}, rights) == ""
    assert Access("c.s.t", "ann", ("email",), (), "x").sight == "masked: email"
