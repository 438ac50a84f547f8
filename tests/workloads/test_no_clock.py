"""Nothing under workloads or contracts reads the clock: backfills and replays depend on the logical date alone."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

import pytest

from local.settings import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WORKLOADS = REPOSITORY / "workloads"
FOLDERS = (WORKLOADS / "src", WORKLOADS / "pipelines", WORKLOADS / "dashboards", REPOSITORY / "contracts")
TEXTS = ("*.sql", "*.yaml", "*.yml", "*.json")

# Names that read the clock whatever object they are called on: datetime, date, pandas.Timestamp, Spark's functions.
CALLS = frozenset(
    {"now", "today", "utcnow", "curdate", "getdate", "sysdate", "current_date", "current_timestamp", "localtimestamp"}
    | {"localtime", "gmtime", "ctime", "time_ns", "clock_gettime"}
)
ONLY_WITHOUT_ARGUMENTS = frozenset({"time", "unix_timestamp"})  # time.time(); Spark's unix_timestamp()
WORDS = frozenset({"now", "today"})  # numpy.datetime64("today"), pandas.Timestamp("now")
SQL = re.compile(
    r"\b(current_date|current_timestamp|localtimestamp|sysdate)\b|\b(now|curdate|getdate|unix_timestamp)\s*\(\s*\)",
    re.IGNORECASE,
)


def clock_reads(source: str) -> Iterator[str]:
    """Every place in a Python source that reads the clock, as `line: text`."""
    tree = ast.parse(source)
    documentation = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = _name(node.func)
            if name in CALLS or (name in ONLY_WITHOUT_ARGUMENTS and not node.args and not node.keywords):
                yield f"{node.lineno}: {name}()"
            if any(isinstance(argument, ast.Constant) and argument.value in WORDS for argument in node.args):
                yield f"{node.lineno}: {ast.unparse(node)}"
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            yield from (f"{node.lineno}: SQL {found[0]}" for found in SQL.finditer(node.value))
        elif isinstance(node, ast.ImportFrom) and node.module == "time":
            yield from (f"{node.lineno}: from time import time" for alias in node.names if alias.name == "time")


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _files(*patterns: str) -> list[Path]:
    return sorted(path for folder in FOLDERS for pattern in patterns for path in folder.rglob(pattern))


def test_no_python_source_reads_the_clock() -> None:
    sources = _files("*.py")
    assert len(sources) > 10
    found = [f"{path.relative_to(REPOSITORY)}:{place}" for path in sources for place in clock_reads(path.read_text())]
    assert found == []


def test_no_query_or_contract_reads_the_clock() -> None:
    texts = _files(*TEXTS)
    assert texts
    found = [f"{path.relative_to(REPOSITORY)}: {hit[0]}" for path in texts for hit in SQL.finditer(path.read_text())]
    assert found == []


@pytest.mark.parametrize(
    "source",
    [
        "datetime.datetime.now(tz=UTC)",
        "datetime.utcnow()",
        "date.today()",
        "pd.Timestamp.now()",
        "pandas.Timestamp('today')",
        "np.datetime64('now')",
        "time.time()",
        "time.time_ns()",
        "from time import time",
        "frame.where(sf.col('day') <= sf.current_date())",
        "sf.unix_timestamp()",
        "spark.sql('SELECT * FROM t WHERE day < current_date()')",
        "spark.sql(f'SELECT {x}, now() FROM t')",
        "sf.expr('CURRENT_TIMESTAMP')",
    ],
)
def test_every_way_to_read_the_clock_is_found(source: str) -> None:
    assert len(list(clock_reads(source))) == 1


@pytest.mark.parametrize(
    "source",
    [
        "'''Nothing here calls now() or reads current_date.'''",
        "date.fromisoformat(text)",
        "sf.unix_timestamp('at')",
        "today = run.date",
        "time.sleep(1)",
    ],
)
def test_other_uses_of_the_words_pass(source: str) -> None:
    assert list(clock_reads(source)) == []
