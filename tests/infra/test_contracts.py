"""What the program takes from the contracts, and what is wrong with wrong ones."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import yaml

from churn.core.faults import FaultsError
from infra.access.plan import Grant, Securable
from infra.written.contracts import read_contracts
from infra.written.paths import CONTRACTS, REPOSITORY
from infra.written.stacks import read_settings

if TYPE_CHECKING:
    from pathlib import Path

PLATFORM = read_settings(REPOSITORY / "Pulumi.local.yaml").platform
assert PLATFORM is not None
GROUPS = PLATFORM.group_names


def test_the_contracts_of_the_repository() -> None:
    contracts = {contract.table: contract for contract in read_contracts(GROUPS)}
    tables = ("customer", "events", "marketing", "support", "transactions")
    assert list(contracts) == [f"silver.{table}" for table in tables]
    customer = Securable("churn_local.silver.customer", "table")
    assert set(contracts["silver.customer"].grants_in("churn_local")) == {
        Grant(customer, "churn-engineers", frozenset({"SELECT"})),
        Grant(customer, "churn-scientists", frozenset({"SELECT"})),
    }


@pytest.mark.parametrize(
    ("old", "new", "field", "received"),
    [
        ("role: churn-scientists", "role: nobody", "roles[1].role", '"nobody"'),
        ("access: read", "access: look", "roles[0].access", '"look"'),
        ("name: churn-engineers", "name: nobody", "team.name", '"nobody"'),
        ("physicalName: silver.customer", "physicalName: customer", "schema[0].physicalName", '"customer"'),
        ("physicalName: silver.customer", "physicalName: gold.customer", "schema[0].physicalName", '"gold.customer"'),
        ("    physicalName: silver.customer\n", "", "schema[0].physicalName", "null"),
        ("- name: customer\n    physical", "- physical", "schema", "[null]"),
        ("version: 1.0.0", "vrsion: 1.0.0", "vrsion", "the unknown name 'vrsion'"),
        ("status: active", "status: 3", "status", "3"),
    ],
)
def test_a_fault_names_file_and_field(tmp_path: Path, old: str, new: str, field: str, received: str) -> None:
    text = (CONTRACTS / "customer.yaml").read_text()
    assert old in text
    folder = tmp_path / "contracts"
    folder.mkdir()
    (folder / "customer.yaml").write_text(text.replace(old, new, 1))
    (folder / "other.yaml").write_text(yaml.safe_dump([1]))
    with pytest.raises(FaultsError) as caught:
        read_contracts(GROUPS, folder)
    found = [(fault.file, fault.field, fault.received) for fault in caught.value.faults]
    assert ("contracts/customer.yaml", field, received) in found
    assert "contracts/other.yaml" in {file for file, _, _ in found}, "all files' faults are told at once"


@pytest.mark.parametrize("place", ["client.yml", "client.json", "old/client.yaml", "client.yaml.bak", "notes.md"])
def test_a_file_that_the_wheel_passes_over_is_named(tmp_path: Path, place: str) -> None:
    folder = tmp_path / "contracts"
    (folder / place).parent.mkdir(parents=True)
    (folder / ".hidden.yaml").touch()
    assert read_contracts(GROUPS, folder) == []
    (folder / place).touch()
    with pytest.raises(FaultsError) as caught:
        read_contracts(GROUPS, folder)
    said = f"contracts/{place}: received a file that nothing reads; allowed: contracts/<table>.yaml; remedy: rename it"
    assert said in str(caught.value)


def test_the_check_before_the_engine_has_the_wheel_read_the_contracts(tmp_path: Path) -> None:
    sources = shutil.ignore_patterns("__pycache__", "dist")
    for folder in ("contracts", "infra", "requests", "workloads"):
        shutil.copytree(REPOSITORY / folder, tmp_path / folder, symlinks=True, ignore=sources)
    for file in REPOSITORY.glob("Pulumi*.yaml"):
        shutil.copy(file, tmp_path)
    command = [sys.executable, "-m", "infra.check", "local"]

    def check_again() -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)

    good = check_again()
    assert (good.returncode, good.stderr) == (0, "")
    for name in ("customer", "events"):
        file = tmp_path / "contracts" / f"{name}.yaml"
        file.write_text(file.read_text().replace("physicalType: STRING", "physicalType: DECIMAL(10,2)", 1))
    bad = check_again()
    assert bad.returncode == 1
    assert bad.stderr.splitlines() == [
        f"contracts/{name}.yaml: schema[0].properties[0]: physicalType is DECIMAL(10,2): write one of STRING, INT, "
        "DOUBLE, DATE, BOOLEAN"
        for name in ("customer", "events")
    ]


def test_a_table_is_named_alike_for_deployment_and_workloads(tmp_path: Path) -> None:
    text = (CONTRACTS / "customer.yaml").read_text()
    (tmp_path / "customer.yaml").write_text(
        text.replace("physicalName: silver.customer", "physicalName: silver.client")
    )
    with pytest.raises(FaultsError) as caught:
        read_contracts(GROUPS, tmp_path)
    said = (
        'customer.yaml:33: schema[0].physicalName: received "silver.client"; allowed: silver.customer, since its name is '
        "customer; remedy: write physicalName: silver.customer, or correct the name"
    )
    assert said in str(caught.value)


def test_a_table_has_one_contract(tmp_path: Path) -> None:
    folder = tmp_path / "contracts"
    folder.mkdir()
    for name in ("again.yaml", "customer.yaml"):
        (folder / name).write_text((CONTRACTS / "customer.yaml").read_text())
    with pytest.raises(FaultsError) as caught:
        read_contracts(GROUPS, folder)
    said = (
        'contracts/customer.yaml:32: schema[0].name: received "customer"; allowed: a table of its own; '
        "contracts/again.yaml describes this one; remedy: make one contract of the two"
    )
    assert said in str(caught.value)
