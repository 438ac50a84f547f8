"""The providers of functions, of the key of masks, of tags in effect, and of the list that closes tables."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from infra.access.masks import functions
from infra.access.roles import Role
from infra.errors import StatementFailedError
from infra.once import sql_function, tags_in_effect
from infra.once.classified_tables import ClassifiedTablesProvider
from infra.once.mask_key import MaskKeyProvider
from infra.once.sql_function import SqlFunctionProvider
from infra.once.tags_in_effect import TagsInEffectProvider
from tests.infra.test_run_once import TOKEN, Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator

STATEMENTS = "POST /api/2.0/sql/statements"
FUNCTION = "/api/2.1/unity-catalog/functions/churn.governance.mask_x"
PUT, LIST = "POST /api/2.0/secrets/put", "GET /api/2.0/secrets/list"
DONE = {"statement_id": "s", "status": {"state": "SUCCEEDED"}}
SEEN = {
    "full_data_type": "STRING",
    "comment": "Shows nothing",
    "routine_definition": "NULL",
    "owner": "churn-platform",
    "input_params": {"parameters": [{"name": "value", "type_text": "string", "type_name": "STRING", "position": 0}]},
}


@pytest.fixture
def workspace(monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    monkeypatch.setenv("DATABRICKS_TOKEN", TOKEN)
    monkeypatch.setattr(sql_function, "POLL_SECONDS", 0.01)
    served = Workspace()
    yield served
    served.server.shutdown()
    served.server.server_close()


def function(workspace: Workspace, **given: Any) -> dict[str, Any]:
    properties = {
        "host": workspace.url,
        "warehouse_id": "w",
        "full_name": "churn.governance.mask_x",
        "parameter": "value",
        "returns": "STRING",
        "comment": "It's a mask",
        "body": "NULL",
        "owner": "churn-platform",
    }
    return properties | given


def statements(workspace: Workspace) -> list[str]:
    return [body["statement"] for call, body in workspace.requests if call == STATEMENTS]


def made(workspace: Workspace) -> dict[str, Any]:
    workspace.answers = {STATEMENTS: [DONE], f"PATCH {FUNCTION}": [SEEN], f"GET {FUNCTION}": [SEEN]}
    created = SqlFunctionProvider().create(function(workspace))
    assert created.outs
    assert created.id == "churn.governance.mask_x"
    return dict(created.outs)


def test_a_function_is_written_in_one_statement_and_given_to_its_owner(workspace: Workspace) -> None:
    state = made(workspace)
    expected = "CREATE OR REPLACE FUNCTION `churn`.`governance`.`mask_x`(value STRING) RETURNS STRING "
    assert statements(workspace) == [f"{expected}COMMENT 'It''s a mask' RETURN NULL"]
    assert [body for call, body in workspace.requests if call.startswith("PATCH")] == [{"owner": "churn-platform"}]
    assert state["seen"] == state["written"]
    assert TOKEN not in json.dumps(state), "credentials stay out of the state"


def test_a_statement_is_waited_for_and_its_failure_told(workspace: Workspace) -> None:
    failed = {"statement_id": "s", "status": {"state": "FAILED", "error": {"message": "no such schema"}}}
    workspace.answers = {
        STATEMENTS: [{"statement_id": "s", "status": {"state": "PENDING"}}],
        "GET /api/2.0/sql/statements/s": [{"statement_id": "s", "status": {"state": "RUNNING"}}, failed],
    }
    with pytest.raises(StatementFailedError, match=r"no such schema: CREATE OR REPLACE FUNCTION"):
        SqlFunctionProvider().create(function(workspace))


def test_a_function_that_is_gone_is_noticed(workspace: Workspace) -> None:
    state = made(workspace)
    workspace.answers[f"GET {FUNCTION}"] = [{"error_code": "NOT_FOUND", "message": "gone"}]
    assert SqlFunctionProvider().read("churn.governance.mask_x", state).id == ""


@pytest.mark.parametrize("changed", [{"routine_definition": "value"}, {"owner": "eve"}, {"full_data_type": "INT"}])
def test_a_function_that_somebody_has_changed_is_noticed(workspace: Workspace, changed: dict[str, str]) -> None:
    state = made(workspace)
    provider = SqlFunctionProvider()
    same = provider.read("churn.governance.mask_x", state)
    assert same.outs
    assert not provider.diff("", same.outs, function(workspace)).changes
    workspace.answers[f"GET {FUNCTION}"] = [SEEN | changed]
    read = provider.read("churn.governance.mask_x", state)
    assert read.outs
    compared = provider.diff("", read.outs, function(workspace))
    assert (compared.changes, compared.replaces) == (True, [])


@pytest.mark.parametrize(
    ("change", "replaced"),
    [({"body": "value"}, []), ({"comment": "c"}, []), ({"full_name": "churn.governance.mask_y"}, ["full_name"])],
)
def test_a_function_is_changed_in_place(workspace: Workspace, change: dict[str, str], replaced: list[str]) -> None:
    compared = SqlFunctionProvider().diff("", made(workspace), function(workspace, **change))
    assert (compared.changes, compared.replaces) == (True, replaced)


def test_a_function_is_dropped(workspace: Workspace) -> None:
    state = made(workspace)
    SqlFunctionProvider().delete("churn.governance.mask_x", state)
    assert statements(workspace)[-1] == "DROP FUNCTION IF EXISTS `churn`.`governance`.`mask_x`"


def test_no_key_is_written_down() -> None:
    for made_function in functions("churn-prod-masks", {Role.ANALYSTS: "churn-analysts"}):
        assert made_function.returns in ("STRING", "BOOLEAN")
        assert "secret(" not in made_function.body.replace("try_secret(", ""), "an error would tell who may not read"


def key(workspace: Workspace) -> dict[str, Any]:
    return {"host": workspace.url, "scope": "churn-masks", "key": "key"}


def test_a_key_is_generated_where_it_is_kept(workspace: Workspace) -> None:
    workspace.answers = {LIST: [{"secrets": []}, {"secrets": [{"key": "key"}]}], PUT: [{}]}
    created = MaskKeyProvider().create(key(workspace))
    (put,) = [body for call, body in workspace.requests if call == PUT]
    assert len(bytes.fromhex(put["string_value"])) == 32
    assert put["string_value"] not in json.dumps(created.outs), "the state never has it"
    MaskKeyProvider().create(key(workspace))
    assert len([call for call, _ in workspace.requests if call == PUT]) == 1, "one that is there stays"
    assert MaskKeyProvider().read("id", key(workspace)).id == "id"


def test_a_key_that_is_gone_is_noticed(workspace: Workspace) -> None:
    workspace.answers = {LIST: [{"secrets": [{"key": "other"}]}, {"error_code": "NOT_FOUND", "message": "no scope"}]}
    for _ in ("the key", "its scope"):
        assert MaskKeyProvider().read("id", key(workspace)).id == ""


def test_only_another_scope_asks_for_another_key(workspace: Workspace) -> None:
    provider = MaskKeyProvider()
    assert not provider.diff("", key(workspace), key(workspace)).changes
    assert provider.diff("", key(workspace), key(workspace) | {"scope": "s"}).replaces == ["scope"]
    assert provider.diff("", key(workspace), key(workspace) | {"host": "h"}).replaces == []


def test_tags_are_waited_for_once_a_list(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(tags_in_effect.time, "sleep", waited.append)
    provider, properties = TagsInEffectProvider(), {"places": "a: pii.id", "minutes": 5}
    provider.create(properties)
    assert waited == [300]
    assert not provider.diff("", properties, properties).changes
    assert provider.diff("", properties, properties | {"minutes": 1}).replaces == []
    assert provider.diff("", properties, properties | {"places": "a: pii.name"}).replaces == ["places"]


@pytest.mark.parametrize("change", [{"places": "a.b.c: pii.name"}, {"tables": ["x"]}])
def test_the_list_goes_before_it_is_made_anew(change: dict[str, Any]) -> None:
    provider, properties = ClassifiedTablesProvider(), {"tables": ["c.a.b"], "places": "a.b.c: pii.id"}
    assert not provider.diff("", properties, properties).changes
    compared = provider.diff("", properties, properties | change)
    assert (compared.replaces, compared.delete_before_replace) == (list(change), True)
