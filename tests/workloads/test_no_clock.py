"""Nothing under workloads or contracts reads the clock: backfills and replays depend on the logical date alone.

One module does, for times of processing of the stream, on which nothing depends that an event means.
"""

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
CLOCK = WORKLOADS / "src" / "churn" / "core" / "clock.py"
TEXTS = ("*.sql", "*.yaml", "*.yml", "*.json")

# Names that read the clock whatever object they belong to: datetime, date, pandas.Timestamp, Spark's functions.
NAMES = frozenset(
    {"now", "today", "utcnow", "curdate", "getdate", "sysdate"}
    | {"current_date", "current_time", "current_timestamp", "localtimestamp"}
    | {"localtime", "gmtime", "ctime", "time_ns", "clock_gettime"}
)
ONLY_WITHOUT_ARGUMENTS = frozenset({"time", "asctime", "unix_timestamp"})  # time.time(); Spark's unix_timestamp()
OF_TIME = frozenset({"time", "asctime", "strftime"})  # of the module `time`; a date has a strftime too
WORDS = frozenset({"now", "today", "tomorrow", "yesterday"})  # numpy.datetime64("today"), pandas.Timestamp("now")
SQL = re.compile(
    r"\b(current_date|current_time|current_timestamp|localtimestamp|sysdate)\b"
    r"|\b(now|curdate|getdate|unix_timestamp)\s*\(\s*\)"
    r"|(?P<quote>['\"])(now|today|tomorrow|yesterday)(\s+\S+)?(?P=quote)",  # perhaps with a time zone
    re.IGNORECASE,
)


def clock_reads(source: str) -> Iterator[str]:
    """Places in a Python source that read the clock, or hand on what does, as `line: text`."""
    tree = ast.parse(source)
    documentation = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, (ast.Attribute, ast.Call)) and _reads(node):
            yield f"{node.lineno}: {ast.unparse(node)}"
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            yield from (f"{node.lineno}: SQL {match[0]}" for match in SQL.finditer(node.value))
        elif isinstance(node, ast.ImportFrom):
            names = NAMES | OF_TIME if node.module == "time" else NAMES
            for name in names & {alias.name for alias in node.names}:
                yield f"{node.lineno}: from {node.module} import {name}"


def _reads(node: ast.Attribute | ast.Call) -> bool:
    if isinstance(node, ast.Attribute):
        return node.attr in NAMES or ast.unparse(node) == "time.time"
    arguments = [*node.args, *(keyword.value for keyword in node.keywords)]
    function = ast.unparse(node.func)
    return (
        function in NAMES
        or any(isinstance(argument, ast.Constant) and argument.value in WORDS for argument in arguments)
        or (function == "time.strftime" and len(arguments) < 2)  # without a moment it formats the present one
        or (function.rpartition(".")[2] in ONLY_WITHOUT_ARGUMENTS and function != "time.time" and not arguments)
    )


def _files(*patterns: str) -> list[Path]:
    return sorted(path for folder in FOLDERS for pattern in patterns for path in folder.rglob(pattern))


def test_no_python_source_reads_the_clock() -> None:
    sources = _files("*.py")
    assert len(sources) > 10
    reads = {path: [*clock_reads(path.read_text())] for path in sources}
    assert len(reads.pop(CLOCK)) == 2
    assert {path.relative_to(REPOSITORY): places for path, places in reads.items() if places} == {}


def test_no_query_or_contract_reads_the_clock() -> None:
    texts = _files(*TEXTS)
    assert texts
    matches = [f"{path.relative_to(REPOSITORY)}: {hit[0]}" for path in texts for hit in SQL.finditer(path.read_text())]
    assert matches == []


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
        "time.strftime('%Y')",
        "time.asctime()",
        "from time import time",
        "from time import strftime as text",
        "from pyspark.sql.functions import current_date",
        "field(default_factory=date.today)",
        "field(default_factory=time.time)",
        "map(date.today, rows)",
        "f = date.today",
        "frame.where(sf.col('day') <= sf.current_date())",
        "frame.where(sf.col('at') <= sf.current_time())",
        "sf.unix_timestamp()",
        "sf.lit('yesterday').cast('date')",
        "pandas.Timestamp(ts_input='now')",
        "spark.sql('SELECT * FROM t WHERE day < current_date()')",
        "spark.sql(f'SELECT {x}, now() FROM t')",
        "sf.expr('CURRENT_TIMESTAMP')",
        "sf.expr('current_time')",
        """sf.expr("CAST('today' AS DATE)")""",
        """sf.expr("TIMESTAMP 'now'")""",
        """sf.expr("DATE 'Tomorrow Europe/Zurich'")""",
    ],
)
def test_ways_to_read_the_clock_are_found(source: str) -> None:
    assert len(list(clock_reads(source))) == 1


@pytest.mark.parametrize(
    "source",
    [
        "'''Nothing here calls now() or reads current_date.'''",
        "date.fromisoformat(text)",
        "sf.unix_timestamp('at')",
        "today = run.date",
        "time.sleep(1)",
        "time.strftime('%Y', moment)",
        "run.date.strftime('%Y')",
        "sf.expr('current_timezone()')",
        """frame.where("note = 'now and then'")""",
    ],
)
def test_other_uses_of_the_words_pass(source: str) -> None:
    assert list(clock_reads(source)) == []
