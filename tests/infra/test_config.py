"""The stack files, and what is wrong with wrong ones."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from infra.written.faults import FaultsError, read_mapping
from infra.written.settings import Daily, Settings
from infra.written.stacks import REPOSITORY, check, load, stack_names
from policies.compute import MAX_WAREHOUSE_IDLE_MINUTES
from tests.infra.program import engine_config

if TYPE_CHECKING:
    from collections.abc import Callable

LOCAL = REPOSITORY / "Pulumi.local.yaml"


@pytest.fixture
def altered(tmp_path: Path) -> Callable[..., Path]:
    """Writes a copy of the local stack's file with some settings changed; None removes one."""

    def write(changes: dict[str, Any], stack: str = "local") -> Path:
        document = yaml.safe_load(LOCAL.read_text())
        for path, value in changes.items():
            *parents, last = path.split(".")
            place = document["config"]
            for parent in parents:
                place = place[parent]
            if value is None:
                del place[last]
            else:
                place[last] = value
        file = tmp_path / f"Pulumi.{stack}.yaml"
        file.write_text(yaml.safe_dump(document))
        return file

    return write


@pytest.mark.parametrize("stack", ["local", "dev", "prod"])
def test_the_stack_files_are_right_before_and_inside_the_engine(stack: str) -> None:
    settings = check(REPOSITORY / f"Pulumi.{stack}.yaml")
    assert settings.stack == stack
    assert load(stack, engine_config(stack)) == settings


# What was written, and what the message must name: the field, what was received, what is allowed.
FAULTS: list[tuple[dict[str, Any], str, list[str]]] = [
    ({"churn:protect_dta": True}, "churn:protect_dta", ["'protect_dta'", "protect_data", "write protect_data"]),
    ({"churn:compute.wokers": 2}, "churn:compute.wokers", ["node_type_id", "write workers instead"]),
    ({"churn:protect_data": "yes"}, "churn:protect_data", ['"yes"', "boolean"]),
    ({"churn:compute.workers": "two"}, "churn:compute.workers", ['"two"', "integer"]),
    ({"churn:compute.workers": 0}, "churn:compute.workers", ["received 0", "greater than or equal to 1"]),
    ({"churn:training.horizon_days": 30.5}, "churn:training.horizon_days", ["30.5"]),
    ({"churn:warehouse.size": "Tiny"}, "churn:warehouse.size", ['"Tiny"', "'2X-Small'", "'Medium'"]),
    ({"churn:daily.logical_date": "yesterday"}, "churn:daily.logical_date", ['"yesterday"', "date"]),
    ({"churn:daily.notify": ["nobody"]}, "churn:daily.notify[0]", ['"nobody"']),
    ({"churn:workspace.host": "http://example.com"}, "churn:workspace.host", ["http://example.com", "https"]),
    (
        {"churn:warehouse.auto_stop_minutes": 31},
        "churn:warehouse.auto_stop_minutes",
        ["equal to 30", "warehouses-stop"],
    ),
    (
        {"churn:daily.cron": "x x x x x x"},
        "churn:daily.cron",
        ['"x x x x x x"', "seconds numbers from 0 to 59", "Quartz"],
    ),
    ({"churn:daily.cron": "0 0 5 * * *"}, "churn:daily.cron", ['"0 0 5 * * *"', "? for exactly one of day of month"]),
    (
        {"churn:daily.timezone": "Mars/Olympus"},
        "churn:daily.timezone",
        ['"Mars/Olympus"', "Europe/Zurich", "set it to"],
    ),
    ({"churn:daily.timezone": "Europe"}, "churn:daily.timezone", ['"Europe"', "IANA"]),
    (
        {"churn:account.groups.analysts": "churn-engineers"},
        "churn:account.groups.analysts",
        ['"churn-engineers"', "engineers has this one", "name another group for analysts"],
    ),
    (
        {"churn:workspace.host": "https://dbc.example.com"},
        "churn:account.console",
        ["received null", "only groups of the account", "add account.console with host and account_id"],
    ),
    ({"churn:account.groups.analysts": None}, "churn:account.groups.analysts", ["nothing", "add analysts"]),
    ({"churn:serving": None}, "churn:serving", ["nothing", "add serving"]),
    ({"churn:serving": 3}, "churn:serving", ["received 3"]),
    ({"databricks:host": "https://x"}, "databricks:host", ["churn:", "remove databricks:host"]),
    ({"churn:stack": "prod"}, "churn:stack", ["remove churn:stack"]),
    ({"churn:simulation.snapshot_date": None}, "churn:simulation.snapshot_date", ["null", "a date when"]),
    (
        {"churn:account.console": {"host": "https://x", "account_id": "00000000-0000-0000-0000-000000000000"}},
        "churn:workspace.id",
        ["received null", "account.console is given"],
    ),
    (
        {"churn:training.settle_days": 10, "churn:training.history_days": 86},
        "churn:training.history_days",
        ["received 86", "87 or more", "twice lead_days, horizon_days and settle_days"],
    ),
    ({"churn:daily.logical_date": "2020-01-01"}, "churn:daily.logical_date", ['"2020-01-01"', "or a later day"]),
    (
        {"churn:daily.logical_date": dt.date(2026, 1, 31)},
        "churn:daily.logical_date",
        ['remedy: quote it: "2026-01-31"'],
    ),
    (
        {"churn:simulation.snapshot_date": dt.date(2026, 1, 31)},
        "churn:simulation.snapshot_date",
        ['remedy: quote it: "2026-01-31"'],
    ),
    ({"churn:daily.days_behind": 1}, "churn:daily.days_behind", ["received 1", "set it to 0, or remove"]),
    ({"churn:workspace.deployer": " "}, "churn:workspace.deployer", ['" "', "application id of the identity"]),
    ({"churn:account.team_groups": ["users"]}, "churn:account.team_groups[0]", ['"users"', "admins, users are"]),
    ({"churn:account.groups.engineers": "admins"}, "churn:account.groups.engineers", ['"admins"', "admins, users are"]),
    ({"churn:workspace.host": "http://127.0.0.1:65536"}, "churn:workspace.host", [":65536", "from 1 to 65535"]),
    ({"churn:workspace.host": "http://localhost:0"}, "churn:workspace.host", [":0", "from 1 to 65535"]),
]


@pytest.mark.parametrize(("changes", "field", "said"), FAULTS, ids=[fault[1] for fault in FAULTS])
def test_a_fault_names_file_field_value_and_remedy(
    altered: Callable[..., Path], changes: dict[str, Any], field: str, said: list[str]
) -> None:
    with pytest.raises(FaultsError) as caught:
        check(altered(changes))
    (fault,) = caught.value.faults
    assert fault.file == "Pulumi.local.yaml"
    assert fault.field == field
    text = str(caught.value)
    assert fault.remedy
    assert [part for part in ["Pulumi.local.yaml", field, "allowed: ", "remedy: ", *said] if part not in text] == []


@pytest.mark.parametrize(
    "cron",
    [
        "0 0 5 * * ?",
        "0 0/5 14,18 ? * MON-FRI",
        "0 */10 22-2 ? jan,7-12 2#3",
        "0 05 5 L * ? 2026-2030",
        "0 0 5 L-3W 2/3 ?",
        "0 0 5 15W * ?",
        "0 0 5 ? * fril *",
    ],
)
def test_a_schedule_that_quartz_reads(altered: Callable[..., Path], cron: str) -> None:
    assert check(altered({"churn:daily.cron": cron})).daily.cron == cron


@pytest.mark.parametrize(
    ("cron", "said"),
    [
        ("0 0 5 * *", "six or seven fields"),
        ("0 0  5 * * ?", "six or seven fields"),
        ("0 0 5 * * ? * *", "six or seven fields"),
        ("0 0 5 ? * ?", "exactly one"),
        ("? 0 5 * * ?", r"seconds numbers from 0 to 59, .* not '\?'"),
        ("0 60 5 * * ?", "minutes numbers from 0 to 59, .* not '60'"),
        ("0 0 5- * * ?", "hours numbers from 0 to 23, .* not '5-'"),
        ("0 0 1,,5 * * ?", "hours numbers .* not ''"),
        ("0 0 5 32 * ?", "day of month numbers from 1 to 31, .* not '32'"),
        ("0 0 5 * JUNE ?", "month numbers from 1 to 12 or JAN to DEC, .* not 'JUNE'"),
        ("0 0 5 ? * 0", "day of week numbers from 1 to 7 or SUN to SAT, .* not '0'"),
        ("0 0 5 ? * 2#6", "day of week .* not '2#6'"),
        ("0 0/0 5 * * ?", "minutes .* not '0/0'"),
        ("0 0/ 5 * * ?", "minutes .* not '0/'"),
        ("0 0 5 * * ? 1969", "year numbers from 1970 to 2099, .* not '1969'"),
    ],
)
def test_a_schedule_that_quartz_does_not_read(altered: Callable[..., Path], cron: str, said: str) -> None:
    with pytest.raises(
        FaultsError, match=rf"churn:daily\.cron: received .*{said}.*; remedy: set it to what is allowed"
    ):
        check(altered({"churn:daily.cron": cron}))


def test_a_warehouse_may_idle_as_long_as_the_policy_allows(altered: Callable[..., Path]) -> None:
    longest = altered({"churn:warehouse.auto_stop_minutes": MAX_WAREHOUSE_IDLE_MINUTES})
    assert check(longest).warehouse.auto_stop_minutes == MAX_WAREHOUSE_IDLE_MINUTES
    with pytest.raises(FaultsError, match="auto_stop_minutes"):
        check(altered({"churn:warehouse.auto_stop_minutes": MAX_WAREHOUSE_IDLE_MINUTES + 1}))


def test_a_model_learns_from_no_less_than_a_week_before_its_judgement(altered: Callable[..., Path]) -> None:
    least = {"churn:training.lead_days": 5, "churn:training.history_days": 2 * (5 + 30) + 7}
    assert check(altered(least)).training.history_days == 77
    assert check(LOCAL).training.history_days == 365


def test_spark_settings_are_the_pipelines_on_serverless_compute_too(altered: Callable[..., Path]) -> None:
    compute = check(altered({"churn:compute.serverless": True})).compute
    assert compute.serverless
    assert compute.spark_conf
    meaning = type(compute).model_fields["spark_conf"].description or ""
    assert "pipelines always take them, jobs only on their cluster, not on serverless compute" in meaning


def test_the_day_of_a_run_is_explained_as_that_in_utc() -> None:
    for name in ("timezone", "logical_date"):
        meaning = Daily.model_fields[name].description or ""
        assert "{{job.start_time.iso_date}}" in meaning
        assert "in UTC" in meaning


def test_all_faults_are_told_at_once(altered: Callable[..., Path]) -> None:
    changes = {"churn:protect_data": 7, "churn:compute.workers": -1, "churn:serving.size": "x", "aws:region": "eu"}
    with pytest.raises(FaultsError, match="4 faults") as caught:
        check(altered(changes))
    assert sorted(f.field for f in caught.value.faults) == sorted(
        ["churn:protect_data", "churn:compute.workers", "churn:serving.size", "aws:region"]
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"churn:daily.logical_date": None}, r"churn:simulation\.enabled: received true; allowed: false in {stack}:"),
        ({"churn:simulation": {"enabled": False}}, r"churn:daily\.logical_date: received .*: null in {stack}:"),
    ],
)
@pytest.mark.parametrize("stack", ["prod", "prod_eu"])
def test_production_has_real_data_and_moving_days(
    altered: Callable[..., Path], changes: dict[str, Any], said: str, stack: str
) -> None:
    with pytest.raises(FaultsError, match=said.format(stack=stack)):
        check(altered(changes, stack))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("config: [1, 2", "YAML"),
        ("- 1", "a mapping"),
        ("config: 3", "a mapping"),
        ("cnfig: {}", "'cnfig'"),
        ("config:\n  churn:a: 1\n  churn:a: 2", "given twice"),
        ("config: {1: x}", r"names must be text .*line 1, column 10.*; allowed: .*; remedy: correct the line"),
        ("config:\n  churn:workspace:\n    host: {{ HOST }}", "names must be text .*line 3, column 12"),
        ("config:\n  ? [a, b]\n  : 1", "names must be text .*line 2"),
        ("config: &a {churn:a: *a}", "an alias to what holds it; .*remedy: write the values"),
        ("&a [*a]", "an alias to what holds it"),
        ("config: {churn:a: 0b_}", "YAML"),
    ],
)
def test_a_file_that_is_no_stack_file(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "Pulumi.local.yaml"
    file.write_text(text)
    with pytest.raises(FaultsError, match=said):
        check(file)


def test_a_missing_file_and_a_wrong_name(tmp_path: Path) -> None:
    with pytest.raises(FaultsError, match="no such file"):
        check(tmp_path / "Pulumi.local.yaml")
    with pytest.raises(FaultsError, match=r"Pulumi\.<stack>\.yaml"):
        check(tmp_path / "local.yaml")
    (tmp_path / "Pulumi.folder.yaml").mkdir()
    with pytest.raises(FaultsError, match=r"Pulumi\.folder\.yaml: received 'Is a directory'; .*; remedy: put a file"):
        check(tmp_path / "Pulumi.folder.yaml")
    file = tmp_path / "Pulumi.My-Stack.yaml"
    file.write_text(LOCAL.read_text())
    with pytest.raises(FaultsError, match="the stack name 'My-Stack'"):
        check(file)


def test_one_stack_owns_the_groups_of_an_account(altered: Callable[..., Path]) -> None:
    console = {"host": "https://accounts.example.com", "account_id": "00000000-0000-0000-0000-000000000001"}
    shared = {"churn:account.console": console, "churn:workspace.id": "1"}
    one = altered(shared, "one")
    altered(shared | {"churn:account.own": False}, "two")
    other = console | {"account_id": "00000000-0000-0000-0000-000000000002"}
    altered(shared | {"churn:account.console": other}, "three")
    altered({}, "four")
    assert check(one).account.own
    altered(shared, "two")
    said = (
        r"Pulumi\.one\.yaml: churn:account\.own: received true; allowed: false, since Pulumi\.two\.yaml owns the "
        "groups of the same account; remedy: set it to false in one of the two"
    )
    with pytest.raises(FaultsError, match=said):
        check(one)


def test_names_may_be_quoted_or_merged(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.local.yaml"
    file.write_text("config: &a {'1': x}\nenvironment: {<<: *a, b: y}")
    assert read_mapping(file, file.name) == {"config": {"1": "x"}, "environment": {"1": "x", "b": "y"}}


def test_stacks_are_known_by_their_files(tmp_path: Path) -> None:
    assert stack_names() >= {"local", "dev", "prod"}
    for name in ("Pulumi.yaml", "Pulumi.one.yaml", "Pulumi.two.yml", "Pulumi.three.json", "Pulumi.four.yxxml"):
        (tmp_path / name).touch()
    assert stack_names(tmp_path) == {"one", "two"}


def test_an_encrypted_value_is_not_shown(altered: Callable[..., Path]) -> None:
    with pytest.raises(FaultsError) as caught:
        check(altered({"churn:workspace.host": {"secure": "v1:hidden"}}))
    assert "hidden" not in str(caught.value)
    assert "a secret" in str(caught.value)


def test_the_command_tells_faults_and_fails(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "infra.written.stacks"]
    good = subprocess.run([*command, "local"], capture_output=True, text=True, cwd=REPOSITORY, check=False)
    assert good.returncode == 0, good.stderr
    assert json.loads(good.stdout)["stack"] == "local"
    by_path = subprocess.run([*command, str(LOCAL)], capture_output=True, text=True, cwd=REPOSITORY, check=False)
    assert by_path.stdout == good.stdout
    bad = subprocess.run([*command, "nowhere"], capture_output=True, text=True, cwd=REPOSITORY, check=False)
    assert bad.returncode == 1
    assert "Pulumi.nowhere.yaml: received no such file" in bad.stderr
    usage = subprocess.run([*command, "--help"], capture_output=True, text=True, cwd=REPOSITORY, check=False)
    assert usage.returncode == 0
    assert usage.stdout.startswith("usage: python -m infra.written.stacks [-h] [stacks ...]")


def test_settings_and_requests_import_no_provider_sdk() -> None:
    code = (
        "import sys, infra.written.stacks, infra.written.requests, infra.written.contracts, infra.access.plan; "
        "print([m for m in sys.modules if m.split('.')[0] in ('pulumi', 'pulumi_databricks', 'databricks', 'grpc')])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=REPOSITORY, check=True)
    assert run.stdout.strip() == "[]"


def test_every_setting_is_explained() -> None:
    def fields(model: type[Any], path: str = "") -> list[tuple[str, Any]]:
        found = []
        for name, info in model.model_fields.items():
            found.append((path + name, info.description))
            if isinstance(info.annotation, type) and hasattr(info.annotation, "model_fields"):
                found += fields(info.annotation, f"{path}{name}.")
        return found

    assert [path for path, meaning in fields(Settings) if not meaning] == ["stack"]
