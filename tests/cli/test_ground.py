"""The first step of a new environment: the ground alone, and never at the platform's cost."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import yaml

from cli import ground, programs
from cli.errors import CommandError
from infra.written.paths import REPOSITORY
from infra.written.stacks import read_settings
from tests.cli.test_remedies import OUTPUT
from tests.infra.stack_files import write_stack_file
from tests.local.engine_programs import Program

if TYPE_CHECKING:
    from pathlib import Path


def test_the_ground_alone_has_valid_settings(tmp_path: Path) -> None:
    settings = read_settings(ground.without_platform(REPOSITORY / "Pulumi.prod.yaml", tmp_path))
    assert settings.platform is None
    assert settings.ground is not None
    assert settings.ground.workspace is not None


def test_a_stack_that_makes_no_workspace_has_no_first_step() -> None:
    for stack in ("account", "dev"):
        with pytest.raises(CommandError, match=r"no churn:ground\.workspace"):
            ground.check_makes_workspace(REPOSITORY / f"Pulumi.{stack}.yaml")
    with pytest.raises(CommandError, match=r"there is no Pulumi\.nowhere\.yaml"):
        ground.deploy_ground("nowhere", yes=True)


def test_a_platform_that_is_deployed_is_not_left_out() -> None:
    resources = [{"type": "churn:ground:Network"}]
    ground.check_no_platform({"deployment": {"resources": resources}}, "prod")
    resources.append({"type": "churn:platform:Storage"})
    with pytest.raises(CommandError, match="the platform of prod is deployed: run `pulumi up --stack prod`"):
        ground.check_no_platform({"deployment": {"resources": resources}}, "prod")


SMALL_PROGRAM = """
import pulumi

sections = pulumi.Config("churn")
pulumi.export("hidden", pulumi.Output.secret("hunter2"))
pulumi.export("has_platform", sections.get("platform") is not None)
pulumi.export("workspace_host", "https://made.example")
pulumi.export("workspace_id", "7")
"""


def test_the_first_step_leaves_a_stack_that_the_second_can_update(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the real engine and a small program: what the engine writes into the stack's file is kept there."""
    program = Program.create(tmp_path, name="churn", stack="another")
    program.write(SMALL_PROGRAM)
    (program.folder / "policies").symlink_to(REPOSITORY / "policies")
    file = write_stack_file(program.folder, {}, "prod", REPOSITORY / "Pulumi.prod.yaml")
    written = yaml.safe_load(file.read_text())
    for module in (ground, programs):
        monkeypatch.setattr(module, "REPOSITORY", program.folder)
    for name, value in program.environment.items():
        monkeypatch.setenv(name, value)
    assert ground.deploy_ground("prod", yes=True) == ("https://made.example", "7")
    assert json.loads(program.run("stack", "output", "--json", "--stack", "prod"))["has_platform"] is False
    salt = read_salt(file)
    kept = json.loads(program.run("stack", "export", "--stack", "prod"))["deployment"]["secrets_providers"]
    assert kept["state"]["salt"] == salt, "secrets of the state have the key that stands in the stack's file"
    assert yaml.safe_load(file.read_text()) == written | {"encryptionsalt": salt}
    program.up("--stack", "prod")
    assert read_salt(file) == salt
    outputs = json.loads(program.run("stack", "output", "--json", "--show-secrets", "--stack", "prod"))
    assert (outputs["has_platform"], outputs["hidden"]) == (True, "hunter2")


def read_salt(file: Path) -> str | None:
    """The salt of a stack's secrets, which the engine keeps beside the settings."""
    salt: str | None = yaml.safe_load(file.read_text()).get("encryptionsalt")
    return salt


def test_the_host_is_shown_and_a_failure_of_the_engine_is_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a stand-in for the command line of the engine, whose deployment tests/e2e proves."""
    write_stack_file(tmp_path, {}, "prod", REPOSITORY / "Pulumi.prod.yaml")
    for module in (ground, programs):
        monkeypatch.setattr(module, "REPOSITORY", tmp_path)
    fake = tmp_path / "pulumi"
    fake.write_text(
        "#!/bin/sh\n"
        'case "$1 $2" in\n'
        '"stack export") echo \'{"deployment": {}}\' ;;\n'
        '"stack output") echo \'{"workspace_host": "https://made.example", "workspace_id": "7"}\' ;;\n'
        f'"up --yes") cat {tmp_path}/said; exit $(cat {tmp_path}/status) ;;\n'
        "esac\n"
    )
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    (tmp_path / "status").write_text("0")
    (tmp_path / "said").write_text("updated\n")
    assert ground.deploy_ground("prod", yes=True) == ("https://made.example", "7")
    assert "updated" in capsys.readouterr().out
    (tmp_path / "status").write_text("1")
    (tmp_path / "said").write_text(OUTPUT.format(cause="Credential 'kafka' already exists"))
    failed = "(?s)pulumi up of the ground of prod failed.*Credential kafka: .*remedy: the name is taken"
    with pytest.raises(CommandError, match=failed):
        ground.deploy_ground("prod", yes=True)
