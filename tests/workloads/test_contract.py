"""The contracts: what the workloads read from them, and what a wrong one is told."""

from __future__ import annotations

import pytest
import yaml

from churn.core.contract import ContractError, contracts, parse
from local.settings import REPOSITORY

BY_DOMAIN = {contract.domain: contract for contract in contracts()}
CUSTOMER = (REPOSITORY / "contracts" / "customer.yaml").read_text()


def test_there_is_one_for_each_silver_table() -> None:
    assert list(BY_DOMAIN) == ["customer", "events", "marketing", "support", "transactions"]
    assert {contract.format for contract in BY_DOMAIN.values()} == {"csv", "parquet"}


def test_keys_sources_and_rules_come_from_the_contract() -> None:
    customer = BY_DOMAIN["customer"]
    assert (customer.keys, customer.ordering) == (["customer_id"], "as_of")
    assert {each.ordering for each in contracts() if each is not customer} == {None}
    assert customer.sources[:2] == ["customerID", "gender"]
    assert customer.rules["customer_id_is_given"] == "customer_id IS NOT NULL"
    assert "total_charges_is_given" not in customer.rules
    assert customer.rules["senior_citizen_is_a_flag"] == "senior_citizen IN (0, 1)"


def test_text_files_deliver_strings_and_parquet_files_types() -> None:
    assert "`tenure` STRING" in BY_DOMAIN["customer"].delivered_schema
    assert "`amount` DOUBLE" in BY_DOMAIN["transactions"].delivered_schema


def test_every_column_of_a_person_is_classified() -> None:
    table = yaml.safe_load(CUSTOMER)["schema"][0]
    classified = {column["name"] for column in table["properties"] if column.get("classification")}
    assert classified == {"customer_id", "gender", "senior_citizen", "partner", "dependents"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kind: [", "c.yaml: is no YAML: while parsing"),
        ("", "c.yaml: is no contract but None: write `name: value` lines"),
        ("- 1", "c.yaml: is no contract but [1]: write `name: value` lines"),
    ],
)
def test_what_is_no_mapping_is_refused(text: str, message: str) -> None:
    with pytest.raises(ContractError) as error:
        parse(text, "c.yaml")
    assert str(error.value).startswith(message)


@pytest.mark.parametrize(
    ("found", "written", "message"),
    [
        ("value: csv", "value: xml", "c.yaml: customProperties.format is xml: write one of csv, parquet"),
        ("value: as_of", "value: day", "c.yaml: customProperties.ordering is day: write the name of a column"),
        ("primaryKey: true", "primaryKey: false", "c.yaml: schema[0].properties: no primaryKey"),
        ("physicalType: STRING", "physicalType: TEXT", "c.yaml: schema[0].properties[0]: physicalType is TEXT"),
        ("engine: spark", "engine: soda", "c.yaml: schema[0].quality[0]: give name, engine: spark"),
        ("name: customer\n    physicalName", "physicalName", "c.yaml: schema: has no table with properties"),
        (
            "physicalType: INT",
            "physicalType: DECIMAL(10,2)",
            "c.yaml: schema[0].properties[2]: physicalType is DECIMAL",
        ),
        ("name: customer\n    phys", "name: a.b\n    phys", "c.yaml: schema[0].name is a.b: write a lower-case letter"),
        ("name: customer\n    phys", "name: cust omer\n    phys", "c.yaml: schema[0].name is cust omer: write a lower"),
        ("name: gender", "name: Gender", "c.yaml: schema[0].properties[1]: name is Gender: write a lower-case letter"),
        ("name: partner", "name: gender", "c.yaml: schema[0].properties: gender is there twice: remove or rename"),
        ("[Dependents]", "[PARTNER]", "c.yaml: schema[0].properties: partner is there twice: remove or rename"),
        ("kind: DataContract", "kind: Banana", "c.yaml: kind is Banana: write DataContract"),
        ("kind: DataContract\n", "", "c.yaml: kind is None: write DataContract"),
        ("version: 1.0.0\n", "", "c.yaml: version is None: write the contract's version, such as 1.0.0"),
        ("version: 1.0.0", "version: 1.0", "c.yaml: version is 1.0: Input should be a valid string"),
        (
            "name: tenure_is_possible",
            "name: contract_is_known",
            "c.yaml: schema[0].quality: two rules are named contract",
        ),
        (
            "name: tenure_is_possible",
            "name: gender_is_given",
            "c.yaml: schema[0].quality: two rules are named gender_is_",
        ),
    ],
)
def test_a_wrong_contract_is_refused_with_file_field_and_remedy(found: str, written: str, message: str) -> None:
    assert found in CUSTOMER
    with pytest.raises(ContractError) as error:
        parse(CUSTOMER.replace(found, written, 1), "c.yaml")
    assert str(error.value).startswith(message)
