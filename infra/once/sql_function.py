"""A resource for a function of Unity Catalog, made by SQL: the provider of Databricks has none.

The provider runs in a process of its own, as that of `infra.once.run_once`. It reads the function back, so that a
refresh notices one that is gone or that somebody has changed.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, ReadResult, Resource, ResourceProvider, UpdateResult

from infra.errors import StatementFailedError

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

POLL_SECONDS = 1.0
TIMEOUT_SECONDS = 300  # a warehouse that is stopped has to start first
DEFINING = ("parameter", "returns", "comment", "body", "owner")  # a change of one writes the function anew, in place
OUTPUT = "seen"  # what the service has of the definition, as it was when the resource was written


@dataclass(frozen=True)
class SqlFunctionArgs:
    """Inputs of `SqlFunction`.

    Attributes:
        host: URL of the workspace, from the settings.
        warehouse_id: SQL warehouse that runs the statements.
        full_name: Catalog, schema and name.
        parameter: Name of its parameter, a text.
        returns: Type of its result.
        comment: What it does.
        body: SQL expression of the parameter.
        owner: Group that owns it, with whose rights it reads secrets.
    """

    host: str
    warehouse_id: pulumi.Input[str]
    full_name: pulumi.Input[str]
    parameter: str
    returns: str
    comment: str
    body: str
    owner: pulumi.Input[str]


class SqlFunctionProvider(ResourceProvider):
    """Provider whose resources are functions; a function is replaced in place, so that no reader is without it."""

    serialize_as_secret_always = False  # it holds no secret, and a secret provider hides every change of itself

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Makes the function, or writes over the one of its name.

        Args:
            props: The resource's inputs.

        Raises:
            StatementFailedError: A statement did not succeed.
        """
        return CreateResult(props["full_name"], self._written(props))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Looks the function up: one that is gone is made again, one that differs is written again."""
        from databricks.sdk.errors import NotFound

        client = _client(props)
        try:
            seen = _seen(client, id_)
        except NotFound:
            return ReadResult("", {})
        return ReadResult(id_, {**props, OUTPUT: seen})

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """Compares the state with the inputs, and what was seen last with what was written."""
        names = (*DEFINING, "host", "warehouse_id")
        changed = [name for name in (*names, "full_name") if olds.get(name) != news.get(name)]
        others = olds.get(OUTPUT) != olds.get("written")
        return DiffResult(
            changes=bool(changed) or others,
            replaces=[name for name in changed if name == "full_name"],
            delete_before_replace=False,  # another name: masks move to it, then the old one goes
        )

    def update(self, _id: str, _olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Writes the function anew, in one statement."""
        return UpdateResult(self._written(news))

    def delete(self, id_: str, props: dict[str, Any]) -> None:
        """Drops the function, if it is there."""
        _execute(_client(props), props["warehouse_id"], f"DROP FUNCTION IF EXISTS {_quoted(id_)}")

    def _written(self, props: dict[str, Any]) -> dict[str, Any]:
        client, name = _client(props), props["full_name"]
        comment = props["comment"].replace("'", "''")
        _execute(
            client,
            props["warehouse_id"],
            f"CREATE OR REPLACE FUNCTION {_quoted(name)}({props['parameter']} STRING) RETURNS {props['returns']} "
            f"COMMENT '{comment}' RETURN {props['body']}",
        )
        client.functions.update(name, owner=props["owner"])
        seen = _seen(client, name)
        return {**props, OUTPUT: seen, "written": seen}


class SqlFunction(Resource, module="churn", name="SqlFunction"):
    """One function of Unity Catalog with one parameter.

    Attributes:
        full_name: Catalog, schema and name, once the function exists.
    """

    full_name: pulumi.Output[str]

    def __init__(self, name: str, args: SqlFunctionArgs, opts: pulumi.ResourceOptions) -> None:
        """Declares the function."""
        super().__init__(SqlFunctionProvider(), name, {**vars(args), OUTPUT: None, "written": None}, opts)


def _client(props: dict[str, Any]) -> WorkspaceClient:
    from databricks.sdk import WorkspaceClient

    return WorkspaceClient(host=props["host"])


def _seen(client: WorkspaceClient, full_name: str) -> dict[str, str]:
    """What the service says of a function, as far as the resource says it."""
    found = client.functions.get(full_name)
    parameters = found.input_params.parameters or [] if found.input_params else []
    return {
        "parameter": ",".join(str(parameter.name) for parameter in parameters),
        "returns": str(found.full_data_type or ""),
        "comment": str(found.comment or ""),
        "body": str(found.routine_definition or ""),
        "owner": str(found.owner or ""),
    }


def _execute(client: WorkspaceClient, warehouse_id: str, statement: str) -> None:
    """Runs a statement to its end.

    Raises:
        StatementFailedError: It failed, or did not end in time.
    """
    from databricks.sdk.service.sql import StatementState

    deadline = time.monotonic() + TIMEOUT_SECONDS
    answer = client.statement_execution.execute_statement(statement, warehouse_id, wait_timeout="30s")
    while answer.status and answer.status.state in (StatementState.PENDING, StatementState.RUNNING):
        if time.monotonic() > deadline:
            raise StatementFailedError(f"not ended after {TIMEOUT_SECONDS} seconds: {statement}")
        time.sleep(POLL_SECONDS)
        answer = client.statement_execution.get_statement(str(answer.statement_id))
    if answer.status is None or answer.status.state is not StatementState.SUCCEEDED:
        error = answer.status.error.message if answer.status and answer.status.error else "no reason was given"
        raise StatementFailedError(f"{error}: {statement}")


def _quoted(full_name: str) -> str:
    return ".".join(f"`{part}`" for part in full_name.split("."))
