"""Queries of the deployed tables, by the SQL warehouse of the stack."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cli.errors import CommandError

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient


def rows(client: WorkspaceClient, outputs: dict[str, Any], statement: str) -> list[list[str]]:
    """Runs a query.

    Args:
        client: The workspace.
        outputs: Outputs of the stack.
        statement: The query, with `{catalog}` for the stack's catalog.

    Raises:
        CommandError: The query failed.
    """
    answer = client.statement_execution.execute_statement(
        statement.format(catalog=outputs["catalog"]), outputs["warehouse_id"], wait_timeout="50s"
    )
    if answer.status and answer.status.error:
        raise CommandError(f"the query {statement!r} failed: {answer.status.error.message}")
    return (answer.result.data_array if answer.result else None) or []
