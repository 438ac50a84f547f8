"""Explanations of refusals in the engine's output, as it was seen."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from cli.errors import CommandError
from cli.programs import run_logged
from cli.remedies import REMEDIES, explained

if TYPE_CHECKING:
    from pathlib import Path

OUTPUT = """\
Updating (proof):

Diagnostics:
  databricks:index:Credential (kafka):
    error:   sdk-v2/provider2.go:571: sdk.helper_schema: cannot create credential: {cause}: provider=databricks@1.104.0
    error: 1 error occurred:
    \t* cannot create credential: {cause}

  pulumi:pulumi:Stack (workspace-proof):
    error: update failed

Resources:
    8 errored
"""
GOES_ON = "What was made until then is kept: the next deployment goes on from there."


@pytest.mark.parametrize(
    ("cause", "remedy"),
    [
        ("default auth: cannot configure default credentials", "the credentials are missing, wrong or too old"),
        ("Invalid access token.", "the credentials are missing, wrong or too old"),
        (
            "User does not have CREATE SERVICE CREDENTIAL on Metastore 'churn'.",
            (
                "who owns Metastore 'churn', or holds MANAGE on it, runs: GRANT CREATE SERVICE CREDENTIAL ON Metastore "
                "'churn' TO the deployer"
            ),
        ),
        ("User is not an owner of Routine or Model 'a.b.c'.", "who owns Routine or Model 'a.b.c' changes it"),
        ("Cannot create 1 Schema(s) in Catalog churn (estimated count: 10, limit: 10).", "the quota is reached"),
        ("Storage configuration limit exceeded, only 50 are allowed", "the quota is reached"),
        ("Credential 'kafka' already exists", "the name is taken by an object that this stack did not make"),
        ("BucketAlreadyExists: the requested bucket name is not available", "the name is taken by an object"),
    ],
)
def test_a_refusal_is_explained_once_with_object_cause_and_remedy(cause: str, remedy: str) -> None:
    first, second, last = explained(OUTPUT.format(cause=cause)).splitlines()
    assert first == f"Credential kafka: cannot create credential: {cause}"
    assert second.startswith(f"  remedy: {remedy}")
    assert last == GOES_ON


def test_what_is_not_known_is_not_explained() -> None:
    assert explained(OUTPUT.format(cause="the moon is full")) == ""
    assert explained("already exists, said a log before the list of diagnostics") == ""


@pytest.mark.parametrize(("cause", "status"), [("Credential 'kafka' already exists", 1), ("the moon is full", 0)])
def test_what_another_engine_says_is_passed_on_and_explained(cause: str, status: int) -> None:
    """As in `pulumi up --yes 2>&1 | platform explain`."""
    said = OUTPUT.format(cause=cause)
    command = [sys.executable, "-c", "from cli.main import main; main()", "explain"]
    done = subprocess.run(command, input=said, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (status, said), done.stderr
    assert ("remedy: the name is taken" in done.stderr) == bool(status)


def test_each_remedy_is_of_one_kind_of_refusal() -> None:
    assert len({remedy.text for remedy in REMEDIES}) == len(REMEDIES)


def test_the_explanation_ends_the_error_of_a_command(tmp_path: Path) -> None:
    said = OUTPUT.format(cause="Credential 'kafka' already exists")
    command = [sys.executable, "-c", f"print({said!r}); raise SystemExit(1)"]
    with pytest.raises(CommandError) as raised:
        run_logged(command, tmp_path / "log", lambda _: None, remedy=explained)
    assert str(raised.value).endswith(explained(said))
