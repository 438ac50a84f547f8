"""MLflow experiments as objects of the workspace."""

from __future__ import annotations

from typing import TYPE_CHECKING

import mlflow
import pytest
from databricks.sdk.errors import BadRequest, NotFound, ResourceAlreadyExists

from tests.mlflow_client import mlflow_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from databricks.sdk import WorkspaceClient

    from tests.local.conftest import LocalWorkspace

FOLDER = "/Shared/experiments"


@pytest.fixture
def client(lakehouse: LocalWorkspace) -> Iterator[WorkspaceClient]:
    """The official client, with a folder for the test, which is deleted afterwards."""
    client = lakehouse.client()
    client.workspace.mkdirs(FOLDER)
    yield client
    client.workspace.delete(FOLDER, recursive=True)


def names(client: WorkspaceClient) -> set[str | None]:
    """Experiments in MLflow itself."""
    return {experiment.name for experiment in client.experiments.search_experiments(max_results=1000)}


def paths(client: WorkspaceClient) -> list[str]:
    return sorted(entry.path or "" for entry in client.workspace.list(FOLDER))


@pytest.mark.shows("mlflow: experiments lie in folders of the workspace", client="databricks-sdk")
@pytest.mark.shows("mlflow: experiments, runs and metrics", client="MLflow")
def test_an_experiment_lies_in_its_folder_by_either_client(lakehouse: LocalWorkspace, client: WorkspaceClient) -> None:
    made = client.experiments.create_experiment(f"{FOLDER}/one").experiment_id
    with mlflow_at(lakehouse.settings.workspace_url, lakehouse.token):
        assert mlflow.set_experiment(f"{FOLDER}/one").experiment_id == made
        mlflow.set_experiment(f"{FOLDER}/two")
        with mlflow.start_run(experiment_id=made):
            mlflow.log_metric("auc", 0.85)
    assert paths(client) == [f"{FOLDER}/one", f"{FOLDER}/two"]
    assert client.workspace.get_status(f"{FOLDER}/one").resource_id == made

    client.experiments.update_experiment(made or "", new_name=f"{FOLDER}/renamed")
    assert paths(client) == [f"{FOLDER}/renamed", f"{FOLDER}/two"]
    assert names(client) >= {f"{FOLDER}/renamed", f"{FOLDER}/two"}


@pytest.mark.shows("mlflow: a deleted experiment frees its path", client="databricks-sdk")
def test_a_deleted_experiment_frees_its_path(client: WorkspaceClient) -> None:
    first = client.experiments.create_experiment(f"{FOLDER}/again").experiment_id or ""
    client.experiments.delete_experiment(first)
    assert paths(client) == []
    second = client.experiments.create_experiment(f"{FOLDER}/again").experiment_id
    assert second != first
    with pytest.raises(NotFound, match=f"Experiment with ID {first} does not exist"):
        client.experiments.delete_experiment(first)


@pytest.mark.shows("mlflow: a deleted folder takes its experiments along", client="databricks-sdk")
def test_a_folder_takes_its_experiments_along(client: WorkspaceClient) -> None:
    client.experiments.create_experiment(f"{FOLDER}/inside")
    client.workspace.delete(FOLDER, recursive=True)
    client.workspace.mkdirs(FOLDER)
    assert f"{FOLDER}/inside" not in names(client)


def test_names_that_cannot_be(client: WorkspaceClient) -> None:
    with pytest.raises(BadRequest, match="write an absolute path in the workspace, such as /Shared/churn"):
        client.experiments.create_experiment("churn")
    with pytest.raises(NotFound, match=r"The parent folder \(/Shared/none\) does not exist"):
        client.experiments.create_experiment("/Shared/none/churn")
    client.experiments.create_experiment(f"{FOLDER}/taken")
    with pytest.raises(ResourceAlreadyExists):
        client.experiments.create_experiment(f"{FOLDER}/taken")


def test_permissions_of_an_experiment(client: WorkspaceClient) -> None:
    made = client.experiments.create_experiment(f"{FOLDER}/shared").experiment_id or ""
    users = {"group_name": "users", "permission_level": "CAN_READ"}
    client.api_client.do("PUT", f"/api/2.0/permissions/experiments/{made}", body={"access_control_list": [users]})
    shown = client.permissions.get("experiments", made)
    assert shown.object_type == "mlflowExperiment"
    assert {entry.group_name for entry in shown.access_control_list or []} == {"users", "admins"}
    with pytest.raises(NotFound, match="experiments 404 does not exist"):
        client.permissions.get("experiments", "404")
