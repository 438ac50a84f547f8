"""What a real workspace demands of the program: names, owners, order, and who it runs as."""

from __future__ import annotations

import json

import pytest

from infra.resource_options import DELETED_FIRST
from tests.infra.conftest import STACKS
from tests.infra.program import RUNNER, SERVER, Program, engine_config, run
from tests.infra.test_account import MADE_FIRST
from tests.infra.test_program import IDENTITY, PLATFORM, class_name

# Classes whose identity follows from another object's, or from a principal that no stack makes.
FOLLOW_OTHERS = (
    "AccessControlRuleSet",
    "Entitlements",
    "Grant",
    "Grants",
    "Group",
    "GroupMember",
    "MwsNccPrivateEndpointRule",
    "MwsPermissionAssignment",
    "PermissionAssignment",
    "Permissions",
    "PostgresDatabase",
    "PostgresEndpoint",
    "PostgresRole",
    "SecretAcl",
    "ServicePrincipalSecret",
)


def names_in_a_workspace(program: Program) -> set[tuple[str, str]]:
    """Class and name of each object, with those of its containers, as the workspace has them."""
    containers = ("catalogName", "schemaName", "parentPath", "onSecurableFullname")
    return {
        (
            class_name(resource),
            "/".join(
                str(resource.inputs[key])
                for key in (*containers, IDENTITY.get(class_name(resource), "name"))
                if key in resource.inputs
            ),
        )
        for resource in program.resources
        if resource.databricks and class_name(resource) not in FOLLOW_OTHERS
    }


def test_two_stacks_in_one_workspace_share_no_name(programs: dict[str, Program]) -> None:
    for stack, other in (("local", "dev"), ("dev", "prod")):
        names, others = names_in_a_workspace(programs[stack]), names_in_a_workspace(programs[other])
        assert {kind for kind, _ in names} >= {"Catalog", "Job", "ModelServing", "Pipeline", "SecretScope"}
        assert not names & others


@pytest.mark.parametrize("stack", STACKS)
def test_what_cannot_be_updated_is_deleted_before_it_is_replaced(stack: str, programs: dict[str, Program]) -> None:
    resources = [resource for resource in programs[stack].resources if resource.databricks]
    assert all(resource.deleted_first == (class_name(resource) in DELETED_FIRST) for resource in resources)
    if programs[stack].of("MwsWorkspaces"):
        assert not any(r.deleted_first for r in resources if class_name(r) in MADE_FIRST), "the workspace uses them"
    if programs[stack].of("Permissions"):
        assert {"SecretAcl", "SecretScope"} <= {class_name(r) for r in resources if r.deleted_first}


def test_what_somebody_else_sets_makes_no_difference(program: Program) -> None:
    ignored = {class_name(r): r.ignored for r in program.resources if r.databricks and r.ignored}
    expected = {"Catalog": ("properties",), "ModelServing": ("telemetryConfig",), "Schema": ("properties",)}
    groups = {"Group": ("workspaceAccess", "databricksSqlAccess")} if program.of("Group") else {}
    assert ignored == expected | groups
    assert not any("properties" in r.inputs for r in program.resources if class_name(r) in ("Catalog", "Schema"))


def test_the_platform_team_manages_and_uses_the_service_principals(program: Program) -> None:
    account = json.loads(engine_config(program.stack)["churn:platform"])["account_id"]
    principals = {"runner": RUNNER, "server": SERVER}
    for name, application_id in principals.items():
        rules = program.of("AccessControlRuleSet")[f"{name}-roles"]
        assert rules.inputs["name"] == f"accounts/{account}/servicePrincipals/{application_id}/ruleSets/default"
        assert {rule["role"]: rule["principals"] for rule in rules.inputs["grantRules"]} == {
            f"roles/servicePrincipal.{role}": [f"groups/{PLATFORM}"] for role in ("manager", "user")
        }
    assert set(program.of("ServicePrincipal")) == set(principals)


def test_new_service_principals_are_waited_for_by_all_that_name_them(program: Program) -> None:
    seen = {name.removesuffix("-seen"): waiting for name, waiting in program.of("SeenPrincipal").items()}
    assert [seen[name].inputs["names"] for name in ("runner", "server")] == [[RUNNER], [SERVER]]
    naming = [
        resource
        for resource in program.resources
        if resource.databricks and (RUNNER in json.dumps(resource.inputs) or SERVER in json.dumps(resource.inputs))
    ]
    assert {class_name(resource) for resource in naming} >= {"AccessControlRuleSet", "Grants", "Job", "Permissions"}
    for resource in naming:
        for name, application_id in (("runner", RUNNER), ("server", SERVER)):
            assert application_id not in json.dumps(resource.inputs) or seen[name].urn in resource.dependencies


def test_new_groups_are_waited_for_before_and_after_they_enter(program: Program) -> None:
    waiting = program.of("SeenPrincipal")
    found, seen = waiting["groups-found"], waiting["groups-seen"]
    entries = program.of("PermissionAssignment").values()
    assert sorted(entry.inputs["groupName"] for entry in entries) == found.inputs["names"] == seen.inputs["names"]
    assert (found.inputs["kind"], seen.inputs["kind"]) == ("group of the account", "group of the workspace")
    for entry in entries:
        assert found.urn in entry.dependencies
        assert entry.urn in seen.dependencies
    naming = [r for kind in ("AccessControlRuleSet", "Catalog", "Entitlements") for r in program.of(kind).values()]
    waits = {r.urn: r.dependencies for r in program.resources}
    for resource in naming:
        assert seen.urn in (*resource.dependencies, *waits[resource.parent]), resource.name


def test_the_platform_team_owns_what_the_program_makes_in_the_catalog(program: Program) -> None:
    owners = {
        (class_name(r), r.name): r.inputs["owner"] for r in program.resources if r.databricks and "owner" in r.inputs
    }
    of_others = {
        ("RegisteredModel", "churn_model"): RUNNER,  # who sets its aliases owns it
        ("Schema", "retention_lab"): "team-retention",
        ("Volume", "retention_lab-campaigns"): "team-retention",
    }
    assert {key: owner for key, owner in owners.items() if owner != PLATFORM} == of_others
    kinds = ("Catalog", "Credential", "ExternalLocation", "RegisteredModel", "Schema", "StorageCredential", "Volume")
    assert len(owners) == sum(len(program.of(kind)) for kind in kinds)


def test_the_model_goes_before_the_grants_by_which_it_may_be_deleted(program: Program) -> None:
    model = next(r for r in program.resources if r.name == "model")
    assert program.of("Grants")[f"catalog-access-{program.outputs['catalog']}"].urn in model.dependencies


def test_the_deployer_stays_a_member_until_what_the_group_owns_is_gone(programs: dict[str, Program]) -> None:
    local = programs["local"]
    member = local.of("GroupMember")["churn-platform-admin@churn.local"]
    seen = local.of("SeenPrincipal")["groups-seen"]
    identities = next(r for r in local.resources if r.name == "identities")
    assert member.urn in identities.dependencies
    assert seen.urn in local.of("Catalog")["catalog"].dependencies
    assert seen.parent == identities.urn, "which waits for the group and its members"


def test_another_deployer_than_that_of_the_settings_is_refused(wheels: object) -> None:
    with pytest.raises(Exception, match=r"churn:platform\.workspace\.deployer: .*Pulumi runs as eve@churn\.local"):
        run("local", signed_in="eve@churn.local")
    run("local", signed_in="Admin@churn.local")  # names of users ignore case


def test_a_deployer_outside_of_the_platform_team_is_refused(wheels: object) -> None:
    with pytest.raises(Exception, match=r"churn:platform\.groups\.platform: .* is no member"):
        run("local", platform_members=["8"])


@pytest.mark.parametrize(
    ("champion", "endpoint", "version"),
    [("champion", "another", "3"), ("Champion", "another", "3"), ("", "churn-local", "2")],
    ids=["as promoted", "in capitals", "lost, and served"],
)
def test_the_endpoint_serves_the_champion_or_what_it_served(
    wheels: object, champion: str, endpoint: str, version: str
) -> None:
    made = run("local", champion=champion, endpoint=endpoint).of("ModelServing")["endpoint"]
    assert made.inputs["config"]["servedEntities"][0]["entityVersion"] == version


def test_the_server_keeps_the_right_to_write_its_endpoint(program: Program) -> None:
    controls = program.of("Permissions")["endpoint-permissions"].inputs["accessControls"]
    assert {"servicePrincipalName": SERVER, "permissionLevel": "CAN_MANAGE"} in controls


def test_a_first_endpoint_needs_a_champion(wheels: object) -> None:
    with pytest.raises(Exception, match="no version has the alias champion, so there is nothing to serve"):
        run("local", champion="", endpoint="another")
