"""`platform contract …` runs the program's own commands, and ends with their status."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from local.settings import REPOSITORY

CUSTOMER = str(REPOSITORY / "contracts" / "customer.yaml")


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["check", CUSTOMER], 0, "1 contracts, 33 columns"),
        (["check", "nowhere.yaml"], 1, "nowhere.yaml: received no such file"),
        (["diff", str(Path(CUSTOMER).parent)], 0, "no difference"),
        (["diff", "no-such-revision"], 1, "allowed: a revision or a folder"),
        (["migrate", str(Path(CUSTOMER).parent)], 0, "nothing to do"),
        (["new", "customer"], 1, "remedy: change that contract, or choose another name"),
    ],
)
def test_the_status_is_that_of_the_command(
    arguments: list[str], status: int, said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert CliRunner().invoke(app, ["contract", *arguments]).exit_code == status
    output = capfd.readouterr()
    assert said in output.out + output.err
