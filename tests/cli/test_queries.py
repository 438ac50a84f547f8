"""Queries of the command line: they are waited for, and one without a result is not an empty one."""

from __future__ import annotations

from typing import Any
from unittest.mock import create_autospec

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.service.sql import ResultData, StatementResponse, StatementState, StatementStatus

from cli import queries
from cli.errors import CommandError

OUTPUTS = {"catalog": "churn_local", "warehouse_id": "w"}
RUNNING = StatementResponse(statement_id="7", status=StatementStatus(state=StatementState.RUNNING))
DONE = StatementResponse(status=StatementStatus(state=StatementState.SUCCEEDED), result=ResultData(data_array=[["1"]]))
ENDED = StatementResponse(status=StatementStatus(state=StatementState.CANCELED))


def client_that_ends_with(answer: StatementResponse) -> Any:
    """A workspace whose warehouse needs longer than the call waits."""
    client = create_autospec(WorkspaceClient, instance=True)
    client.statement_execution.execute_statement.return_value = RUNNING
    client.statement_execution.get_statement.side_effect = [RUNNING, answer]
    return client


@pytest.fixture(autouse=True)
def without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "POLL_SECONDS", 0)


def test_a_query_is_waited_for() -> None:
    assert queries.rows(client_that_ends_with(DONE), OUTPUTS, "SELECT 1") == [["1"]]


def test_a_query_that_was_ended_is_no_empty_one() -> None:
    with pytest.raises(CommandError, match="'SELECT 1' has no result"):
        queries.rows(client_that_ends_with(ENDED), OUTPUTS, "SELECT 1")
