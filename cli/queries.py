"""Queries of the deployed tables, by the SQL warehouse of the stack."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from cli.errors import CommandError

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

POLL_SECONDS = 1.0


def rows(client: WorkspaceClient, outputs: dict[str, Any], statement: str) -> list[list[str]]:
    """Runs a query and waits for its end.

    Args:
        client: The workspace.
        outputs: Outputs of the stack.
        statement: The query, with `{catalog}` for the stack's catalog.

    Raises:
        CommandError: The query failed, or was ended.
    """
    from databricks.sdk.service.sql import StatementState  # half a second to import

    answer = client.statement_execution.execute_statement(
        statement.format(catalog=outputs["catalog"]), outputs["warehouse_id"], wait_timeout="50s"
    )
    while answer.status and answer.status.state in (StatementState.PENDING, StatementState.RUNNING):
        time.sleep(POLL_SECONDS)
        answer = client.statement_execution.get_statement(str(answer.statement_id))
    if answer.status and answer.status.error:
        raise CommandError(f"the query {statement!r} failed: {answer.status.error.message}")
    if answer.result is None:
        raise CommandError(f"the query {statement!r} has no result; run it again, somebody may have ended it")
    return answer.result.data_array or []


def literal(text: str) -> str:
    """A text as SQL, in a statement whose braces are filled in later."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'").replace("{", "{{").replace("}", "}}")
    return f"'{escaped}'"
