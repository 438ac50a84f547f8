"""A store that fails for a while, such as on a full disk: no final state is lost, and nothing waits for ever."""

from __future__ import annotations

import sqlite3
import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from local.settings import LocalSettings
from local.workspace.core import store as store_module
from local.workspace.core.context import Workspace
from local.workspace.core.store import Document, Store
from local.workspace.jobs import tasks
from local.workspace.jobs.runtime import JobRuns
from local.workspace.jobs.states import SUCCESS, Outcome, is_active
from local.workspace.pipelines.runtime import PipelineUpdates
from local.workspace.pipelines.update import Update
from local.workspace.serving.runtime import Endpoints
from local.workspace.serving.servers import ScoringServer
from tests.local.job_tasks import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SOON = 10.0  # seconds, on a busy machine


class FullStore(Store):
    """A store that refuses to write while `full`, for longer than a write is retried."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.full = threading.Event()

    def put(self, kind: str, key: str, value: Document) -> None:
        if self.full.is_set():
            raise sqlite3.OperationalError("database or disk is full")
        super().put(kind, key, value)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FullStore]:
    monkeypatch.setattr(store_module, "RETRY_SECONDS", 0.05)
    store = FullStore(tmp_path / "workspace.sqlite")
    yield store
    store.full.clear()
    store.close()


@pytest.fixture
def workspace(store: FullStore, tmp_path: Path) -> Workspace:
    return Workspace(LocalSettings(tmp_path), store)


def _limit(store: Store, pages: int) -> None:
    """Lets the database have no more pages than these, or than it has."""
    with store._lock:
        store._database.execute(f"PRAGMA max_page_count = {pages}")


LARGE = {"text": "x" * 100_000}


def test_a_write_waits_for_room(store: FullStore) -> None:
    _limit(store, 1)
    timer = threading.Timer(0.3, _limit, [store, 1_000_000])
    timer.start()
    store.put("k", "a", LARGE)
    timer.join()
    assert store.get("k", "a") == LARGE


def test_a_transaction_says_what_failed_and_can_be_repeated(store: FullStore) -> None:
    def write() -> None:
        with store.transaction():
            store.put("k", "a", {})
            store.put("k", "b", LARGE)

    _limit(store, 1)
    with pytest.raises(sqlite3.OperationalError, match="full"):
        write()
    assert store.items("k") == []
    timer = threading.Timer(0.3, _limit, [store, 1_000_000])
    timer.start()
    store.retry_briefly(write)
    timer.join()
    assert [key for key, _ in store.items("k")] == ["a", "b"]


def _job(workspace: Workspace) -> Document:
    task = {"task_key": "one", "python_wheel_task": {}, "run_if": "ALL_SUCCESS", "timeout_seconds": 0}
    limits = {"max_concurrent_runs": 1, "timeout_seconds": 0, "queue": {"enabled": True}}
    job = {"job_id": 1, "creator_user_name": "me", "settings": {"name": "job", "tasks": [task], **limits}}
    workspace.store.put("jobs", "1", job)
    return job


@pytest.fixture
def runs(workspace: Workspace, store: FullStore, monkeypatch: pytest.MonkeyPatch) -> Iterator[JobRuns]:
    """Runs whose task succeeds just when the disk has become full."""

    def run(*_: Any) -> Outcome:
        store.full.set()
        return SUCCESS

    monkeypatch.setattr(tasks, "run", run)
    runs = JobRuns(workspace)
    runs.start()
    yield runs
    store.full.clear()
    _ends(runs.close)


def _ends(call: Callable[[], object]) -> None:
    ended = threading.Event()
    threading.Thread(target=lambda: (call(), ended.set()), daemon=True).start()
    assert ended.wait(SOON), f"{call} failed or waits for ever"


def test_a_run_ends_and_can_be_repaired(workspace: Workspace, store: FullStore, runs: JobRuns) -> None:
    job = _job(workspace)
    first = runs.run_now(job, "me")["run_id"]
    thread = runs._active[first]
    thread.join(SOON)
    assert not thread.is_alive()
    runs.cancel(first)  # has ended, though the store does not know it yet
    assert is_active(runs.get(first))
    store.full.clear()
    wait_for(lambda: not is_active(runs.get(first)), SOON)
    assert runs.get(first)["state"]["result_state"] == "SUCCESS"
    repair = runs.repair(first, {"rerun_tasks": ["one"]})
    wait_for(store.full.is_set, SOON)
    store.full.clear()
    wait_for(lambda: not is_active(runs.get(first)), SOON)
    assert [item["id"] for item in runs.get(first)["repair_history"]] == [repair]


def test_a_queued_run_begins_and_another_is_cancelled(workspace: Workspace, store: FullStore, runs: JobRuns) -> None:
    job = _job(workspace)
    with runs._slots.changed:  # the first run cannot end before the others are there
        first, second, third = (runs.run_now(job, "me")["run_id"] for _ in range(3))
    wait_for(store.full.is_set, SOON)
    with pytest.raises(sqlite3.OperationalError):
        runs.cancel(second)
    with runs._slots.changed:  # the second run cannot begin, and fill the disk, before the third is cancelled
        store.full.clear()
        runs.cancel(third)
    wait_for(lambda: store.full.is_set() and not is_active(runs.get(first)), SOON)  # by the second run's task
    store.full.clear()
    wait_for(lambda: not is_active(runs.get(second)), SOON)
    found = {name: runs.get(name)["state"]["result_state"] for name in (first, second, third)}
    assert found == {first: "SUCCESS", second: "SUCCESS", third: "CANCELED"}


def test_runs_close_while_the_disk_is_full(
    workspace: Workspace, store: FullStore, runs: JobRuns, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(*given: Any) -> Outcome:
        stopped = threading.Event()
        given[-1](SimpleNamespace(stop=stopped.set))
        store.full.set()
        stopped.wait(SOON)
        return SUCCESS

    monkeypatch.setattr(tasks, "run", run)
    runs.run_now(_job(workspace), "me")
    wait_for(store.full.is_set, SOON)
    _ends(runs.close)


def test_an_update_ends_and_the_next_one_begins(
    workspace: Workspace, store: FullStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def follow(_: Update) -> str:
        store.full.set()
        return "COMPLETED"

    monkeypatch.setattr(Update, "_follow", follow)
    store.put("pipelines", "p", {"pipeline_id": "p", "name": "p", "spec": {}})
    updates = PipelineUpdates(workspace)
    first = updates.start("p", {}, "API_CALL")
    assert first.wait(SOON) == "COMPLETED"
    _ends(updates.close)
    store.full.clear()
    wait_for(lambda: (store.get("pipeline_updates", f"p/{first.id}") or {})["state"] == "COMPLETED", SOON)
    assert updates.start("p", {}, "API_CALL").wait(SOON) == "COMPLETED"


def test_an_endpoint_whose_server_cannot_start_takes_another_configuration(
    workspace: Workspace, store: FullStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(_: ScoringServer) -> None:
        store.full.set()
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(ScoringServer, "_start", start)
    endpoints = Endpoints(workspace)
    entity = {"name": "m-1", "entity_name": "m", "entity_version": "1"}
    endpoints.update({"id": "1", "name": "e"}, {"served_entities": [entity]})
    wait_for(lambda: endpoints.states("e")["m-1"]["deployment"] == "DEPLOYMENT_FAILED", SOON)
    assert "disk is full" in endpoints.states("e")["m-1"]["deployment_state_message"]
    store.full.clear()
    wait_for(lambda: endpoints.find("e")["state"] == {"config_update": "UPDATE_FAILED"}, SOON)
    _ends(endpoints.close)
