"""The first step of a new environment: the ground alone, and never at the platform's cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cli import ground
from cli.errors import CommandError
from infra.written.paths import REPOSITORY
from infra.written.stacks import read_settings
from tests.infra.stack_files import write_stack_file

if TYPE_CHECKING:
    from pathlib import Path


def test_the_ground_alone_has_valid_settings(tmp_path: Path) -> None:
    settings = read_settings(ground.without_platform(REPOSITORY / "Pulumi.prod.yaml", tmp_path))
    assert settings.platform is None
    assert settings.ground is not None
    assert settings.ground.workspace is not None


def test_a_stack_that_makes_no_workspace_has_no_first_step(tmp_path: Path) -> None:
    for stack in ("account", "dev"):
        with pytest.raises(CommandError, match=r"no churn:ground\.workspace"):
            ground.without_platform(REPOSITORY / f"Pulumi.{stack}.yaml", tmp_path)
    with pytest.raises(CommandError, match=r"there is no Pulumi\.nowhere\.yaml"):
        ground.deploy_ground("nowhere")


def test_a_platform_that_is_deployed_is_not_left_out() -> None:
    resources = [{"type": "churn:ground:Network"}]
    ground.check_no_platform({"deployment": {"resources": resources}}, "prod")
    resources.append({"type": "churn:platform:Storage"})
    with pytest.raises(CommandError, match="the platform of prod is deployed: run `pulumi up --stack prod`"):
        ground.check_no_platform({"deployment": {"resources": resources}}, "prod")


def test_the_host_is_shown_and_a_failure_of_the_engine_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a stand-in for the command line of the engine, whose deployment tests/e2e proves."""
    write_stack_file(tmp_path, {}, "prod", REPOSITORY / "Pulumi.prod.yaml")
    monkeypatch.setattr(ground, "REPOSITORY", tmp_path)
    fake = tmp_path / "pulumi"
    fake.write_text(
        "#!/bin/sh\n"
        'case "$1 $2" in\n'
        '"stack export") echo \'{"deployment": {}}\' ;;\n'
        '"stack output") echo \'{"workspace_host": "https://made.example", "workspace_id": "7"}\' ;;\n'
        f'"up --stack") exit $(cat {tmp_path}/status) ;;\n'
        "esac\n"
    )
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    (tmp_path / "status").write_text("0")
    assert ground.deploy_ground("prod") == ("https://made.example", "7")
    (tmp_path / "status").write_text("1")
    with pytest.raises(CommandError, match="pulumi up of the ground of prod failed"):
        ground.deploy_ground("prod")
