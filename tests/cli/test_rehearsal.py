"""What a rehearsal puts in place of addresses and ids, and what it refuses; the whole is in tests/e2e."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import pytest
import yaml
from typer.testing import CliRunner

from cli import interruptions, lifecycle
from cli.errors import CommandError
from cli.inventory import Thing
from cli.main import app
from cli.rehearsal import ACCOUNT, ENVIRONMENTS, Rehearsal, _with_a_word, rehearse
from cli.stack import UNPROTECTED, Stack, addresses
from local import supervisor
from local.faults import Fault
from local.settings import LocalSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from databricks.sdk import WorkspaceClient

URL = "http://127.0.0.1:18000"
JOB = "databricks:index/job:Job"


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
    there = iter([[Thing("bucket", "others")], [Thing("bucket", "others"), Thing("job", "daily")]])

    def nothing(*_: object, **__: object) -> None:
        return None

    for owner, name in ((Stack, "check_settings"), (lifecycle, "build"), (lifecycle, "start")):
        monkeypatch.setattr(owner, name, nothing)
    for name in ("deploy", "expect_once", "change", "destroy"):
        monkeypatch.setattr(Rehearsal, name, nothing)
    monkeypatch.setattr(lifecycle, "workspace_client", nothing)
    monkeypatch.setattr(supervisor, "stop", stopped.append)
    monkeypatch.setattr(Rehearsal, "things", lambda _: next(there))
    with pytest.raises(CommandError, match="1 things are left after the end: job daily"):
        rehearse(settings, ["dev"], day=False)
    assert [place.home for place in stopped] == [settings.home / "rehearsal"] * 2


@pytest.mark.parametrize(
    ("there", "known", "wrong"),
    [(["7", "8"], ["7"], "8"), (["7", "7"], ["7"], "7"), (["8"], ["7", "8"], "7")],
    ids=["in no state", "twice", "in a state alone"],
)
def test_what_does_not_stand_in_a_state_once_is_named(
    there: list[str], known: list[str], wrong: str, settings: LocalSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = [Thing("job", "others", JOB, "1")]
    now = [*before, *(Thing("job", "daily", JOB, id_) for id_ in there), Thing("folder", "/churn-dev")]
    monkeypatch.setattr(Rehearsal, "things", lambda _: now)
    monkeypatch.setattr(Rehearsal, "stack", lambda self, name: Stack(name, self.settings))
    monkeypatch.setattr(Stack, "resources", lambda _: [{"type": JOB, "id": id_} for id_ in known])
    with pytest.raises(CommandError, match=f"1 objects stand not once in the states: {JOB} {wrong}"):
        Rehearsal(settings, cast("WorkspaceClient", None)).expect_once(before, ["dev"])


def test_an_interrupted_deployment_is_repaired_before_the_next(
    settings: LocalSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []

    def pulumi(_: Stack, verb: str, *__: object) -> str:
        done.append(verb)
        if len(done) == 1:
            raise CommandError("killed")
        return "Resources:\n    + 1 created"

    monkeypatch.setattr(Stack, "_pulumi", pulumi)
    monkeypatch.setattr(Stack, "adopt", lambda *_: done.append("adopt"))
    stack = Stack("dev", settings)
    with pytest.raises(CommandError):
        stack.up(print)
    for _ in range(2):
        assert stack.up(print) == "+ 1 created"
    stack.preview(print)
    assert done == ["up", "adopt", "up", "up", "preview"]


def test_a_deployment_is_killed_at_the_same_points_by_the_same_seed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each time at a later point; one that ends before it was killed is an error."""
    points: list[list[float]] = []
    monkeypatch.setattr(interruptions, "_kill_engine", lambda: True)
    monkeypatch.setattr("time.sleep", lambda delay: points[-1].append(delay))
    for _ in range(2):
        points.append([])

        def up(report: Callable[[str], None]) -> str:
            for number in range(100):
                report(f" +  job {number} creating (0s)")
                points[-1].append(number)
            raise CommandError("ended with status -9")

        interruptions.Interruptions(seed=3).interrupt(up, 100, 4, print)
    assert points[0] == points[1]
    assert sum(isinstance(point, float) for point in points[0]) == 4
    monkeypatch.setattr(interruptions, "_kill_engine", lambda: False)
    with pytest.raises(CommandError, match=r"ended before .* creations, where it was to be killed"):
        interruptions.Interruptions().interrupt(lambda _: "done", 10, 1, print)


def test_each_service_is_killed_once_and_a_deployment_that_fails_by_it_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    killed: list[str] = []
    ups: list[str] = []

    def up(report: Callable[[str], None]) -> str:
        ups.append("up")
        before = len(killed)
        for number in range(20):
            report(f" +  job {number} creating (0s)")
            if len(killed) > before:
                raise CommandError("the answer was lost")
        return "done"

    def kill(name: str) -> Callable[[], bool]:
        return lambda: bool(killed.append(name) or True)

    monkeypatch.setattr("time.sleep", lambda _: None)
    services = [(name, kill(name)) for name in ("workspace", "aws")]
    interruptions.Interruptions().disturb(up, 30, services, print)
    assert (sorted(killed), len(ups)) == (["aws", "workspace"], 2)
    with pytest.raises(CommandError, match="ended before broker could be killed"):
        interruptions.Interruptions().disturb(up, 30, [("broker", lambda: False)], print)
    with pytest.raises(CommandError, match="another reason"):
        interruptions.Interruptions().disturb(refuse, 30, services, print)


def test_a_deployment_goes_on_under_faults_until_it_ends_well(tmp_path: Path) -> None:
    """The file that asks for faults is gone while it is repaired, and afterwards, also where none ended well."""
    faults = tmp_path / "faults.json"
    asked: list[float] = []
    repaired: list[bool] = []

    def up(report: Callable[[str], None]) -> str:
        wanted = json.loads(faults.read_text())
        assert set(wanted["kinds"]) == set(Fault), "none is left out, of requests without an answer there are few"
        asked.append(wanted["rate"])
        report(" +  job daily creating (0s)")
        if len(asked) < 3:
            raise CommandError("the answer was lost")
        return "done"

    def repair(_: Callable[[str], None]) -> None:
        repaired.append(not faults.exists())

    interruptions.Interruptions().spoil(up, repair, faults, 0.05, print)
    assert (asked, repaired) == ([0.05] * 3, [True] * 3)
    with pytest.raises(CommandError, match="another reason"):
        interruptions.Interruptions().spoil(refuse, repair, faults, 0.05, print)
    assert not faults.exists()
    with pytest.raises(CommandError, match="made nothing under faults"):
        interruptions.Interruptions().spoil(lambda _: "270 unchanged", repair, faults, 0.05, print)


def refuse(_: Callable[[str], None]) -> str:
    raise CommandError("another reason")


def test_a_word_is_given_where_it_is_asked_for(
    settings: LocalSettings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said: list[list[str]] = []
    monkeypatch.setattr(Stack, "adopt", lambda _, __, mine: said.append(mine))
    answers = iter([CommandError("Group 7: ... platform adopt dev --mine team\n"), None])

    def up(_: Callable[[str], None]) -> str:
        if error := next(answers):
            raise error
        return "done"

    assert _with_a_word(Stack("dev", settings), up)(print) == "done"
    assert said == [["team"]]
    assert "a person's word: team" in capsys.readouterr().out
    with pytest.raises(CommandError, match="another reason"):
        _with_a_word(Stack("dev", settings), refuse)(print)


def test_kills_and_faults_are_rehearsed_one_after_the_other() -> None:
    result = CliRunner().invoke(app, ["rehearse", "--kills", "2", "--faults", "0.05"])
    assert result.exit_code == 2
    assert "give --kills or --faults" in result.output


def test_an_unknown_environment_is_refused() -> None:
    result = CliRunner().invoke(app, ["rehearse", "live"])
    assert result.exit_code == 2
    assert "'live' is not rehearsed; there are dev and prod" in result.output
