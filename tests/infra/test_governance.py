"""Masks, tags and the order in which people get rights: as the whole program deploys them under mocks."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from churn.core.contract import gold_contracts, read_contracts
from infra.access.classified import GOLD, RAW, Place, classified_places, delivered_places
from infra.access.masks import CLASSES, MASKS, functions
from infra.access.roles import Role
from infra.written.paths import CONTRACTS
from tests.infra.conftest import run_with
from tests.infra.program import RUNNER, engine_config, run

if TYPE_CHECKING:
    from tests.infra.program import Program, Registered

EVERYBODY = ["account users"]
APPLY = ("columnMask", "rowFilter")


def component(program: Program, name: str) -> Registered:
    return next(r for r in program.resources if r.name == name)


def waits_for(program: Program, name: str) -> set[str]:
    """Everything that a resource waits for: its dependencies and those of its parents, theirs, and so on."""
    by_urn = {r.urn: r for r in program.resources}
    found: set[str] = set()
    left = [component(program, name).urn]
    while left:
        resource = by_urn.get(left.pop())
        if resource:
            later = {*resource.dependencies, resource.parent} - found
            found |= later
            left += later
    return {by_urn[urn].name for urn in found if urn in by_urn}


def test_the_account_governs_both_tags_one_after_the_other(programs: dict[str, Program]) -> None:
    for stack in ("account", "local"):
        tags = programs[stack].of("TagPolicy")
        values = {tag.inputs["tagKey"]: [value["name"] for value in tag.inputs["values"]] for tag in tags.values()}
        assert values == {"classification": list(CLASSES), "row_filter": ["region"]}
        assert tags["classification-tag"].urn in tags["row_filter-tag"].dependencies
    assert programs["dev"].of("TagPolicy") == programs["prod"].of("TagPolicy") == {}
    assert (
        programs["local"].of("TagPolicy")["row_filter-tag"].urn
        in component(programs["local"], "identities").dependencies
    )


def test_every_class_but_public_has_one_mask() -> None:
    assert sorted(mask.classification for mask in MASKS) == sorted({*CLASSES} - {"public"})
    made = {function.name for function in functions("scope", {Role.ANALYSTS: "analysts"})}
    assert {mask.function for mask in MASKS} <= made


def test_policies_mask_each_class_for_everybody_but_those_who_have_the_right(program: Program) -> None:
    policies = {p.inputs["name"]: p.inputs for p in program.of("PolicyInfo").values()}
    catalog = program.outputs["catalog"]
    assert len(policies) == len(MASKS) + 1
    for name, policy in policies.items():
        assert (policy["onSecurableType"], policy["onSecurableFullname"]) == ("CATALOG", catalog), name
        assert policy["comment"], "a policy without one differs for ever"
    clear = {mask.classification: policies[f"mask_{mask.classification.replace('.', '_')}"] for mask in MASKS}
    for classification, policy in clear.items():
        others = {"churn-engineers", "churn-scientists"} if classification == "confidential" else set()
        assert set(policy["exceptPrincipals"]) == {RUNNER, "churn-pii-readers"} | others
        assert policy["toPrincipals"] == EVERYBODY
        (matched,) = policy["matchColumns"]
        assert matched["condition"] == f"has_tag_value('classification', '{classification}')"
        assert policy["columnMask"]["onColumn"] == matched["alias"]
    rows = policies["rows_by_region"]
    assert (rows["toPrincipals"], rows.get("exceptPrincipals")) == (["churn-analysts"], None)
    assert rows["rowFilter"]["usings"] == [{"alias": rows["matchColumns"][0]["alias"]}]
    made = {f.inputs["full_name"] for f in program.of("SqlFunction").values()}
    used = {policy[kind]["functionName"] for policy in policies.values() for kind in policy if kind in APPLY}
    assert used == made


def test_the_key_of_the_hash_is_in_a_scope_that_nobody_reads(program: Program) -> None:
    key = program.of("MaskKey")["mask-key"]
    scope = f"churn-{program.stack}-masks"
    assert {name: key.inputs[name] for name in ("scope", "key")} == {"scope": scope, "key": "key"}
    for function in program.of("SqlFunction").values():
        assert key.urn in function.dependencies
    body = program.of("SqlFunction")["mask_id"].inputs["body"]
    assert body.count(f"try_secret('{scope}', 'key')") == 2


def test_every_classified_column_is_tagged(program: Program) -> None:
    catalog = program.outputs["catalog"]
    tags = {
        tag.inputs["entityName"].removeprefix(f"{catalog}."): tag.inputs["tagValue"]
        for tag in program.of("EntityTagAssignment").values()
        if tag.inputs["tagKey"] == "classification"
    }
    places = classified_places(read_contracts(CONTRACTS))
    assert tags == {f"{place.table}.{place.column}": place.classification for place in places}
    assert tags["bronze.customer.customerID"] == tags["silver.customer_versions.customer_id"]
    assert tags["gold.churn_features.customer_id"] == tags["silver.customer.customer_id"]
    raw = ("bronze.customer._rescued_data", "bronze.customer._corrupt_record", "silver.quarantine_customer._raw")
    assert {tags[column] for column in (*raw, "bronze.events.value")} == {RAW}
    assert all(tag.deleted_first for tag in program.of("EntityTagAssignment").values())


def test_what_gold_has_of_classified_columns_is_classified() -> None:
    contracts = read_contracts(CONTRACTS)
    classified = {column.name for contract in contracts for column in contract.columns if column.classified}
    tagged = {(place.table, place.column) for place in classified_places(contracts)}
    for contract in (each for each in gold_contracts() if each.table in GOLD):
        columns = {column.name for column in contract.columns}
        assert {(contract.table, column) for column in columns & classified} <= tagged, "gold has them from silver"
    assert {contract.table for contract in gold_contracts() if contract.confidential} == set(GOLD)


def test_a_source_s_column_is_tagged_under_its_name_in_bronze() -> None:
    (support,) = [contract for contract in read_contracts(CONTRACTS) if contract.domain == "support"]
    columns = tuple(replace(column, source=column.source.replace("_", " ")) for column in support.columns)
    places = {place.column for place in delivered_places([replace(support, columns=columns)])}
    assert "customer_id" in places
    assert not any(" " in column for column in places)


def test_places_follow_the_contract() -> None:
    (customer,) = [contract for contract in read_contracts(CONTRACTS) if contract.domain == "customer"]
    gender = {place for place in classified_places([customer]) if place.column == "gender"}
    classification = next(column.classification for column in customer.columns if column.name == "gender")
    tables = ("bronze.customer", "silver.customer", "silver.customer_versions", "gold.churn_features")
    assert gender == {Place(table, "gender", str(classification)) for table in tables}


def test_people_read_after_everything_that_protects(program: Program) -> None:
    """Ended at any point before the grants, a deployment leaves people without the tables."""
    tags, waits = program.of("EntityTagAssignment").values(), program.of("TagsInEffect")
    for grants in program.of("Grants").values():
        if "table" not in grants.inputs:
            continue
        before = waits_for(program, grants.name)
        assert set(program.of("PolicyInfo")) <= before
        own = {tag.urn for tag in tags if tag.inputs["entityName"].startswith(f"{grants.inputs['table']}.")}
        assert any(own <= set(wait.dependencies) for name, wait in waits.items() if name in before), grants.name
    waited = [urn for wait in waits.values() for urn in wait.dependencies if "EntityTagAssignment" in urn]
    assert sorted(waited) == sorted(tag.urn for tag in tags), "each tag is waited for"
    assert {wait.inputs["minutes"] for wait in waits.values()} == {5 if program.stack == "prod" else 0}


def test_no_schema_of_single_customers_is_open_to_those_who_read_masked(program: Program) -> None:
    """A right on a schema would open the next table before its columns are tagged."""
    catalog = program.outputs["catalog"]
    for grants in program.of("Grants").values():
        place = grants.inputs.get("schema", grants.inputs.get("catalog", ""))
        readers = {
            held["principal"] for held in grants.inputs["grants"] if {"SELECT", "MODIFY"} & set(held["privileges"])
        }
        if place in (catalog, f"{catalog}.bronze", f"{catalog}.silver", f"{catalog}.gold"):
            assert readers <= {RUNNER, "churn-pii-readers"}, place


def test_tables_close_before_code_that_fills_them_is_uploaded(program: Program) -> None:
    classified = program.of("ClassifiedTables")["classified-tables"]
    assert "classified-tables" in waits_for(program, "wheel")
    listed = set(classified.inputs["tables"])
    for grants in program.of("Grants").values():
        if grants.inputs.get("table") in listed:
            assert classified.urn in grants.dependencies, "its name comes from the list, and goes with it"


def test_a_column_of_another_class_is_another_list(programs: dict[str, Program]) -> None:
    before = programs["local"].of("ClassifiedTables")["classified-tables"].inputs["places"]
    assert "silver.customer.gender: confidential" in before
    runs = {name: run.inputs["fingerprint"] for name, run in programs["local"].of("RunOnce").items()}
    assert "silver.customer.gender" in runs["first-silver"]
    assert "gold.churn_features.gender" in runs["bootstrap"]


def test_files_of_real_customers_are_read_by_pii_readers_alone(programs: dict[str, Program]) -> None:
    for stack, people in (("prod", {"churn-pii-readers"}), ("dev", {"churn-pii-readers", "churn-engineers"})):
        volumes = [g for g in programs[stack].of("Grants").values() if "volume" in g.inputs]
        assert len(volumes) == 2 + 5, "admitted, quarantine, and one for each domain"
        for grants in volumes:
            _, schema, volume = grants.inputs["volume"].split(".")
            reading = {h["principal"] for h in grants.inputs["grants"] if "READ_VOLUME" in h["privileges"]}
            writing = {h["principal"] for h in grants.inputs["grants"] if "WRITE_VOLUME" in h["privileges"]}
            delivering = {f"churn-deliverers-{volume}"} if schema == "landing" else set()
            if schema in ("bronze", "landing"):
                assert reading == {RUNNER, *people, *delivering}, grants.inputs["volume"]
                assert writing == {RUNNER, *delivering}, "each delivers to its own domain alone"


def test_a_tag_that_the_account_does_not_govern_stops_the_program(wheels: object) -> None:
    """Policies pass over a tag that is not governed: nothing would be masked."""
    governed = {"classification": ("public", "confidential"), "row_filter": ("region",)}
    with pytest.raises(Exception, match=r"governed tag classification: .* pii\.birth, .* lack, so that columns"):
        run("dev", governed=governed)


def test_a_group_for_a_domain_without_a_contract_is_refused(wheels: object) -> None:
    groups = json.loads(engine_config("local")["churn:platform"])["groups"]
    groups["deliverers"] |= {"weather": "churn-deliverers-weather"}
    with pytest.raises(Exception, match=r"groups\.deliverers\.weather: received churn-deliverers-weather"):
        run_with("local", "churn:platform", groups=groups)
