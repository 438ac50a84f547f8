"""The lock files: the cloud installs what the workloads ask for, and this machine tests just those versions."""

from __future__ import annotations

import tomllib

from packaging.requirements import Requirement

from local.settings import REPOSITORY
from local.workspace.programs.libraries import OF_SPARK_CLIENT
from tests.locked import CLOUD, closure, pins, requirements, unmet

WORKLOADS = REPOSITORY / "workloads"
PROJECT = tomllib.loads((WORKLOADS / "pyproject.toml").read_text())["project"]
BASE = [Requirement(line) for line in PROJECT["dependencies"]]
JOBS = [*BASE, *(Requirement(line) for line in PROJECT["optional-dependencies"]["jobs"])]
OF_JOBS = requirements((WORKLOADS / "requirements.txt").read_text())
OF_PIPELINES = requirements((WORKLOADS / "pipelines" / "requirements.txt").read_text())
RUNTIME = pins(requirements((WORKLOADS / "runtime.txt").read_text()))
HERE = requirements((REPOSITORY / "requirements.lock").read_text())
OVERRIDDEN = set(pins(requirements((REPOSITORY / "overrides.txt").read_text())))


def others(cloud: list[Requirement], here: list[Requirement]) -> list[str]:
    """Pins of the cloud that this machine has otherwise, or not at all."""
    known = {str(line) for line in here}
    return [str(line) for line in cloud if str(line) not in known and line.name not in OVERRIDDEN]


def test_jobs_install_all_that_the_wheel_asks_for_and_nothing_else() -> None:
    locked = pins(OF_JOBS, CLOUD)
    assert unmet(JOBS, RUNTIME | locked) == []
    assert set(locked) == closure(JOBS) - {"pyarrow"}, "the runtime's pyarrow stays"


def test_pipelines_install_no_more_than_the_reader_of_contracts_needs() -> None:
    locked = pins(OF_PIPELINES, CLOUD)
    assert unmet(BASE, locked) == []
    assert set(locked) == closure(BASE)
    assert not {"mlflow", "xgboost-cpu", "databricks-sdk", "pandas"} & set(locked)


def test_an_outdated_lock_is_seen() -> None:
    locked = pins(requirements("pydantic==1.10.0\npyyaml==6.0.3"))
    asked = [Requirement("pydantic>=2,<3"), Requirement("pyyaml>=6"), Requirement("churn-nowhere>1")]
    faults = unmet(asked, locked)
    assert "churn-nowhere>1 is asked for; locked: None" in faults
    assert "pydantic<3,>=2 is asked for; locked: pydantic==1.10.0" in faults
    assert not any(fault.startswith("pyyaml") for fault in faults)


def test_the_cloud_has_one_exact_version_of_each_package() -> None:
    for line in (*OF_JOBS, *OF_PIPELINES):
        assert [item.operator for item in line.specifier] == ["=="], line
    assert "xgboost" not in pins(OF_JOBS, CLOUD)
    assert not [name for name in pins(OF_JOBS, CLOUD) if name.startswith("nvidia")]


def test_what_the_runtime_has_stays_as_it_is() -> None:
    for name, pin in pins(OF_JOBS, CLOUD).items():
        if name in RUNTIME and name != "protobuf":
            assert pin.specifier == RUNTIME[name].specifier
    assert RUNTIME["protobuf"].specifier.contains(str(pins(OF_JOBS)["protobuf"].specifier).removeprefix("=="))


def test_this_machine_has_the_versions_of_the_cloud() -> None:
    assert others(OF_JOBS, HERE) == []
    assert others(OF_PIPELINES, OF_JOBS) == []
    assert others([pin for name, pin in RUNTIME.items() if name != "protobuf"], HERE) == []


def test_another_version_of_the_cloud_is_seen() -> None:
    cloud = requirements("numpy==2.1.3\nprotobuf==5.29.6\npandas==2.2.3\n")
    here = requirements("numpy==2.4.6 \\\n    --hash=sha256:00\nprotobuf==6.33.6\n")
    assert others(cloud, here) == ["numpy==2.1.3", "pandas==2.2.3"]


def test_only_what_the_spark_client_needs_differs_from_the_cloud() -> None:
    assert OVERRIDDEN == OF_SPARK_CLIENT
