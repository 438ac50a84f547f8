"""The time that judging and masking add to a query, over the same query on the same tables in clear."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.local.governed import Governed

RUNS = 25
QUERIES = {
    "a count": "SELECT count(*) FROM {table}",
    "all columns": "SELECT * FROM {table}",
    "a join with an aggregate": (
        "WITH c AS (SELECT region, customer_id, spent FROM {table}) SELECT c.region, sum(o.spent) "
        "FROM c JOIN {table} o USING (customer_id) GROUP BY c.region"
    ),
}


def of_queries() -> Iterator[tuple[str, str]]:
    """Statements of a caller who sees columns masked, over the same as Spark runs them for its owner."""
    from tests.local.conftest import opened
    from tests.local.governed import CUSTOMER, govern

    with (
        tempfile.TemporaryDirectory(prefix="churn-authorise-") as folder,
        opened(Path(folder, "home"), "spark") as cloud,
    ):
        governed = govern(cloud)
        for name, query in QUERIES.items():
            statement = query.format(table=CUSTOMER)
            yield f"{name}: judged and written", f"{1000 * _judging(governed, statement):.1f} ms"
            masked, clear = _medians(*(partial(governed.rows, who, statement) for who in ("analyst", "reader")))
            yield f"{name}: masked over clear", f"{1000 * (masked - clear):+.0f} ms of {1000 * clear:.0f} ms"


def _judging(governed: Governed, statement: str) -> float:
    """Median seconds of judging a statement, in this process."""
    from local.workspace.authorisation.statements import prepare
    from local.workspace.core.context import Workspace
    from local.workspace.core.store import Store

    store = Store(governed.cloud.settings.home / "workspace.sqlite")
    try:
        workspace = Workspace(governed.cloud.settings, store)
        analyst = workspace.principal("analyst@gov.local")
        return statistics.median(_seconds(lambda: prepare(workspace, analyst, statement)) for _ in range(RUNS))
    finally:
        store.close()


def _medians(*works: Callable[[], object]) -> tuple[float, ...]:
    """Median seconds of each work, done in turn, so that a machine with changing speed favours none."""
    taken = [[_seconds(work) for work in works] for _ in range(RUNS)]
    return tuple(statistics.median(column) for column in zip(*taken[3:], strict=True))


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
