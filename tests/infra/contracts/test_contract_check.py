"""What `platform contract check` finds before anything is deployed, each with file, line, field and remedy."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from churn.core.faults import FaultsError
from infra.written import paths
from infra.written.contracts.check import check_contracts, check_files
from infra.written.contracts.conditions import spark_functions
from infra.written.contracts.template import write_template
from tests.remedies import repeats

if TYPE_CHECKING:
    from pathlib import Path

    from churn.core.faults import Fault


GROUPS = ("churn-engineers", "churn-scientists", "churn-analysts")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return shutil.copytree(paths.CONTRACTS, tmp_path / "contracts")


def faults_of(folder: Path, file: str, old: str, new: str) -> tuple[Fault, ...]:
    """The faults of a contract in which one text is another."""
    path = folder / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(FaultsError) as caught:
        check_files([path])
    return caught.value.faults


def line_of(path: Path, text: str) -> int:
    return next(number for number, line in enumerate(path.read_text().splitlines(), 1) if text in line)


def test_the_contracts_of_the_repository_have_no_fault() -> None:
    assert {"customer", "events", "usage"} <= {contract.domain for contract in check_contracts(paths.CONTRACTS)}


CONDITION = "resolution_hours IS NULL OR resolution_hours BETWEEN 0 AND 87600"
# Conditions in the contract of tickets, what was received, and a part of the remedy.
CONDITIONS = [
    ("prioritty IN ('low')", "the column prioritty", "write priority"),
    ("priority IN ('low'", "\"priority IN ('low'\"", "correct it at character 18: Expecting )"),
    ("priority = 'low", '"priority = \'low"', "close what is open"),
    ("priority = 'low'; DROP TABLE x", "\"priority = 'low'; DROP TABLE x\"", "what each row has to meet"),
    ("SELECT 1", '"SELECT 1"', "what each row has to meet"),
    ("resolution_hours + 1", '"resolution_hours + 1"', "what each row has to meet"),
    ("resolution_hours < (SELECT 5)", "a query", "put what needs other rows"),
    ("resolution_hours < max(resolution_hours)", "an aggregate over other rows", "put what needs other rows"),
    ("lenght(ticket_id) > 2", "the function lenght", "write length"),
    ("priority IN ('low', 'hihg')", 'priority compared with "hihg"', "write high"),
    ("'hihg' = priority", 'priority compared with "hihg"', "write high"),
    ("NOT category <=> 'refund'", 'category compared with "refund"', "or list it as a value of category"),
    ("silver.support.priority = 'low'", "the column silver.support.priority", "name a column"),
]


@pytest.mark.parametrize(("condition", "received", "remedy"), CONDITIONS)
def test_a_rule_that_spark_would_refuse_is_named(folder: Path, condition: str, received: str, remedy: str) -> None:
    (fault,) = faults_of(folder, "support.yaml", CONDITION, f'"{condition}"')
    assert (fault.file, fault.field) == ("contracts/support.yaml", "schema[0].quality[0].implementation")
    assert fault.line == line_of(folder / "support.yaml", "implementation:")
    assert fault.received == received
    assert remedy in fault.remedy
    assert not repeats(fault.allowed, fault.remedy)


@pytest.mark.parametrize(
    "condition",
    [
        "Resolution_Hours > 0",
        "exists(array(1, 2), each -> each > 1) OR priority = 'low'",
        "ticket_id RLIKE '^s-' AND try_cast(ticket_id AS INT) IS NULL",
        "CASE WHEN priority = 'low' THEN true ELSE resolution_hours > 1 END",
        "btrim(category) <> 'other'",
    ],
)
def test_a_rule_that_spark_takes_passes(folder: Path, condition: str) -> None:
    path = folder / "support.yaml"
    path.write_text(path.read_text().replace(CONDITION, f'"{condition}"'))
    assert check_files([path])[0].quality[-1].condition == condition


def test_spark_s_functions_are_known_without_spark() -> None:
    assert {"length", "exists", "try_cast", "btrim"} - spark_functions() == {"try_cast"}  # which is syntax
    code = "import sys, infra.written.contracts.check; print('pyspark' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"


# File, text in it, what is written instead, and field, what was received and a part of the fault.
STANDARD = [
    ("customer.yaml", "primaryKey: true", "primarKey: true", "schema[0].properties[0].primarKey", "write primaryKey"),
    ("customer.yaml", "logicalType: integer", "logicalType: int", "schema[0].properties[10].logicalType", "integer"),
    ("customer.yaml", "apiVersion: v3.1.0", "apiVersion: v2.2.0", "apiVersion", "write apiVersion: v3.1.0"),
    ("customer.yaml", "id: churn-silver-customer\n", "", "", "'id' is a required property"),
    (
        "customer.yaml",
        "severity: warn",
        "severity: warn\n        dimension: beauty",
        "schema[0].quality[6].dimension",
        "completeness, conformity",
    ),
    (
        "usage.yaml",
        "to: customer.customer_id",
        "to: customer.customer",
        "schema[0].properties[1].relationships[0].to",
        "write customer.customer_id",
    ),
    (
        "usage.yaml",
        "to: customer.customer_id",
        "to: customer.email",
        "schema[0].properties[1].relationships[0].to",
        "the key of a table that has a contract",
    ),
]


@pytest.mark.parametrize(("file", "old", "new", "field", "said"), STANDARD)
def test_what_the_standard_refuses_is_one_fault(
    folder: Path, file: str, old: str, new: str, field: str, said: str
) -> None:
    (fault,) = faults_of(folder, file, old, new)
    assert (fault.file, fault.field) == (f"contracts/{file}", field)
    assert said in str(fault)
    assert fault.line is not None


# The same of contracts of gold.
GOLD = [
    (
        "churn_labels",
        "[silver.customer.churn_date]",
        "[silver.customer.churn_dat]",
        "schema[0].properties[4].transformSourceObjects[0]",
        "write silver.customer.churn_date",
    ),
    (
        "churn_scores_daily",
        "[gold.churn_features]",
        "[gold.churn_feature]",
        "schema[0].properties[2].transformSourceObjects[0]",
        "write gold.churn_features",
    ),
    ("churn_labels", "value: features", "value: feature", "customProperties[0].value", "write features"),
    ("churn_labels", "property: writer", "property: writes", "customProperties[0].property", "write writer"),
    ("churn_labels", "property: writer", "property: by", "customProperties", "add the property writer"),
    ("churn_labels", "lead_days, horizon", "lead_day, horizon", "customProperties", "correct it in part"),
    (
        "churn_labels",
        "physicalName: gold.",
        "physicalName: silver.",
        "schema[0].physicalName",
        "write gold.churn_labels",
    ),
]


@pytest.mark.parametrize(("table", "old", "new", "field", "said"), GOLD)
def test_a_wrong_contract_of_gold_is_one_fault(
    folder: Path, table: str, old: str, new: str, field: str, said: str
) -> None:
    (fault,) = faults_of(folder, f"gold/{table}.yaml", old, new)
    assert (fault.file, fault.field) == (f"contracts/gold/{table}.yaml", field)
    assert said in str(fault)


SECRETS = [
    "jdbc:postgresql://h/crm?user=churn&password=x9",
    "https://churn:x9@h/crm",
    "AccountKey=abcdefgh==",
    "ASIA" + "0" * 16,
    "dapi" + "0" * 32,
    "eyJhbGciOiJI.eyJzdWIiOiIx.c2ln",
    "db_pwd=x9y",
]


@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_is_named_and_not_shown(folder: Path, secret: str) -> None:
    (fault,) = faults_of(folder, "usage.yaml", "One row per use of the service.", f'"from {secret}"')
    assert (fault.field, fault.received) == ("schema[0].description", "a secret")
    assert secret not in str(fault)


def test_a_property_named_as_a_secret_is_one(folder: Path) -> None:
    new = "customProperties:\n  - property: api_token\n    value: h8s-k\n"
    (fault,) = faults_of(folder, "usage.yaml", "customProperties:\n", new)
    assert (fault.field, fault.received) == ("customProperties[0].value", "a secret")


@pytest.mark.parametrize("text", ["password_policy is strict", "tokens a day", "the secret of success"])
def test_words_about_secrets_pass(folder: Path, text: str) -> None:
    path = folder / "usage.yaml"
    path.write_text(path.read_text().replace("One row per use of the service.", text))
    assert [contract.domain for contract in check_files([path])] == ["usage"]


def test_faults_of_all_contracts_and_kinds_come_at_once(folder: Path) -> None:
    path = folder / "usage.yaml"
    path.write_text(path.read_text().replace("BETWEEN 0 AND 1440", "BETWEEN 0 AND limit_of_day"))
    (folder / "broken.yaml").write_text("a: [")
    other = folder / "support.yaml"
    other.write_text(other.read_text().replace("logicalType: date", "logicalType: day"))
    with pytest.raises(FaultsError) as caught:
        check_contracts(folder)
    assert [fault.file for fault in caught.value.faults] == [
        f"contracts/{name}.yaml" for name in ("broken", "support", "usage")
    ]


def test_a_template_passes_once_its_questions_are_answered(folder: Path) -> None:
    path = write_template("returns", folder)
    with pytest.raises(FaultsError) as caught:
        check_contracts(folder)
    text = path.read_text()
    places = {(fault.line, fault.field) for fault in caught.value.faults}
    asked = {number for number, line in enumerate(text.splitlines(), 1) if "TODO" in line}
    assert {line for line, _ in places} == asked
    assert len(places) == len(caught.value.faults)
    answers = {"one of pii.name": "pii.id", "csv, json or parquet": "csv", "group that": "churn-engineers"}

    def answered(line: str) -> str:
        before, todo, question = line.partition("TODO ")
        answer = next((answers[each] for each in answers if question.startswith(each)), "an answer")
        return f"{before}{answer}" if todo else line

    path.write_text("\n".join(map(answered, text.splitlines())))
    (contract,) = [each for each in check_contracts(folder, GROUPS) if each.domain == "returns"]
    assert contract.keys == ["returns_id"]
    with pytest.raises(FaultsError, match="choose another name"):
        write_template("returns", folder)
    with pytest.raises(FaultsError, match="a lower-case letter"):
        write_template("Returns", folder)
