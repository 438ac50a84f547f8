"""The provider of MadeTables against an HTTP server that answers as a workspace does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from infra.errors import RunFailedError
from infra.once import made_tables
from infra.once.made_tables import MadeTablesProvider
from tests.infra.test_run_once import TOKEN, Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator

TABLES = "churn.bronze.events,churn.silver.events"


@pytest.fixture
def workspace(monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    monkeypatch.setenv("DATABRICKS_TOKEN", TOKEN)
    monkeypatch.setattr(made_tables, "POLL_SECONDS", 0.01)
    served = Workspace()
    yield served
    served.server.shutdown()
    served.server.server_close()


def properties(workspace: Workspace, **given: Any) -> dict[str, Any]:
    return {"host": workspace.url, "pipeline_id": "p", "tables": TABLES, "timeout_minutes": 1} | given


def exists(name: str) -> str:
    return f"GET /api/2.1/unity-catalog/tables/{name}/exists"


def test_tables_are_waited_for(workspace: Workspace) -> None:
    workspace.answers = {
        exists("churn.bronze.events"): [{"table_exists": True}],
        exists("churn.silver.events"): [{"table_exists": False}, {"table_exists": False}, {"table_exists": True}],
    }
    created = MadeTablesProvider().create(properties(workspace))
    assert created.id == "p"
    assert [call for call, _ in workspace.requests].count(exists("churn.silver.events")) == 3
    assert TOKEN not in str(created.outs), "credentials stay out of the state"


def test_tables_that_do_not_come_are_named_with_the_pipelines_errors(workspace: Workspace) -> None:
    workspace.answers = {
        exists("churn.bronze.events"): [{"table_exists": True}],
        exists("churn.silver.events"): [{"table_exists": False}],
        "GET /api/2.0/pipelines/p/events": [{"events": [{"message": "no topic customer.events", "level": "ERROR"}]}],
    }
    with pytest.raises(RunFailedError, match=r"p has not made churn\.silver\.events after .*\n  no topic customer"):
        MadeTablesProvider().create(properties(workspace, timeout_minutes=0.001))


@pytest.mark.parametrize(
    ("change", "replaced"),
    [
        ({}, None),
        ({"host": "https://x"}, []),
        ({"tables": "a.b.c"}, ["tables"]),
        ({"pipeline_id": "q"}, ["pipeline_id"]),
    ],
)
def test_only_another_pipeline_or_other_tables_are_waited_for_again(
    workspace: Workspace, change: dict[str, Any], replaced: list[str] | None
) -> None:
    before = properties(workspace)
    compared = MadeTablesProvider().diff("p", before, before | change)
    assert bool(compared.changes) == (replaced is not None)
    assert compared.replaces == (replaced or [])
    assert MadeTablesProvider().update("p", before, before | change).outs == before | change
