"""The stack files, and what is wrong with wrong ones."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from churn.core.faults import FaultsError
from churn.core.files import read_document
from infra.written.paths import REPOSITORY
from infra.written.settings.daily import Daily
from infra.written.settings.platform import Platform
from infra.written.settings.stack import Settings
from infra.written.stacks import read_settings, settings_in_program, stack_names
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
            *parents, last = path.split(".") if path.startswith("churn:") else [path]
            place = document["config"]
            for parent in parents:
                place = place[parent]
            if value is None:
                place.pop(last)
            else:
                place[last] = value
        file = tmp_path / f"Pulumi.{stack}.yaml"
        file.write_text(yaml.safe_dump(document))
        return file

    return write


def platform_of(stack_file: Path) -> Platform:
    platform = read_settings(stack_file).platform
    assert platform is not None
    return platform


@pytest.mark.parametrize("stack", ["account", "local", "dev", "prod"])
def test_the_stack_files_are_right_before_and_inside_the_engine(stack: str) -> None:
    settings = read_settings(REPOSITORY / f"Pulumi.{stack}.yaml")
    assert settings.stack == stack
    assert settings_in_program(stack, engine_config(stack)) == settings


CONSOLE = {"host": "https://x", "account_id": "00000000-0000-0000-0000-000000000000"}

# The change, the field, and what the message must contain: what was received, what is allowed, what to do.
FAULTS: list[tuple[dict[str, Any], str, list[str]]] = [
    (
        {"churn:platform.protect_dta": True},
        "churn:platform.protect_dta",
        ["'protect_dta'", "protect_data", "remove protect_dta; protect_data is given too"],
    ),
    (
        {"churn:platform.compute.wokers": 2, "churn:platform.compute.workers": None},
        "churn:platform.compute.wokers",
        ["node_type_id", "write workers instead of wokers (worker nodes of the job cluster)"],
    ),
    ({"churn:platform.protect_data": "yes"}, "churn:platform.protect_data", ['"yes"', "boolean"]),
    ({"churn:platform.compute.workers": "two"}, "churn:platform.compute.workers", ['"two"', "integer"]),
    ({"churn:platform.compute.workers": 0}, "churn:platform.compute.workers", ["received 0", "or equal to 1"]),
    ({"churn:platform.training.horizon_days": 30.5}, "churn:platform.training.horizon_days", ["30.5"]),
    ({"churn:platform.warehouse.size": "Tiny"}, "churn:platform.warehouse.size", ['"Tiny"', "'2X-Small'", "'Medium'"]),
    ({"churn:platform.daily.logical_date": "yesterday"}, "churn:platform.daily.logical_date", ['"yesterday"', "date"]),
    ({"churn:platform.daily.notify": ["nobody"]}, "churn:platform.daily.notify[0]", ['"nobody"', "notified of"]),
    (
        {"churn:platform.workspace.host": "http://example.com"},
        "churn:platform.workspace.host",
        ["http://example.com", "https"],
    ),
    (
        {"churn:platform.warehouse.auto_stop_minutes": 31},
        "churn:platform.warehouse.auto_stop_minutes",
        ["equal to 30", "warehouses-stop"],
    ),
    (
        {"churn:platform.daily.cron": "x x x x x x"},
        "churn:platform.daily.cron",
        ['"x x x x x x"', "seconds numbers from 0 to 59", "Quartz"],
    ),
    (
        {"churn:platform.daily.cron": "0 0 5 * * *"},
        "churn:platform.daily.cron",
        ['"0 0 5 * * *"', "? for exactly one of day of month"],
    ),
    (
        {"churn:platform.daily.timezone": "Mars/Olympus"},
        "churn:platform.daily.timezone",
        ['"Mars/Olympus"', "Europe/Zurich", "remedy: correct timezone (time zone of the cron expression"],
    ),
    ({"churn:platform.daily.timezone": "Europe"}, "churn:platform.daily.timezone", ['"Europe"', "IANA"]),
    (
        {"churn:platform.groups.analysts": "churn-engineers"},
        "churn:platform.groups.analysts",
        ['"churn-engineers"', "engineers has this one", "name another group for analysts"],
    ),
    (
        {"churn:platform.workspace.host": "https://dbc.example.com"},
        "churn:account.console",
        ["received null", "only groups of the account", "add console with host and account_id"],
    ),
    (
        {"churn:platform": None},
        "churn:account.console",
        ["received null", "only groups of the account", "add console with host and account_id"],
    ),
    (
        {"churn:account.groups": ["one", "two", "one"]},
        "churn:account.groups[2]",
        ['"one"', "each group once", "remove this one"],
    ),
    ({"churn:ground": None}, "churn:ground", ["received null", "stands on it", "storage_root, which may be null"]),
    ({"churn:ground": {}}, "churn:ground", ["received {}", "either storage_root", "write one of the three"]),
    (
        {"churn:ground.stack": "example/churn/ground", "churn:ground.storage_root": "s3://bucket/churn"},
        "churn:ground",
        ["s3://bucket/churn", "example/churn/ground", "either storage_root", "write one of the three"],
    ),
    ({"churn:ground": {"stack": "ground"}}, "churn:ground.stack", ['"ground"', "organization/project/stack"]),
    ({"churn:ground.storage_root": "bucket"}, "churn:ground.storage_root", ['"bucket"', "s3", "cloud location"]),
    (
        {"churn:account": None, "churn:ground": None, "churn:platform": None},
        "",
        ["received {}", "one layer or more", "add churn:account"],
    ),
    ({"churn:platform.groups.analysts": None}, "churn:platform.groups.analysts", ["nothing", "text", "add analysts"]),
    (
        {"churn:platform.serving": None},
        "churn:platform.serving",
        ["nothing", "a mapping with workload_size, scale_to_zero", "add serving (the serving endpoint)"],
    ),
    (
        {"churn:platform.compute.workers": None},
        "churn:platform.compute.workers",
        ["nothing", "a whole number from 1 to 64", "add workers (worker nodes of the job cluster)"],
    ),
    (
        {"churn:platform.warehouse.size": None},
        "churn:platform.warehouse.size",
        ["nothing", "2X-Small, Large, Medium, Small, X-Small", "add size"],
    ),
    ({"churn:platform.serving": 3}, "churn:platform.serving", ["received 3"]),
    (
        {"churn:warehouse": {}},
        "churn:warehouse",
        [
            "allowed: churn:account, churn:ground, churn:platform;",
            "remove churn:warehouse, or move it below churn:platform",
        ],
    ),
    ({"churn:dashboards": {}}, "churn:dashboards", ["the unknown name", "remedy: remove churn:dashboards"]),
    (
        {"churn:platfrm": {}, "churn:platform": None, "churn:account": None},
        "churn:platfrm",
        ["the unknown name", "write churn:platform instead of churn:platfrm (the layer of the platform"],
    ),
    ({"databricks:host": "https://x"}, "databricks:host", ["churn:", "remove databricks:host"]),
    ({"churn:stack": "prod"}, "churn:stack", ["remove churn:stack"]),
    (
        {"churn:platform.simulation.snapshot_date": None},
        "churn:platform.simulation.snapshot_date",
        ["null", "a date when"],
    ),
    ({"churn:account.console": CONSOLE | {"account_id": "1"}}, "churn:account.console.account_id", ['"1"', "UUID"]),
    (
        {"churn:platform.training.settle_days": 10, "churn:platform.training.history_days": 86},
        "churn:platform.training.history_days",
        ["received 86", "87 or more", "twice lead_days, horizon_days and settle_days"],
    ),
    (
        {"churn:platform.daily.logical_date": "2020-01-01"},
        "churn:platform.daily.logical_date",
        ['"2020-01-01"', "or a later day"],
    ),
    (
        {"churn:platform.daily.logical_date": dt.date(2026, 1, 31)},
        "churn:platform.daily.logical_date",
        ['remedy: quote it: "2026-01-31"'],
    ),
    (
        {"churn:platform.simulation.snapshot_date": dt.date(2026, 1, 31)},
        "churn:platform.simulation.snapshot_date",
        ['remedy: quote it: "2026-01-31"'],
    ),
    (
        {"churn:platform.daily.days_behind": 1},
        "churn:platform.daily.days_behind",
        ["received 1", "set it to 0, or remove"],
    ),
    (
        {"churn:platform.workspace.deployer": " "},
        "churn:platform.workspace.deployer",
        ['" "', "application id of the identity"],
    ),
    ({"churn:platform.team_groups": ["users"]}, "churn:platform.team_groups[0]", ['"users"', "admins and users are"]),
    ({"churn:account.groups": ["Admins"]}, "churn:account.groups[0]", ['"Admins"', "admins and users are"]),
    (
        {"churn:platform.groups.engineers": "ADMINS"},
        "churn:platform.groups.engineers",
        ['"ADMINS"', "admins and users are"],
    ),
    ({"churn:platform.team_groups": [" ops"]}, "churn:platform.team_groups[0]", ['" ops"', "without blanks before"]),
    ({"churn:platform.team_groups": ["ops "]}, "churn:platform.team_groups[0]", ['"ops "', "without blanks before"]),
    ({"churn:platform.team_groups": ["o\tps"]}, "churn:platform.team_groups[0]", ["ps", "without control characters"]),
    ({"churn:platform.team_groups": [""]}, "churn:platform.team_groups[0]", ['""', "at least 1 character"]),
    (
        {"churn:platform.workspace.host": "http://127.0.0.1:65536"},
        "churn:platform.workspace.host",
        [":65536", "from 1 to 65535"],
    ),
    (
        {"churn:platform.workspace.host": "http://localhost:0"},
        "churn:platform.workspace.host",
        [":0", "from 1 to 65535"],
    ),
]


@pytest.mark.parametrize(("changes", "field", "said"), FAULTS, ids=[fault[1] for fault in FAULTS])
def test_a_fault_names_file_field_value_and_remedy(
    altered: Callable[..., Path], changes: dict[str, Any], field: str, said: list[str]
) -> None:
    with pytest.raises(FaultsError) as caught:
        read_settings(altered(changes))
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
    assert platform_of(altered({"churn:platform.daily.cron": cron})).daily.cron == cron


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
        FaultsError, match=rf"churn:platform\.daily\.cron: received .*{said}.*; remedy: correct cron \(Quartz"
    ):
        read_settings(altered({"churn:platform.daily.cron": cron}))


def test_a_warehouse_may_idle_as_long_as_the_policy_allows(altered: Callable[..., Path]) -> None:
    longest = altered({"churn:platform.warehouse.auto_stop_minutes": MAX_WAREHOUSE_IDLE_MINUTES})
    assert platform_of(longest).warehouse.auto_stop_minutes == MAX_WAREHOUSE_IDLE_MINUTES
    with pytest.raises(FaultsError, match="auto_stop_minutes"):
        read_settings(altered({"churn:platform.warehouse.auto_stop_minutes": MAX_WAREHOUSE_IDLE_MINUTES + 1}))


def test_a_model_learns_from_no_less_than_a_week_before_its_judgement(altered: Callable[..., Path]) -> None:
    least = {"churn:platform.training.lead_days": 5, "churn:platform.training.history_days": 2 * (5 + 30) + 7}
    assert platform_of(altered(least)).training.history_days == 77
    assert platform_of(LOCAL).training.history_days == 365


def test_spark_settings_are_the_pipelines_on_serverless_compute_too(altered: Callable[..., Path]) -> None:
    compute = platform_of(altered({"churn:platform.compute.serverless": True})).compute
    assert compute.serverless
    assert compute.spark_conf
    meaning = type(compute).model_fields["spark_conf"].description or ""
    assert "pipelines always take them, jobs only on their cluster, not on serverless compute" in meaning


def test_the_day_of_a_run_is_explained_as_that_in_utc() -> None:
    for name in ("timezone", "logical_date"):
        meaning = Daily.model_fields[name].description or ""
        assert "{{job.start_time.iso_date}}" in meaning
        assert "in UTC" in meaning


def test_all_faults_are_reported_at_once(altered: Callable[..., Path]) -> None:
    changes = {
        "churn:platform.protect_data": 7,
        "churn:platform.compute.workers": -1,
        "churn:platform.serving.size": "x",
        "aws:region": "eu",
    }
    with pytest.raises(FaultsError, match="4 faults") as caught:
        read_settings(altered(changes))
    assert sorted(fault.field for fault in caught.value.faults) == sorted(changes)


def test_all_broken_rules_are_reported_at_once(altered: Callable[..., Path]) -> None:
    changes = {
        "churn:platform.groups.analysts": "churn-engineers",
        "churn:platform.daily.days_behind": 1,
        "churn:platform.training.history_days": 1,
        "churn:platform.workspace.host": "https://dbc.example.com",
    }
    with pytest.raises(FaultsError) as caught:
        read_settings(altered(changes, "prod"))
    assert [fault.field for fault in caught.value.faults] == [
        "churn:account.console",
        "churn:platform.daily.days_behind",
        "churn:platform.daily.logical_date",
        "churn:platform.groups.analysts",
        "churn:platform.simulation.enabled",
        "churn:platform.training.history_days",
    ]


def test_a_misspelling_is_one_fault(altered: Callable[..., Path]) -> None:
    changes = {"churn:platform.warehouse.auto_stop_minute": 10, "churn:platform.warehouse.auto_stop_minutes": None}
    with pytest.raises(FaultsError, match="1 fault in") as caught:
        read_settings(altered(changes))
    said = "remedy: write auto_stop_minutes instead of auto_stop_minute (idle minutes after which it stops; "
    assert said in str(caught.value)


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
    ("changes", "said"),
    [
        (
            {"churn:platform.daily.logical_date": None},
            r"churn:platform\.simulation\.enabled: received true; allowed: false in {stack}:",
        ),
        (
            {"churn:platform.simulation": {"enabled": False}},
            r"churn:platform\.daily\.logical_date: received .*: null in {stack}:",
        ),
    ],
)
@pytest.mark.parametrize("stack", ["prod", "prod_eu"])
def test_production_has_real_data_and_moving_days(
    altered: Callable[..., Path], changes: dict[str, Any], said: str, stack: str
) -> None:
    with pytest.raises(FaultsError, match=said.format(stack=stack)):
        read_settings(altered(changes, stack))


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
    ground = read_settings(altered({"churn:ground": {"stack": "example/churn/ground_eu"}})).ground
    assert ground is not None
    assert (ground.stack, ground.storage_root) == ("example/churn/ground_eu", None)


@pytest.mark.parametrize("name", ["Data Engineers", "SG_Churn", "Children's team", "Équipe données", "useradmins"])
def test_groups_have_the_names_that_directories_give(altered: Callable[..., Path], name: str) -> None:
    assert name in platform_of(altered({"churn:platform.team_groups": [name]})).group_names


def test_names_may_be_quoted_or_merged(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.local.yaml"
    file.write_text("config: &a {'1': x}\nenvironment: {<<: *a, b: y}")
    document = read_document(file, file.name)
    assert document.values == {"config": {"1": "x"}, "environment": {"1": "x", "b": "y"}}
    assert document.line(("environment", "b")) == 2
    assert document.line(("environment", "1")) == 1, "where it is written"


def test_stacks_are_known_by_their_files(tmp_path: Path) -> None:
    assert stack_names() >= {"local", "dev", "prod"}
    for name in ("Pulumi.yaml", "Pulumi.one.yaml", "Pulumi.two.yml", "Pulumi.three.json", "Pulumi.four.yxxml"):
        (tmp_path / name).touch()
    assert stack_names(tmp_path) == {"one", "two"}


def test_an_encrypted_value_is_not_shown(altered: Callable[..., Path]) -> None:
    with pytest.raises(FaultsError) as caught:
        read_settings(altered({"churn:platform.workspace.host": {"secure": "v1:hidden"}}))
    assert "hidden" not in str(caught.value)
    assert "a secret" in str(caught.value)


def test_every_setting_is_explained() -> None:
    def fields(model: type[Any], path: str = "") -> list[tuple[str, Any]]:
        found = []
        for name, info in model.model_fields.items():
            found.append((path + name, info.description))
            if isinstance(info.annotation, type) and hasattr(info.annotation, "model_fields"):
                found += fields(info.annotation, f"{path}{name}.")
        return found

    assert [path for path, meaning in fields(Settings) if not meaning] == ["stack"]
