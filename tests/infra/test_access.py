"""The pure function that merges grants: fixed cases, and properties over random ones."""

from __future__ import annotations

import random
from collections import defaultdict

import pytest

from churn.core.contract import read_contracts
from infra.access.classified import GOLD, SAMPLES
from infra.access.permissions import IN_PRODUCTION, PERMISSIONS, ObjectKind, permissions_on
from infra.access.plan import Plan, merge
from infra.access.roles import ROLE_GRANTS, Role, delivery_grants, domain_grants, file_grants, role_grants
from infra.access.securables import ENTRY, PARENTS, PRIVILEGES, Grant, Kind, Phase, Securable
from infra.names import LEDGER, MARTS
from infra.written.paths import CONTRACTS, REPOSITORY
from infra.written.stacks import read_settings

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
        scopes = dict.fromkeys(("MASKS_SCOPE", "SECRET_SCOPE", "ERASURE_SCOPE"), "MANAGE")
        top = {"CLUSTER_POLICY": None, **scopes}.get(kind.name, "CAN_MANAGE")
        assert levels.get(Role.PLATFORM) == top, "the platform team manages it, whoever has made it"
        assert Role.ENGINEERS in levels or kind in (ObjectKind.MASKS_SCOPE, ObjectKind.ERASURE_SCOPE), kind


def test_production_takes_rights_away_and_gives_none() -> None:
    for kind, changed in IN_PRODUCTION.items():
        production, elsewhere = (permissions_on(kind, production=production) for production in (True, False))
        assert set(production) <= set(elsewhere)
        assert {role for role, level in production.items() if elsewhere[role] != level} <= set(changed)
        assert "CAN_MANAGE" not in {level for role, level in production.items() if role in changed}


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


def rights(*, simulated: bool) -> set[tuple[Securable, str, str]]:
    """What roles hold by their nature in a catalog `c`, of which bills are delivered."""
    (usage,) = [contract for contract in read_contracts(CONTRACTS, GROUPS) if contract.domain == "usage"]
    lines = [*ROLE_GRANTS, *domain_grants([usage], simulated=simulated), *file_grants(["usage"], simulated=simulated)]
    return holdings(merge([*role_grants(lines, "c.", PRINCIPALS), *delivery_grants({"usage": "apps"}, "c")], MANAGER))


def test_roles() -> None:
    held = rights(simulated=False)
    readers = {
        (securable.name, who) for securable, who, what in held if what == "SELECT" and securable.kind is Kind.SCHEMA
    }
    assert readers == {
        *((f"c.{schema}", "runner") for schema in ("bronze", "silver", "gold", "mlops")),
        *((f"c.{schema}", "pii_readers") for schema in ("bronze", "silver", "gold")),
        *(("c.mlops", who) for who in ("engineers", "scientists", "pii_readers")),
    }
    writers = {who for _, who, what in held if what in ("MODIFY", "CREATE_TABLE")}
    assert writers == {"runner"}, "people read; jobs write"
    delivering = {(securable.name, who) for securable, who, what in held if what == "WRITE_VOLUME"}
    assert delivering == {
        *((f"c.{volume}", "runner") for volume in ("landing.usage", "bronze.admitted", "bronze.quarantine")),
        ("c.landing.usage", "apps"),
    }, "what is delivered is admitted by jobs alone"
    passage = ("USE_CATALOG", "USE_SCHEMA")
    assert {securable.name for securable, who, what in held if who == "apps" and what not in passage} == {
        "c.landing.usage"
    }
    assert {securable.name for securable, who, what in held if who == "apps" and what == "USE_SCHEMA"} == {
        "c.landing"
    }, "who delivers enters no schema with data that was taken in"
    assert {who for _, who, what in held if what == "MANAGE"} == {MANAGER}
    for schema in ("bronze", "silver", "gold", "mlops"):
        assert (Securable(f"c.{schema}", Kind.SCHEMA), "runner", "USE_SCHEMA") in held
    assert {(securable.name, what) for securable, who, what in held if who == "server"} == {
        ("c", "USE_CATALOG"),
        ("c.mlops", "USE_SCHEMA"),
        ("c.mlops.churn_model", "EXECUTE"),
    }, "the endpoint acts as it"


@pytest.mark.parametrize("simulated", [True, False])
def test_people_read_tables_one_by_one(simulated: bool) -> None:
    held = rights(simulated=simulated)
    opened = defaultdict(set)
    for securable, who, what in held:
        if what == "SELECT" and securable.kind is Kind.TABLE:
            opened[who].add(securable.name.removeprefix("c."))
    assert opened["analysts"] == set(MARTS), "features and scores are of customers"
    assert opened["scientists"] == {*MARTS, *GOLD}
    raw = {"silver.quarantine_usage", *(["bronze.usage", "silver.usage_versions"] if simulated else [])}
    assert opened["engineers"] == {*MARTS, *GOLD, *raw, LEDGER, SAMPLES}
    assert set(opened) == {"analysts", "scientists", "engineers"}


@pytest.mark.parametrize("simulated", [True, False])
def test_files_are_read_by_engineers_where_customers_are_simulated(simulated: bool) -> None:
    readers = {who for _, who, what in rights(simulated=simulated) if what == "READ_VOLUME"}
    assert ("engineers" in readers) is simulated
    assert readers - {"engineers"} == {"runner", "pii_readers", "apps"}
