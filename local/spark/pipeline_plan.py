"""The tables that a query reads, and the operations around them, from the plan that the Connect client builds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyspark.sql.connect.proto import Relation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import DataFrame

# Operations that the server only plans. It analyses the others at once, and so reads a table of the same pipeline as
# the table was before the update. The pipelines engine, which orders flows by their reads, does not see such a read.
PLANNED = frozenset(
    {
        "aggregate",
        "cached_local_relation",
        "chunked_cached_local_relation",
        "collect_metrics",
        "filter",
        "hint",
        "join",
        "limit",
        "local_relation",
        "offset",
        "project",
        "range",
        "read",
        "set_op",
        "sort",
        "subquery_alias",
        "with_watermark",
    }
)


def early_reads(rows: DataFrame) -> list[tuple[str, str]]:
    """Tables that a query reads under an operation that is analysed at once, each with the operation."""
    connect: Any = rows
    relation = connect._plan.plan(connect.sparkSession.client)  # noqa: SLF001 (the client has no public way to its plan)
    return [(table, operation) for table, operation in _tables(relation, "") if operation]


def _tables(message: Any, early: str) -> Iterator[tuple[str, str]]:
    if isinstance(message, Relation):
        kind = message.WhichOneof("rel_type") or ""
        if kind == "read" and message.read.HasField("named_table"):
            yield message.read.named_table.unparsed_identifier, early
        early = early or ("" if kind in PLANNED else kind)
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        for part in value if _many(value) else [value]:
            if hasattr(part, "ListFields"):
                yield from _tables(part, early)


def _many(value: object) -> bool:
    return not hasattr(value, "ListFields")
