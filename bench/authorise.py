"""The time that judging and masking add to a query, over the same query of a reader who sees all in clear."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from databricks.sdk import WorkspaceClient
from databricks.sdk.service import catalog

from cli.errors import CommandError
from cli.lifecycle import workspace_client
from cli.queries import rows
from cli.stack import Stack
from local import supervisor
from local.settings import LocalSettings
from local.workspace.authorisation.statements import prepare
from local.workspace.core.context import Workspace
from local.workspace.core.store import Store

RUNS = 25
WARM = 3  # of them, which are not counted
ROWS = 100_000
MASKED, CLEAR = "masked@bench.local", "clear@bench.local"
QUERIES = {
    "a count": "SELECT count(*) FROM {table}",
    "an aggregate by a masked column": "SELECT email, sum(spent) FROM {table} GROUP BY email ORDER BY 2 LIMIT 10",
    "a join by a masked column": "SELECT count(*) FROM (SELECT * FROM {table}) c JOIN {table} o USING (email)",
}


def of_running_platform() -> Iterator[tuple[str, str]]:
    """Judging and masking of SQL statements, on the platform that `make up` has brought up."""
    settings = LocalSettings.load()
    if not supervisor.running(settings):
        raise CommandError("statements are measured on a platform that is up: `make up` first")
    outputs, store = Stack.local(settings).outputs(), Store(settings.home / "workspace.sqlite")
    try:
        workspace = Workspace(settings, store)
        with _table(workspace_client(settings), outputs) as table:
            clients = [
                WorkspaceClient(host=settings.workspace_url, token=workspace.token_for(name), auth_type="pat")
                for name in (MASKED, CLEAR)
            ]
            for name, query in QUERIES.items():
                statement = query.format(table=table)
                judging = partial(prepare, workspace, workspace.principal(MASKED), statement)
                masked, clear, judged = _medians(
                    *(partial(rows, each, outputs, statement) for each in clients), judging
                )
                yield f"{name}, {ROWS:,} rows: judged", f"{1000 * judged:.1f} ms"
                yield f"{name}: masked over clear", f"{1000 * (masked - clear):+.0f} ms of {1000 * clear:.0f} ms"
    finally:
        store.close()


@contextmanager
def _table(client: WorkspaceClient, outputs: dict[str, str]) -> Iterator[str]:
    """A table with a masked column, two users who read it, and nothing of them afterwards."""
    schema = f"{outputs['catalog']}.bench"
    client.schemas.create("bench", outputs["catalog"])
    users = [client.users.create(user_name=name) for name in (MASKED, CLEAR)]
    try:
        made = f"SELECT concat('user', id, '@x.org') AS email, id AS spent FROM range({ROWS}) AS r(id)"
        rows(client, outputs, f"CREATE FUNCTION {schema}.mask(v STRING) RETURNS STRING RETURN concat(left(v, 6), '*')")
        rows(client, outputs, f"CREATE TABLE {schema}.users AS {made}")
        tag = catalog.EntityTagAssignment(f"{schema}.users.email", "bench", "columns", tag_value="mail")
        client.entity_tag_assignments.create(tag)
        client.policies.create_policy(
            catalog.PolicyInfo(
                name="bench",
                on_securable_type=catalog.SecurableType.SCHEMA,
                on_securable_fullname=schema,
                for_securable_type=catalog.SecurableType.TABLE,
                policy_type=catalog.PolicyType.POLICY_TYPE_COLUMN_MASK,
                to_principals=[MASKED],
                match_columns=[catalog.MatchColumn(alias="mail", condition="hasTag('bench')")],
                column_mask=catalog.ColumnMaskOptions(function_name=f"{schema}.mask", on_column="mail"),
            )
        )
        for name in (MASKED, CLEAR):
            rows(client, outputs, f"GRANT USE CATALOG ON CATALOG {outputs['catalog']} TO `{name}`")
            rows(client, outputs, f"GRANT USE SCHEMA, SELECT ON SCHEMA {schema} TO `{name}`")
        yield f"{schema}.users"
    finally:
        for name in (MASKED, CLEAR):
            rows(client, outputs, f"REVOKE USE CATALOG ON CATALOG {outputs['catalog']} FROM `{name}`")
        client.schemas.delete(schema, force=True)
        for user in users:
            client.users.delete(str(user.id))


def _medians(*works: Callable[[], object]) -> tuple[float, ...]:
    """Median seconds of each work, done in turn, so that a machine with changing speed favours none."""
    taken = [[_seconds(work) for work in works] for _ in range(RUNS)]
    return tuple(statistics.median(column) for column in zip(*taken[WARM:], strict=True))


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
