"""The provider of CurrentRun against an HTTP server that answers as a workspace does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from infra.once.current_run import CurrentRunProvider
from tests.infra.test_run_once import TOKEN, Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator

CANCEL = "POST /api/2.2/jobs/runs/cancel-all"


@pytest.fixture
def workspace(monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    monkeypatch.setenv("DATABRICKS_TOKEN", TOKEN)
    served = Workspace()
    served.answers = {CANCEL: [{}]}
    yield served
    served.server.shutdown()
    served.server.server_close()


def properties(workspace: Workspace, **given: Any) -> dict[str, Any]:
    return {"host": workspace.url, "job_id": "7", "settings": "a"} | given


def test_the_run_of_a_changed_job_is_canceled(workspace: Workspace) -> None:
    before = properties(workspace)
    provider, changed = CurrentRunProvider(), before | {"settings": "b"}
    assert provider.create(before).id == "7"
    assert not workspace.requests, "the service begins the first run of a new job by itself"
    assert provider.diff("7", before, changed).changes
    assert provider.update("7", before, changed).outs == changed
    assert [(call, body) for call, body in workspace.requests] == [(CANCEL, {"job_id": 7})]


def test_the_run_of_an_unchanged_job_goes_on(workspace: Workspace) -> None:
    before = properties(workspace)
    provider = CurrentRunProvider()
    assert not provider.diff("7", before, before).changes
    assert provider.diff("7", before, before | {"job_id": "8"}).replaces == ["job_id"]
    provider.update("7", before | {"host": "https://another"}, before)
    assert not workspace.requests
