"""Serving endpoints through the official SDK: real models of a real MLflow server, in real scoring servers."""

from __future__ import annotations

import contextlib
import time
from datetime import timedelta
from typing import TYPE_CHECKING

import httpx
import mlflow
import pandas as pd
import psutil
import pytest
from databricks.sdk.errors import BadRequest, NotFound, PermissionDenied
from databricks.sdk.service import iam, serving
from databricks.sdk.service.catalog import PermissionsChange, Privilege
from mlflow.models import infer_signature
from sklearn.dummy import DummyRegressor

from local.settings import LocalSettings
from local.workspace.serving.routes import _refused
from tests.local.conftest import LocalWorkspace
from tests.mlflow_client import mlflow_at
from tests.ports import free_base_port

if TYPE_CHECKING:
    from collections.abc import Iterator

MODEL = "main.mlops.constant"
MINUTES = timedelta(minutes=3)
RECORDS = [{"tenure_months": 3, "contract": "One year"}, {"tenure_months": 7, "contract": "Two year"}]


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalWorkspace]:
    cloud = LocalWorkspace(LocalSettings(tmp_path_factory.mktemp("serving"), free_base_port()))
    try:
        cloud.start_spark()
        cloud.start_mlflow()
        cloud.start()
        _register(cloud)
        yield cloud
    finally:
        cloud.stop()


def _register(cloud: LocalWorkspace) -> None:
    """Versions 1, 2 and 3 of a model, which predict 1.0, 2.0 and 3.0."""
    cloud.catalog("main")
    cloud.client().schemas.create("mlops", "main")
    frame = pd.DataFrame(RECORDS)
    for value in (1.0, 2.0, 3.0):
        model = DummyRegressor(strategy="constant", constant=value).fit(frame, [value, value])
        with mlflow_at(cloud.settings.workspace_url, cloud.token), mlflow.start_run(experiment_id="0"):
            signature = infer_signature(frame, model.predict(frame))
            mlflow.sklearn.log_model(model, name="model", signature=signature, registered_model_name=MODEL)


def entity(version: str, name: str = "current", model: str = MODEL) -> serving.ServedEntityInput:
    return serving.ServedEntityInput(
        name=name, entity_name=model, entity_version=version, workload_size="Small", scale_to_zero_enabled=True
    )


def _serve(cloud: LocalWorkspace, name: str) -> Iterator[str]:
    config = serving.EndpointCoreConfigInput(name, served_entities=[entity("1")])
    created = cloud.client().serving_endpoints.create(name, config=config).result(MINUTES)
    assert created.state.ready is serving.EndpointStateReady.READY
    yield name
    cloud.client().serving_endpoints.delete(name)


@pytest.fixture(scope="module")
def steady(cloud: LocalWorkspace) -> Iterator[str]:
    """An endpoint whose configuration no test changes."""
    yield from _serve(cloud, "steady")


@pytest.fixture
def endpoint(cloud: LocalWorkspace) -> Iterator[str]:
    yield from _serve(cloud, "changing")


def predict(cloud: LocalWorkspace, name: str) -> list[float]:
    return cloud.client().serving_endpoints.query(name, dataframe_records=RECORDS).predictions


def scoring_processes(cloud: LocalWorkspace) -> list[psutil.Process]:
    """Processes of the endpoint `changing`, by their working folder."""
    children = psutil.Process(cloud.processes["workspace"].pid).children()
    found = []
    for process in children:
        with contextlib.suppress(psutil.NoSuchProcess):  # it ends just now, or has ended and is a zombie
            if "/serving/changing/" in process.cwd():
                found.append(process)
    return found


@pytest.mark.shows("serving: an endpoint reads its model by the privileges of its creator", client="databricks-sdk")
def test_an_endpoint_reads_its_model_as_its_creator_may(cloud: LocalWorkspace, steady: str) -> None:
    client = cloud.client()
    made = client.service_principals.create(display_name="server")
    itself = cloud.client(cloud.token_of(made.application_id or ""))
    config = serving.EndpointCoreConfigInput("own", served_entities=[entity("1")])
    with pytest.raises(PermissionDenied, match="without the workspace-access entitlement"):
        itself.serving_endpoints.create("own", config=config)
    client.service_principals.update(
        made.id or "", display_name="server", active=True, entitlements=[iam.ComplexValue(value="workspace-access")]
    )
    needed = (
        ("catalog", "main", Privilege.USE_CATALOG),
        ("schema", "main.mlops", Privilege.USE_SCHEMA),
        ("function", MODEL, Privilege.EXECUTE),
    )
    for kind, name, privilege in needed:
        with pytest.raises(PermissionDenied, match=f"{privilege.value.replace('_', ' ')} on [A-Za-z ]+ '{name}'"):
            itself.serving_endpoints.create("own", config=config)
        client.grants.update(kind, name, changes=[PermissionsChange([privilege], made.application_id)])
    created = itself.serving_endpoints.create("own", config=config).result(MINUTES)
    assert created.creator == made.application_id
    assert created.telemetry_config, "the service sets it, asked or not"
    taken = PermissionsChange(principal=made.application_id, remove=[Privilege.EXECUTE])
    client.grants.update("function", MODEL, changes=[taken])
    with pytest.raises(PermissionDenied, match="EXECUTE"):  # for its creator, whoever changes it
        client.serving_endpoints.update_config("own", served_entities=[entity("2")])
    client.serving_endpoints.delete("own")
    client.service_principals.delete(made.id or "")


@pytest.mark.shows("serving: payloads as records, split and inputs", client="databricks-sdk")
def test_every_form_of_payload_is_answered(cloud: LocalWorkspace, steady: str) -> None:
    client = cloud.client().serving_endpoints
    split = serving.DataframeSplitInput(columns=list(RECORDS[0]), data=[list(record.values()) for record in RECORDS])
    assert client.query(steady, dataframe_records=RECORDS).predictions == [1.0, 1.0]
    assert client.query(steady, dataframe_split=split).predictions == [1.0, 1.0]
    inputs = {name: [record[name] for record in RECORDS] for name in RECORDS[0]}
    answer = client.query(steady, inputs=inputs)
    assert (answer.predictions, answer.served_model_name) == ([1.0, 1.0], "current")


@pytest.mark.shows("serving: every form of wrong payload is a 400", client="httpx")
@pytest.mark.parametrize(
    ("payload", "named"),
    [
        ({"dataframe_records": [{"tenure_months": 3}]}, "contract"),
        ({"dataframe_records": [{"tenure_months": "three", "contract": "One year"}]}, "tenure_months"),
        ({"dataframe_split": {"columns": ["tenure_months"], "data": [[3]]}}, "contract"),
        ({"records": RECORDS}, "records"),
        ([1, 2], "list"),
    ],
)
def test_a_wrong_payload_is_a_400_that_names_the_field(
    cloud: LocalWorkspace, steady: str, payload: object, named: str
) -> None:
    answer = cloud.http().post(f"/serving-endpoints/{steady}/invocations", json=payload)
    assert (answer.status_code, answer.json()["error_code"]) == (400, "BAD_REQUEST")
    assert named in answer.json()["message"]
    assert "stack_trace" not in answer.json()


@pytest.mark.parametrize(
    ("status", "code"), [(400, "BAD_REQUEST"), (500, "INTERNAL_ERROR"), (504, "DEADLINE_EXCEEDED")]
)
def test_a_refusal_of_the_scoring_server_has_the_code_of_its_status(status: int, code: str) -> None:
    for answer in (httpx.Response(status, text="too late"), httpx.Response(status, json={"message": "too late"})):
        error = _refused(answer)
        assert (error.status, error.error_code, error.message) == (status, code, "too late")


@pytest.mark.shows("serving: a new version takes over without an interruption", client="databricks-sdk")
def test_an_update_switches_to_a_version_that_is_ready_and_stops_the_old(cloud: LocalWorkspace, endpoint: str) -> None:
    client = cloud.client().serving_endpoints
    waiter = client.update_config(endpoint, served_entities=[entity("2")])
    answers = set()
    while client.get(endpoint).state.config_update is serving.EndpointStateConfigUpdate.IN_PROGRESS:
        answers.update(predict(cloud, endpoint))
    assert answers <= {1.0, 2.0}
    updated = waiter.result(MINUTES)
    assert updated.config.config_version == 2
    assert updated.pending_config is None
    assert predict(cloud, endpoint) == [2.0, 2.0]
    end = time.monotonic() + 30
    while len(found := scoring_processes(cloud)) != 1:
        assert time.monotonic() < end, found
        time.sleep(0.1)


@pytest.mark.shows("serving: traffic shared among served versions", client="databricks-sdk")
def test_traffic_is_shared_among_entities(cloud: LocalWorkspace, endpoint: str) -> None:
    client = cloud.client().serving_endpoints
    routes = [serving.Route(traffic_percentage=50, served_model_name=name) for name in ("old", "new")]
    entities = [entity("1", "old"), entity("3", "new")]
    client.update_config(
        endpoint, served_entities=entities, traffic_config=serving.TrafficConfig(routes=routes)
    ).result(MINUTES)
    assert {predict(cloud, endpoint)[0] for _ in range(60)} == {1.0, 3.0}


@pytest.mark.shows(
    "serving: an update that fails leaves what served before; environment variables", client="databricks-sdk"
)
def test_an_update_that_fails_leaves_only_what_served_before(cloud: LocalWorkspace, endpoint: str) -> None:
    before = [process.pid for process in scoring_processes(cloud)]
    broken = entity("3", "broken")
    broken.environment_vars = {"PYTHONHOME": "/nowhere"}  # so that its process ends at once
    routes = [serving.Route(traffic_percentage=50, served_model_name=name) for name in ("good", "broken")]
    client = cloud.client().serving_endpoints
    client.update_config(
        endpoint,
        served_entities=[entity("2", "good"), broken],
        traffic_config=serving.TrafficConfig(routes=routes),
    )
    end = time.monotonic() + 60
    while client.get(endpoint).state.config_update is serving.EndpointStateConfigUpdate.IN_PROGRESS:
        assert time.monotonic() < end
        time.sleep(0.1)
    found = client.get(endpoint)
    assert found.state.config_update is serving.EndpointStateConfigUpdate.UPDATE_FAILED
    states = {item.name: item.state.deployment.value for item in found.pending_config.served_entities}
    assert states == {"good": "DEPLOYMENT_ABORTED", "broken": "DEPLOYMENT_FAILED"}
    assert [process.pid for process in scoring_processes(cloud)] == before
    assert predict(cloud, endpoint) == [1.0, 1.0]


@pytest.mark.shows("serving: a killed scoring server comes back", client="httpx")
def test_a_killed_server_comes_back(cloud: LocalWorkspace, endpoint: str) -> None:
    process = scoring_processes(cloud)[0]
    process.kill()
    process.wait()
    end = time.monotonic() + 60
    client = cloud.http()
    while answer := client.post(f"/serving-endpoints/{endpoint}/invocations", json={"dataframe_records": RECORDS}):
        if answer.status_code == 200:
            break
        assert answer.status_code == 503
        assert time.monotonic() < end
        time.sleep(0.2)
    assert scoring_processes(cloud)[0].pid != process.pid


@pytest.mark.shows("serving: endpoints outlive a restart", client="databricks-sdk")
def test_a_restart_brings_the_endpoint_back(cloud: LocalWorkspace, endpoint: str) -> None:
    cloud.stop("workspace")
    cloud.start()
    assert predict(cloud, endpoint) == [1.0, 1.0]  # the SDK tries again while the endpoint is not ready
    assert cloud.client().serving_endpoints.get(endpoint).state.ready is serving.EndpointStateReady.READY


@pytest.mark.shows("serving: tags, AI gateway settings", client="databricks-sdk")
def test_tags_and_gateway_are_kept(cloud: LocalWorkspace, steady: str) -> None:
    client = cloud.client().serving_endpoints
    client.patch(steady, add_tags=[serving.EndpointTag("team", "churn"), serving.EndpointTag("a", "b")])
    client.patch(steady, delete_tags=["a"])
    client.put_ai_gateway(steady, usage_tracking_config=serving.AiGatewayUsageTrackingConfig(enabled=True))
    found = client.get(steady)
    assert [(tag.key, tag.value) for tag in found.tags] == [("team", "churn")]
    assert found.ai_gateway.usage_tracking_config.enabled
    assert steady in [item.name for item in client.list()]


@pytest.mark.parametrize("name", ["../../../outside/x", "a.b", "é", "", "x" * 64])
def test_names_are_letters_digits_dashes_and_underscores(workspace: LocalWorkspace, name: str) -> None:
    named = {"name": name, "entity_name": "main.mlops.m", "entity_version": "1"}
    for sent, field in (
        ({"name": name, "config": {}}, "name"),
        ({"name": "good", "config": {"served_entities": [named]}}, "config.served_entities[0].name"),
    ):
        answer = workspace.http().post("/api/2.0/serving-endpoints", json=sent)
        assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
        assert answer.json()["message"].startswith(f"{field}: {name!r} may have letters")


def test_what_cannot_be_served_is_refused_by_name(cloud: LocalWorkspace) -> None:
    client = cloud.client().serving_endpoints
    for wrong in (entity("9"), entity("1", model="main.mlops.none")):
        with pytest.raises(NotFound, match=f"'{wrong.entity_name}' has no version {wrong.entity_version}"):
            client.create("none", config=serving.EndpointCoreConfigInput("none", served_entities=[wrong]))
    routes = [serving.Route(traffic_percentage=90, served_model_name="current")]
    config = serving.EndpointCoreConfigInput(
        "none", served_entities=[entity("1")], traffic_config=serving.TrafficConfig(routes=routes)
    )
    with pytest.raises(BadRequest, match="add up to 90 percent"):
        client.create("none", config=config)
    with pytest.raises(NotFound, match="'none' does not exist"):
        client.get("none")
    answer = cloud.http().post("/api/2.0/serving-endpoints", json={"name": "x", "config": {"served_entites": []}})
    assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    assert "config.served_entites" in answer.json()["message"]
