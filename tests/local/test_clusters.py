"""Clusters through the official SDK, against a running workspace with Spark."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from databricks.sdk.errors import BadRequest, NotFound
from databricks.sdk.service import compute

from local.settings import LocalSettings
from local.workspace.compute import clusters
from local.workspace.core.context import Workspace
from local.workspace.core.store import Store
from tests.ports import free_base_port

if TYPE_CHECKING:
    from pathlib import Path

    from tests.local.conftest import LocalWorkspace

MINUTE = timedelta(minutes=1)


@pytest.mark.shows("compute: clusters are created, edited, stopped, started and deleted", client="databricks-sdk")
def test_a_cluster_is_created_stopped_started_and_deleted(lakehouse: LocalWorkspace) -> None:
    clusters = lakehouse.client().clusters
    version, node = clusters.select_spark_version(latest=True, scala="2.13"), clusters.select_node_type(min_cores=2)
    before = {cluster.cluster_id for cluster in clusters.list()}
    created = clusters.create(version, cluster_name="one", node_type_id=node, num_workers=1).result(MINUTE)
    assert created.state is compute.State.RUNNING
    assert {cluster.cluster_id for cluster in clusters.list()} - before == {created.cluster_id}
    clusters.edit(created.cluster_id, version, cluster_name="two", num_workers=0, spark_conf={"a": "b"}).result(MINUTE)
    edited = clusters.get(created.cluster_id)
    assert (edited.cluster_name, edited.spark_conf, edited.creator_user_name) == (
        "two",
        {"a": "b"},
        "admin@churn.local",
    )
    assert clusters.delete(created.cluster_id).result(MINUTE).state is compute.State.TERMINATED
    assert clusters.start(created.cluster_id).result(MINUTE).state is compute.State.RUNNING
    with pytest.raises(BadRequest, match="unexpected state RUNNING"):
        clusters.start(created.cluster_id)
    clusters.permanent_delete(created.cluster_id)
    with pytest.raises(NotFound, match="does not exist"):
        clusters.get(created.cluster_id)
    assert {cluster.cluster_id for cluster in clusters.list()} == before


def test_wrong_settings_are_refused_by_name(lakehouse: LocalWorkspace) -> None:
    with lakehouse.http() as client:
        for sent, named in [
            ({"spark_version": "x", "spark_config": {}}, "spark_config"),
            ({"spark_version": "x", "policy_id": "none"}, "policy_id"),
            ({"num_workers": 1}, "spark_version"),
        ]:
            answer = client.post("/api/2.1/clusters/create", json=sent)
            assert answer.status_code == 400
            assert named in answer.json()["message"]


def test_a_cluster_does_not_run_without_spark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = Workspace(LocalSettings(tmp_path, free_base_port()), Store(tmp_path / "workspace.sqlite"))
    workspace.store.put("clusters", "one", {"state": "PENDING"})
    monkeypatch.setattr(clusters, "START_SECONDS", 0)
    clusters._follow(workspace, "one")  # looks at Spark, and returns when the cluster runs or has ended
    found = workspace.store.get("clusters", "one")
    assert found is not None
    assert (found["state"], found["termination_reason"]["code"]) == ("TERMINATED", "SPARK_STARTUP_FAILURE")
    assert "does not answer" in found["state_message"]
