"""Adoption by the real engine and the real provider: what others have made, and locks."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from infra.adoption.adoption import adopt
from infra.adoption.cloud import Deployer
from infra.adoption.engine import AdoptionError, Engine
from local.engine import engine_environment

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from tests.local.conftest import LocalWorkspace

    Pulumi = Callable[..., subprocess.CompletedProcess[str]]

PROGRAM = Path(__file__).parent / "programs" / "interrupted"
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


def test_what_somebody_else_has_made_is_left_alone(lakehouse: LocalWorkspace, pulumi: Pulumi, engine: Engine) -> None:
    client = lakehouse.client()
    theirs = client.groups.create(display_name="lost-team", external_id="idp-1")
    try:
        pulumi("up", "--yes", "--skip-preview", fails=True)
        (taken,) = adopt(engine, DEPLOYER)
        assert taken.startswith(f"Group {theirs.id}, for team: received an object of an identity provider")
        assert "remedy: remove or rename it, or import it yourself" in taken
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
