"""The files of stacks: their layers, the lines of faults, and files that are none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from churn.core.faults import FaultsError
from churn.core.files import read_document
from infra.written.paths import REPOSITORY
from infra.written.stacks import platform_stacks, read_settings, settings_in_program, stack_names
from tests.infra.program import engine_config
from tests.infra.stack_files import LOCAL

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.mark.parametrize("stack", ["account", "local", "dev", "prod"])
def test_the_stack_files_are_right_before_and_inside_the_engine(stack: str) -> None:
    settings = read_settings(REPOSITORY / f"Pulumi.{stack}.yaml")
    assert settings.stack == stack
    assert settings_in_program(stack, engine_config(stack)) == settings


def test_a_stack_has_the_layers_whose_keys_its_file_has() -> None:
    layers = {}
    for stack in stack_names():
        settings = read_settings(REPOSITORY / f"Pulumi.{stack}.yaml")
        layers[stack] = {name for name in ("account", "ground", "platform") if getattr(settings, name) is not None}
    assert layers == {
        "account": {"account"},
        "dev": {"ground", "platform"},
        "prod": {"ground", "platform"},
        "local": {"account", "ground", "platform"},
    }


def test_a_ground_can_be_read_from_another_stack(altered: Callable[..., Path]) -> None:
    changes = {"churn:ground": {"stack": "example/churn/ground_eu"}, "churn:platform.stream": None}
    ground = read_settings(altered(changes)).ground
    assert ground is not None
    assert (ground.stack, ground.storage_root) == ("example/churn/ground_eu", None)


def test_stacks_are_known_by_their_files(tmp_path: Path) -> None:
    assert stack_names() >= {"local", "dev", "prod"}
    for name in ("Pulumi.yaml", "Pulumi.one.yaml", "Pulumi.two.yml", "Pulumi.three.json", "Pulumi.four.yxxml"):
        (tmp_path / name).touch()
    assert stack_names(tmp_path) == {"one", "two"}


def test_a_fault_has_the_line_before_and_inside_the_engine(tmp_path: Path) -> None:
    text = LOCAL.read_text().replace("auto_stop_minutes: 10", "auto_stop_minutes: 99")
    text = text.replace("      deployer: admin@churn.local\n", "")
    file = tmp_path / "Pulumi.local.yaml"
    file.write_text(text)
    lines = [
        text.splitlines().index(line) + 1 for line in ("    workspace:", "      auto_stop_minutes: 99")
    ]  # where something is missing, the line of what should hold it
    with pytest.raises(FaultsError) as before:
        read_settings(file)
    assert [fault.line for fault in before.value.faults] == lines
    assert f"\n  Pulumi.local.yaml:{lines[1]}: churn:platform.warehouse.auto_stop_minutes: " in str(before.value)
    with pytest.raises(FaultsError) as inside:
        settings_in_program("local", engine_config("local", file), tmp_path)
    assert inside.value.faults == before.value.faults
    file.unlink()
    with pytest.raises(FaultsError) as without_file:
        settings_in_program("local", {}, tmp_path)
    assert [fault.line for fault in without_file.value.faults] == [None]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("config: [1, 2", "YAML"),
        ("- 1", "a mapping"),
        ("config: 3", "a mapping"),
        ("cnfig: {}", "'cnfig'"),
        ("config:\n  churn:a: 1\n  churn:a: 2", "given twice"),
        (
            "config: {1: x}",
            r"local.yaml:1: received 'names must be text', column 10; allowed: .*; remedy: correct this line",
        ),
        (
            "config:\n  churn:platform.workspace:\n    host: {{ HOST }}",
            "local.yaml:3: received 'names must be text', column 12",
        ),
        ("config:\n  ? [a, b]\n  : 1", "local.yaml:2: received 'names must be text'"),
        ("config: &a {churn:a: *a}", "an alias to what holds it; .*remedy: write the values"),
        ("&a [*a]", "an alias to what holds it"),
        ("config: {churn:a: 0b_}", "YAML"),
    ],
)
def test_a_file_that_is_no_stack_file(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "Pulumi.local.yaml"
    file.write_text(text)
    with pytest.raises(FaultsError, match=said):
        read_settings(file)


def test_a_missing_file_and_a_wrong_name(tmp_path: Path) -> None:
    with pytest.raises(FaultsError, match="no such file"):
        read_settings(tmp_path / "Pulumi.local.yaml")
    with pytest.raises(FaultsError, match=r"Pulumi\.<stack>\.yaml"):
        read_settings(tmp_path / "local.yaml")
    (tmp_path / "Pulumi.folder.yaml").mkdir()
    with pytest.raises(FaultsError, match=r"Pulumi\.folder\.yaml: received 'Is a directory'; .*; remedy: put a file"):
        read_settings(tmp_path / "Pulumi.folder.yaml")
    file = tmp_path / "Pulumi.My-Stack.yaml"
    file.write_text(LOCAL.read_text())
    with pytest.raises(FaultsError, match="the stack name 'My-Stack'"):
        read_settings(file)


def test_names_may_be_quoted_or_merged(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.local.yaml"
    file.write_text("config: &a {'1': x}\nenvironment: {<<: *a, b: y}")
    document = read_document(file, file.name)
    assert document.values == {"config": {"1": "x"}, "environment": {"1": "x", "b": "y"}}
    assert document.line(("environment", "b")) == 2
    assert document.line(("environment", "1")) == 1, "where it is written"


def test_an_encrypted_value_is_not_shown(altered: Callable[..., Path]) -> None:
    with pytest.raises(FaultsError) as caught:
        read_settings(altered({"churn:platform.workspace.host": {"secure": "v1:hidden"}}))
    assert "hidden" not in str(caught.value)
    assert "a secret" in str(caught.value)


def test_stacks_with_a_platform_are_known_by_their_layers(tmp_path: Path) -> None:
    assert platform_stacks() >= {"local", "dev", "prod"}
    assert "account" not in platform_stacks()
    (tmp_path / "Pulumi.one.yaml").write_text("config: {churn:platform: {}}")
    (tmp_path / "Pulumi.two.yaml").write_text("config: {churn:ground: {}}")
    (tmp_path / "Pulumi.three.yaml").write_text("config: [")
    assert platform_stacks(tmp_path) == {"one", "three"}, "a file that cannot be read is reported on its own"


def test_faults_outside_of_the_settings_are_reported_with_those_inside(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.local.yaml"
    file.write_text(LOCAL.read_text().replace("workers: 1", "workers: 0", 1) + "secretprovider: x\n")
    with pytest.raises(FaultsError) as caught:
        read_settings(file)
    assert [fault.field for fault in caught.value.faults] == ["churn:platform.compute.workers", "secretprovider"]
