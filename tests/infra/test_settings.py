"""The settings of a stack, and the faults of wrong ones."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest

from churn.core.faults import FaultsError
from infra.written.settings.stack import Settings
from infra.written.stacks import read_settings
from policies.compute import MAX_WAREHOUSE_IDLE_MINUTES
from tests.infra.stack_files import LOCAL, platform_of
from tests.remedies import repeats

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


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
    (
        {"churn:platform.protect_data": "yes"},
        "churn:platform.protect_data",
        ['"yes"', "boolean", "remedy: write true or false without quotes as"],
    ),
    (
        {"churn:platform.compute.workers": "two"},
        "churn:platform.compute.workers",
        ['"two"', "integer", "remedy: write workers in digits alone, without quotes ("],
    ),
    (
        {"churn:platform.compute.workers": 0},
        "churn:platform.compute.workers",
        ["received 0", "or equal to 1", "remedy: raise workers to 1 or more ("],
    ),
    (
        {"churn:platform.training.horizon_days": 30.5},
        "churn:platform.training.horizon_days",
        ["30.5", "remedy: write horizon_days in digits alone"],
    ),
    ({"churn:platform.warehouse.size": "Tiny"}, "churn:platform.warehouse.size", ['"Tiny"', "'2X-Small'", "'Medium'"]),
    (
        {"churn:platform.warehouse.size": "small"},
        "churn:platform.warehouse.size",
        ['"small"', "remedy: write Small as size (size of one cluster"],
    ),
    (
        {"churn:platform.daily.logical_date": "yesterday"},
        "churn:platform.daily.logical_date",
        ['"yesterday"', "date", "YYYY-MM-DD"],
    ),
    ({"churn:platform.daily.notify": ["nobody"]}, "churn:platform.daily.notify[0]", ['"nobody"', "notified of"]),
    (
        {"churn:platform.workspace.host": "http://example.com"},
        "churn:platform.workspace.host",
        ["http://example.com", "https"],
    ),
    (
        {"churn:platform.warehouse.auto_stop_minutes": 31},
        "churn:platform.warehouse.auto_stop_minutes",
        ["remedy: lower auto_stop_minutes to 30 or less (", "warehouses-stop"],
    ),
    (
        {"churn:platform.daily.cron": "x x x x x x"},
        "churn:platform.daily.cron",
        ['"x x x x x x"', "seconds numbers from 0 to 59", "Quartz"],
    ),
    (
        {"churn:platform.daily.cron": "0 0 5 * * *"},
        "churn:platform.daily.cron",
        ['"0 0 5 * * *"', "? for exactly one of day of month", "remedy: write ? instead of the one that"],
    ),
    (
        {"churn:platform.daily.timezone": "Mars/Olympus"},
        "churn:platform.daily.timezone",
        ['"Mars/Olympus"', "Europe/Zurich", "remedy: choose the zone whose midnight ends a day of the data (time"],
    ),
    (
        {"churn:platform.daily.timezone": "Europe/Zurch"},
        "churn:platform.daily.timezone",
        ["remedy: write Europe/Zurich (time zone"],
    ),
    ({"churn:platform.daily.timezone": "Europe"}, "churn:platform.daily.timezone", ['"Europe"', "IANA"]),
    (
        {"churn:platform.groups.analysts": "churn-engineers"},
        "churn:platform.groups.analysts",
        ['"churn-engineers"', "engineers has this one", "name another group for analysts"],
    ),
    (
        {"churn:platform.workspace.host": "https://dbc.example.com", "churn:platform.stream": None},
        "churn:account.console",
        ["received null", "only groups of the account", "add console with host and account_id"],
    ),
    (
        {"churn:platform": None},
        "churn:account.console",
        ["received null", "only groups of the account", "add console with host and account_id"],
    ),
    (
        {"churn:account.groups": ["one", "two", "one"], "churn:account.members": {}},
        "churn:account.groups[2]",
        ['"one"', "each group once", "remove this one"],
    ),
    (
        {"churn:account.members": {"team-pricing": ["ann@churn.local"]}},
        "churn:account.members.team-pricing",
        ["one of churn:account.groups", "churn-platform", "make the group here"],
    ),
    ({"churn:platform.workspace.id": "one"}, "churn:platform.workspace.id", ["write id in digits"]),
    ({"churn:ground": None}, "churn:ground", ["received null", "stands on it", "storage_root, which may be null"]),
    ({"churn:ground": {}}, "churn:ground", ["received {}", "one of aws, stack", "storage_root: null where"]),
    (
        {"churn:ground": {"stack": "example/churn/ground", "storage_root": "s3://bucket/churn"}},
        "churn:ground",
        ["s3://bucket/churn", "example/churn/ground", "one of aws, stack", "storage_root: null where"],
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
        ["received 1", "write the earlier day as logical_date, or remove"],
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
    ({"churn:platform.team_groups": ["o\tps"]}, "churn:platform.team_groups[0]", ["ps", "remove these characters"]),
    (
        {"churn:platform.team_groups": [""]},
        "churn:platform.team_groups[0]",
        ['""', "at least 1 character", "remedy: lengthen team_groups to 1"],
    ),
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
    assert not repeats(fault.allowed, fault.remedy)
    assert [part for part in ["Pulumi.local.yaml", field, "allowed: ", "remedy: ", *said] if part not in text] == []


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
        "churn:platform.stream.online.tls",
        "churn:platform.training.history_days",
    ]


def test_a_misspelling_is_one_fault(altered: Callable[..., Path]) -> None:
    changes = {"churn:platform.warehouse.auto_stop_minute": 10, "churn:platform.warehouse.auto_stop_minutes": None}
    with pytest.raises(FaultsError, match="1 fault in") as caught:
        read_settings(altered(changes))
    said = "remedy: write auto_stop_minutes instead of auto_stop_minute (idle minutes after which it stops; "
    assert said in str(caught.value)


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
    with pytest.raises(FaultsError, match=said.format(stack=stack)) as caught:
        read_settings(altered(changes, stack))
    assert not any(repeats(fault.allowed, fault.remedy) for fault in caught.value.faults)


@pytest.mark.parametrize("name", ["Data Engineers", "SG_Churn", "Children's team", "Équipe données", "useradmins"])
def test_groups_have_the_names_that_directories_give(altered: Callable[..., Path], name: str) -> None:
    assert name in platform_of(altered({"churn:platform.team_groups": [name]})).group_names


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
    compute = platform_of(
        altered({"churn:platform.compute.serverless": True, "churn:ground.aws.kafka.serverless_link": True})
    ).compute
    assert compute.serverless
    assert compute.spark_conf
    meaning = type(compute).model_fields["spark_conf"].description or ""
    assert "pipelines always take them, jobs only on their cluster, not on serverless compute" in meaning


def test_every_setting_is_explained() -> None:
    def fields(model: type[Any], path: str = "") -> list[tuple[str, Any]]:
        found = []
        for name, info in model.model_fields.items():
            found.append((path + name, info.description))
            if isinstance(info.annotation, type) and hasattr(info.annotation, "model_fields"):
                found += fields(info.annotation, f"{path}{name}.")
        return found

    assert [path for path, meaning in fields(Settings) if not meaning] == ["stack"]
