"""Faults of the local cloud: what clients that try again survive, and what a lost answer leaves behind."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import httpx
import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.config import Config

from local.faults import Fault, Faults
from local.settings import LocalSettings
from tests.local.conftest import LocalWorkspace
from tests.ports import free_base_port
from tests.seeds import first_only

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

POLICY = json.dumps({"spark_version": {"type": "fixed", "value": "17.3.x-scala2.13"}})


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalWorkspace]:
    cloud = LocalWorkspace(LocalSettings(tmp_path_factory.mktemp("faulty"), free_base_port()))
    try:
        cloud.start()
        yield cloud
    finally:
        cloud.stop()


@pytest.fixture
def client(cloud: LocalWorkspace) -> WorkspaceClient:
    return cloud.client()


@pytest.fixture
def ask(cloud: LocalWorkspace) -> Iterator[Callable[..., None]]:
    """Asks the cloud for faults until the end of the test."""

    def write(rate: float, seed: int = 1, *kinds: Fault) -> None:
        asked = {"rate": rate, "seed": seed, **({"kinds": list(kinds)} if kinds else {})}
        fresh = cloud.settings.faults.with_suffix(".new")
        fresh.write_text(json.dumps(asked))
        fresh.replace(cloud.settings.faults)

    yield write
    cloud.settings.faults.unlink(missing_ok=True)


def test_a_seed_gives_the_same_sequence(tmp_path: Path) -> None:
    settings = LocalSettings(tmp_path)
    assert Faults(settings).draw() is None, "nobody has asked"
    settings.faults.write_text(json.dumps({"rate": 0.2, "seed": 3}))
    first, second = ([faults.draw() for _ in range(2000)] for faults in (Faults(settings), Faults(settings)))
    assert first == second
    assert {fault: first.count(fault) > 50 for fault in Fault} == dict.fromkeys(Fault, True) | {Fault.HANG: False}
    assert 1500 < first.count(None) < 1700
    settings.faults.write_text(json.dumps({"rate": 1, "seed": 3, "kinds": ["none"]}))
    with pytest.raises(ValueError, match="'none' is not a valid Fault"):
        Faults(settings).draw()


def test_checks_of_health_never_fail(cloud: LocalWorkspace, ask: Callable[..., None]) -> None:
    ask(1.0)
    for _ in range(20):
        assert httpx.get(f"{cloud.settings.workspace_url}/api/2.0/preview/scim/v2/Me").status_code == 401


@pytest.mark.shows("api: 429 and 503 on request, after which the client tries again", client="databricks-sdk")
def test_a_client_that_tries_again_succeeds(client: WorkspaceClient, ask: Callable[..., None]) -> None:
    ask(0.3, 7, Fault.BUSY, Fault.UNAVAILABLE)
    for number in range(5):
        made = client.cluster_policies.create(name=f"policy {number}", definition=POLICY)
        assert client.cluster_policies.get(str(made.policy_id)).name == f"policy {number}"
    assert sorted(str(policy.name) for policy in client.cluster_policies.list()) == [f"policy {n}" for n in range(5)]
    for policy in client.cluster_policies.list():
        client.cluster_policies.delete(str(policy.policy_id))
    assert list(client.cluster_policies.list()) == []


@pytest.mark.parametrize(("status", "fault"), [(429, Fault.BUSY), (503, Fault.UNAVAILABLE)])
def test_a_refusal_has_the_form_of_databricks(
    cloud: LocalWorkspace, ask: Callable[..., None], status: int, fault: Fault
) -> None:
    ask(1.0, 1, fault)
    with cloud.http() as http:
        answer = http.get("/api/2.0/policies/clusters/list")
    assert (answer.status_code, "error_code" in answer.json()) == (status, True)
    assert answer.headers.get("retry-after") == ("1" if status == 429 else None)


@pytest.mark.parametrize(("fault", "made"), [(Fault.LOST_REQUEST, 0), (Fault.LOST_ANSWER, 1)])
def test_a_lost_connection_says_nothing_of_the_work(
    cloud: LocalWorkspace, client: WorkspaceClient, ask: Callable[..., None], fault: Fault, made: int
) -> None:
    ask(1.0, 1, fault)
    with cloud.http() as http, pytest.raises(httpx.TransportError):
        http.post("/api/2.0/policies/clusters/create", json={"name": "lost", "definition": POLICY})
    cloud.settings.faults.unlink()
    found = list(client.cluster_policies.list())
    assert len(found) == made
    for policy in found:
        client.cluster_policies.delete(str(policy.policy_id))


@pytest.mark.shows("api: lost connections on request", client="databricks-sdk")
@pytest.mark.parametrize(("fault", "jobs"), [(Fault.LOST_REQUEST, 1), (Fault.LOST_ANSWER, 2)])
def test_the_sdk_makes_a_job_twice_where_the_answer_is_lost(
    cloud: LocalWorkspace, client: WorkspaceClient, ask: Callable[..., None], fault: Fault, jobs: int
) -> None:
    """The SDK sends a request again whose connection ended, whatever the request does: names of jobs are not unique."""
    ask(0.5, first_only(0.5), fault)
    client.jobs.create(name="lost")
    cloud.settings.faults.unlink()
    found = list(client.jobs.list(name="lost"))
    assert len(found) == jobs
    for job in found:
        client.jobs.delete(int(job.job_id or 0))


@pytest.mark.shows("api: requests without an answer on request", client="databricks-sdk")
def test_a_client_with_a_time_limit_asks_again_where_no_answer_comes(
    cloud: LocalWorkspace, ask: Callable[..., None]
) -> None:
    ask(1.0, 1, Fault.HANG)
    with cloud.http() as http, pytest.raises(httpx.ReadTimeout):
        http.get("/api/2.0/policies/clusters/list", timeout=1)
    ask(0.5, first_only(0.5), Fault.HANG)
    config = cloud.client().config
    impatient = WorkspaceClient(
        config=Config(host=config.host, token=config.token, auth_type="pat", http_timeout_seconds=5)
    )
    assert list(impatient.cluster_policies.list()) == []


@pytest.mark.shows("api: late answers on request", client="httpx")
def test_a_late_answer_is_an_answer(cloud: LocalWorkspace, ask: Callable[..., None]) -> None:
    ask(1.0, 1, Fault.SLOW)
    with cloud.http() as http:
        answer = http.get("/api/2.0/policies/clusters/list")
    assert answer.status_code == 200
