"""The provider of RunOnce against an HTTP server that answers as a workspace does."""

from __future__ import annotations

import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import dill  # type: ignore[import-untyped]  # has no types
import pulumi
import pytest
from pulumi.dynamic.dynamic import serialize_provider

from infra.errors import RetryableError, RunFailedError
from infra.once import run_once
from infra.once.run_once import RunOnce, RunOnceArgs, RunOnceProvider

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN = "token-of-the-test"


class Workspace:
    """Answers by method and path; each answer is used once, the last one stays."""

    def __init__(self) -> None:
        self.answers: dict[str, list[dict[str, Any]]] = {}
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.tokens: set[str | None] = set()
        workspace = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                call = f"{self.command} {self.path.split('?')[0]}"
                length = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(length) or b"{}")
                known = workspace.answers.get(call)
                if known:
                    workspace.requests.append((call, body))
                    workspace.tokens.add(self.headers.get("Authorization"))
                    found = known.pop(0) if len(known) > 1 else known[0]
                    status = {"RESOURCE_CONFLICT": 409, "NOT_FOUND": 404}.get(found.get("error_code", ""), 200)
                else:
                    found, status = {"error_code": "ENDPOINT_NOT_FOUND", "message": call}, 404
                payload = json.dumps(found).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

            do_GET = do_POST = do_PATCH = answer  # noqa: N815 (http.server's names)

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()


@pytest.fixture
def workspace(monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    monkeypatch.setenv("DATABRICKS_TOKEN", TOKEN)
    monkeypatch.setattr(run_once, "POLL_SECONDS", 0.01)
    served = Workspace()
    yield served
    served.server.shutdown()
    served.server.server_close()


def properties(workspace: Workspace, **given: Any) -> dict[str, Any]:
    return {"host": workspace.url, "fingerprint": "f", "timeout_minutes": 1} | given


def job_run(result: str, **more: Any) -> dict[str, Any]:
    state = {"life_cycle_state": "TERMINATED", "result_state": result, "state_message": "ended"}
    return {"run_id": 11, "run_page_url": "http://pages/11", "state": state, **more}


def test_a_job_runs_once(workspace: Workspace) -> None:
    workspace.answers = {
        "POST /api/2.2/jobs/run-now": [{"run_id": 11}],
        "GET /api/2.2/jobs/runs/get": [{"run_id": 11, "state": {"life_cycle_state": "RUNNING"}}, job_run("SUCCESS")],
    }
    created = RunOnceProvider().create(properties(workspace, job_id="7"))
    assert created.outs
    assert (created.id, created.outs["run_url"]) == ("11", "http://pages/11")
    starts = [body for call, body in workspace.requests if call.endswith("run-now")]
    assert [body["job_id"] for body in starts] == [7]
    assert workspace.tokens == {f"Bearer {TOKEN}"}
    assert TOKEN not in json.dumps(created.outs), "credentials stay out of the state"


@pytest.mark.parametrize(
    ("output", "said"),
    [({"error": "ValueError: no such model"}, "ValueError: no such model"), ({}, "exit code 1")],
    ids=["by the task", "by the service"],
)
def test_a_failed_job_names_run_and_task_and_what_is_said_of_it(
    workspace: Workspace, output: dict[str, str], said: str
) -> None:
    state = {"life_cycle_state": "TERMINATED", "result_state": "FAILED", "state_message": "exit code 1"}
    tasks = [
        {"task_key": "bootstrap", "run_id": 12, "state": state},
        {"task_key": "other", "run_id": 13, "state": {"life_cycle_state": "TERMINATED", "result_state": "SUCCESS"}},
    ]
    workspace.answers = {
        "POST /api/2.2/jobs/run-now": [{"run_id": 11}],
        "GET /api/2.2/jobs/runs/get": [job_run("FAILED", tasks=tasks)],
        "GET /api/2.2/jobs/runs/get-output": [output],
    }
    with pytest.raises(RunFailedError) as caught:
        RunOnceProvider().create(properties(workspace, job_id="7"))
    text = str(caught.value)
    assert text.startswith("job 7, run 11: FAILED (http://pages/11)")
    assert text.endswith(f"\n  task bootstrap: FAILED: {said}")
    assert "other" not in text


def test_a_job_that_does_not_end_in_time_is_a_failure(workspace: Workspace) -> None:
    running = {"run_id": 11, "run_page_url": "http://pages/11", "state": {"life_cycle_state": "RUNNING"}}
    workspace.answers = {
        "POST /api/2.2/jobs/run-now": [{"run_id": 11}],
        "GET /api/2.2/jobs/runs/get": [running],
    }
    with pytest.raises(RunFailedError, match=r"job 7, run 11: not finished \(http://pages/11\)"):
        RunOnceProvider().create(properties(workspace, job_id="7", timeout_minutes=0.001))


def test_a_failed_run_may_succeed_when_deployed_again() -> None:
    assert issubclass(RunFailedError, RetryableError)
    assert issubclass(RunFailedError, pulumi.RunError), "Pulumi prints its text without a traceback"


def test_a_pipeline_is_updated_once(workspace: Workspace) -> None:
    workspace.answers = {
        "POST /api/2.0/pipelines/p/updates": [{"update_id": "u"}],
        "GET /api/2.0/pipelines/p/updates/u": [
            {"update": {"update_id": "u", "state": "RUNNING"}},
            {"update": {"update_id": "u", "state": "COMPLETED"}},
        ],
    }
    created = RunOnceProvider().create(properties(workspace, pipeline_id="p"))
    assert created.outs
    assert (created.id, created.outs["run_url"]) == ("u", f"{workspace.url}/pipelines/p/updates/u")


def test_a_failed_update_names_the_flow(workspace: Workspace) -> None:
    events = [
        {"message": "column is missing", "origin": {"update_id": "u", "flow_name": "customer"}},
        {"message": "of another update", "origin": {"update_id": "t", "flow_name": "events"}},
    ]
    workspace.answers = {
        "POST /api/2.0/pipelines/p/updates": [{"update_id": "u"}],
        "GET /api/2.0/pipelines/p/updates/u": [{"update": {"update_id": "u", "state": "FAILED"}}],
        "GET /api/2.0/pipelines/p": [{"state": "IDLE", "latest_updates": [{"update_id": "u"}]}],
        "GET /api/2.0/pipelines/p/events": [{"events": events}],
    }
    with pytest.raises(RunFailedError) as caught:
        RunOnceProvider().create(properties(workspace, pipeline_id="p"))
    text = str(caught.value)
    assert text.startswith(f"pipeline p, update u: FAILED ({workspace.url}/pipelines/p/updates/u)")
    assert "customer: column is missing" in text
    assert "another update" not in text


def test_an_active_update_is_waited_for_before_ours_starts(workspace: Workspace) -> None:
    active = {"error_code": "RESOURCE_CONFLICT", "message": "An active update t already exists."}
    workspace.answers = {
        "POST /api/2.0/pipelines/p/updates": [active, active, {"update_id": "u"}],
        "GET /api/2.0/pipelines/p/updates/u": [{"update": {"update_id": "u", "state": "COMPLETED"}}],
    }
    assert RunOnceProvider().create(properties(workspace, pipeline_id="p")).id == "u"


def test_an_update_that_never_ends_is_named_as_what_is_in_the_way(workspace: Workspace) -> None:
    active = {"error_code": "RESOURCE_CONFLICT", "message": "An active update t already exists."}
    workspace.answers = {"POST /api/2.0/pipelines/p/updates": [active]}
    with pytest.raises(RunFailedError, match=r"pipeline p: not started in time: An active update t already exists\."):
        RunOnceProvider().create(properties(workspace, pipeline_id="p", timeout_minutes=0.001))


def test_the_retries_of_the_service_are_followed_to_the_last(workspace: Workspace) -> None:
    ids = ["u", "v", "w"]
    ends = {"u": "FAILED", "v": "FAILED", "w": "COMPLETED"}
    workspace.answers = {
        "POST /api/2.0/pipelines/p/updates": [{"update_id": "u"}],
        "GET /api/2.0/pipelines/p": [
            {"state": "RECOVERING", "latest_updates": [{"update_id": "u"}]},
            *({"state": "RUNNING", "latest_updates": [{"update_id": update}]} for update in ids[1:]),
        ],
        **{
            f"GET /api/2.0/pipelines/p/updates/{update}": [
                {"update": {"update_id": update, "state": ends[update], "cause": "RETRY_ON_FAILURE"}}
            ]
            for update in ids
        },
    }
    assert RunOnceProvider().create(properties(workspace, pipeline_id="p")).id == "w"


def test_an_update_that_others_started_is_no_retry_of_ours(workspace: Workspace) -> None:
    workspace.answers = {
        "POST /api/2.0/pipelines/p/updates": [{"update_id": "u"}],
        "GET /api/2.0/pipelines/p/updates/u": [{"update": {"update_id": "u", "state": "FAILED"}}],
        "GET /api/2.0/pipelines/p/updates/v": [{"update": {"update_id": "v", "state": "RUNNING", "cause": "JOB_TASK"}}],
        "GET /api/2.0/pipelines/p": [{"state": "RUNNING", "latest_updates": [{"update_id": "v"}]}],
        "GET /api/2.0/pipelines/p/events": [{"events": []}],
    }
    with pytest.raises(RunFailedError, match="pipeline p, update u: FAILED"):
        RunOnceProvider().create(properties(workspace, pipeline_id="p"))


@pytest.mark.parametrize(
    ("change", "changes", "replaces"),
    [
        ({}, False, []),
        ({"fingerprint": "g"}, True, ["fingerprint"]),
        ({"job_id": "8"}, True, ["job_id"]),
        ({"host": "http://elsewhere"}, True, []),
        ({"timeout_minutes": 2}, True, []),
    ],
)
def test_only_another_target_or_fingerprint_runs_again(
    workspace: Workspace, change: dict[str, Any], changes: bool, replaces: list[str]
) -> None:
    olds = properties(workspace, job_id="7", run_url="http://pages/11")
    news = properties(workspace, job_id="7") | change
    result = RunOnceProvider().diff("11", olds, news)
    assert (result.changes, result.replaces) == (changes, replaces)
    updated = RunOnceProvider().update("11", olds, news).outs
    assert updated
    assert updated["run_url"] == "http://pages/11"


def test_the_provider_pickles_by_name_and_always_alike() -> None:
    text = serialize_provider(RunOnceProvider())
    assert text == serialize_provider(RunOnceProvider())
    assert len(text) < 200, "by reference, not by value: a change of its code is no change of the resource"
    assert type(dill.loads(base64.b64decode(text))) is RunOnceProvider  # noqa: S301 (this test's own pickle)


def test_either_a_job_or_a_pipeline() -> None:
    for wrong in (RunOnceArgs("http://host", "f"), RunOnceArgs("http://host", "f", job_id="1", pipeline_id="p")):
        with pytest.raises(ValueError, match="either job_id or pipeline_id"):
            RunOnce("twice", wrong, pulumi.ResourceOptions())
