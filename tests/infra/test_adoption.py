"""Adoption without a cloud: a row for every type of the program, and states changed as the engine takes them."""

from __future__ import annotations

import copy
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast
from unittest.mock import create_autospec

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.service.sql import AlertV2

from cli.aws_inventory import AWS_TYPES
from cli.inventory import TYPES
from infra.adoption import search
from infra.adoption.account import holds
from infra.adoption.cloud import Cloud, Deployer, Found, Row, snake
from infra.adoption.deployment import UNKNOWN, Deployment, planned
from infra.adoption.engine import AdoptionError
from infra.adoption.search import Search
from infra.adoption.table import TABLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tests.infra.program import Program

STACK, PROVIDER, PART = "urn:pulumi:pulumi:Stack::s", "urn:pulumi:providers:x::p", "urn:part::part"
TYPE = "databricks:index/job:Job"


def custom(programs: Iterable[Program]) -> set[str]:
    """Types of the objects that programs make."""
    return {
        resource.type
        for program in programs
        for resource in program.resources
        if resource.custom and not resource.type.startswith("pulumi:")
    }


@pytest.fixture(scope="module")
def used(
    programs: dict[str, Program],
    grounds: Mapping[str, Program],
    whole_account: Program,
    private_ground: Program,
    linked: Program,
) -> set[str]:
    """Types of all objects that some stack makes, by its file or by another setting."""
    return custom([*programs.values(), *grounds.values(), whole_account, private_ground, linked])


def test_every_type_of_the_program_has_a_row(used: set[str]) -> None:
    assert len(used) > 80, "the sweep sees the program"
    assert used - TABLE.keys() == set(), "add them to a module of infra/adoption"
    assert TABLE.keys() - used == set(), "remove what nothing makes"


ONE_OF_A_KIND = {
    "aws:ec2/route:Route": "a table has one to a destination",
    "aws:ec2/routeTableAssociation:RouteTableAssociation": "a subnet has one",
    "aws:lb/listener:Listener": "a load balancer has one at a port",
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": "AWS refuses the same rule twice",
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": "AWS refuses the same rule twice",
    "databricks:index/entityTagAssignment:EntityTagAssignment": "a column has one with a key",
    "databricks:index/policyInfo:PolicyInfo": "the catalog has one of a name, and is counted",
    "databricks:index/postgresDatabase:PostgresDatabase": "it lies in a project, which is counted",
    "databricks:index/postgresRole:PostgresRole": "it lies in a project, which is counted",
}


def test_every_type_is_counted_after_a_rehearsal_or_cannot_be_there_twice(used: set[str]) -> None:
    uncounted = {type_ for type_ in used - TYPES - AWS_TYPES if not TABLE[type_].again}
    assert uncounted == ONE_OF_A_KIND.keys(), "list them in cli/inventory.py, or say here why not"
    assert (TYPES | AWS_TYPES) - TABLE.keys() == set(), "a type that no program has cannot be compared"


def test_a_row_finds_or_says_why_not() -> None:
    assert [type_ for type_, row in TABLE.items() if (row.find is None) != bool(row.again)] == []


def state(*more: dict[str, Any], **top: Any) -> Deployment:
    """A state with a stack, a provider and a component."""
    resources = [
        {"urn": STACK, "type": "pulumi:pulumi:Stack"},
        {"urn": PROVIDER, "type": "pulumi:providers:x", "id": "1", "custom": True, "inputs": {"host": "h"}},
        {"urn": PART, "type": "churn:platform:Part"},
        *more,
    ]
    return Deployment({"deployment": {"resources": resources, **top}})


def job(name: str = "job", **more: Any) -> dict[str, Any]:
    """A job as it was planned."""
    return {
        "urn": f"urn:{PART}${TYPE}::{name}",
        "type": TYPE,
        "custom": True,
        "parent": PART,
        "provider": f"{PROVIDER}::1",
        "inputs": {"name": name, "__defaults": []},
        "protect": True,
        "dependencies": [PART, "urn:never:made::x"],
        "propertyDependencies": {"name": ["urn:never:made::x"]},
        **more,
    }


def searched(monkeypatch: pytest.MonkeyPatch, deployment: Deployment, row: Row) -> Search:
    monkeypatch.setattr(search, "TABLE", {TYPE: row})
    return Search(deployment, Deployer(frozenset({"churn-platform"}), None))


def gives(*found: Found, **more: Any) -> Row:
    return Row(lambda _, __: iter(found), **more)


def test_an_own_object_enters_the_state_as_it_was_planned(monkeypatch: pytest.MonkeyPatch) -> None:
    deployment = state()
    outcome = searched(monkeypatch, deployment, gives(Found("7", own=True))).adopt([job()])
    made = deployment.resources[-1]
    assert outcome.adopted == [made["urn"]]
    assert (made["id"], made["parent"], made["provider"], made["protect"]) == ("7", PART, f"{PROVIDER}::1", True)
    assert (made["inputs"], made["outputs"]) == (job()["inputs"], {"name": "job"})
    assert (made["dependencies"], made["propertyDependencies"]) == ([PART], {"name": []}), "what the state has"


def test_what_others_hold_is_refused_by_name_and_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    deployment = state()
    theirs = gives(Found("7", own=False, holder="ann"))
    outcome = searched(monkeypatch, deployment, theirs).adopt([job()])
    assert outcome.adopted == []
    assert len(deployment.resources) == 3
    (taken,) = outcome.taken
    assert taken == (
        "Job 7, for job: received an object of ann; allowed: a free name, or an object that this stack has made; "
        "remedy: remove or rename it, or import it yourself if it shall be the stack's: "
        f"pulumi import {TYPE} job 7"
    )


def test_an_alike_name_of_others_is_no_obstacle_where_names_repeat(monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = gives(Found("7", own=False, holder="ann"), unique=False)
    outcome = searched(monkeypatch, state(), theirs).adopt([job()])
    assert (outcome.adopted, outcome.taken) == ([], [])


def test_a_second_object_is_deleted_by_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    deployment = state(job(id="7"))
    twice = gives(Found("7", own=True), Found("8", own=True), Found("9", own=False), unique=False)
    outcome = search.Outcome()
    searched(monkeypatch, deployment, twice).surplus(outcome)
    assert outcome.deleted == [f"{TYPE} 8"]
    assert [(each["id"], each["delete"], each["protect"]) for each in deployment.resources[4:]] == [("8", True, False)]
    searched(monkeypatch, deployment, twice).surplus(outcome)
    assert outcome.deleted == [f"{TYPE} 8"], "a second search finds nothing more"


def test_what_cannot_be_used_is_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The value of a secret is told once."""
    deployment = state()
    outcome = searched(monkeypatch, deployment, gives(Found("7", own=True), kept=False)).adopt([job()])
    assert (outcome.adopted, outcome.deleted) == ([], [f"{TYPE} 7"])
    assert deployment.resources[-1]["delete"]


def test_an_object_that_was_being_replaced_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    deployment = state(job(id="6"))
    searched(monkeypatch, deployment, gives(Found("6", own=True), Found("7", own=True))).adopt([job()])
    assert [(each["id"], each.get("delete")) for each in deployment.resources[3:]] == [("6", True), ("7", None)]


def test_a_type_without_a_row_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AdoptionError, match="aws:new/thing:Thing, of job: nothing tells how one that exists is found"):
        searched(monkeypatch, state(), gives()).adopt([job() | {"type": "aws:new/thing:Thing"}])


def test_pending_operations_leave_the_state() -> None:
    operations = [{"resource": job(), "type": "creating"}, {"resource": job("old", id="3"), "type": "updating"}]
    deployment = state(pending_operations=copy.deepcopy(operations))
    assert [(each["urn"], each["creating"]) for each in deployment.pending()] == [
        (job()["urn"], True),
        (job("old")["urn"], False),
    ]
    assert deployment.pending() == []


def test_a_plan_tells_what_may_have_been_made() -> None:
    unknown = job("later") | {"inputs": {"name": "later", "policy": [UNKNOWN]}}
    secret = job("secret") | {"inputs": {"name": "secret", "accountId": "[secret]"}}
    steps = [
        {"op": "create", "newState": job()},
        {"op": "create", "newState": unknown},
        {"op": "create", "newState": secret},
        {"op": "same", "newState": job("there")},
        {"op": "create", "newState": {"urn": PART, "type": "churn:platform:Part", "inputs": {}}},
    ]
    assert [each["inputs"] for each in planned({"steps": steps})] == [job()["inputs"], {"name": "secret"}]


def test_ownership_ignores_case_and_takes_the_planned_owner() -> None:
    cloud = Cloud({"host": "h"}, Deployer(frozenset(), None))
    object.__setattr__(cloud, "own", frozenset({"churn-platform"}))
    assert cloud.judged("1", ["Churn-Platform", None], {}).own
    assert cloud.judged("1", ["team"], {"owner": "Team"}).own
    assert cloud.judged("1", ["ann", "bob"], {"owner": "team"}) == Found("1", own=False, holder="ann, bob")


def test_contents_are_compared_as_the_api_tells_them() -> None:
    wanted = snake({"networkAccess": {"restrictionMode": "FULL", "allowed": [], "__defaults": []}})
    assert holds({"network_access": {"restriction_mode": "FULL"}, "id": 1}, wanted)
    assert not holds({"network_access": {"restriction_mode": "NONE"}}, wanted)
    assert not holds(None, snake({"values": [{"name": "public"}]}))


UNSURE = Found("7", own=False, holder="nobody knows whom", unsure=True)


@pytest.mark.parametrize("unique", [True, False])
def test_what_may_be_anybodys_waits_for_a_word_of_a_person(monkeypatch: pytest.MonkeyPatch, unique: bool) -> None:
    """Such as a bucket without tags, or a group without members: nothing tells who has made it."""
    deployment = state()
    looked = searched(monkeypatch, deployment, gives(UNSURE, unique=unique))
    planned_one = job() | {"urn": f"urn:pulumi:dev::churn::{TYPE}::job"}
    outcome = looked.adopt([planned_one])
    assert (outcome.adopted, outcome.deleted, len(deployment.resources)) == ([], [], 3)
    (said,) = outcome.taken
    assert said.startswith("Job 7, for job: received an object that may be this stack's or somebody else's")
    assert said.endswith("if this stack has made it: platform adopt dev --mine job")
    looked.mine = frozenset({"job"})
    assert looked.adopt([planned_one]).adopted == [planned_one["urn"]]


def test_what_may_be_anybodys_is_the_stacks_where_its_creation_was_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    begun = job() | {"creating": True}
    assert searched(monkeypatch, state(), gives(UNSURE)).adopt([begun]).adopted == [begun["urn"]]
    twice = gives(UNSURE, Found("8", own=False, unsure=True))
    outcome = searched(monkeypatch, state(), twice).adopt([begun])
    assert outcome.adopted == []
    assert "Job 7, 8, for job: received an object that may be" in outcome.taken[0], "either may be somebody else's"


def test_what_may_be_anybodys_is_never_deleted_as_one_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    outcome, deployment = search.Outcome(), state(job(id="1"))
    searched(monkeypatch, deployment, gives(UNSURE, unique=False)).surplus(outcome)
    assert (outcome.deleted, len(deployment.resources)) == ([], 4)


@pytest.mark.parametrize(("inputs", "found"), [({"displayName": "late", "parentPath": "/churn"}, ["7"]), ({}, [])])
def test_an_alert_is_found_by_its_names_where_the_state_has_them(inputs: dict[str, str], found: list[str]) -> None:
    """An adopted one has none until the next deployment."""
    cloud = cast("Cloud", SimpleNamespace(workspace=create_autospec(WorkspaceClient, instance=True)))
    listed = {"7": {"display_name": "late", "parent_path": "/churn"}, "8": {"display_name": "other"}}
    alerts = [AlertV2.from_dict({"id": id_, **names}) for id_, names in listed.items()]
    cast("Any", cloud).workspace.alerts_v2.list_alerts.return_value = alerts
    find = TABLE["databricks:index/alertV2:AlertV2"].find
    assert find
    assert [each.id for each in find(cloud, inputs)] == found
