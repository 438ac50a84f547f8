"""The table of tasks: it names every entry point of the wheel, and each task reads its own command line."""

from __future__ import annotations

import ast
import tomllib
from dataclasses import dataclass, field
from datetime import date
from importlib import import_module
from typing import Any

import pytest

from churn import tasks
from churn.core.entry import Run, parse
from churn.core.errors import OptionError
from churn.core.label_window import LabelWindow
from churn.core.task import JOB_PARAMETERS, Task, days, option
from churn.tasks import TASKS
from local.settings import REPOSITORY

COMMON = ["--catalog=c", "--date=2026-01-31", "--run_id=7"]
RUN = Run("c", date(2026, 1, 31), "7")
WINDOW = ["--lead_days=0", "--horizon_days=30", "--settle_days=2"]
SOURCES = REPOSITORY / "workloads" / "src"


def test_it_names_the_entry_points_of_the_wheel() -> None:
    project = tomllib.loads((REPOSITORY / "workloads" / "pyproject.toml").read_text())["project"]
    assert project["entry-points"]["packages"] == {name: task.entry_point for name, task in TASKS.items()}


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_each_task_has_its_function_and_says_what_it_does(task: Task[Any]) -> None:
    module, _, function = task.entry_point.partition(":")
    tree = ast.parse((SOURCES / f"{module.replace('.', '/')}.py").read_text())
    (main,) = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == function]
    assert ast.get_docstring(main)
    assert module.rpartition(".")[2] == task.name, "a module is named as its task"
    what, _, failure = task.description.partition(" Fails when ")
    assert what.endswith(".")
    assert failure.endswith(".")


def test_options_are_typed_and_a_window_is_three_of_them() -> None:
    run, options = parse(
        tasks.TRAIN,
        [*COMMON, "--model=c.mlops.m", "--experiment_id=0", *WINDOW, "--retrain_days=7", "--history_days=90"],
    )
    assert run == RUN
    assert options == tasks.TrainOptions("c.mlops.m", "0", LabelWindow(0, 30, 2), 7, 90)
    assert tasks.FEATURES.parameters == ("usage_table", *options.window.parameters)
    assert tuple(options.window.parameters) == ("lead_days", "horizon_days", "settle_days")
    assert tasks.INGEST.parameters == ()


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_every_option_is_asked_for(task: Task[Any]) -> None:
    if task.parameters:
        with pytest.raises(OptionError, match=", ".join(f"--{name}" for name in task.parameters)):
            parse(task, COMMON)
    else:
        assert parse(task, COMMON)[0] == RUN


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_every_entry_point_takes_every_parameter_of_the_job(task: Task[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    special = {"snapshot_date": "2026-01-31", "usage_table": "silver.usage"}
    given = [*COMMON, *(f"--{name}={special.get(name, '1')}" for name in task.parameters)]
    monkeypatch.setitem(JOB_PARAMETERS, "region", option("a parameter that no task uses"))
    run, _ = parse(task, [*given, "--region=north"])
    assert run == RUN
    with pytest.raises(OptionError, match="unrecognized arguments: --area=north"):
        parse(task, [*given, "--region=north", "--area=north"])


def test_an_option_that_no_task_has_is_refused() -> None:
    with pytest.raises(OptionError, match=r"unrecognized arguments: --model=c.mlops.m; usage: ingest"):
        parse(tasks.INGEST, [*COMMON, "--model=c.mlops.m"])


@dataclass(frozen=True)
class Inner:
    """Two options."""

    first: int = field(metadata=option("the first", days))
    second: str = field(metadata=option("the second"))


@dataclass(frozen=True)
class Outer:
    """An option between two dataclasses of options."""

    before: Inner
    third: date = field(metadata=option("the third", date.fromisoformat))


def test_options_within_options_are_read_in_order() -> None:
    task = Task("t", "m:main", "Does it.", Outer)
    assert task.parameters == ("first", "second", "third")
    _, options = parse(task, [*COMMON, "--first=1", "--second=b", "--third=2026-02-03"])
    assert options == Outer(Inner(1, "b"), date(2026, 2, 3))


def test_every_module_of_a_task_can_be_imported() -> None:
    assert all(callable(import_module(task.entry_point.partition(":")[0]).main) for task in TASKS.values())
