"""The pure function that merges grants: fixed cases, and properties over random ones."""

from __future__ import annotations

import random
from collections import defaultdict

import pytest

from infra.access import PRIVILEGES, Grant, Plan, Securable, merge, role_grants
from infra.names import MARTS
from infra.tenancy import Groups

DEPLOYER = "deployer@churn.test"
GROUPS = Groups(engineers="engineers", scientists="scientists", analysts="analysts", deliverers="deliverers")
NAMES = {
    "catalog": ["c", "d"],
    "schema": ["c.s", "c.t"],
    "table": ["c.s.x", "d.s.x"],
    "volume": ["c.s.v"],
    "model": ["c.t.m"],
}


def random_grants(seed: int) -> list[Grant]:
    draw = random.Random(seed)  # noqa: S311
    grants = []
    for _ in range(draw.randrange(25)):
        kind = draw.choice(sorted(PRIVILEGES))
        privileges = draw.sample(sorted(PRIVILEGES[kind]), draw.randrange(4))
        grants.append(
            Grant(Securable(draw.choice(NAMES[kind]), kind), draw.choice(["ann", "bob", "cy"]), frozenset(privileges))
        )
    return grants


def holdings(plan: Plan) -> set[tuple[Securable, str, str]]:
    return {(on, who, what) for on, holders in plan.items() for who, held in holders.items() for what in held}


@pytest.mark.parametrize("seed", range(200))
def test_properties(seed: int) -> None:
    grants = random_grants(seed)
    plan = merge(grants, DEPLOYER)
    held = holdings(plan)
    asked = {(g.securable, g.principal, what) for g in grants for what in g.privileges}

    assert asked <= held, "nothing that was asked for is lost"
    shuffled = list(grants)
    random.Random(seed + 1).shuffle(shuffled)  # noqa: S311
    assert merge(shuffled, DEPLOYER) == plan, "the order does not matter"
    assert list(merge(shuffled, DEPLOYER)) == list(plan) == sorted(plan), "nor does it show"
    assert merge([*grants, *grants], DEPLOYER) == plan, "nor does saying it twice"
    for on, holders in plan.items():
        assert "MANAGE" in holders[DEPLOYER], "the deployer stays"
        for who, privileges in holders.items():
            assert privileges, "nobody is listed for nothing"
            assert list(privileges) == sorted(set(privileges))
            assert set(privileges) <= PRIVILEGES[on.kind]
            for container, passing in on.path():
                assert (container, who, passing) in held, "whoever holds something can reach and enter it"
    extra = defaultdict(set)
    for _, who, what in held - asked:
        extra[who].add(what)
    assert extra.pop(DEPLOYER, set()) <= {"MANAGE", "USE_CATALOG", "USE_SCHEMA"}
    assert all(gained <= {"USE_CATALOG", "USE_SCHEMA"} for gained in extra.values()), "nobody gains more than passage"


def test_sources_on_one_securable_are_one_entry() -> None:
    table = Securable("c.silver.customer", "table")
    plan = merge([Grant(table, "ann", frozenset({"SELECT"})), Grant(table, "ann", frozenset({"MODIFY"}))], DEPLOYER)
    assert plan[table]["ann"] == ("MODIFY", "SELECT")
    assert plan[Securable("c.silver", "schema")]["ann"] == ("USE_SCHEMA",)
    assert plan[Securable("c", "catalog")]["ann"] == ("USE_CATALOG",)


@pytest.mark.parametrize("privilege", ["ALL_PRIVILEGES", "READ_VOLUME", "SLECT"])
def test_a_privilege_that_the_securable_does_not_take_is_refused(privilege: str) -> None:
    with pytest.raises(ValueError, match=rf"table c\.s\.x: ann is given {privilege}; allowed: APPLY_TAG, MANAGE"):
        merge([Grant(Securable("c.s.x", "table"), "ann", frozenset({privilege}))], DEPLOYER)


def test_roles() -> None:
    plan = merge(role_grants("c", GROUPS, "runner", DEPLOYER), DEPLOYER)
    held = holdings(plan)
    readers = {(on.name, who) for on, who, what in held if what == "SELECT" and on.kind == "schema"}
    assert readers == {
        *((f"c.{schema}", who) for schema in ("bronze", "silver", "gold", "mlops") for who in ("engineers", "runner")),
        ("c.gold", "scientists"),
        ("c.mlops", "scientists"),
    }
    writers = {who for _, who, what in held if what in ("MODIFY", "CREATE_TABLE")}
    assert writers == {"runner"}, "people read; jobs write"
    delivering = {(on.name, who) for on, who, what in held if what == "WRITE_VOLUME"}
    assert delivering == {
        *((f"c.bronze.{volume}", "runner") for volume in ("raw", "admitted", "quarantine")),
        ("c.bronze.raw", "deliverers"),
    }, "what is delivered is admitted by jobs alone"
    passage = ("USE_CATALOG", "USE_SCHEMA")
    assert {on.name for on, who, what in held if who == "deliverers" and what not in passage} == {"c.bronze.raw"}
    assert {who for _, who, what in held if what == "MANAGE"} == {DEPLOYER}
    for schema in ("bronze", "silver", "gold", "mlops"):
        assert "USE_SCHEMA" in plan[Securable(f"c.{schema}", "schema")]["runner"]
    assert plan[Securable("c.gold", "schema")]["analysts"] == ("USE_SCHEMA",), "features and scores are of customers"
    opened = {on.name for on, who, what in held if who == "analysts" and what == "SELECT"}
    assert opened == {f"c.{mart}" for mart in MARTS}
