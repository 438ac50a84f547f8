"""Everything that a stack deploys is read before any fault is reported, by the command and by the program."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from churn.core.faults import FaultsError
from infra.check import check, read_everything
from infra.written import paths
from infra.written.paths import REPOSITORY
from tests.golden import assert_matches
from tests.infra.program import engine_config
from tests.remedies import repeats

RECORDS = Path(__file__).parent / "records"

# What is spoilt, by file: texts, and what is written instead.
SPOILT = {
    "Pulumi.local.yaml": {
        "auto_stop_minutes: 10": "auto_stop_minute: 10",  # misspelt
        "    account_id: 00000000-0000-0000-0000-000000000000\n": "",  # missing
        "      workers: 1\n": "      workers: 65\n",  # out of bounds
        'logical_date: "2026-01-31"': "logical_date: 2026-01-31",  # not quoted
        "cron: 0 0 5 * * ?": "cron: 0 0 25 * * ?",
        "size: 2X-Small": "size: Tiny",
    },
    "contracts/customer.yaml": {
        "primaryKey: true": "primarKey: true",
        "physicalType: INT": "physicalType: LONG",
        "access: read": "access: look",
    },
    "contracts/usage.yaml": {
        "physicalType: STRING": "physicalType: DECIMAL(10,2)",
        "logicalType: string": "logicalType: text",
    },
    "requests/retention/retention_lab.yaml": {
        "volume: campaigns": "volum: campaigns",
        "- group: churn-scientists": "- group: users",
    },
}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the program and of what people write."""
    for folder in ("contracts", "infra", "requests"):
        shutil.copytree(REPOSITORY / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in REPOSITORY.glob("Pulumi*.yaml"):
        shutil.copy(file, tmp_path)
    return tmp_path


def python(*arguments: str, cwd: Path = REPOSITORY) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, cwd=cwd, check=False)


def spoil(folder: Path) -> None:
    for file, changes in SPOILT.items():
        text = (folder / file).read_text()
        for old, new in changes.items():
            assert old in text
            text = text.replace(old, new, 1)
        (folder / file).write_text(text)


def test_the_command_prints_settings(copy: Path) -> None:
    good = python("-m", "infra.check", "local")
    assert good.returncode == 0, good.stderr
    assert json.loads(good.stdout)["stack"] == "local"
    assert python("-m", "infra.check", str(REPOSITORY / "Pulumi.local.yaml")).stdout == good.stdout
    assert python("-m", "infra.check", "local", cwd=copy).stdout == good.stdout
    usage = python("-m", "infra.check", "--help")
    assert usage.returncode == 0
    assert usage.stdout.startswith("usage: python -m infra.check [-h] [stacks ...]")


def test_the_command_checks_every_stack() -> None:
    every = python("-m", "infra.check")
    assert every.returncode == 0, every.stderr
    for stack in ("account", "dev", "local", "prod"):
        assert f'"stack": "{stack}"' in every.stdout
    bad = python("-m", "infra.check", "nowhere", "local", "nobody")
    assert (bad.returncode, bad.stdout) == (1, "")
    for stack in ("nowhere", "nobody"):
        assert f"Pulumi.{stack}.yaml: received no such file" in bad.stderr


def test_all_sources_are_read_before_any_fault_is_shown(copy: Path) -> None:
    spoil(copy)
    checked = python("-m", "infra.check", "local", cwd=copy)
    assert (checked.returncode, checked.stdout) == (1, "")
    assert_matches(RECORDS / "faults.txt", checked.stderr)


def test_no_remedy_of_the_record_repeats_what_is_allowed() -> None:
    faults = re.findall(r"allowed: (.*); remedy: (.*)", (RECORDS / "faults.txt").read_text())
    assert faults
    assert [fault for fault in faults if repeats(*fault)] == []


@pytest.mark.parametrize(
    ("allowed", "remedy"),
    [
        ("one layer or more", "write one layer or more"),
        ("false in prod: simulated rows must not mix with real ones", "set it to false"),
        ("0 beside daily.logical_date", "set it to 0"),
        ("DataContract, the only kind that this folder holds", "write kind: DataContract"),
        ("spark", "write engine: spark"),
    ],
)
def test_a_remedy_that_repeats_what_is_allowed_is_seen(allowed: str, remedy: str) -> None:
    assert repeats(allowed, remedy)


def test_the_program_reports_the_same_faults_and_the_wheel(copy: Path) -> None:
    spoil(copy)
    config = engine_config("local", copy / "Pulumi.local.yaml")
    program = (
        "import json, sys\n"
        "from churn.core.faults import FaultsError\n"
        "from infra.check import read_everything\n"
        "try:\n"
        "    read_everything('local', json.loads(sys.argv[1]))\n"
        "except FaultsError as error:\n"
        "    print(*error.faults, sep='\\n')\n"
    )
    read = python("-c", program, json.dumps(config), cwd=copy)
    lines = read.stdout.splitlines()
    assert lines.pop().startswith("workloads/dist: received 0 wheels; "), read.stderr
    before = [line.strip() for line in python("-m", "infra.check", "local", cwd=copy).stderr.splitlines()[1:]]
    # The engine hands over a date without quotes as another text.
    assert [line for line in lines if "logical_date" not in line] == [
        line for line in before if "logical_date" not in line
    ]
    assert len(lines) == len(before)


def test_grants_are_checked_with_what_asks_for_them(copy: Path) -> None:
    contract = copy / "contracts" / "usage.yaml"
    text = contract.read_text().replace(
        "roles:\n", "roles:\n  - role: team-retention\n    access: read\n    description: x\n"
    )
    contract.write_text(text)
    checked = python("-m", "infra.check", "local", cwd=copy)
    line = text.splitlines().index("  - role: team-retention") + 1
    said = f"contracts/usage.yaml:{line}: roles: received SELECT on churn_local.silver.usage for team-retention; "
    assert said in checked.stderr


def test_rules_of_contracts_are_parsed_before_anything_is_deployed(copy: Path) -> None:
    contract = copy / "contracts" / "support.yaml"
    text = contract.read_text().replace("resolution_hours BETWEEN 0", "resolution_hour BETWEEN 0")
    contract.write_text(text)
    checked = python("-m", "infra.check", "account", "local", cwd=copy)
    line = next(number for number, line in enumerate(text.splitlines(), 1) if "resolution_hour BETWEEN" in line)
    said = f"contracts/support.yaml:{line}: schema[0].quality[0].implementation: received the column resolution_hour; "
    assert said in checked.stderr
    assert checked.stderr.count("\n  ") == checked.returncode == 1


def test_a_stack_of_the_account_deploys_neither_contracts_nor_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "WHEELS", REPOSITORY / "nowhere")
    written = read_everything("account", engine_config("account"))
    assert written.platform is None
    assert written.settings.account is not None


def test_a_platform_has_sources(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(paths, "WHEELS", tmp_path)
    with pytest.raises(FaultsError, match="workloads/dist: received 0 wheels"):
        read_everything("dev", engine_config("dev"))
    (tmp_path / "churn-0.1.0-py3-none-any.whl").touch()
    platform = read_everything("dev", engine_config("dev")).platform
    assert platform is not None
    assert platform.wheel.parent == tmp_path
    assert [contract.domain for contract in platform.contracts][:1] == ["customer"]
    assert [request.schema_name for request in platform.requests] == ["retention_lab"]
    assert platform.plan


def test_the_check_needs_no_wheel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(paths, "WHEELS", tmp_path)
    (settings,) = check([REPOSITORY / "Pulumi.dev.yaml"])
    assert settings.stack == "dev"
