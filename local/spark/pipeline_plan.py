"""The tables that a query reads, and the operations around them, from the plan that the Connect client builds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyspark.sql.connect import proto
from pyspark.sql.connect.plan import Deduplicate, WithWatermark
from pyspark.sql.connect.proto import Relation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google.protobuf.message import Message  # type: ignore[import-untyped]  # its stubs are not installed
    from pyspark.sql import DataFrame
    from pyspark.sql.connect.client import SparkConnectClient
    from pyspark.sql.connect.plan import LogicalPlan

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
    }
)


def analyse_late() -> None:
    """Lets watermarks and the removal of duplicates be planned only, by the server's class `LateAnalysis`."""
    Deduplicate.plan = _deduplicate  # type: ignore[method-assign, assignment]  # Spark has no hook here
    WithWatermark.plan = _with_watermark  # type: ignore[method-assign, assignment]  # as above


_spark_deduplicate, _spark_with_watermark = Deduplicate.plan, WithWatermark.plan


def _deduplicate(operation: Deduplicate, client: SparkConnectClient) -> Relation:
    relation = _spark_deduplicate(operation, client)
    if operation.all_columns_as_keys:  # which only the analysis knows
        return relation
    return _late(operation, relation.deduplicate)


def _with_watermark(operation: WithWatermark, client: SparkConnectClient) -> Relation:
    return _late(operation, _spark_with_watermark(operation, client).with_watermark)


def _late(operation: LogicalPlan, message: Message) -> Relation:
    relation = operation._create_proto_relation()  # noqa: SLF001 (as Spark's own operations do)
    relation.extension.Pack(message)
    return relation


def early_reads(rows: DataFrame) -> list[tuple[str, str]]:
    """Tables that a query reads under an operation that is analysed at once, each with the operation."""
    return [(table, operation) for table, operation in _all_tables(rows) if operation]


def reads(rows: DataFrame) -> set[str]:
    """Names of the tables and views that a query reads."""
    return {table for table, _ in _all_tables(rows)}


def _all_tables(rows: DataFrame) -> Iterator[tuple[str, str]]:
    connect: Any = rows
    return _tables(connect._plan.plan(connect.sparkSession.client), "")  # noqa: SLF001 (there is no public way to a plan)


def _tables(message: Any, early: str) -> Iterator[tuple[str, str]]:
    if isinstance(message, Relation):
        kind = message.WhichOneof("rel_type") or ""
        if kind == "read" and message.read.HasField("named_table"):
            yield message.read.named_table.unparsed_identifier, early
        if kind == "extension":
            for late in (proto.Deduplicate(), proto.WithWatermark()):
                if message.extension.Unpack(late):
                    yield from _tables(late.input, early)
            return
        early = early or ("" if kind in PLANNED else kind)
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        for part in value if _many(value) else [value]:
            if hasattr(part, "ListFields"):
                yield from _tables(part, early)


def _many(value: object) -> bool:
    return not hasattr(value, "ListFields")
