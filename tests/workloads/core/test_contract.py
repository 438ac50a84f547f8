"""The data contracts: what is read from them, and the faults of wrong ones."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import timedelta
from importlib.resources import files
from typing import TYPE_CHECKING

import pytest
import yaml

from churn.core.contract import (
    FOLDER,
    Contract,
    Role,
    contract_of,
    contracts,
    file_contracts,
    gold_contracts,
    read_contract,
    read_contracts,
)
from churn.core.contract_rules import LOGICAL_TYPES
from churn.core.faults import FaultsError
from churn.core.files import parse_document
from churn.core.tables import TABLES
from churn.feature_engineering.groups import FEATURES
from local.settings import REPOSITORY
from tests.remedies import repeats

if TYPE_CHECKING:
    from pathlib import Path

    from churn.core.faults import Fault

BY_DOMAIN = {contract.domain: contract for contract in file_contracts()}
GROUPS = ("churn-engineers", "churn-scientists", "churn-analysts")
CUSTOMER = (REPOSITORY / "contracts" / "customer.yaml").read_text()


def read(text: str) -> Contract:
    return read_contract(parse_document(text, "c.yaml"), GROUPS)


def faults_of(text: str) -> tuple[Fault, ...]:
    with pytest.raises(FaultsError) as caught:
        read(text)
    return caught.value.faults


def line_of(text: str, beginning: str) -> int:
    return next(n for n, line in enumerate(text.splitlines(), 1) if line.strip().startswith(beginning))


def test_there_is_one_for_each_silver_table() -> None:
    assert list(BY_DOMAIN) == ["customer", "marketing", "support", "transactions", "usage"]
    assert [contract.table for contract in file_contracts()] == [f"silver.{domain}" for domain in BY_DOMAIN]
    assert {contract.formats[0] for contract in BY_DOMAIN.values()} == {"csv", "parquet"}


def test_the_contract_of_a_topic_stands_apart_from_those_of_files() -> None:
    events = contract_of("events")
    assert (events.topic, events.formats, events.keys) == ("customer.events", ("json",), ["event_id"])
    assert {contract.topic for contract in file_contracts()} == {None}
    assert events not in file_contracts()
    types = {column.name: (column.type, column.required) for column in events.columns}
    assert types["event_time"] == ("TIMESTAMP", True)
    assert types["enabled"] == ("BOOLEAN", False)


@pytest.mark.parametrize(
    ("old", "new", "field", "received", "said"),
    [
        ("value: json", "value: csv", "customProperties[1].value", '"csv"', "allowed: json; remedy: give the format"),
        (
            "value: json",
            "value: json\n  - property: ordering\n    value: event_time",
            "customProperties[2].value",
            '"event_time"',
            "allowed: no ordering, since each message is an event of its own; remedy: remove ordering",
        ),
        (
            "severity: quarantine\n        implementation",
            "severity: warn\n        implementation",
            "schema[0].quality[0].severity",
            '"warn"',
            "allowed: quarantine, since the stream",
        ),
        ("severity: quarantine", "severity: fail", "schema[0].properties[3].quality[0].severity", '"fail"', "aside"),
        ("property: topic", "property: topics", "customProperties[0].property", '"topics"', "remedy: write topic"),
    ],
)
def test_messages_have_a_format_of_their_own_and_no_order(
    old: str, new: str, field: str, received: str, said: str
) -> None:
    (fault,) = faults_of((REPOSITORY / "contracts" / "events.yaml").read_text().replace(old, new, 1))
    assert (fault.field, fault.received) == (field, received)
    assert said in str(fault)


def test_checks_follow_from_what_a_contract_says() -> None:
    of_files = {"keys", "references", "gaps", "freshness", "volume"}
    assert {contract.domain: set(contract.checks) for contract in contracts()} == {
        **dict.fromkeys(BY_DOMAIN, of_files),
        "customer": of_files - {"references"},
        "events": {"keys", "references", "order", "volume"},
    }
    undated = CUSTOMER.replace("    element: customer.as_of\n", "").replace(", volume: warn", "")
    assert "volume" not in read(undated).checks, "how much is usual is known of rows that have a day"
    (fault,) = faults_of(CUSTOMER.replace("  - property: checks\n", "  - property: check\n"))
    assert "remedy: write checks" in str(fault)


def test_tables_of_gold_are_what_their_contracts_say() -> None:
    described = {contract.table: contract for contract in gold_contracts()}
    written = {table.name: table for table in (*TABLES, FEATURES) if table.name.startswith("gold.")}
    assert described.keys() == written.keys()
    for name, contract in described.items():
        table = written[name]
        assert [(c.name, c.type, not c.required) for c in contract.columns] == [
            (column.name, column.type, column.nullable) for column in table.columns
        ], name
        assert (tuple(contract.keys), contract.part, contract.writer, contract.description) == (
            *(table.keys, table.part, table.writer, table.comment),
        )
    assert contract_of("customer").schema == "silver"


def test_nobody_is_known_by_a_mart() -> None:
    for contract in gold_contracts():
        assert contract.confidential != contract.domain.startswith("marts_"), contract.domain


def test_keys_sources_and_rules_come_from_the_contract() -> None:
    customer = BY_DOMAIN["customer"]
    assert (customer.keys, customer.ordering) == (["customer_id"], "as_of")
    assert {each.ordering for each in file_contracts() if each is not customer} == {None}
    assert customer.sources[:2] == ["customerID", "FullName"]
    assert customer.rules["customer_id_is_given"] == "customer_id IS NOT NULL"
    assert "total_charges_is_given" not in customer.rules
    assert customer.rules["senior_citizen_is_known"] == "senior_citizen IN (0, 1)"
    assert customer.rules["tenure_is_possible"] == "tenure_months BETWEEN 0 AND 1200"


def test_the_expectation_follows_from_the_listed_values() -> None:
    contract = next(column for column in BY_DOMAIN["customer"].columns if column.name == "contract")
    assert contract.values == ("Month-to-month", "One year", "Two year")
    assert BY_DOMAIN["customer"].rules["contract_is_known"] == "contract IN ('Month-to-month', 'One year', 'Two year')"
    optional = CUSTOMER.replace(
        "        required: true\n        classification: public\n", "        classification: public\n"
    )
    assert (
        read(optional.replace("[Two year]", "[Bob's]")).rules["plan_is_known"].startswith("plan IS NULL OR plan IN (")
    )
    quoted = read(CUSTOMER.replace("Two year", "Bob's"))
    assert quoted.rules["contract_is_known"].endswith(r", 'Bob\'s')")


def test_a_rule_has_the_severity_that_its_contract_gives() -> None:
    customer = BY_DOMAIN["customer"]
    assert list(customer.warnings) == ["email_has_a_domain"]
    assert customer.stops == {}
    assert not customer.warnings.keys() & customer.rules.keys()
    failing = read(CUSTOMER.replace("severity: quarantine", "severity: fail", 1))
    assert failing.stops == {"region_is_known": "region IN ('North', 'East', 'South', 'West')"}
    assert "region_is_known" not in failing.rules


def test_service_levels_are_durations_of_a_dated_column() -> None:
    service = BY_DOMAIN["transactions"].service
    assert (service.frequency, service.latency, service.retention) == (
        timedelta(days=1),
        timedelta(hours=24),
        timedelta(days=7 * 365),
    )
    assert (service.dated, service.available_by) == ("transaction_date", "06:00")
    assert (contract_of("events").service.latency, contract_of("events").service.available_by) == (
        timedelta(minutes=30),
        None,
    )


def test_owner_and_roles_come_from_the_contract() -> None:
    customer = BY_DOMAIN["customer"]
    assert customer.file == "contracts/customer.yaml"
    assert (customer.owner, customer.channel) == ("churn-engineers", "#churn-data")
    assert customer.roles == (
        Role(
            "churn-engineers",
            "read",
            "Run the pipelines, and look into rows that a rule has set aside.",
            line_of(CUSTOMER, "- role: churn-engineers"),
        ),
        Role(
            "churn-scientists",
            "read",
            "Build features and labels from what customers have and pay.",
            line_of(CUSTOMER, "- role: churn-scientists"),
        ),
        Role(
            "churn-analysts",
            "read",
            "Count customers of their regions by what they have; persons are masked.",
            line_of(CUSTOMER, "- role: churn-analysts"),
        ),
    )


def test_text_files_deliver_strings_and_parquet_files_types() -> None:
    assert "`tenure` STRING" in BY_DOMAIN["customer"].delivered_schema("csv")
    assert "`amount` DOUBLE" in BY_DOMAIN["transactions"].delivered_schema("parquet")


def test_every_column_is_classified_and_a_person_s_by_kind() -> None:
    customer = {column.name: column.classification for column in BY_DOMAIN["customer"].columns}
    expected = {
        "customer_id": "pii.id",
        "full_name": "pii.name",
        "email": "pii.email",
        "phone": "pii.phone",
        "birth_date": "pii.birth",
        "street": "pii.location",
        "city": "pii.location",
        "postcode": "pii.location",
    }
    assert {name: found for name, found in customer.items() if found.startswith("pii.")} == expected
    assert {name for name, found in customer.items() if found == "confidential"} == {
        *("gender", "senior_citizen", "partner", "dependents"),
        *("monthly_charges", "total_charges", "status", "churn_date"),
    }
    assert all(contract.confidential for contract in file_contracts())
    # source systems make the numbers of bills, tickets and uses from the customer's
    assert {column.classification for each in file_contracts() for column in each.columns if column.key} == {"pii.id"}
    everything_public = re.sub(r"classification: \S+", "classification: public", CUSTOMER)
    assert not read(everything_public).confidential


def test_nothing_is_public_for_want_of_a_class() -> None:
    (fault,) = faults_of(CUSTOMER.replace("        classification: pii.birth\n", ""))
    assert (fault.field, fault.received) == ("schema[0].properties[4].classification", "null")
    assert fault.remedy == "say who may read the column; public restricts nothing"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "kind: [",
            "c.yaml:1: received \"expected the node content, but found '<stream end>'\", column 8; allowed: YAML",
        ),
        ("", "c.yaml:1: received null; allowed: a mapping of names to values; remedy: write `name: value` lines"),
        ("- 1", "c.yaml:1: received [1]; allowed: a mapping of names to values; remedy: write `name: value` lines"),
    ],
)
def test_text_that_is_no_mapping_is_refused(text: str, said: str) -> None:
    (fault,) = faults_of(text)
    assert str(fault).startswith(said)


# Text in the contract of customers, what is written instead, the field, what was received, and a part of the message.
FAULTS = [
    ("value: csv", "value: xml", "customProperties[0].value", '"xml"', "csv, json, parquet"),
    ("value: csv", "value: [json, json]", "customProperties[0].value", '"json"', "csv, json, parquet"),
    ("value: csv", "value: []", "customProperties[0].value", "null", "add the property format"),
    (
        "[Dependents]",
        '["partner "]',
        "schema[0].properties[12].transformSourceObjects",
        '"partner "',
        "that no other column has, whatever its capitals and blanks",
    ),
    (
        "  - property: format\n    value: csv\n",
        "  - property: f\n",
        "customProperties",
        "null",
        "add the property format",
    ),
    (
        "keys: fail, ",
        "",
        "customProperties[2].value",
        "no check keys",
        "add keys: warn or keys: fail to the property checks",
    ),
    (
        "keys: fail",
        "keys: stop",
        "customProperties[2].value.keys",
        '"stop"',
        "say whether a broken check fails the day",
    ),
    (
        "keys: fail",
        "keys: fails",
        "customProperties[2].value.keys",
        '"fails"',
        "allowed: fail, warn; remedy: write fail",
    ),
    (
        "keys: fail",
        "keys: quarantine",
        "customProperties[2].value.keys",
        '"quarantine"',
        "the rows are in silver by then",
    ),
    ("keys: fail", "keys: fail, references: warn", "customProperties[2].value.references", '"references"', "remove it"),
    ("value: as_of", "value: day", "customProperties[1].value", '"day"', "allowed: the name of a column"),
    ("value: as_of", "value: asof", "customProperties[1].value", '"asof"', "write as_of"),
    ("primaryKey: true", "primaryKey: false", "schema[0].properties", "no primaryKey", "mark the natural key"),
    ("physicalType: STRING", "physicalType: TEXT", "schema[0].properties[0].physicalType", '"TEXT"', "STRING"),
    (
        "physicalType: INT",
        "physicalType: DECIMAL(10,2)",
        "schema[0].properties[10].physicalType",
        '"DECIMAL(10,2)"',
        "BOOLEAN, DATE, DOUBLE, INT, STRING, TIMESTAMP",
    ),
    (
        "logicalType: integer",
        "logicalType: int",
        "schema[0].properties[10].logicalType",
        '"int"',
        "logicalType: integer",
    ),
    (
        "logicalType: string",
        "logicalType: blob",
        "schema[0].properties[0].logicalType",
        '"blob"',
        "the standard's name",
    ),
    (
        "primaryKey: true",
        "primarKey: true",
        "schema[0].properties[0].primarKey",
        "the unknown name 'primarKey'",
        "write primaryKey instead of primarKey",
    ),
    (
        "  - role: churn-engineers\n    access: read",
        "  - rol: churn-engineers\n    access: read",
        "roles[0].rol",
        "the unknown name 'rol'",
        "write role instead of rol",
    ),
    (
        "engine: spark",
        "engine: soda",
        "schema[0].quality[0].engine",
        '"soda"',
        "rewrite the rule as a condition in SQL",
    ),
    (
        "        implementation: tenure_months BETWEEN 0 AND 1200\n",
        "",
        "schema[0].quality[0].implementation",
        "null",
        "the condition that each row has to meet",
    ),
    ("- name: tenure_is_possible\n        desc", "- desc", "schema[0].quality[0].name", "null", "add a name"),
    ("- name: customer\n    phys", "- phys", "schema", "[null]", "one entry with a name and properties"),
    ("name: customer\n    phys", "name: a.b\n    phys", "schema[0].name", '"a.b"', "a lower-case letter"),
    ("name: customer\n    phys", "name: cust omer\n    phys", "schema[0].name", '"cust omer"', "a lower-case letter"),
    ("name: gender", "name: Gender", "schema[0].properties[9].name", '"Gender"', "a lower-case letter"),
    ("name: partner", "name: gender", "schema[0].properties[11].name", '"gender"', "that no other column has"),
    (
        "[Dependents]",
        "[PARTNER]",
        "schema[0].properties[12].transformSourceObjects",
        '"PARTNER"',
        "that no other column has, whatever its capitals",
    ),
    ("kind: DataContract", "kind: Banana", "kind", '"Banana"', "remedy: correct kind, or move a file"),
    ("kind: DataContract\n", "", "kind", "null", "remedy: add kind, or move a file"),
    ("version: 2.0.0\n", "", "version", "null", "text such as 1.0.0"),
    ("version: 2.0.0", "version: 2.0", "version", "2.0", "a valid string"),
    (
        "version: 2.0.0",
        "vrsion: 2.0.0",
        "vrsion",
        "the unknown name 'vrsion'",
        "write version instead of vrsion",
    ),
    ("status: active", "status: 3", "status", "3", "a valid string; remedy: put status in quotes"),
    ("name: tenure_is_possible", "name: contract_is_known", "schema[0].quality[0].name", '"contract_is_known"', "lost"),
    ("name: tenure_is_possible", "name: gender_is_given", "schema[0].quality[0].name", '"gender_is_given"', "lost"),
    (
        "role: churn-scientists",
        "role: nobody",
        "roles[1].role",
        '"nobody"',
        "add it to churn:platform.team_groups",
    ),
    ("access: read", "access: look", "roles[0].access", '"look"', "read, write"),
    ("access: read", "access: reed", "roles[0].access", '"reed"', "correct it to read"),
    (
        "classification: pii.birth",
        "classification: pii.brith",
        "schema[0].properties[4].classification",
        '"pii.brith"',
        "remedy: write pii.birth",
    ),
    (
        "        description: Day of birth.\n",
        "",
        "schema[0].properties[4].description",
        "null",
        "what the column holds",
    ),
    ("value: dollars\n", "value:\n", "schema[0].properties[28].customProperties", "no unit", "add the property unit"),
    ("severity: warn", "severity: warning", "schema[0].quality[6].severity", '"warning"', "remedy: write warn"),
    ("metric: invalidValues", "metric: rowCount", "schema[0].properties[7].quality[0]", '"rowCount"', "invalidValues"),
    (
        "[Female, Male]",
        "[Female, 2]",
        "schema[0].properties[9].quality[0].arguments.validValues",
        '["Female", 2]',
        "put each value in quotes",
    ),
    ("mustBe: 0", "mustBe: 3", "schema[0].properties[7].quality[0].mustBe", "3", "no row may have another"),
    ("property: retention", "property: retantion", "slaProperties[3].property", '"retantion"', "write retention"),
    ("unit: h", "unit: weeks", "slaProperties[1].value", '"24 weeks"', "a number above 0 of d, h, m, s, y"),
    ('value: "06:00"', 'value: "26:00"', "slaProperties[2]", '"26:00 UTC"', "HH:MM in UTC"),
    ("element: customer.as_of", "element: customer.asof", "slaProperties[1].element", '"customer.asof"', "write c"),
    ('  - channel: "#churn-data"\n    tool', "  - tool", "support", "no channel", "name the channel"),
    ("physicalType: INT", "physicalType: int", "schema[0].properties[10].physicalType", '"int"', "write INT"),
    ("name: churn-engineers", "name: nobody", "team.name", '"nobody"', "churn-analysts, churn-engineers"),
    ("name: churn-engineers", "name: nobody", "team.name", '"nobody"', "or add it to churn:platform.team_groups"),
    ("  name: churn-engineers", "  description: x", "team.name", "null", "name the group that owns the table"),
    ("team:\n  name: churn-engineers", "team: 3", "team", "3", "remedy: correct team"),
    (
        "physicalName: silver.customer",
        "physicalName: customer",
        "schema[0].physicalName",
        '"customer"',
        "the schema silver, a dot and the table's name; remedy: write silver.customer, or correct name",
    ),
    ("physicalName: silver.customer", "physicalName: gold.x", "schema[0].physicalName", '"gold.x"', "silver.customer"),
    ("    physicalName: silver.customer\n", "", "schema[0].physicalName", "null", "silver.customer"),
]


@pytest.mark.parametrize(("old", "new", "field", "received", "said"), FAULTS)
def test_a_wrong_contract_is_one_fault_with_line_field_and_remedy(
    old: str, new: str, field: str, received: str, said: str
) -> None:
    assert old in CUSTOMER
    (fault,) = faults_of(CUSTOMER.replace(old, new, 1))
    assert (fault.file, fault.field, fault.received) == ("c.yaml", field, received)
    assert said in str(fault)
    assert fault.line is not None
    assert not repeats(fault.allowed, fault.remedy)


def test_the_line_is_that_of_the_value_or_of_what_should_hold_it() -> None:
    (fault,) = faults_of(CUSTOMER.replace("physicalType: INT", "physicalType: LONG", 1))
    assert fault.line == line_of(CUSTOMER, "physicalType: INT")
    (fault,) = faults_of(CUSTOMER.replace("    physicalName: silver.customer\n", ""))
    assert fault.line == line_of(CUSTOMER, "- name: customer")


def test_all_faults_of_all_contracts_are_reported_at_once(tmp_path: Path) -> None:
    wrong = CUSTOMER.replace("access: read", "access: look").replace("physicalType: INT", "physicalType: LONG")
    (tmp_path / "customer.yaml").write_text(wrong)
    (tmp_path / "other.yaml").write_text(yaml.safe_dump([1]))
    with pytest.raises(FaultsError) as caught:
        read_contracts(tmp_path, GROUPS)
    fields = [(fault.file.rpartition("/")[2], fault.field) for fault in caught.value.faults]
    assert fields == [
        ("customer.yaml", "roles[0].access"),
        ("customer.yaml", "roles[1].access"),
        ("customer.yaml", "roles[2].access"),
        ("customer.yaml", "schema[0].properties[10].physicalType"),
        ("customer.yaml", "schema[0].properties[13].physicalType"),
        ("other.yaml", ""),
    ]


def test_a_table_has_one_contract(tmp_path: Path) -> None:
    folder = tmp_path / "contracts"
    folder.mkdir()
    for name in ("again.yaml", "customer.yaml"):
        (folder / name).write_text(CUSTOMER)
    with pytest.raises(FaultsError) as caught:
        read_contracts(folder)
    said = (
        f'contracts/customer.yaml:{line_of(CUSTOMER, "- name: customer")}: schema[0].name: received "customer"; '
        "allowed: a table of its own; contracts/again.yaml describes this one; remedy: make one contract of the two"
    )
    assert said in str(caught.value)


@pytest.mark.parametrize("place", ["client.yml", "client.json", "old/client.yaml", "client.yaml.bak", "notes.md"])
def test_a_file_that_would_be_ignored_is_named(tmp_path: Path, place: str) -> None:
    folder = tmp_path / "contracts"
    (folder / place).parent.mkdir(parents=True)
    (folder / ".hidden.yaml").touch()
    assert read_contracts(folder) == ()
    (folder / place).touch()
    with pytest.raises(FaultsError) as caught:
        read_contracts(folder)
    said = f"contracts/{place}: received a file that nothing reads; allowed: contracts/<table>.yaml; remedy: rename it"
    assert said in str(caught.value)


def test_the_wheel_knows_no_groups() -> None:
    text = CUSTOMER.replace("churn-engineers", "another group")
    assert {fault.field for fault in faults_of(text)} == {"team.name", "roles[0].role"}
    assert read_contract(parse_document(text, "c.yaml")).owner == "another group"


def test_the_wheel_reads_the_contracts_of_the_repository() -> None:
    assert FOLDER.resolve() == REPOSITORY / "contracts"


def test_logical_types_are_those_of_the_standard() -> None:
    schema = json.loads((files("open_data_contract_standard") / "schema.json").read_text())
    assert schema["$defs"]["SchemaBaseProperty"]["properties"]["logicalType"]["enum"] == list(LOGICAL_TYPES)


def test_contracts_are_read_without_spark() -> None:
    code = (
        "import sys, churn.core.contract; churn.core.contract.file_contracts(); "
        "print([m for m in sys.modules if m.split('.')[0] in ('pyspark', 'pandas', 'numpy', 'mlflow', 'pulumi')])"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=REPOSITORY / "workloads" / "src", check=True
    )
    assert run.stdout.strip() == "[]"
