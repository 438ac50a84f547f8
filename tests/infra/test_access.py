"""The pure function that merges grants: fixed cases, and properties over random ones."""

from __future__ import annotations

import random
import re
from collections import defaultdict
from typing import TYPE_CHECKING

import pytest

from churn.core.contract import Contract, read_contracts
from churn.core.faults import FaultsError
from infra.access.guards import check_confidential_readers
from infra.access.permissions import PERMISSIONS, ObjectKind
from infra.access.plan import Plan, merge
from infra.access.roles import ROLE_GRANTS, Role, landing_grants, role_grants
from infra.access.securables import ENTRY, PARENTS, PRIVILEGES, Grant, Kind, Phase, Securable
from infra.access.stack_plan import plan_access
from infra.names import MARTS
from infra.written.paths import CONTRACTS, REPOSITORY
from infra.written.requests import read_requests
from infra.written.stacks import read_settings

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = read_settings(REPOSITORY / "Pulumi.local.yaml")
assert SETTINGS.platform is not None
GROUPS = SETTINGS.platform.group_names
MANAGER = "platform"
PRINCIPALS: dict[Role, str] = {role: role.value for role in Role}
NAMES = {
    Kind.METASTORE: ["metastore"],
    Kind.STORAGE_CREDENTIAL: ["bucket.credential"],
    Kind.SERVICE_CREDENTIAL: ["kafka"],
    Kind.EXTERNAL_LOCATION: ["c.landing.zone", "d"],
    Kind.CATALOG: ["c", "d"],
    Kind.SCHEMA: ["c.s", "c.t"],
    Kind.TABLE: ["c.s.x", "d.s.x"],
    Kind.VOLUME: ["c.s.v"],
    Kind.MODEL: ["c.t.m"],
}


def random_grants(seed: int) -> list[Grant]:
    draw = random.Random(seed)  # noqa: S311 (reproducible, not secret)
    grants = []
    for _ in range(draw.randrange(25)):
        kind = draw.choice(sorted(PRIVILEGES))
        privileges = draw.sample(sorted(PRIVILEGES[kind]), draw.randrange(4))
        grants.append(
            Grant(Securable(draw.choice(NAMES[kind]), kind), draw.choice(["ann", "bob", "cy"]), frozenset(privileges))
        )
    return grants


def holdings(plan: Plan) -> set[tuple[Securable, str, str]]:
    return {
        (securable, who, what) for securable, holders in plan.items() for who, held in holders.items() for what in held
    }


@pytest.mark.parametrize("seed", range(200))
def test_properties(seed: int) -> None:
    grants = random_grants(seed)
    plan = merge(grants, MANAGER)
    held = holdings(plan)
    asked = {(g.securable, g.principal, what) for g in grants for what in g.privileges}

    assert asked <= held, "nothing that was asked for is lost"
    shuffled = list(grants)
    random.Random(seed + 1).shuffle(shuffled)  # noqa: S311 (reproducible, not secret)
    assert merge(shuffled, MANAGER) == plan, "the order does not matter"
    assert list(merge(shuffled, MANAGER)) == list(plan) == sorted(plan), "nor does it show"
    assert merge([*grants, *grants], MANAGER) == plan, "nor does saying it twice"
    for securable, holders in plan.items():
        manageable = "MANAGE" in PRIVILEGES[securable.kind]
        assert ("MANAGE" in holders.get(MANAGER, ())) == manageable, "the manager stays"
        for who, privileges in holders.items():
            assert privileges, "nobody is listed for nothing"
            assert list(privileges) == sorted(set(privileges))
            assert set(privileges) <= PRIVILEGES[securable.kind]
            for container, passing in securable.path():
                assert (container, who, passing) in held, "whoever holds something can reach and enter it"
    extra = defaultdict(set)
    for _, who, what in held - asked:
        extra[who].add(what)
    assert extra.pop(MANAGER, set()) <= {"MANAGE", "USE_CATALOG", "USE_SCHEMA"}
    assert all(gained <= {"USE_CATALOG", "USE_SCHEMA"} for gained in extra.values()), "nobody gains more than passage"


def test_sources_on_one_securable_are_one_entry() -> None:
    table = Securable("c.silver.customer", Kind.TABLE)
    plan = merge([Grant(table, "ann", frozenset({"SELECT"})), Grant(table, "ann", frozenset({"MODIFY"}))], MANAGER)
    assert plan[table]["ann"] == ("MODIFY", "SELECT")
    assert plan[Securable("c.silver", Kind.SCHEMA)]["ann"] == ("USE_SCHEMA",)
    assert plan[Securable("c", Kind.CATALOG)]["ann"] == ("USE_CATALOG",)


@pytest.mark.parametrize("privilege", ["ALL_PRIVILEGES", "READ_VOLUME", "SLECT"])
def test_a_privilege_that_the_securable_does_not_take_is_refused(privilege: str) -> None:
    with pytest.raises(ValueError, match=rf"table c\.s\.x: ann is given {privilege}; allowed: APPLY_TAG, MANAGE"):
        merge([Grant(Securable("c.s.x", Kind.TABLE), "ann", frozenset({privilege}))], MANAGER)


def test_each_kind_has_what_a_plan_asks_of_it() -> None:
    assert set(PRIVILEGES) == set(NAMES) == set(Kind)
    assert all(set(parents) <= set(ENTRY) for parents in PARENTS.values()), "each container can be entered"
    assert all(ENTRY[kind] in PRIVILEGES[kind] for kind in ENTRY)


def test_each_kind_of_object_has_permissions_for_people() -> None:
    assert set(PERMISSIONS) == set(ObjectKind)
    for kind, levels in PERMISSIONS.items():
        top = {"CLUSTER_POLICY": None, "SECRET_SCOPE": "MANAGE"}.get(kind.name, "CAN_MANAGE")
        assert levels.get(Role.PLATFORM) == top, "the platform team manages it, whoever has made it"
        assert Role.ENGINEERS in levels, kind


@pytest.mark.parametrize("kind", [Kind.EXTERNAL_LOCATION, Kind.STORAGE_CREDENTIAL, Kind.SERVICE_CREDENTIAL])
def test_a_dot_in_a_name_makes_no_catalog(kind: Kind) -> None:
    (privilege, *_) = sorted(PRIVILEGES[kind])
    plan = merge([Grant(Securable("landing.zone", kind), "ann", frozenset({privilege}))], MANAGER)
    assert plan == {Securable("landing.zone", kind): {"ann": (privilege,), MANAGER: ("MANAGE",)}}


def test_a_metastore_is_managed_by_nobody() -> None:
    metastore = Securable("metastore", Kind.METASTORE)
    assert merge([Grant(metastore, "ann", frozenset({"CREATE_CATALOG"}))], MANAGER) == {
        metastore: {"ann": ("CREATE_CATALOG",)}
    }


def test_phases_part_the_plan() -> None:
    plan = merge([Grant(Securable(NAMES[kind][0], kind), "ann", PRIVILEGES[kind]) for kind in Kind], MANAGER)
    parts = {phase: plan.part(phase) for phase in Phase}
    assert {phase: {securable.kind for securable in part} for phase, part in parts.items()} == {
        Phase.CLOUD: {Kind.STORAGE_CREDENTIAL, Kind.SERVICE_CREDENTIAL, Kind.EXTERNAL_LOCATION},
        Phase.CATALOG: {Kind.METASTORE, Kind.CATALOG},
        Phase.OBJECTS: {Kind.SCHEMA, Kind.VOLUME, Kind.MODEL},
        Phase.TABLES: {Kind.TABLE},
    }
    assert {securable: held for part in parts.values() for securable, held in part.items()} == plan


def contracts(classification: str, folder: Path) -> tuple[Contract, ...]:
    """The repository's contract of usage, each column of the class that is given."""
    text = (CONTRACTS / "usage.yaml").read_text()
    (folder / "usage.yaml").write_text(re.sub("classification: .*", f"classification: {classification}", text))
    return read_contracts(folder, GROUPS)


@pytest.mark.parametrize("stack", ["local", "dev", "prod"])
def test_single_customers_are_read_by_those_whose_work_it_is(stack: str) -> None:
    settings = read_settings(REPOSITORY / f"Pulumi.{stack}.yaml")
    assert settings.platform is not None
    found = read_contracts(CONTRACTS, settings.platform.group_names)
    assert all(contract.confidential for contract in found)
    plan = plan_access(settings, found, read_requests(stack, settings.platform.group_names))
    readers = {who for securable, who, what in holdings(plan) if what == "SELECT" and ".silver" in securable.name}
    assert readers == {"churn-engineers", "churn-scientists", f"churn-{stack}-runner"}


@pytest.mark.parametrize("name", ["churn_local.silver.usage", "churn_local.silver", "churn_local"])
def test_whoever_else_reads_single_customers_is_refused(tmp_path: Path, name: str) -> None:
    kind = (Kind.CATALOG, Kind.SCHEMA, Kind.TABLE)[name.count(".")]
    opened = merge([Grant(Securable(name, kind), "churn-analysts", frozenset({"SELECT"}))], MANAGER)
    with pytest.raises(FaultsError) as caught:
        check_confidential_readers(opened, "churn_local", contracts("confidential", tmp_path), {"churn-engineers"})
    said = (
        r"/usage\.yaml: roles: received SELECT on churn_local\.silver\.usage for churn-analysts; "
        "allowed: churn-engineers: a column is classified; remedy: take it out"
    )
    assert re.search(said, str(caught.value))
    check_confidential_readers(opened, "churn_local", contracts("public", tmp_path), {"churn-engineers"})


def test_a_contract_cannot_open_single_customers_to_analysts(tmp_path: Path) -> None:
    text = (CONTRACTS / "usage.yaml").read_text()
    opening = text.replace("roles:\n", "roles:\n  - role: churn-analysts\n    access: read\n    description: x\n")
    (tmp_path / "usage.yaml").write_text(opening)
    with pytest.raises(FaultsError, match="for churn-analysts"):
        plan_access(SETTINGS, read_contracts(tmp_path, GROUPS), [])


def test_roles() -> None:
    plan = merge(role_grants([*ROLE_GRANTS, *landing_grants(["bills"])], "c.", PRINCIPALS), MANAGER)
    held = holdings(plan)
    readers = {
        (securable.name, who) for securable, who, what in held if what == "SELECT" and securable.kind is Kind.SCHEMA
    }
    assert readers == {
        *((f"c.{schema}", who) for schema in ("bronze", "silver", "gold", "mlops") for who in ("engineers", "runner")),
        ("c.gold", "scientists"),
        ("c.mlops", "scientists"),
    }
    writers = {who for _, who, what in held if what in ("MODIFY", "CREATE_TABLE")}
    assert writers == {"runner"}, "people read; jobs write"
    delivering = {(securable.name, who) for securable, who, what in held if what == "WRITE_VOLUME"}
    assert delivering == {
        *((f"c.{volume}", "runner") for volume in ("landing.bills", "bronze.admitted", "bronze.quarantine")),
        ("c.landing.bills", "deliverers"),
    }, "what is delivered is admitted by jobs alone"
    passage = ("USE_CATALOG", "USE_SCHEMA")
    assert {securable.name for securable, who, what in held if who == "deliverers" and what not in passage} == {
        "c.landing.bills"
    }
    assert {securable.name for securable, who, what in held if who == "deliverers" and what == "USE_SCHEMA"} == {
        "c.landing"
    }, "who delivers enters no schema with data that was taken in"
    assert {who for _, who, what in held if what == "MANAGE"} == {MANAGER}
    for schema in ("bronze", "silver", "gold", "mlops"):
        assert "USE_SCHEMA" in plan[Securable(f"c.{schema}", Kind.SCHEMA)]["runner"]
    assert plan[Securable("c.gold", Kind.SCHEMA)]["analysts"] == ("USE_SCHEMA",), "features and scores are of customers"
    assert {(securable.name, what) for securable, who, what in held if who == "server"} == {
        ("c", "USE_CATALOG"),
        ("c.mlops", "USE_SCHEMA"),
        ("c.mlops.churn_model", "EXECUTE"),
    }, "the endpoint acts as it"
    opened = {securable.name for securable, who, what in held if who == "analysts" and what == "SELECT"}
    assert opened == {f"c.{mart}" for mart in MARTS}
