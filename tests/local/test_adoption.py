"""The real engine and the real provider on a workspace whose answers get lost: what `infra.adoption` makes good."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from infra.adoption.adoption import adopt
from infra.adoption.cloud import Deployer
from infra.adoption.engine import AdoptionError, Engine
from local.engine import engine_environment
from local.faults import Fault
from tests.adoption import adopt_as_told

if TYPE_CHECKING:
    from collections.abc import Callable

    from databricks.sdk import WorkspaceClient

    from tests.local.conftest import LocalWorkspace

    Pulumi = Callable[..., subprocess.CompletedProcess[str]]

PROGRAM = Path(__file__).parent / "programs" / "interrupted"
POLICY = json.dumps({"spark_version": {"type": "fixed", "value": "17.3.x-scala2.13"}})
UPS = 12  # at most, until one ends well
DEPLOYER = Deployer(frozenset({"admin@churn.local"}), "00000000-0000-0000-0000-000000000000")


@pytest.fixture
def engine(lakehouse: LocalWorkspace, pulumi: Pulumi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """The engine in the environment of a person who deploys."""
    state = {"PULUMI_BACKEND_URL": f"file://{tmp_path / 'state'}"}
    own = {"DATABRICKS_TOKEN": lakehouse.token, "DATABRICKS_AUTH_TYPE": "pat"}
    for name, value in (engine_environment(lakehouse.settings) | state | own).items():
        monkeypatch.setenv(name, value)
    folder = tmp_path / "program"
    return Engine("proof", folder / "Pulumi.proof.yaml", folder)


def names(client: WorkspaceClient) -> list[str]:
    """Every object that the program makes, as the workspace has it; one that is there twice stands twice."""
    return sorted(
        [
            *(f"principal {each.display_name}" for each in client.service_principals.list()),
            *(f"group {each.display_name}" for each in client.groups.list()),
            *(f"catalog {each.name}" for each in client.catalogs.list()),
            *(f"policy {each.name}" for each in client.cluster_policies.list()),
            *(f"warehouse {each.name}" for each in client.warehouses.list()),
            *(f"scope {each.name}" for each in client.secrets.list_scopes()),
            *(f"job {each.settings.name}" for each in client.jobs.list() if each.settings),
            *(f"pipeline {each.name}" for each in client.pipelines.list_pipelines()),
            *(f"path {each.path}" for each in client.workspace.list("/", recursive=True)),
        ]
    )


MADE = [
    "catalog lost",
    "group lost-team",
    "job lost",
    "path /lost/experiment",
    "path /lost/file.txt",
    "pipeline lost",
    "policy lost",
    "principal lost-runner",
    "scope lost",
    "warehouse lost",
]


@pytest.mark.shows("engine: what lost answers have made is taken into the state", client="Databricks provider")
def test_lost_answers_leave_nothing_behind(lakehouse: LocalWorkspace, pulumi: Pulumi, engine: Engine) -> None:
    """At each `up` one request in ten is done, and the connection ends before the answer."""
    client, before = lakehouse.client(), names(lakehouse.client())
    lost = client.cluster_policies.create(name="lost", definition=POLICY)  # one that is lost for certain
    known: set[str] = set()
    try:
        for seed in range(UPS):
            ask = {"rate": 0.1, "seed": seed, "kinds": [Fault.LOST_ANSWER]}
            lakehouse.settings.faults.write_text(json.dumps(ask))
            ended_well, output = _up(engine)
            lakehouse.settings.faults.unlink()
            if ended_well:
                break
            assert adopt_as_told(engine, DEPLOYER) == [], output
            known |= {each.get("id", "") for each in engine.export()["deployment"]["resources"]}
        else:
            pytest.fail(f"no `up` has ended well in {UPS}: {output}")
        assert str(lost.policy_id) in known
        assert adopt(engine, DEPLOYER) == []
        pulumi("up", "--yes", "--skip-preview")
        pulumi("preview", "--refresh", "--expect-no-changes")
        assert names(client) == sorted([*before, *MADE])
    finally:
        lakehouse.settings.faults.unlink(missing_ok=True)
        pulumi("destroy", "--yes", "--skip-preview")
    assert names(client) == before


def test_what_somebody_else_has_made_is_left_alone(lakehouse: LocalWorkspace, pulumi: Pulumi, engine: Engine) -> None:
    client = lakehouse.client()
    theirs = client.groups.create(display_name="lost-team", external_id="idp-1")
    try:
        pulumi("up", "--yes", "--skip-preview", fails=True)
        (taken,) = adopt(engine, DEPLOYER)
        assert taken.startswith(f"Group {theirs.id}, for team: received an object of an identity provider")
        assert "remedy: remove or rename it, or import it yourself" in taken
        client.groups.delete(str(theirs.id))
        theirs = client.groups.create(display_name="lost-team")  # as the stack would make it
        for _ in range(2):
            (unsure,) = adopt(engine, DEPLOYER)
            assert unsure.endswith("if this stack has made it: platform adopt proof --mine team")
        assert adopt(engine, DEPLOYER, ["team"]) == []
        assert theirs.id in {each.get("id") for each in engine.export()["deployment"]["resources"]}
    finally:
        client.groups.delete(str(theirs.id))
        pulumi("destroy", "--yes", "--skip-preview")


def test_a_lock_is_taken_from_the_dead_alone(pulumi: Pulumi, engine: Engine, tmp_path: Path) -> None:
    pulumi("up", "--yes", "--skip-preview", "--target", "urn:pulumi:proof::proof::pulumi:pulumi:Stack::proof-proof")
    holder = {
        "pid": os.getpid(),
        "username": "ann",
        "hostname": os.uname().nodename,
        "timestamp": "2026-01-01T00:00:00Z",
    }
    lock = tmp_path / "state" / ".pulumi" / "locks" / "organization" / "proof" / "proof" / "held.json"
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.write_text(json.dumps(holder))
    with pytest.raises(AdoptionError, match=r"whoever holds the lock may live(.|\n)*`pulumi cancel` takes"):
        adopt(engine, DEPLOYER)
    lock.write_text(json.dumps(holder | {"hostname": "elsewhere", "pid": 2**22 - 1}))
    with pytest.raises(AdoptionError, match="whoever holds the lock may live"):
        adopt(engine, DEPLOYER)
    lock.write_text(json.dumps(holder | {"pid": 2**22 - 1}))
    assert adopt(engine, DEPLOYER) == []
    assert not lock.exists()


def _up(engine: Engine) -> tuple[bool, str]:
    """Whether a deployment has ended well, and what it said."""
    command = ["pulumi", "up", "--yes", "--skip-preview", "--non-interactive"]
    done = subprocess.run(command, cwd=engine.folder, capture_output=True, check=False, text=True)
    return done.returncode == 0, done.stdout + done.stderr
