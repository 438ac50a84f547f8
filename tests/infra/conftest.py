"""Stack files with changes, a wheel for the program, and the program of each stack, run once."""

from __future__ import annotations

import json
import zipfile
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from infra.written import paths
from tests.infra.program import Program, engine_config, run
from tests.infra.stack_files import write_stack_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PLATFORMS = ("local", "dev", "prod")  # stacks with the layer of the platform
STACKS = (*PLATFORMS, "account")
# Names of groups as directories give them.
NAMES = ["Data Engineers", "SG_Churn", "Children's team", "Research and Development", "Größe"]


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a wheel, which the program takes instead of `workloads/dist`."""
    folder = tmp_path_factory.mktemp("dist")
    with zipfile.ZipFile(folder / "churn-0.1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("churn/__init__.py", "")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paths, "WHEELS", folder)
        yield folder


@pytest.fixture(scope="session")
def programs(wheels: Path) -> dict[str, Program]:
    """What the program registers for each stack."""
    return {stack: run(stack) for stack in STACKS}


def run_with(stack: str, section: str, **changes: Any) -> Program:
    """The program of a stack with some settings of a section changed; None removes one."""
    config = engine_config(stack)
    values = {name: value for name, value in json.loads(config[section]).items() if name not in changes}
    values |= {name: value for name, value in changes.items() if value is not None}
    return run(stack, config | {section: json.dumps(values)})


@pytest.fixture(scope="session")
def whole_account() -> Program:
    """An account that makes all it can."""
    made = {"name": "churn", "region": "eu-west-1"}
    return run_with("account", "churn:account", metastore=made, metastore_id=None, groups=NAMES, members=None)


@pytest.fixture(scope="session")
def private_ground(wheels: Path) -> Program:
    """A production whose workspace is reached through its network alone."""
    aws = json.loads(engine_config("prod")["churn:ground"])["aws"]
    services = json.loads(engine_config("dev")["churn:ground"])["aws"]["network"]["control_plane"]
    workspace = json.loads(engine_config("prod")["churn:ground"])["workspace"] | {"public_access": False}
    aws["network"] |= {"control_plane": services}
    return run_with("prod", "churn:ground", aws=aws, workspace=workspace)


@pytest.fixture(scope="session")
def linked(wheels: Path) -> Program:
    """A production whose Kafka serverless compute reaches."""
    aws = json.loads(engine_config("prod")["churn:ground"])["aws"]
    aws["kafka"] |= {"serverless_link": True}
    return run_with("prod", "churn:ground", aws=aws)


@pytest.fixture(params=PLATFORMS)
def program(request: pytest.FixtureRequest, programs: dict[str, Program]) -> Program:
    """What the program registers for each stack with a platform."""
    return programs[request.param]


@pytest.fixture(scope="session")
def grounds() -> dict[str, Program]:
    """What the ground in AWS registers: of two stacks, and of one that adopts what it can."""
    from tests.infra.ground import ADOPT, run_ground  # late: the SDK of AWS costs seconds, and few tests need it

    return {"dev": run_ground("dev", protect=False), "prod": run_ground("prod"), "adopted": run_ground("prod", ADOPT)}


@pytest.fixture(params=["dev", "prod"])
def ground(request: pytest.FixtureRequest, grounds: dict[str, Program]) -> Program:
    """What the ground in AWS registers for each stack that makes one."""
    return grounds[request.param]


@pytest.fixture
def altered(tmp_path: Path) -> Callable[..., Path]:
    """Writes a copy of the local stack's file with some settings changed; see `write_stack_file`."""
    return partial(write_stack_file, tmp_path)
