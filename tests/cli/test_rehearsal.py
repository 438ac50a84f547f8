"""What a rehearsal puts in place of addresses and ids, and what it refuses; the whole is in tests/e2e."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest
import yaml
from typer.testing import CliRunner

from cli import lifecycle
from cli.errors import CommandError
from cli.main import app
from cli.rehearsal import ACCOUNT, ENVIRONMENTS, Rehearsal, rehearse
from cli.stack import UNPROTECTED, Stack, addresses
from local import supervisor
from local.settings import LocalSettings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from databricks.sdk import WorkspaceClient

URL = "http://127.0.0.1:18000"


@pytest.fixture
def settings(tmp_path: Path) -> LocalSettings:
    return LocalSettings(tmp_path)


def written(stack: Stack, changes: Mapping[str, object]) -> dict[str, Any]:
    """The settings that the engine gets."""
    return cast("dict[str, Any]", yaml.safe_load(stack.write_configuration(changes).read_text())["config"])


@pytest.mark.parametrize("name", [ACCOUNT, *ENVIRONMENTS])
def test_a_rehearsed_stack_reaches_nothing_outside_of_this_machine(name: str, settings: LocalSettings) -> None:
    document = written(Stack(name, settings, addresses(settings)), {})
    assert "databricks.com" not in yaml.safe_dump(document)
    if name != ACCOUNT:
        assert document["churn:ground"]["aws"]["endpoint"] == settings.aws_url
        assert document["churn:platform"]["workspace"]["host"] == URL


def test_everything_else_is_as_written(settings: LocalSettings) -> None:
    stack = Stack("dev", settings, addresses(settings))
    before = yaml.safe_load(stack.source.read_text())["config"]
    after = written(stack, UNPROTECTED)
    assert after["churn:ground"].pop("protect_data") is False
    del before["churn:ground"]["protect_data"], before["churn:platform"]["protect_data"]
    del after["churn:platform"]["protect_data"]
    assert after["churn:ground"]["aws"].pop("endpoint") == settings.aws_url
    before["churn:platform"]["workspace"]["host"] = URL
    assert after == before


def test_a_ground_alone_has_no_platform(settings: LocalSettings) -> None:
    assert set(written(Stack("prod", settings), {"churn:platform": None})) == {"churn:ground"}


def test_the_salt_of_a_new_stack_is_kept(settings: LocalSettings) -> None:
    stack = Stack("dev", settings)
    copy = stack.write_configuration({})
    copy.write_text(copy.read_text() + "encryptionsalt: v1:salt\n")
    assert yaml.safe_load(stack.write_configuration({}).read_text())["encryptionsalt"] == "v1:salt"


@pytest.mark.parametrize("changes", ["+ 1 created, 2 unchanged", "~ 1 updated, +-1 replaced", "9 unchanged"])
def test_a_changed_setting_may_only_update(
    changes: str, settings: LocalSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Rehearsal, "stack", lambda self, name: Stack(name, self.settings))
    monkeypatch.setattr(Stack, "up", lambda *_: changes)
    with pytest.raises(CommandError, match="should only update"):
        Rehearsal(settings, cast("WorkspaceClient", None)).change("dev")


def test_what_is_left_is_named_and_the_services_are_stopped(
    settings: LocalSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped: list[LocalSettings] = []
    left = iter([["bucket of others"], ["bucket of others", "job churn-dev-daily"]])

    def nothing(*_: object, **__: object) -> None:
        return None

    for owner, name in ((Stack, "check_settings"), (lifecycle, "build"), (lifecycle, "start")):
        monkeypatch.setattr(owner, name, nothing)
    for name in ("deploy", "change", "destroy"):
        monkeypatch.setattr(Rehearsal, name, nothing)
    monkeypatch.setattr(lifecycle, "workspace_client", nothing)
    monkeypatch.setattr(supervisor, "stop", stopped.append)
    monkeypatch.setattr(Rehearsal, "leftovers", lambda _: next(left))
    with pytest.raises(CommandError, match="are left after the end: job churn-dev-daily"):
        rehearse(settings, ["dev"], day=False)
    assert [place.home for place in stopped] == [settings.home / "rehearsal"] * 2


def test_an_unknown_environment_is_refused() -> None:
    result = CliRunner().invoke(app, ["rehearse", "live"])
    assert result.exit_code == 2
    assert "'live' is not rehearsed; there are dev and prod" in result.output
