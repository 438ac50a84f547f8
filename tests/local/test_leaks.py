"""Queries that try to read personal data: none gets a true value, whatever form it has.

The queries are put together from templates of text, so that the reader of SQL is not judged by itself.
"""

from __future__ import annotations

import itertools
import random
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.local.governed import COLUMNS, CUSTOMER, ROWS, SECRET, Governed, govern, ungovern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.local.conftest import LocalWorkspace

AT_ONCE = 3
HELD = ("full_name", "email", "phone", "street", "customer_id", "birth_date")
# Parts of the true values that no masked value has.
MARKS = ("nmqx", "zyvkor", "emqx", "+999555", "strqx", "cidx", "-07-23", SECRET)

SOURCES = [
    "{table}",
    "{table} AS t",
    "`gov`.`silver`.`customer` `t`",
    "GOV.Silver.CUSTOMER",
    "gov /* x */ . silver -- y\n . customer",
    "(SELECT * FROM {table})",
    "(SELECT * FROM (SELECT * FROM {table} a) b) c",
    "(SELECT * FROM {table} UNION ALL SELECT * FROM {table}) u",
    "(SELECT * FROM {table} INTERSECT SELECT * FROM {table}) u",
    "(TABLE_HOLDER)",
    "{table} TABLESAMPLE (100 PERCENT)",
    "{table} VERSION AS OF 1",
    "{table} LEFT JOIN gov.silver.plans p USING (plan)",
    "gov.silver.plans p RIGHT JOIN {table} t ON p.plan = t.plan",
    "{table} CROSS JOIN LATERAL (SELECT 1 AS one)",
    "gov.silver.plans p, LATERAL (SELECT * FROM {table} t WHERE t.plan = p.plan)",
    "{table} LATERAL VIEW explode(array(1, 2)) e AS n",
    "{table} s SEMI JOIN gov.silver.plans p ON s.plan = p.plan",
    "gov.own.masked_view",
]
PROJECTIONS = [
    "{c}",
    "*",
    "{c} AS plan",
    "concat('<', {c}, '>')",
    "upper(CAST({c} AS STRING))",
    "reverse(reverse(CAST({c} AS STRING)))",
    "max({c}), min({c})",
    "collect_list({c})",
    "array_join(collect_set(CAST({c} AS STRING)), ',')",
    "to_json(named_struct('v', {c}))",
    "to_json(array({c}))",
    "first_value({c}) OVER (ORDER BY spent)",
    "lag({c}) OVER (PARTITION BY region ORDER BY spent)",
    "transform(array({c}), x -> concat(x, '!'))",
    "CASE WHEN {c} IS NOT NULL THEN {c} ELSE 'none' END",
    "coalesce({c}, {c})",
    "map('k', {c})['k']",
    "encode(CAST({c} AS STRING), 'UTF-8')",
    "aes_encrypt(CAST({c} AS STRING), '0000000000000000')",
    "char_length(CAST({c} AS STRING)), ascii(CAST({c} AS STRING))",
    "max_by({c}, spent)",
    "mode({c})",
    "any_value({c}) FILTER (WHERE spent > 100)",
    "CAST({c} AS INT)",
    "raise_error(CAST({c} AS STRING))",
    "assert_true({c} IS NULL, CAST({c} AS STRING))",
    "CAST(concat('x', CAST({c} AS STRING)) AS DATE)",
    "(SELECT max({c}) FROM {table})",
    "EXISTS (SELECT 1 FROM {table} WHERE {c} = '{truth}')",
]
WRAPPERS = [
    "SELECT {p} FROM {s}",
    "WITH w AS (SELECT * FROM {s}) SELECT {p} FROM w",
    "WITH customer AS (SELECT * FROM {s}) SELECT {p} FROM customer",
    "WITH a AS (WITH b AS (SELECT * FROM {s}) SELECT * FROM b) SELECT {p} FROM a",
    "SELECT * FROM (SELECT {p} FROM {s})",
    "SELECT {p} FROM {s} ORDER BY 1 LIMIT 5",
    "SELECT DISTINCT {p} FROM {s}",
    "SELECT {p} FROM {s} UNION ALL SELECT {p} FROM {s}",
    "SELECT {p} FROM {s} WHERE {c} LIKE '%' OR true",
    "SELECT count(*) FROM (SELECT {p} FROM {s})",
    "FROM {s} |> SELECT {p}",
    "SELECT {p} FROM {s} GROUP BY ALL",
    "SELECT {p} FROM {s} QUALIFY row_number() OVER (ORDER BY spent) = 1",
]
# Each counts rows by a true value: what a masked column answers is 0 rows.
BISECTING = [
    "SELECT count(*) FROM {table} WHERE {c} = '{truth}'",
    "SELECT count(*) FROM {table} WHERE CAST({c} AS STRING) LIKE '{truth}%'",
    "SELECT count(*) FROM {table} t JOIN (SELECT '{truth}' AS v) g ON CAST(t.{c} AS STRING) = g.v",
    "SELECT count_if(CAST({c} AS STRING) = '{truth}') FROM {table}",
    "SELECT coalesce(sum(CASE WHEN CAST({c} AS STRING) = '{truth}' THEN 1 END), 0) FROM {table}",
    "SELECT count(*) FROM {table} WHERE md5(CAST({c} AS STRING)) = md5('{truth}')",
    "SELECT count(*) FROM (SELECT {c} FROM {table} GROUP BY {c} HAVING CAST({c} AS STRING) = '{truth}')",
    "SELECT count(*) FROM gov.silver.plans WHERE '{truth}' IN (SELECT CAST({c} AS STRING) FROM {table})",
]


def truth(column: str) -> str:
    """The true value of the row 11 as a text."""
    text = COLUMNS[column][2].format(n=11)
    return text.removeprefix("DATE").strip("'")


def queries() -> list[str]:
    """Every source, projection and wrapper with each of the others' in turn, for columns in turn."""
    columns = itertools.cycle(HELD)
    made = [
        (wrapper, projection, source)
        for wrapper, projection, source in [
            *(
                (WRAPPERS[0], projection, SOURCES[index % len(SOURCES)])
                for index, projection in enumerate(PROJECTIONS * 3)
            ),
            *((wrapper, PROJECTIONS[0], source) for wrapper in WRAPPERS for source in SOURCES[::2]),
            *((wrapper, PROJECTIONS[1 + index % 18], SOURCES[1]) for index, wrapper in enumerate(WRAPPERS * 3)),
        ]
    ]
    return [
        wrapper.format(p=projection, s=source, c="{c}", table="{table}")
        .format(p="", c=(column := next(columns)), s="", table=CUSTOMER, truth=truth(column))
        .replace("(TABLE_HOLDER)", f"(SELECT t.* FROM {CUSTOMER} AS t)")
        for wrapper, projection, source in made
    ]


@pytest.fixture(scope="module")
def governed(lakehouse: LocalWorkspace) -> Iterator[Governed]:
    governed = govern(lakehouse)
    governed.rows("analyst", f"CREATE OR REPLACE VIEW gov.own.masked_view AS SELECT * FROM {CUSTOMER}")
    yield governed
    ungovern(governed)


def leaked(text: str, statement: str) -> list[str]:
    """The marks of true values in an answer that the statement itself does not have."""
    said = statement.lower()
    return [mark for mark in MARKS if mark in text.lower() and mark not in said]


@pytest.mark.shows("sql: no query reads a masked value", client="databricks-sdk")
def test_no_query_of_the_grammar_answers_a_true_value(governed: Governed, request: pytest.FixtureRequest) -> None:
    every = queries()
    assert len(set(every)) >= 200
    # the first have every projection and source, each fifth of the others every wrapper
    few = every[: len(PROJECTIONS)] + every[len(PROJECTIONS) :: 5]
    made = every if request.config.getoption("--soak") else few
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(lambda statement: governed.text("analyst", statement), made))
    leaks = {statement: leaked(text, statement) for statement, text in zip(made, answers, strict=True)}
    assert {statement: marks for statement, marks in leaks.items() if marks} == {}
    # most of them are queries that run, so that they show something
    assert sum('"SUCCEEDED"' in text for text in answers) > 0.7 * len(made), [
        (statement, text[-300:]) for statement, text in zip(made, answers, strict=True) if '"FAILED"' in text
    ][:20]


def test_the_same_queries_answer_true_values_to_the_reader(governed: Governed) -> None:
    found = [leaked(governed.text("reader", statement), statement) for statement in queries()[::12]]
    assert sum(bool(marks) for marks in found) > len(found) / 3


@pytest.mark.parametrize("column", HELD)
def test_no_condition_finds_a_row_by_a_true_value(governed: Governed, column: str) -> None:
    for template in BISECTING:
        statement = template.format(table=CUSTOMER, c=column, truth=truth(column))
        assert governed.rows("analyst", statement) == [["0"]], statement
        assert governed.rows("reader", statement) == [["1"]], statement


def mutated(chance: random.Random, statement: str) -> str:
    """A statement with a few changes: pieces cut, doubled, swapped, quoted or commented, and characters of no use."""
    pieces = statement.split(" ")
    for _ in range(chance.randint(1, 3)):
        place, other = chance.randrange(len(pieces)), chance.randrange(len(pieces))
        kind = chance.randrange(8)
        if kind == 0:
            pieces[place] = ""
        elif kind == 1:
            pieces[place] += " " + pieces[other]
        elif kind == 2:
            pieces[place], pieces[other] = pieces[other], pieces[place]
        elif kind == 3:
            pieces[place] = f"/* {chance.choice(['', '*', '/', chr(39), '+ x'])} */{pieces[place]}"
        elif kind == 4:
            pieces[place] = chance.choice("`'\"();-\\\n\t\u00a0\u200b@$:") + pieces[place]
        elif kind == 5:
            pieces[place] = pieces[place].swapcase()
        elif kind == 6:
            pieces[place] = f"({pieces[place]})"
        else:
            pieces[place] += chance.choice([" --\n", ";", " |> LIMIT 3", " AS x", ".*", "::STRING", " UNION ALL"])
    return " ".join(pieces)


@pytest.mark.shows("sql: no mutated statement reads a masked value", client="databricks-sdk")
def test_no_mutated_statement_gets_past(governed: Governed, request: pytest.FixtureRequest) -> None:
    chance = random.Random(11)  # noqa: S311 (the same statements each time)
    count = 1000 if request.config.getoption("--soak") else 50
    made = [mutated(chance, statement) for statement in chance.choices(queries(), k=count)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(lambda statement: governed.text("analyst", statement), made))
    for statement, text in zip(made, answers, strict=True):
        assert '"SUCCEEDED"' in text or '"FAILED"' in text, (statement, text)
        assert not leaked(text, statement), (statement, text)
    assert governed.rows("reader", f"SELECT count(*) FROM {CUSTOMER}") == [[str(ROWS)]]
