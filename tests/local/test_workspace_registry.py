"""Registered models by Unity Catalog's API, and by MLflow's client with the registry URI `databricks-uc`."""

from __future__ import annotations

import io
from contextlib import contextmanager
from typing import TYPE_CHECKING

import mlflow
import pytest
from databricks.sdk.errors import BadRequest, NotFound, PermissionDenied
from databricks.sdk.service.catalog import PermissionsChange, Privilege
from mlflow.exceptions import MlflowException
from mlflow.models import ModelSignature
from mlflow.protos.databricks_uc_registry_service_pb2 import UcModelRegistryService
from mlflow.tracking import MlflowClient
from mlflow.types import ColSpec, DataType, Schema
from mlflow.utils.rest_utils import _REST_API_PATH_PREFIX, extract_api_info_for_service

from tests.mlflow_client import mlflow_at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from databricks.sdk import WorkspaceClient

    from tests.local.conftest import LocalWorkspace

NUMBERS = Schema([ColSpec(DataType.long)])
MODEL = "registry.gold.churn"


@pytest.fixture(scope="module")
def client(lakehouse: LocalWorkspace) -> Iterator[WorkspaceClient]:
    client = lakehouse.client()
    lakehouse.catalog("registry")
    client.schemas.create("gold", "registry")
    with mlflow_at(lakehouse.settings.workspace_url, lakehouse.token):
        yield client
    client.catalogs.delete("registry", force=True)


@pytest.fixture(scope="module")
def logged(client: WorkspaceClient) -> str:
    """Address of a signed model that a run logged, and that is registered nowhere."""
    return _log(client, "/Shared/registry", ModelSignature(inputs=NUMBERS, outputs=NUMBERS))


@pytest.fixture
def registry(client: WorkspaceClient, logged: str) -> Iterator[MlflowClient]:
    """MLflow's own client, with one version of the model registered."""
    client.registered_models.create(catalog_name="registry", schema_name="gold", name="churn", comment="predicts churn")
    mlflow.register_model(logged, MODEL, tags={"date": "2026-01-31"})
    yield MlflowClient()
    client.registered_models.delete(MODEL)


def _log(client: WorkspaceClient, experiment: str, signature: ModelSignature | None) -> str:
    identifier = client.experiments.create_experiment(experiment).experiment_id
    with mlflow.start_run(experiment_id=identifier):
        mlflow.log_text("hello", "notes/hello.txt")
        info = mlflow.pyfunc.log_model(name="model", python_model=_same, pip_requirements=[], signature=signature)
    return str(info.model_uri)


def _same(model_input):  # type: ignore[no-untyped-def]  # MLflow would derive a signature from types
    return model_input


@pytest.mark.shows("unity catalog: registered models, versions and aliases", client="databricks-sdk")
@pytest.mark.shows("mlflow: models are logged, registered by databricks-uc, aliased and loaded", client="MLflow")
def test_a_model_is_the_same_by_either_api(client: WorkspaceClient, registry: MlflowClient) -> None:
    assert registry.get_registered_model(MODEL).description == "predicts churn"
    registry.set_registered_model_alias(MODEL, "champion", "1")
    version = client.model_versions.get_by_alias(MODEL, "champion")
    tracked = registry.get_model_version(MODEL, "1")
    assert (version.version, version.run_id) == (1, tracked.run_id)
    assert (tracked.status, tracked.tags, tracked.aliases) == ("READY", {"date": "2026-01-31"}, ["champion"])
    assert registry.get_run(tracked.run_id or "").info.run_id == version.run_id
    assert [item.version for item in client.model_versions.list(MODEL)] == [1]
    model = client.registered_models.get(MODEL, include_aliases=True)
    assert [(alias.alias_name, alias.version_num) for alias in model.aliases or []] == [("champion", 1)]
    client.registered_models.set_alias(MODEL, "challenger", 1)
    assert registry.get_model_version_by_alias(MODEL, "challenger").version == "1"
    for name in (f"models:/{MODEL}@challenger", f"models:/{MODEL}/1"):
        assert mlflow.pyfunc.load_model(name).predict([1])[0].tolist() == [1]

    client.registered_models.update(MODEL, comment="changed", owner="users")
    assert client.registered_models.get(MODEL).owner == "users"
    assert registry.get_registered_model(MODEL).description == "changed"
    assert "churn" in [item.name for item in client.registered_models.list(catalog_name="registry", schema_name="gold")]
    assert MODEL in [item.name for item in registry.search_registered_models()]


@pytest.mark.shows("mlflow: names of models and aliases ignore case", client="MLflow")
def test_case_does_not_count_in_names_and_aliases(client: WorkspaceClient, registry: MlflowClient, logged: str) -> None:
    second = mlflow.register_model(logged, "Registry.Gold.CHURN")
    assert (second.name, second.version) == (MODEL, "2")
    registry.set_registered_model_alias(MODEL, "champion", "1")
    client.registered_models.set_alias("REGISTRY.gold.churn", "Champion", 2)
    assert registry.get_registered_model(MODEL).aliases == {"champion": "2"}
    assert registry.get_model_version_by_alias(MODEL, "CHAMPION").version == "2"
    registry.delete_registered_model_alias(MODEL, "CHAMPION")
    with pytest.raises(MlflowException, match="Alias 'champion' does not exist"):
        registry.get_model_version_by_alias(MODEL, "champion")


@pytest.mark.shows("mlflow: versions are deleted with files and aliases, and no number comes twice", client="MLflow")
def test_a_deleted_version_takes_its_files_and_aliases(
    lakehouse: LocalWorkspace, registry: MlflowClient, logged: str
) -> None:
    registry.set_registered_model_alias(MODEL, "champion", "1")
    files = lakehouse.settings.models / "registry" / "gold" / "churn"
    assert (files / "1" / "MLmodel").exists()
    registry.delete_model_version(MODEL, "1")
    assert registry.get_registered_model(MODEL).aliases == {}
    assert not (files / "1").exists()
    assert mlflow.register_model(logged, MODEL).version == "2", "a number is given once"
    assert [version.version for version in registry.search_model_versions(f"name = '{MODEL}'")] == ["2"]


@pytest.fixture
def other(lakehouse: LocalWorkspace, client: WorkspaceClient) -> Iterator[tuple[str, str]]:
    """Name and token of a service principal that may enter the schema of the model, and owns nothing."""
    made = client.service_principals.create(display_name="other")
    name = made.application_id or ""
    entry = granted(lakehouse, name, "USE_CATALOG", "catalog/registry")
    with entry, granted(lakehouse, name, "USE_SCHEMA", "schema/registry.gold"):
        yield name, lakehouse.token_of(name)
    client.service_principals.delete(made.id or "")


@contextmanager
def granted(cloud: LocalWorkspace, principal: str, privilege: str, place: str) -> Iterator[None]:
    """Grants a privilege on an object, written as `kind/name`, for the length of a block."""
    kind, _, name = place.partition("/")
    grants, one = cloud.client().grants, [Privilege(privilege)]
    grants.update(kind, name, changes=[PermissionsChange(principal=principal, add=one)])
    yield
    grants.update(kind, name, changes=[PermissionsChange(principal=principal, remove=one)])


def refused(change: Callable[[], object], reason: str) -> None:
    with pytest.raises((PermissionDenied, MlflowException), match=f"{reason} Routine or Model '{MODEL}'"):
        change()


@pytest.mark.shows("unity catalog: privilege MANAGE on registered models", client="databricks-sdk")
def test_a_model_is_changed_and_deleted_by_its_owner_or_who_manages_it(
    lakehouse: LocalWorkspace, registry: MlflowClient, other: tuple[str, str]
) -> None:
    name, token = other
    models = lakehouse.client(token).registered_models
    with mlflow_at(lakehouse.settings.workspace_url, token):
        itself = MlflowClient()
        refused(lambda: models.update(MODEL, comment="changed"), "does not have MANAGE on")
        refused(lambda: models.delete(MODEL), "does not have MANAGE on")
        refused(lambda: itself.update_registered_model(MODEL, "changed"), "does not have MANAGE on")
        refused(lambda: itself.delete_registered_model(MODEL), "does not have MANAGE on")
        with granted(lakehouse, name, "MANAGE", "catalog/registry"):
            models.update(MODEL, comment="changed")
            itself.update_registered_model(MODEL, "managed")
            models.delete(MODEL)
    registry.create_registered_model(MODEL)


@pytest.mark.shows("unity catalog: only the owner of a model changes aliases and versions", client="databricks-sdk")
def test_aliases_and_versions_are_the_owners(
    lakehouse: LocalWorkspace, client: WorkspaceClient, registry: MlflowClient, other: tuple[str, str]
) -> None:
    name, token = other
    own = lakehouse.client(token)
    registry.set_registered_model_alias(MODEL, "champion", "1")
    with granted(lakehouse, name, "MANAGE", f"function/{MODEL}"), mlflow_at(lakehouse.settings.workspace_url, token):
        itself = MlflowClient()
        refused(lambda: own.registered_models.set_alias(MODEL, "challenger", 1), "is not an owner of")
        refused(lambda: own.registered_models.delete_alias(MODEL, "champion"), "is not an owner of")
        refused(lambda: own.model_versions.delete(MODEL, 1), "is not an owner of")
        refused(lambda: itself.set_registered_model_alias(MODEL, "challenger", "1"), "is not an owner of")
        refused(lambda: itself.delete_registered_model_alias(MODEL, "champion"), "is not an owner of")
        refused(lambda: itself.update_model_version(MODEL, "1", "changed"), "is not an owner of")
        refused(lambda: itself.delete_model_version(MODEL, "1"), "is not an owner of")
    client.registered_models.update(MODEL, owner=name)
    own.registered_models.set_alias(MODEL, "challenger", 1)
    own.registered_models.update(MODEL, owner="users")


@pytest.mark.shows("mlflow: privileges APPLY_TAG and CREATE_MODEL_VERSION on registered models", client="MLflow")
def test_tags_and_new_versions_need_a_privilege(
    lakehouse: LocalWorkspace, registry: MlflowClient, other: tuple[str, str], logged: str
) -> None:
    name, token = other
    with mlflow_at(lakehouse.settings.workspace_url, token):
        itself = MlflowClient()
        for privilege, grant, change in (
            ("APPLY_TAG", "APPLY_TAG", lambda: itself.set_registered_model_tag(MODEL, "team", "crm")),
            ("APPLY_TAG", "APPLY_TAG", lambda: itself.delete_registered_model_tag(MODEL, "team")),
            ("APPLY_TAG", "APPLY_TAG", lambda: itself.set_model_version_tag(MODEL, "1", "kind", "xgboost")),
            ("APPLY_TAG", "APPLY_TAG", lambda: itself.delete_model_version_tag(MODEL, "1", "kind")),
            ("CREATE_MODEL_VERSION", "ALL_PRIVILEGES", lambda: itself.create_model_version(MODEL, logged)),
        ):
            refused(change, f"does not have {privilege.replace('_', ' ')} on")
            with granted(lakehouse, name, grant, f"function/{MODEL}"):
                change()
    assert registry.get_model_version(MODEL, "2").status == "READY"


@pytest.mark.shows("mlflow: descriptions and tags of models and versions", client="MLflow")
def test_descriptions_and_tags_are_changed(registry: MlflowClient) -> None:
    registry.update_model_version(MODEL, "1", "better")
    registry.set_model_version_tag(MODEL, "1", "kind", "xgboost")
    registry.delete_model_version_tag(MODEL, "1", "date")
    version = registry.get_model_version(MODEL, "1")
    assert (version.description, version.tags) == ("better", {"kind": "xgboost"})
    registry.update_registered_model(MODEL, "all")
    registry.set_registered_model_tag(MODEL, "team", "crm")
    assert (registry.get_registered_model(MODEL).description, registry.get_registered_model(MODEL).tags) == (
        "all",
        {"team": "crm"},
    )
    registry.delete_registered_model_tag(MODEL, "team")
    assert registry.get_registered_model(MODEL).tags == {}


@pytest.mark.shows("mlflow: limits of tags", client="MLflow")
@pytest.mark.parametrize(
    ("key", "value", "fault"),
    [
        ("kind", "x" * 1001, "its value has 1001 characters; allowed: 1000"),
        ("k" * 256, "x", "1 to 255 characters"),
        ("a.b", "x", "none of"),
        ("kind", " x", "neither begin nor end with a blank"),
    ],
)
def test_a_tag_beyond_the_limits_is_refused(registry: MlflowClient, key: str, value: str, fault: str) -> None:
    with pytest.raises(MlflowException, match=fault):
        registry.set_model_version_tag(MODEL, "1", key, value)


def test_a_version_has_fifty_tags_at_most(registry: MlflowClient) -> None:
    registry.set_model_version_tag(MODEL, "1", "kind", "x" * 1000)
    for number in range(48):
        registry.set_model_version_tag(MODEL, "1", f"tag{number}", "x")
    with pytest.raises(MlflowException, match="51 tags; an object has at most 50"):
        registry.set_model_version_tag(MODEL, "1", "further", "x")


@pytest.mark.shows("mlflow: a version without a signature is refused", client="MLflow")
def test_a_version_needs_a_signature(
    lakehouse: LocalWorkspace, client: WorkspaceClient, registry: MlflowClient
) -> None:
    unsigned = _log(client, "/Shared/unsigned", None)
    with pytest.raises(MlflowException, match="did not contain any signature metadata"):
        mlflow.register_model(unsigned, MODEL)
    with lakehouse.http() as http:  # as a client would that does not check it
        api = "/api/2.0/mlflow/unity-catalog/model-versions"
        made = http.post(f"{api}/create", json={"name": MODEL, "source": unsigned}).json()["model_version"]
        one = {"name": MODEL, "version": made["version"]}
        assert "has no file MLmodel" in http.post(f"{api}/finalize", json=one).json()["message"]
        client.files.upload(f"/Models/registry/gold/churn/{made['version']}/MLmodel", io.BytesIO(b"flavors: {}"))
        refused = http.post(f"{api}/finalize", json=one)
        assert (refused.status_code, "must be logged with a model signature" in refused.json()["message"]) == (
            400,
            True,
        )
    assert registry.get_model_version(MODEL, made["version"]).status == "PENDING_REGISTRATION"


@pytest.mark.shows("files: files of a version of a model, which stay as they are", client="databricks-sdk")
def test_the_files_of_a_version_stay_as_they_are(client: WorkspaceClient, registry: MlflowClient) -> None:
    folder = "/Models/registry/gold/churn/1"
    found = [entry.name for entry in client.files.list_directory_contents(folder)]
    assert "MLmodel" in found
    with pytest.raises(BadRequest, match="whose files stay as they are"):
        client.files.upload(f"{folder}/MLmodel", io.BytesIO(b"changed"), overwrite=True)
    with pytest.raises(BadRequest, match="whose files stay as they are"):
        client.files.delete(f"{folder}/MLmodel")
    with pytest.raises(NotFound, match="does not exist"):
        client.files.download("/Models/registry/gold/churn/9/MLmodel")


@pytest.mark.parametrize(
    ("use", "fault"),
    [
        (lambda client: client.transition_model_version_stage(MODEL, "1", "Production"), "unsupported"),
        (lambda client: client.get_latest_versions(MODEL), "unsupported"),
        (lambda client: client.create_registered_model("churn"), "specify all three levels"),
        (lambda client: client.create_registered_model("registry.none.churn"), "'registry.none' does not exist"),
        (lambda client: client.create_registered_model("Registry.gold.churn"), "already exists"),
        (
            lambda client: client.rename_registered_model(MODEL, "registry.gold.other"),
            "new_name of a model is not part",
        ),
        (lambda client: client.set_registered_model_alias(MODEL, "champion", "9"), "version '9' does not exist"),
        (lambda client: client.search_model_versions("tags.a = 'b'"), "filter is"),
        (lambda _: MlflowClient(registry_uri="databricks").search_registered_models(), "set_registry_uri"),
    ],
)
def test_what_unity_catalog_has_not_is_refused(
    registry: MlflowClient, use: Callable[[MlflowClient], object], fault: str
) -> None:
    with pytest.raises(MlflowException, match=fault):
        use(registry)


def test_each_message_of_the_protocol_is_read(lakehouse: LocalWorkspace) -> None:
    """Sends all fields that MLflow declares, about a model that does not exist; only known ones are refused."""
    routes = extract_api_info_for_service(UcModelRegistryService, _REST_API_PATH_PREFIX)
    refused = {}
    with lakehouse.http() as http:
        for message, (path, method) in routes.items():
            fields = message.DESCRIPTOR.fields
            sent: dict[str, object] = {field.name: [] for field in fields if field.is_repeated}
            sent |= {field.name: "1" for field in fields if field.type == field.TYPE_STRING and not field.is_repeated}
            sent |= {"name": "none.none.none"} if "name" in sent else {}
            answer = http.request(method, path, **({"params": sent} if method == "GET" else {"json": sent}))
            assert "unknown field" not in answer.text, message
            if answer.status_code == 501:
                refused[message.DESCRIPTOR.name] = answer.json()["message"]
    assert set(refused) == {
        "CreateRegisteredModelRequest",  # deployment_job_id
        "CreateModelVersionRequest",  # feature_deps
        "UpdateRegisteredModelRequest",  # new_name
        "GenerateTemporaryModelVersionCredentialsRequest",
    }
