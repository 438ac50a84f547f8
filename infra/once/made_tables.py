"""A resource that waits until the tables of a continuous pipeline exist, so that reading them can be granted.

Such a pipeline runs as soon as it is made, and has no end that could be waited for. The provider runs in a process of
its own, as that of `infra.once.run_once`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, Resource, ResourceProvider, UpdateResult

from infra.errors import RunFailedError

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

POLL_SECONDS = 2.0
TIMEOUT_MINUTES = 30
REPLACING = ("pipeline_id", "tables", "columns")


@dataclass(frozen=True)
class MadeTablesArgs:
    """Inputs of `MadeTables`.

    Attributes:
        host: URL of the workspace, from the settings.
        pipeline_id: The pipeline that makes the tables.
        tables: Their full names, sorted and joined by commas.
        columns: Full names of columns that they must have too, which are to be tagged; sorted, joined by commas.
        timeout_minutes: Minutes to wait.
    """

    host: str
    pipeline_id: pulumi.Input[str]
    tables: str
    columns: str = ""
    timeout_minutes: float = TIMEOUT_MINUTES


class MadeTablesProvider(ResourceProvider):
    """Provider whose resources are sightings of tables: to create one is to wait for them."""

    serialize_as_secret_always = False  # it holds no secret, and a secret provider hides every change of itself

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Waits until all tables and columns exist.

        Args:
            props: The resource's inputs.

        Raises:
            RunFailedError: One of them did not exist in time; the text has the pipeline's last errors.
        """
        from databricks.sdk import WorkspaceClient

        client = WorkspaceClient(host=props["host"])
        deadline = time.monotonic() + 60 * float(props["timeout_minutes"])
        while missing := _missing(client, props):
            if time.monotonic() > deadline:
                raise RunFailedError(
                    f"pipeline {props['pipeline_id']} has not made {', '.join(missing)} after "
                    f"{props['timeout_minutes']:g} minutes ({client.config.host}/pipelines/{props['pipeline_id']})"
                    f"{_errors(client, props['pipeline_id'])}"
                )
            time.sleep(POLL_SECONDS)
        return CreateResult(props["pipeline_id"], props)

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """Asks for another sighting of another pipeline or of other tables alone."""
        changed = [key for key in (*REPLACING, "host", "timeout_minutes") if olds.get(key) != news.get(key)]
        return DiffResult(changes=bool(changed), replaces=[key for key in changed if key in REPLACING])

    def update(self, _id: str, _olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Takes over another address or time limit."""
        return UpdateResult(news)


class MadeTables(Resource, module="churn", name="MadeTables"):
    """Tables that exist. Deleting the resource deletes none of them."""

    def __init__(self, name: str, args: MadeTablesArgs, opts: pulumi.ResourceOptions) -> None:
        """Declares the sighting."""
        super().__init__(MadeTablesProvider(), name, {**vars(args)}, opts)


def _missing(client: WorkspaceClient, props: dict[str, Any]) -> list[str]:
    """Names the tables that do not exist or, once all do, the columns that they lack."""
    tables = [name for name in props["tables"].split(",") if not client.tables.exists(name).table_exists]
    columns = [name for name in props.get("columns", "").split(",") if name]
    if tables or not columns:
        return tables
    there = {
        f"{table}.{column.name}"
        for table in sorted({name.rpartition(".")[0] for name in columns})
        for column in client.tables.get(table).columns or []
    }
    return [name for name in columns if name not in there]


def _errors(client: WorkspaceClient, pipeline_id: str) -> str:
    """Writes a line for each of the pipeline's last errors."""
    events = client.pipelines.list_pipeline_events(pipeline_id, filter="level='ERROR'", max_results=5)
    return "".join(f"\n  {event.message}" for _, event in zip(range(5), events, strict=False))
