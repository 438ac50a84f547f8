"""Statement execution through the official SDK, on real Spark."""

from __future__ import annotations

import time
from itertools import repeat
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from databricks.sdk.errors import BadRequest, NotFound
from databricks.sdk.service import sql

from local.workspace.core.context import Principal
from local.workspace.core.errors import ApiError
from local.workspace.sql import results, runtime
from local.workspace.sql.runtime import Statement, Statements

if TYPE_CHECKING:
    from tests.local.conftest import LocalWorkspace

CALLER = Principal("somebody", "1", "user", admin=False)
LONG = "SELECT count(*) FROM range(1000000000000) a WHERE pmod(hash(a.id), 3) = 5"


@pytest.fixture(scope="module")
def warehouse(lakehouse: LocalWorkspace) -> str:
    client = lakehouse.client()
    created = client.warehouses.create(
        name="statements", cluster_size="2X-Small", max_num_clusters=1, auto_stop_mins=10
    )
    assert created.id
    lakehouse.catalog("stmt")
    client.schemas.create("silver", "stmt")
    return created.id


def run(lakehouse: LocalWorkspace, warehouse: str, statement: str, **more: object) -> sql.StatementResponse:
    more.setdefault("wait_timeout", "50s")
    return lakehouse.client().statement_execution.execute_statement(statement, warehouse, **more)


@pytest.mark.shows("sql: values of every type", client="databricks-sdk")
def test_values_of_every_type_come_back_as_texts(lakehouse: LocalWorkspace, warehouse: str) -> None:
    found = run(
        lakehouse,
        warehouse,
        "SELECT 1 AS i, 2L AS l, 1.50BD AS d, 'x' AS s, true AS b, DATE'2026-01-31' AS day, "
        "TIMESTAMP'2026-01-31 12:30:00' AS at, array(1, 2) AS a, named_struct('k', 1) AS st, NULL AS n, X'0102' AS bin",
    )
    assert found.status.state is sql.StatementState.SUCCEEDED
    assert found.result.data_array == [
        ["1", "2", "1.50", "x", "true", "2026-01-31", "2026-01-31T12:30:00.000Z", "[1,2]", '{"k":1}', None, "AQI="]
    ]
    columns = found.manifest.schema.columns
    names = ["INT", "LONG", "DECIMAL", "STRING", "BOOLEAN", "DATE", "TIMESTAMP", "ARRAY", "STRUCT", "NULL", "BINARY"]
    assert [column.type_name.value for column in columns] == names
    assert (columns[2].type_precision, columns[2].type_scale, columns[7].type_text) == (3, 2, "ARRAY<INT>")


@pytest.mark.shows("sql: statements in a catalog and schema", client="databricks-sdk")
def test_tables_are_written_and_read_in_a_catalog_and_schema(lakehouse: LocalWorkspace, warehouse: str) -> None:
    made = run(lakehouse, warehouse, "CREATE TABLE numbers (n INT)", catalog="stmt", schema="silver")
    assert (made.status.state, made.manifest.total_row_count) == (sql.StatementState.SUCCEEDED, 0)
    run(lakehouse, warehouse, "INSERT INTO stmt.silver.numbers VALUES (1), (2), (3)")
    parameters = [sql.StatementParameterListItem("least", "INT", "2")]
    found = run(
        lakehouse,
        warehouse,
        "SELECT n FROM stmt.silver.numbers WHERE n >= :least ORDER BY n DESC",
        parameters=parameters,
    )
    assert found.result.data_array == [["3"], ["2"]]


@pytest.mark.shows("sql: parameters", client="databricks-sdk")
def test_a_parameter_is_a_value_not_a_piece_of_sql(lakehouse: LocalWorkspace, warehouse: str) -> None:
    parameters = [sql.StatementParameterListItem("text", value="' OR true --")]
    found = run(lakehouse, warehouse, "SELECT :text AS t", parameters=parameters)
    assert found.result.data_array == [["' OR true --"]]


@pytest.mark.shows("sql: results in chunks, row limit, inline byte limit", client="databricks-sdk")
def test_large_results_come_in_chunks_and_row_limits_truncate(lakehouse: LocalWorkspace, warehouse: str) -> None:
    client = lakehouse.client().statement_execution
    found = run(lakehouse, warehouse, "SELECT id FROM range(25000) ORDER BY id")
    assert (found.manifest.total_chunk_count, found.manifest.total_row_count) == (3, 25000)
    rows = found.result.data_array + [
        row for index in (1, 2) for row in client.get_statement_result_chunk_n(found.statement_id, index).data_array
    ]
    assert rows == [[str(number)] for number in range(25000)]
    with pytest.raises(BadRequest, match="chunk_index is 3; the result has 3 chunks"):
        client.get_statement_result_chunk_n(found.statement_id, 3)
    cut = run(lakehouse, warehouse, "SELECT id FROM range(50) ORDER BY id", row_limit=10)
    assert (cut.manifest.truncated, cut.manifest.total_row_count) == (True, 10)
    assert cut.result.data_array[-1] == ["9"]
    large = run(lakehouse, warehouse, "SELECT repeat('x', 1000) AS x FROM range(100000)")
    assert "Inline byte limit exceeded" in large.status.error.message


def test_reading_ends_above_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "INLINE_LIMIT_BYTES", 100_000)
    part = pa.table({"c0": ["x" * 1000] * 10})
    client = SimpleNamespace(to_table_as_iterator=lambda *_: repeat(part))  # without end
    plan = SimpleNamespace(to_proto=lambda _: None, observations={})
    frame: Any = SimpleNamespace(sparkSession=SimpleNamespace(client=client), _plan=plan)
    with pytest.raises(ApiError, match="can have at most 100000 bytes"):
        results._fetched(frame)


def test_results_are_dropped_when_they_are_old_or_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    table = pa.table({"c0": ["x" * 1000]})
    monkeypatch.setattr(Statement, "_execute", lambda _: results.Result({"chunks": []}, table))
    monkeypatch.setattr(runtime, "KEPT_BYTES", 2 * table.nbytes)
    kept = Statements()
    workspace: Any = None

    def executed() -> str:
        statement = kept.execute(workspace, CALLER, {})
        assert statement._released.wait(10)
        return statement.id

    first, second, third = executed(), executed(), executed()
    with pytest.raises(ApiError, match=f"{first} was not found"):
        kept.get(CALLER, first)
    assert [kept.get(CALLER, name).id for name in (second, third)] == [second, third]
    monkeypatch.setattr(runtime, "KEPT_SECONDS", -1)
    with pytest.raises(ApiError, match=f"{third} was not found"):
        kept.get(CALLER, third)


@pytest.mark.shows("sql: errors with their SQLSTATE", client="databricks-sdk")
def test_a_failure_tells_what_spark_says(lakehouse: LocalWorkspace, warehouse: str) -> None:
    found = run(lakehouse, warehouse, "SELECT * FROM stmt.silver.nowhere")
    assert found.status.state is sql.StatementState.FAILED
    assert found.status.error.error_code is sql.ServiceErrorCode.BAD_REQUEST
    assert "[TABLE_OR_VIEW_NOT_FOUND]" in found.status.error.message
    assert found.status.sql_state == "42P01"
    wrong = [sql.StatementParameterListItem("day", "DATE", "tomorrow")]
    refused = run(lakehouse, warehouse, "SELECT :day", parameters=wrong).status
    assert refused.error.message == "parameter day: 'tomorrow' is not of type DATE"
    assert run(lakehouse, warehouse, "SELEC 1").status.state is sql.StatementState.FAILED


@pytest.mark.shows("sql: polling, wait timeout, cancellation", client="databricks-sdk")
def test_a_long_statement_is_polled_and_cancelled(lakehouse: LocalWorkspace, warehouse: str) -> None:
    client = lakehouse.client().statement_execution
    started = run(lakehouse, warehouse, LONG, wait_timeout="0s")
    assert started.status.state in (sql.StatementState.PENDING, sql.StatementState.RUNNING)
    while client.get_statement(started.statement_id).status.state is not sql.StatementState.RUNNING:
        time.sleep(0.1)
    client.cancel_execution(started.statement_id)
    assert client.get_statement(started.statement_id).status.state is sql.StatementState.CANCELED
    late = run(
        lakehouse, warehouse, LONG, wait_timeout="5s", on_wait_timeout=sql.ExecuteStatementRequestOnWaitTimeout.CANCEL
    )
    assert late.status.state is sql.StatementState.CANCELED
    assert run(lakehouse, warehouse, "SELECT 1").status.state is sql.StatementState.SUCCEEDED


@pytest.mark.shows("sql: a statement starts its warehouse", client="databricks-sdk")
def test_a_statement_starts_its_warehouse(lakehouse: LocalWorkspace, warehouse: str) -> None:
    client = lakehouse.client()
    client.warehouses.stop(warehouse)
    assert run(lakehouse, warehouse, "SELECT 1").status.state is sql.StatementState.SUCCEEDED
    assert client.warehouses.get(warehouse).state is sql.State.RUNNING


def test_wrong_requests_are_refused_by_name(lakehouse: LocalWorkspace, warehouse: str) -> None:
    client = lakehouse.client().statement_execution
    with pytest.raises(NotFound, match="SQL warehouse none does not exist"):
        client.execute_statement("SELECT 1", "none")
    with pytest.raises(BadRequest, match="wait_timeout is '3s'"):
        client.execute_statement("SELECT 1", warehouse, wait_timeout="3s")
    with pytest.raises(NotFound, match="was not found"):
        client.get_statement("none")
