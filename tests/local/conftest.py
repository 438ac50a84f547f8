"""Local clouds for tests: each has a temporary home, free ports and its own processes."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx
import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.service.catalog import AwsIamRoleRequest

from local.engine.environment import engine_environment
from local.settings import LocalSettings
from local.workspace.core.context import Workspace
from local.workspace.core.store import Store
from tests.ports import free_base_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@dataclass
class LocalWorkspace:
    """A workspace with its processes, which a test starts and stops."""

    settings: LocalSettings
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self) -> None:
        """Starts the workspace and waits until it answers."""
        self._run("workspace", [sys.executable, "-m", "local.workspace"])
        _wait(lambda: httpx.get(f"{self.settings.workspace_url}/api/2.0/preview/scim/v2/Me").status_code == 401, self)

    def start_mlflow(self) -> None:
        artifacts = self.settings.home / "artifacts"
        command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--workers", "1"]
        command += ["--port", str(self.settings.mlflow_port), "--serve-artifacts"]
        command += ["--backend-store-uri", f"sqlite:///{self.settings.home / 'mlflow.db'}"]
        command += ["--artifacts-destination", str(artifacts)]
        self._run("mlflow", command)
        _wait(lambda: httpx.get(f"{self.settings.mlflow_url}/health").status_code == 200, self)

    def start_spark(self) -> None:
        self._run("spark", [sys.executable, "-m", "local.spark", "serve"])

        def answers() -> bool:
            with socket.create_connection(("127.0.0.1", self.settings.spark_port), timeout=1):
                return True

        _wait(answers, self)

    def stop(self, *names: str) -> None:
        """Ends the processes of these names, or all, and waits for them."""
        for name in names or list(self.processes):
            process = self.processes.pop(name)
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def kill(self, name: str) -> None:
        """Kills a process, as a crash would."""
        process = self.processes.pop(name)
        process.kill()
        process.wait()

    @property
    def token(self) -> str:
        """The administrator's token."""
        return self.settings.admin_token.read_text()

    def client(self, token: str | None = None) -> WorkspaceClient:
        """The official client, with the administrator's token or another."""
        return WorkspaceClient(host=self.settings.workspace_url, token=token or self.token, auth_type="pat")

    def token_of(self, name: str) -> str:
        """The token that a job of a principal gets, read from the store, as no route answers it."""
        store = Store(self.settings.home / "workspace.sqlite")
        try:
            return Workspace(self.settings, store).token_for(name)
        finally:
            store.close()

    def root_metastore(self, url: str) -> None:
        """Gives the metastore a storage root, as some have from their beginning; no route changes it."""
        store = Store(self.settings.home / "workspace.sqlite")
        try:
            Workspace(self.settings, store).metastore_root = url
        finally:
            store.close()

    def storage(self, bucket: str = "tests") -> str:
        """URL of an external location, which is made at the first call; AWS is not asked for its bucket."""
        client, url = self.client(), f"s3://{bucket}"
        if bucket not in {location.name for location in client.external_locations.list()}:
            role = AwsIamRoleRequest("arn:aws:iam::123456789012:role/tests")
            client.storage_credentials.create(bucket, aws_iam_role=role)
            client.external_locations.create(bucket, url, bucket, skip_validation=True)
        return url

    def catalog(self, name: str) -> None:
        """Makes a catalog."""
        self.client().catalogs.create(name, storage_root=self.storage())

    def http(self) -> httpx.Client:
        """A plain client with the administrator's token, for requests that the official one would not send."""
        headers = {"Authorization": f"Bearer {self.token}"}
        return httpx.Client(base_url=self.settings.workspace_url, headers=headers, timeout=60)

    def log(self, name: str) -> str:
        return (self.settings.logs / f"{name}.log").read_text()

    def _run(self, name: str, command: list[str]) -> None:
        self.settings.logs.mkdir(parents=True, exist_ok=True)
        environment = os.environ | {
            "PLATFORM_HOME": str(self.settings.home),
            "PLATFORM_PORT": str(self.settings.port),
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        }
        with (self.settings.logs / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(command, stdout=log, stderr=log, env=environment)


def _wait(ready: object, cloud: LocalWorkspace, seconds: float = 120) -> None:
    assert callable(ready)
    end = time.monotonic() + seconds
    while True:
        for name, process in cloud.processes.items():
            assert process.poll() is None, f"{name} ended with {process.returncode}: {cloud.log(name)[-3000:]}"
        try:
            if ready():
                return
        except (OSError, httpx.TransportError):
            pass
        assert time.monotonic() < end, f"nothing answers after {seconds} s"
        time.sleep(0.1)


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalWorkspace]:
    """A workspace without Spark and MLflow, for the areas that need neither."""
    with opened(tmp_path_factory.mktemp("workspace")) as cloud:
        yield cloud


@pytest.fixture(scope="session")
def lakehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalWorkspace]:
    """A workspace with Spark and MLflow."""
    with opened(tmp_path_factory.mktemp("lakehouse"), "spark", "mlflow") as cloud:
        yield cloud


@contextmanager
def opened(home: Path, *services: str) -> Iterator[LocalWorkspace]:
    """A workspace, with Spark and MLflow where they are named, until the block ends."""
    cloud = LocalWorkspace(LocalSettings(home, free_base_port()))
    try:
        if "spark" in services:
            cloud.settings.tables.mkdir(parents=True)
            cloud.start_spark()
        if "mlflow" in services:
            cloud.start_mlflow()
        cloud.start()
        if "spark" in services:
            cloud.storage()
        yield cloud
    finally:
        cloud.stop()


@pytest.fixture
def pulumi(
    lakehouse: LocalWorkspace, tmp_path: Path, request: pytest.FixtureRequest
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs `pulumi` on a copy of the program in the folder PROGRAM of the test's module."""
    folder = shutil.copytree(request.module.PROGRAM, tmp_path / "program")
    state = tmp_path / "state"
    state.mkdir()
    environment = os.environ | engine_environment(lakehouse.settings) | {"PULUMI_BACKEND_URL": f"file://{state}"}

    def run(*arguments: str, fails: bool = False) -> subprocess.CompletedProcess[str]:
        command = ["pulumi", *arguments, "--non-interactive"]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=600)
        assert (done.returncode != 0) == fails, done.stdout + done.stderr
        return done

    run("stack", "init", "proof")
    run("config", "set", "host", lakehouse.settings.workspace_url)
    run("config", "set", "--secret", "token", lakehouse.token)
    return run
