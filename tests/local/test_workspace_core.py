"""Common parts of all routes: tokens, checks of requests, errors, state, and the start of the workspace."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest
from databricks.sdk.errors import (
    BadRequest,
    NotFound,
    NotImplemented,  # noqa: A004 (the SDK's name)
    Unauthenticated,
)
from databricks.sdk.service import catalog, compute, dashboards, jobs
from databricks.sdk.service import workspace as workspace_sdk

from local.workspace.core.errors import ApiError
from local.workspace.core.requests import body, checked
from local.workspace.core.store import Store

if TYPE_CHECKING:
    from pathlib import Path

    from tests.local.conftest import LocalWorkspace


@pytest.mark.shows("api: bearer tokens; a wrong one is a 401", client="databricks-sdk")
def test_a_missing_or_unknown_token_is_a_401(workspace: LocalWorkspace) -> None:
    with pytest.raises(Unauthenticated, match="no valid bearer token"):
        workspace.client(token="dapi-unknown").current_user.me()
    with workspace.http() as client:
        assert client.get("/api/2.0/secrets/scopes/list", headers={"Authorization": ""}).status_code == 401


@pytest.mark.shows("api: what is not built is a 501 that names itself", client="databricks-sdk")
def test_an_unknown_route_is_a_501_that_names_it(workspace: LocalWorkspace) -> None:
    with pytest.raises(NotImplemented, match=r"GET /api/2\.1/unity-catalog/shares is not part of the local workspace"):
        list(workspace.client().shares.list_shares())
    with workspace.http() as client:
        answer = client.put("/api/2.0/secrets/list")
    assert answer.status_code == 501
    assert answer.json()["message"].startswith("PUT /api/2.0/secrets/list")


@pytest.mark.shows("api: an unknown field is a 400 that names it", client="httpx")
def test_an_unknown_field_is_a_400_that_names_it(workspace: LocalWorkspace) -> None:
    with workspace.http() as client:
        answer = client.post("/api/2.0/secrets/scopes/create", json={"scope": "s", "colour": "red"})
    assert answer.status_code == 400
    assert answer.json()["error_code"] == "INVALID_PARAMETER_VALUE"
    assert "unknown field colour" in answer.json()["message"]


def test_a_body_that_is_no_json_is_a_400(workspace: LocalWorkspace) -> None:
    with workspace.http() as client:
        answer = client.post("/api/2.0/secrets/scopes/create", content=b"{")
    assert (answer.status_code, answer.json()["error_code"]) == (400, "MALFORMED_REQUEST")


@pytest.mark.shows("api: Databricks' error codes, which the SDK maps to its exceptions", client="databricks-sdk")
def test_a_missing_object_has_databricks_error_code(workspace: LocalWorkspace) -> None:
    client = workspace.client()
    with pytest.raises(NotFound, match="does not exist") as raised:
        client.cluster_policies.get("0")
    assert raised.value.error_code == "RESOURCE_DOES_NOT_EXIST"
    with pytest.raises(NotFound) as raised:
        client.catalogs.get("nowhere")
    assert raised.value.error_code == "CATALOG_DOES_NOT_EXIST"


@pytest.mark.shows("api: objects outlive a restart of the workspace", client="databricks-sdk")
def test_state_survives_a_restart(workspace: LocalWorkspace) -> None:
    client = workspace.client()
    me = client.current_user.me()
    client.secrets.create_scope("kept")
    client.secrets.put_secret("kept", "key", string_value="value")
    policy = client.cluster_policies.create(name="kept", definition="{}")
    client.workspace.upload("/Shared/kept.txt", b"kept", format=workspace_sdk.ImportFormat.AUTO)
    token = workspace.token

    workspace.stop("workspace")
    workspace.start()

    assert workspace.token == token
    assert client.current_user.me() == me
    assert client.dbutils.secrets.get("kept", "key") == "value"
    assert client.cluster_policies.get(policy.policy_id).name == "kept"
    assert client.workspace.download("/Shared/kept.txt").read() == b"kept"


def test_what_holds_tokens_is_for_the_owner_alone(workspace: LocalWorkspace) -> None:
    for path in (workspace.settings.admin_token, workspace.settings.home / "workspace.sqlite"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_taken_port_is_one_clear_line(workspace: LocalWorkspace, tmp_path: Path) -> None:
    environment = os.environ | {"PLATFORM_HOME": str(tmp_path), "PLATFORM_PORT": str(workspace.settings.port)}
    done = subprocess.run(
        [sys.executable, "-m", "local.workspace"], env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert f"127.0.0.1:{workspace.settings.port}: Address already in use" in line
    assert "PLATFORM_PORT" in line


@pytest.mark.parametrize(
    "program",
    [["local.workspace"], ["local.spark", "serve"], ["local.aws", "serve"]],
    ids=["workspace", "spark", "aws"],
)
def test_a_wrong_setting_is_one_clear_line(program: list[str]) -> None:
    environment = os.environ | {"PLATFORM_PORT": "many"}
    done = subprocess.run(
        [sys.executable, "-m", *program], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert done.stderr == "PLATFORM_PORT is 'many': set it to a whole number from 1024 to 65501\n"


@pytest.mark.parametrize(
    ("sdk", "sent", "message"),
    [
        (catalog.CatalogsAPI.create, b'{"name": 7}', "name must be a string, not 7"),
        (catalog.CatalogsAPI.create, b"{}", "missing field name"),
        (catalog.CatalogsAPI.create, b"[]", "the body must be an object"),
        (catalog.VolumesAPI.create, b'{"volume_type": "BIG"}', "volume_type is 'BIG'; allowed: EXTERNAL, MANAGED"),
        (jobs.JobSettings, b'{"tasks": [{"task_key": "a", "depend_on": []}]}', r"unknown field tasks\[0\].depend_on"),
        (jobs.JobSettings, b'{"tasks": {}}', "tasks must be a list"),
        (jobs.JobSettings, b'{"max_concurrent_runs": true}', "max_concurrent_runs must be a whole number, not true"),
        (compute.ClusterSpec, b'{"spark_conf": {"a": 1}}', "spark_conf.a must be a string, not 1"),
        (dashboards.Dashboard, b'{"displayName": "x"}', "unknown field displayName"),
    ],
)
def test_a_wrong_body_is_refused_with_its_path(sdk: type, sent: bytes, message: str) -> None:
    with pytest.raises(ApiError, match=message) as raised:
        checked(sent, sdk)
    assert raised.value.status == 400


def test_a_right_body_passes_without_its_nulls() -> None:
    sent = b'{"name": "a", "timeout_seconds": "60", "description": null, "tasks": [{"task_key": "t"}]}'
    assert checked(sent, jobs.JobSettings) == {"name": "a", "timeout_seconds": 60, "tasks": [{"task_key": "t"}]}


def test_fields_of_another_client_are_named_where_they_are_allowed() -> None:
    assert checked(b'{"path": "/a", "x": "y"}', workspace_sdk.WorkspaceAPI.mkdirs, {"x": str}) == {
        "path": "/a",
        "x": "y",
    }


def test_a_method_without_a_body_describes_none() -> None:
    with pytest.raises(TypeError, match="sends no body"):
        body(catalog.CatalogsAPI.get)


def test_the_store_keeps_order_and_undoes_what_fails(tmp_path: Path) -> None:
    store = Store(tmp_path / "state")
    for key in ("b", "a"):
        store.put("kind", key, {"key": key})
    store.put("kind", "b", {"key": "new"})

    def fail() -> None:
        with store.transaction():
            store.delete("kind", "a")
            with store.transaction():
                store.put("kind", "c", {})
            raise ValueError("on purpose")

    with pytest.raises(ValueError, match="on purpose"):
        fail()
    assert store.items("kind") == [("b", {"key": "new"}), ("a", {"key": "a"})]
    assert store.items("kind", "a") == [("a", {"key": "a"})]


def test_ids_are_never_given_twice(tmp_path: Path) -> None:
    store = Store(tmp_path / "state")
    given: list[int] = []
    threads = [threading.Thread(target=lambda: given.extend(store.next_id("k") for _ in range(50))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store.close()
    given.append(Store(tmp_path / "state").next_id("k"))
    assert len(set(given)) == 201
    assert all(2**48 < identifier < 2**53 for identifier in given)


def test_a_bad_request_says_what_is_known(workspace: LocalWorkspace) -> None:
    with pytest.raises(BadRequest, match=r"definition\.cluster_type\.type is 'fix'; allowed: allowlist"):
        workspace.client().cluster_policies.create(name="p", definition='{"cluster_type": {"type": "fix"}}')
