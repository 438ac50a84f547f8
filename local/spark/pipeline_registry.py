"""Declarations of pipeline sources, passed on to the engine.

Expectations are added to the queries, and constructs that the open engine would mishandle are refused.
"""

from __future__ import annotations

import dataclasses
import functools
from typing import TYPE_CHECKING, Any

from pyspark import pipelines as dp
from pyspark.pipelines.graph_element_registry import GraphElementRegistry
from pyspark.pipelines.output import Output, Sink, Table, TemporaryView
from pyspark.pipelines.source_code_location import SourceCodeLocation

from local.errors import NotResettableError, UnsupportedSourceError
from local.spark.expectations import Action, Declared, Expectation, checked, expect, of
from local.spark.pipeline_plan import early_reads

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from pyspark.pipelines.flow import AutoCdcFlow, Flow
    from pyspark.sql import DataFrame

IGNORED_ARGUMENTS = frozenset({"cluster_by_auto", "private", "refresh_policy"})  # tuning and visibility: no effect here
REFUSED_ARGUMENTS = frozenset({"path", "row_filter"})
RESET_ALLOWED = "pipelines.reset.allowed"
TABLE_KEYWORDS: dict[str, Action] = {
    "expect_all": "warn",
    "expect_all_or_drop": "drop",
    "expect_all_or_fail": "fail",
}
SUFFIXES: dict[str, Action] = {"": "warn", "_or_drop": "drop", "_or_fail": "fail"}


class Registry(GraphElementRegistry):
    """Registry that keeps flows until all sources are read, when the pipeline's tables and their rules are known.

    Attributes:
        expectations: Rules of each flow that writes a table.
        table_expectations: Rules given to `create_streaming_table`, by the table's three-part name; they hold for
            each flow into it.
    """

    def __init__(self, engine: GraphElementRegistry, update_id: str, catalog: str, schema: str) -> None:
        self.expectations: dict[str, list[Expectation]] = {}
        self.table_expectations: dict[str, list[Expectation]] = {}
        self._engine = engine
        self._update_id = update_id
        self._default = [catalog, schema]
        self._flows: list[Flow] = []
        self._outputs: dict[str, Output] = {}  # by three-part names
        self._kept: set[str] = set()

    @property
    def tables(self) -> list[str]:
        """Three-part names of the tables that the sources declare."""
        return sorted(name for name, output in self._outputs.items() if isinstance(output, Table))

    @property
    def flows(self) -> list[tuple[Flow, Output]]:
        """The flows, each with what it writes."""
        return [(flow, self._outputs[self.three_part_name(flow.target)]) for flow in self._flows]

    def three_part_name(self, name: str) -> str:
        """Completes a table's name to three parts with the default catalog and schema."""
        parts = name.replace("`", "").split(".")
        return ".".join([*self._default[: 3 - len(parts)], *parts])

    def metric(self, flow: str) -> str:
        """Name of a flow's observation, unique over updates."""
        return f"{self._update_id}.{flow}"

    def flow_name(self, identifier: str) -> str:
        """The name under which a flow was declared, given the engine's three-part name."""
        return max((name for name in self.expectations if f".{identifier}".endswith(f".{name}")), key=len)

    def register_output(self, output: Output) -> None:
        """Passes a table, view or sink on to the engine."""
        self._outputs[self.three_part_name(output.name)] = output
        if isinstance(output, Table) and output.table_properties.get(RESET_ALLOWED, "true").lower() == "false":
            self._kept.add(self.three_part_name(output.name))
        if isinstance(output, Table) and output.cluster_by:  # only the layout; the engine cannot pass it to Delta
            output = dataclasses.replace(output, cluster_by=None)
        self._engine.register_output(output)

    def check_resets(self, tables: Sequence[str]) -> None:
        """Refuses to reset tables that forbid it; a full refresh of all tables leaves those as they are.

        Args:
            tables: The tables that an update names for a full refresh.

        Raises:
            NotResettableError: One of them must not be reset.
        """
        if kept := [table for table in tables if self.three_part_name(table) in self._kept]:
            raise NotResettableError(f"full refresh of {', '.join(kept)}: the table property {RESET_ALLOWED} is false")

    def register_flow(self, flow: Flow) -> None:
        """Keeps a flow until `commit`."""
        self._flows.append(flow)

    def register_auto_cdc_flow(self, flow: AutoCdcFlow) -> None:
        """Refuses AUTO CDC.

        Raises:
            UnsupportedSourceError: Always.
        """
        raise UnsupportedSourceError(
            f"AUTO CDC into {flow.target}: the open engine cannot write it to Delta; "
            "use a streaming table of changes and a materialized view over it"
        )

    def register_sql(self, sql_text: str, file_path: Path) -> None:
        """Passes a SQL source on to the engine."""
        self._engine.register_sql(sql_text, file_path)

    def commit(self) -> None:
        """Passes the flows on to the engine, with their expectations; called when all sources are read.

        Raises:
            UnsupportedSourceError: A flow applies an operation to a table of this pipeline that the engine analyses too
                early, or has expectations and writes to a sink.
        """
        for flow in self._flows:
            target = self.three_part_name(flow.target)
            rules = [*self.table_expectations.get(target, []), *of(flow.func)]
            output = self._outputs.get(target)
            if rules and isinstance(output, Sink):
                raise UnsupportedSourceError(f"flow {flow.name}: expectations have no effect on {flow.target}, a sink")
            if rules or not isinstance(output, TemporaryView):
                self.expectations[flow.name] = rules
            code = flow.func.__code__
            location = SourceCodeLocation(filename=code.co_filename, line_number=code.co_firstlineno)
            query = functools.partial(self.query, flow)
            self._engine.register_flow(dataclasses.replace(flow, func=query, source_code_location=location))

    def query(self, flow: Flow) -> DataFrame:
        """Makes the query of a flow, with its expectations."""
        rows = flow.func()
        for table, operation in early_reads(rows):
            if self.three_part_name(table) in self._outputs:
                raise UnsupportedSourceError(
                    f"flow {flow.name}: `{operation}` on {table}, a table of this pipeline: the open engine would not "
                    "see that it has to wait for it; use select, filter, join or groupBy instead"
                )
        expectations = self.expectations.get(flow.name)
        return rows if expectations is None else checked(rows, self.metric(flow.name), expectations)


def install_api(registry: Registry) -> None:
    """Adds to `pyspark.pipelines` the names and arguments that sources use on Databricks."""
    create_streaming_table = dp.create_streaming_table

    def create_table(name: str, **arguments: Any) -> None:
        registry.table_expectations[registry.three_part_name(name)] = [
            Expectation(rule, condition, action)
            for keyword, action in TABLE_KEYWORDS.items()
            for rule, condition in (arguments.pop(keyword, None) or {}).items()
        ]
        create_streaming_table(name, **_accepted(arguments))

    for name in ("table", "materialized_view", "temporary_view", "append_flow"):
        setattr(dp, name, _declaring(getattr(dp, name)))
    for suffix, action in SUFFIXES.items():
        setattr(dp, f"expect{suffix}", functools.partial(_expect_one, action))
        setattr(dp, f"expect_all{suffix}", functools.partial(expect, action))
    dp.create_streaming_table = create_table


def _expect_one(action: Action, name: str, condition: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    return expect(action, {name: condition})


def _declaring(decorator: Callable[..., Any]) -> Callable[..., Any]:
    """Wraps a decorator of Spark to return a marker instead of None, so that expectations above it are refused."""

    @functools.wraps(decorator)
    def wrapper(query_function: Callable[..., Any] | None = None, **arguments: Any) -> Any:
        def decorate(function: Callable[..., Any]) -> Declared:
            decorator(**_accepted(arguments))(function)
            return Declared(arguments.get("target") or arguments.get("name") or function.__name__)

        return decorate if query_function is None else decorate(query_function)

    return wrapper


def _accepted(arguments: Mapping[str, Any]) -> dict[str, Any]:
    if refused := sorted(REFUSED_ARGUMENTS & arguments.keys()):
        raise UnsupportedSourceError(f"arguments {refused} have no equivalent in the open engine")
    return {name: value for name, value in arguments.items() if name not in IGNORED_ARGUMENTS}
