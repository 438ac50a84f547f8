"""The real engine runs programs through our language host."""

from __future__ import annotations

import json
import signal
import time
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.local.engine_programs import Program, empty_workspace

if TYPE_CHECKING:
    from pathlib import Path

DYNAMIC = """
import pathlib, time
import pulumi
from pulumi.dynamic import CreateResult, Resource, ResourceProvider

class DoubleProvider(ResourceProvider):
    def create(self, props):
        if props["number"] < 0:
            raise ValueError("number is negative")
        if props.get("marker"):
            pathlib.Path(props.get("marker")).touch()
            time.sleep(10)
        return CreateResult("double", {**props, "result": props["number"] * 2})

class Double(Resource):
    result: pulumi.Output[int]

    def __init__(self, name, number, marker=None):
        super().__init__(DoubleProvider(), name, {"number": number, "marker": marker, "result": None})
"""


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program.create(tmp_path)


@pytest.mark.shows("engine: up, preview and destroy, with secrets and dynamic resources", client="Pulumi engine")
def test_up_makes_what_a_second_preview_does_not_change(program: Program, tmp_path: Path) -> None:
    program.run("config", "set", "--secret", "key", "very secret")
    program.write(
        DYNAMIC
        + """
print("said by the program")
pulumi.export("result", Double("double", 21).result)
pulumi.export("key", pulumi.Config().require_secret("key"))
"""
    )
    output = program.up()
    assert output.partition("Diagnostics:")[2].count("said by the program") == 1
    assert "+ 2 created" in output
    assert "very secret" not in output
    program.preview("--expect-no-changes")
    shown = json.loads(program.run("stack", "output", "--json", "--show-secrets").strip())
    assert shown == {"result": 42, "key": "very secret"}
    state = tmp_path / "home" / "pulumi" / "state"
    assert list(state.rglob("*.json"))
    assert not list(state.rglob("*.attrs")), "which the engine needs to read a state, and a kill can leave empty"
    program.write(DYNAMIC + 'Double("double", 22)')
    assert "no changes were expected" in program.preview("--expect-no-changes", succeeds=False)
    program.run("destroy", "--yes", "--skip-preview")


@pytest.mark.shows("engine: a program that fails shows its own error", client="Pulumi engine")
@pytest.mark.parametrize(
    ("source", "said"),
    [
        ('import pulumi\nraise pulumi.RunError("churn:port is 3: give a port")', "error: churn:port is 3: give a port"),
        ("def broken(:", "SyntaxError: invalid syntax"),
        ('import sys\nsys.exit("no wheel")', "error: The program ended itself: no wheel"),
        ("import os\nos.kill(os.getpid(), 9)", "The program was ended by SIGKILL"),
        ('def f():\n    raise ValueError("bad setting")\nf()', "ValueError: bad setting"),
        ('import pulumi\npulumi.Output.from_input({}).apply(lambda d: d["x"])', "KeyError: 'x'"),
    ],
    ids=["run-error", "syntax", "exit", "killed", "raises", "apply"],
)
def test_a_failing_program_shows_its_own_error_once(program: Program, source: str, said: str) -> None:
    program.write(source)
    output = program.preview(succeeds=False)
    details = output.partition("Diagnostics:")[2]
    assert details.count(said) == 1, output
    for noise in ("run_program.py", "runpy", "asyncio", "never retrieved", "grpc"):
        assert noise not in details


def test_a_failing_resource_shows_its_own_error_once(program: Program) -> None:
    program.write(DYNAMIC + 'Double("second", Double("first", -1).result)')
    details = program.up(succeeds=False).partition("Diagnostics:")[2]
    assert details.count("number is negative") == 1
    assert "Traceback" not in details


def test_a_virtual_environment_that_is_not_there_is_named(program: Program) -> None:
    (program.folder / "Pulumi.yaml").write_text("name: tiny\nruntime: {name: python, options: {virtualenv: gone}}\n")
    program.write("")
    output = program.preview(succeeds=False)
    assert "'gone'" in output
    assert "create the environment or correct the option" in output


@pytest.mark.shows("engine: an interrupted update leaves no process and no lock", client="Pulumi engine")
@pytest.mark.parametrize("busy", ["program", "resource"])
def test_an_interrupt_ends_all_silently(program: Program, tmp_path: Path, busy: str) -> None:
    marker = tmp_path / "marker"
    sleeps = f"pathlib.Path({str(marker)!r}).touch()\ntime.sleep(600)"
    program.write(DYNAMIC + (sleeps if busy == "program" else f'Double("double", 1, {str(marker)!r})'))
    process = program.start("up", "--yes", "--skip-preview")
    while not marker.exists():
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.05)
    started = psutil.Process(process.pid).children(recursive=True)
    assert any("run_program.py" in " ".join(child.cmdline()) for child in started) or busy == "resource"
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "update canceled" in output
    for noise in ("Traceback", "KeyboardInterrupt", "exit code", "unhandled"):
        assert noise not in output
    _, alive = psutil.wait_procs(started, timeout=10)
    assert not alive
    program.write("")
    program.up("--refresh=false")  # the state is not left locked


@pytest.mark.shows("engine: a plan needs no workspace that knows its objects", client="Databricks provider")
def test_the_databricks_provider_plans_without_warnings(program: Program) -> None:
    with empty_workspace() as host:
        program.write(
            f"""
            import pulumi_databricks as databricks
            import pulumi
            provider = databricks.Provider("workspace", host={host!r}, token="none")
            opts = pulumi.ResourceOptions(provider=provider)
            catalog = databricks.Catalog("catalog", name="churn_test", opts=opts)
            databricks.Schema("gold", name="gold", catalog_name=catalog.name, opts=opts)
            """
        )
        output = program.preview()
    assert "+ 4 to create" in output
    assert "warning" not in output
