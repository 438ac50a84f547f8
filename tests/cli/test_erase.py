"""`platform erase`: what it asks for, refuses, and says of the outcome."""

from __future__ import annotations

import base64
import json
from types import SimpleNamespace
from typing import Any
from unittest.mock import create_autospec

import pytest
from databricks.sdk import WorkspaceClient

from churn.erasure.requests import PREFIX, pending
from cli import erase as erasure
from cli.errors import CommandError

OUTPUTS: dict[str, Any] = {
    "catalog": "churn_dev",
    "warehouse_id": "w",
    "erasure_scope": "churn-dev-erasure",
    "job_ids": {"churn_daily": "1", "churn_erase": "2"},
}


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A workspace whose secrets are kept, and whose job succeeds."""
    kept: dict[str, str] = {}
    made = create_autospec(WorkspaceClient, instance=True)
    made.current_user.me.return_value = SimpleNamespace(user_name="clerk@churn.local")
    made.jobs.list_runs.return_value = iter([])
    made.secrets.put_secret.side_effect = lambda _, key, string_value: kept.update({key: string_value})
    made.secrets.list_secrets.side_effect = lambda _: [SimpleNamespace(key=key) for key in kept]
    made.kept = kept
    monkeypatch.setattr(erasure, "follow", lambda _, job, *__: kept.clear() if job == "2" else None)
    monkeypatch.setattr(erasure, "rows", lambda *_: [["the hash", None, None, "0"]])
    return made


def test_the_request_is_a_secret_that_the_task_reads(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasure, "follow", lambda *_: None)
    said = erasure.erase(client, OUTPUTS, " 7590-VHVEG ")
    [(name, text)] = client.kept.items()
    assert name.startswith(PREFIX)
    assert json.loads(text) == {"customer": "7590-VHVEG", "requested_by": "clerk@churn.local"}
    assert "not done: files in landing name the customer" in said[-1]
    client.secrets.get_secret.return_value = SimpleNamespace(value=base64.b64encode(text.encode()))
    [request] = pending(client, "churn-dev-erasure")
    assert (request.name, request.customer, request.requested_by) == (name, "7590-VHVEG", "clerk@churn.local")


def test_an_unknown_customer_is_said_to_be_kept_out(client: Any) -> None:
    assert erasure.erase(client, OUTPUTS, "nobody") == [
        "recorded in mlops.erasures as the hash",
        "  no row was found under this id; what comes under it later is kept out",
    ]


def test_places_are_listed_with_rows_or_files() -> None:
    found = [["the hash", "bronze.customer", "3", "2"], ["the hash", "bronze.quarantine", None, "2"]]
    assert erasure.lines(found, left=False)[1:] == [
        "  bronze.customer                  3 rows",
        "  bronze.quarantine                2 files",
    ]


@pytest.mark.parametrize(
    ("customer", "outputs", "active", "message"),
    [
        (" ", OUTPUTS, [], "the id of the customer is blank"),
        ("c", OUTPUTS | {"job_ids": {}}, [], "the stack has no job churn_erase"),
        ("c", OUTPUTS, [SimpleNamespace(run_id=7)], "run 7 of churn_daily is active"),
    ],
)
def test_what_cannot_be_asked_for_is_said(
    client: Any, customer: str, outputs: dict[str, Any], active: list[Any], message: str
) -> None:
    client.jobs.list_runs.return_value = iter(active)
    with pytest.raises(CommandError, match=message):
        erasure.erase(client, outputs, customer)
    assert client.kept == {}
