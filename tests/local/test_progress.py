"""A step says that it begins, goes on and ends; whatever is reported is shown as it is."""

from __future__ import annotations

import io
import time

import pytest
from rich.console import Console

from local import progress


def console_in(output: io.StringIO, *, terminal: bool = False) -> Console:
    return Console(file=output, force_terminal=terminal, highlight=False, soft_wrap=True, width=200)


def test_a_step_says_that_it_begins_goes_on_and_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "HEARTBEAT_SECONDS", 0.01)
    output = io.StringIO()
    with progress.step("build [all]", console_in(output)) as report:
        report("file [3] of 4\n")
        while "  … build [all]: 0 s file [3] of 4\n" not in output.getvalue():
            time.sleep(0.01)
    assert output.getvalue().startswith("… build [all]\n")
    assert output.getvalue().endswith("✓ build [all] 0 s file [3] of 4\n")


def test_a_step_that_fails_says_so() -> None:
    output = io.StringIO()
    with pytest.raises(ValueError, match="broken"), progress.step("build", console_in(output)):
        raise ValueError("broken")
    assert output.getvalue() == "… build\n✗ build 0 s\n"


def test_a_terminal_keeps_one_line_up_to_date(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "REFRESH_SECONDS", 0.01)
    output = io.StringIO()
    with progress.step("build", console_in(output, terminal=True)) as report:
        report("file [3] of 4")
        while "file [3] of 4" not in output.getvalue():
            time.sleep(0.01)
    assert "… build" not in output.getvalue()
    assert output.getvalue().count("✓") == 1


def test_a_line_for_people_leaves_the_output_alone(capsys: pytest.CaptureFixture[str]) -> None:
    progress.say("found [1] :warning:")
    assert capsys.readouterr() == ("", "found [1] :warning:\n")
