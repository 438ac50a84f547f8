"""Requests for workspace areas: those in the repository, and what is wrong with wrong ones."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from churn.core.faults import FaultsError
from infra.access.securables import PRIVILEGES, Kind
from infra.written.requests import SCHEMA_FILE, AreaPrivilege, json_schema, read_requests

if TYPE_CHECKING:
    from pathlib import Path

GROUPS = ("churn-engineers", "churn-scientists", "churn-analysts", "team-retention")
GOOD = """
kind: workspace_area
team: retention
schema: lab
purpose: Lists of retention campaigns
owner_group: team-retention
stacks: [local]
"""


def write(folder: Path, place: str, text: str = GOOD) -> None:
    file = folder / "requests" / place
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def faults(folder: Path) -> list[tuple[str, str, str]]:
    with pytest.raises(FaultsError) as caught:
        read_requests("local", GROUPS, folder / "requests")
    return [(fault.file, fault.field, fault.received) for fault in caught.value.faults]


def test_the_requests_of_the_repository() -> None:
    areas = {area.schema_name: area for area in read_requests("local", GROUPS)}
    lab = areas["retention_lab"]
    assert (lab.team, lab.owner_group, lab.volume) == ("retention", "team-retention", "campaigns")
    assert [(grant.group, grant.privileges) for grant in lab.grants] == [
        ("churn-scientists", (AreaPrivilege.SELECT, AreaPrivilege.READ_VOLUME))
    ]


def test_the_json_schema_is_current() -> None:
    assert SCHEMA_FILE.read_text() == json_schema(), "run python -m infra.written.requests"


def test_every_privilege_exists_on_a_schema() -> None:
    assert {privilege.value for privilege in AreaPrivilege} <= PRIVILEGES[Kind.SCHEMA]


def test_a_request_is_for_its_stacks_only(tmp_path: Path) -> None:
    write(tmp_path, "retention/lab.yaml")
    write(tmp_path, "retention/other.yaml", GOOD.replace("lab", "other").replace("[local]", "[prod]"))
    assert [area.schema_name for area in read_requests("local", GROUPS, tmp_path / "requests")] == ["lab"]


@pytest.mark.parametrize(
    ("old", "new", "field", "received"),
    [
        ("kind: workspace_area", "kind: sandbox", "kind", '"sandbox"'),
        ("team: retention\n", "team: growth\n", "team", '"growth"'),
        ("schema: lab", "schema: den", "schema", '"den"'),
        ("schema: lab", "schema: Lab", "schema", '"Lab"'),
        ("owner_group: team-retention", "owner_group: team-nobody", "owner_group", '"team-nobody"'),
        ("owner_group: team-retention", "owner: team-retention", "owner", "the unknown name 'owner'"),
        ("stacks: [local]", "stacks: []", "stacks", "[]"),
        ("stacks: [local]", "stacks: [locla, prod]", "stacks[0]", '"locla"'),
        ("purpose: Lists of retention campaigns", "purpose: x", "purpose", '"x"'),
        ("\nstacks", "\ngrants: [{group: nobody, privileges: [SELECT]}]\nstacks", "grants[0].group", '"nobody"'),
        (
            "\nstacks",
            "\ngrants: [{group: churn-analysts, privileges: [SELECT, MANAGE]}]\nstacks",
            "grants[0].privileges[1]",
            '"MANAGE"',
        ),
    ],
)
def test_a_fault_names_file_and_field(tmp_path: Path, old: str, new: str, field: str, received: str) -> None:
    assert old in GOOD
    write(tmp_path, "retention/lab.yaml", GOOD.replace(old, new))
    assert ("requests/retention/lab.yaml", field, received) in faults(tmp_path)


def test_a_stack_without_a_file_is_refused_with_the_remedy(tmp_path: Path) -> None:
    write(tmp_path, "retention/lab.yaml", GOOD.replace("[local]", "[locla, account]"))
    with pytest.raises(FaultsError) as caught:
        read_requests("local", GROUPS, tmp_path / "requests")
    for index, name in enumerate(("locla", "account")):
        said = (
            f'requests/retention/lab.yaml:7: stacks[{index}]: received "{name}"; allowed: dev, local, prod; '
            f"remedy: correct the name, or add Pulumi.{name}.yaml with churn:platform"
        )
        assert said in str(caught.value)


def test_groups_are_those_of_the_stacks_that_have_the_area(tmp_path: Path) -> None:
    write(tmp_path, "retention/lab.yaml", GOOD.replace("[local]", "[prod]").replace("team-retention", "team-prod"))
    assert read_requests("local", GROUPS, tmp_path / "requests") == ()
    write(
        tmp_path, "retention/lab.yaml", GOOD.replace("[local]", "[local, prod]").replace("team-retention", "team-prod")
    )
    assert faults(tmp_path) == [("requests/retention/lab.yaml", "owner_group", '"team-prod"')]


@pytest.mark.parametrize("name", ["default", "information_schema"])
def test_schemas_that_databricks_makes_are_reserved(tmp_path: Path, name: str) -> None:
    write(tmp_path, f"retention/{name}.yaml", GOOD.replace("lab", name))
    said = f'requests/retention/{name}.yaml:4: schema: received "{name}"; allowed: .* Databricks has .*; remedy: choose'
    with pytest.raises(FaultsError, match=said):
        read_requests("local", GROUPS, tmp_path / "requests")


def test_a_schema_is_given_once(tmp_path: Path) -> None:
    write(tmp_path, "retention/lab.yaml")
    write(tmp_path, "sales/lab.yaml", GOOD.replace("team: retention", "team: sales"))
    write(tmp_path, "sales/gold.yaml", GOOD.replace("team: retention", "team: sales").replace("lab", "gold"))
    assert faults(tmp_path) == [
        ("requests/sales/gold.yaml", "schema", '"gold"'),
        ("requests/sales/lab.yaml", "schema", '"lab"'),
    ]


@pytest.mark.parametrize(
    "place",
    [
        "retention/lab.json",
        "retention/lab.YAML",
        "retention/lab.yml",
        "retention/lab.yaml.txt",
        "retention/lab.yxxml",
        "retention/deep/lab.yaml",
        "lab.yaml",
        "readme",
    ],
)
def test_a_file_that_would_be_passed_over_is_named(tmp_path: Path, place: str) -> None:
    for hidden_or_known in (".DS_Store", ".git/a.yaml", "retention/.lab.yaml", SCHEMA_FILE.name):
        write(tmp_path, hidden_or_known, "")
    assert read_requests("local", GROUPS, tmp_path / "requests") == ()
    write(tmp_path, place)
    said = (
        f"requests/{place}: received a file that nothing reads; allowed: requests/<team>/<schema>.yaml; remedy: rename "
        "it to requests/<team>/<schema>.yaml, or remove it"
    )
    with pytest.raises(FaultsError, match=re.escape(said)):
        read_requests("local", GROUPS, tmp_path / "requests")


def test_a_folder_and_an_alias_to_itself_are_named(tmp_path: Path) -> None:
    (tmp_path / "requests" / "retention" / "x.yaml").mkdir(parents=True)
    write(tmp_path, "retention/lab.yaml", GOOD + "grants: &all [*all]")
    assert faults(tmp_path) == [
        ("requests/retention/lab.yaml", "", "an alias to what holds it"),
        ("requests/retention/x.yaml", "", "'Is a directory'"),
    ]


def test_the_faults_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    write(tmp_path, "retention/lab.yaml", GOOD.replace("team-retention", "team-nobody"))
    write(tmp_path, "sales/den.yaml", "kind: [")
    write(tmp_path, "sales/pit.yaml", GOOD.replace("kind: workspace_area", "knd: workspace_area"))
    assert {file for file, _, _ in faults(tmp_path)} == {
        "requests/retention/lab.yaml",
        "requests/sales/den.yaml",
        "requests/sales/pit.yaml",
    }
