"""Who may do what, as the whole program deploys it under mocks: groups, grants, permissions."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING

import pytest

from infra.access.classified import GOLD, SAMPLES
from infra.access.permissions import ObjectKind, permissions_on
from infra.access.roles import Role
from infra.names import LEDGER, MARTS
from tests.infra.program import RUNNER, SERVER, Program, engine_config, kind_of

if TYPE_CHECKING:
    from collections.abc import Sequence

PLATFORM = "churn-platform"  # the group that owns everything


def test_each_securable_has_one_grants_and_the_platform_team_stays(program: Program) -> None:
    seen = set()
    for grants in program.of("Grants").values():
        securable = {key: value for key, value in grants.inputs.items() if key != "grants"}
        assert len(securable) == 1
        seen.add(next(iter(securable.items())))
        held = {grant["principal"]: grant["privileges"] for grant in grants.inputs["grants"]}
        assert "MANAGE" in held[PLATFORM]
        principals = " ".join(held)
        assert "-runner" not in principals, "service principals go by application id"
        assert "-server" not in principals
    assert len(seen) == len(program.of("Grants"))


def test_groups_are_made_by_the_account_alone(programs: dict[str, Program]) -> None:
    assert set(programs["account"].of("Group")) == set(programs["local"].of("Group")) != set()
    assert programs["dev"].of("Group") == programs["prod"].of("Group") == {}
    for program in programs.values():
        looked_up = [call.args["displayName"] for call in program.calls if call.token.endswith(":getGroup")]
        assert looked_up == ([PLATFORM] if program.of("Catalog") else []), "groups are named, not looked up"


def test_groups_enter_the_workspace_by_name(program: Program, programs: dict[str, Program]) -> None:
    entering = {a.inputs["groupName"]: a.inputs["permissions"] for a in program.of("PermissionAssignment").values()}
    assert entering == {group: ["USER"] for group in programs["account"].of("Group")}


def test_a_platform_waits_for_groups_of_its_own_stack(programs: dict[str, Program]) -> None:
    identities = next(r for r in programs["local"].resources if r.name == "identities")
    assert {group.urn for group in programs["local"].of("Group").values()} <= set(identities.dependencies)


def test_grants_on_tables_wait_for_the_tables(program: Program) -> None:
    tables = {g.inputs["table"] for g in program.of("Grants").values() if "table" in g.inputs}
    catalog = program.outputs["catalog"]
    domains = ("customer", "marketing", "support", "transactions", "usage")
    silver = {f"silver.{domain}" for domain in (*domains, "events")}
    simulated = program.stack != "prod"
    raw = {f"{name}{domain}" for domain in domains for name in ("silver.quarantine_", *(["bronze."] * simulated))}
    versions = {f"silver.{domain}_versions" for domain in domains if simulated}
    assert tables == {f"{catalog}.{table}" for table in (*silver, *raw, *versions, *GOLD, *MARTS, LEDGER, SAMPLES)}
    components = {r.name: r for r in program.resources}
    streamed = {f"{catalog}.{table}" for table in ("bronze.events", "silver.events", "silver.quarantine_events")}
    for grants in program.of("Grants").values():
        if "table" in grants.inputs:
            name = "stream-access" if grants.inputs["table"] in streamed else "table-access"
            assert grants.parent == components[name].urn
    runs = program.of("RunOnce")
    assert runs["first-bronze"].urn in runs["first-silver"].dependencies
    assert {runs["first-silver"].urn, runs["bootstrap"].urn} <= set(components["column-tags"].dependencies)
    sighting = program.of("MadeTables")["stream-tables"].urn
    assert sighting in components["stream-tags"].dependencies
    assert sighting not in components["column-tags"].dependencies, "nobody waits for the stream but its own tables"


def test_the_request_is_deployed(program: Program) -> None:
    catalog = program.outputs["catalog"]
    area = program.of("Schema")["retention_lab"].inputs
    assert area["owner"] == "team-retention"
    assert area["catalogName"] == catalog
    assert "retention_lab-campaigns" in program.of("Volume")
    owner = {"principal": "team-retention", "privileges": ["USE_SCHEMA"]}
    assert owner in program.of("Grants")[f"access-{catalog}.retention_lab"].inputs["grants"]
    owner = {"principal": "team-retention", "privileges": ["USE_CATALOG"]}
    assert owner in program.of("Grants")[f"catalog-access-{catalog}"].inputs["grants"]


def test_the_platform_team_may_make_a_volume_in_a_schema_that_is_a_teams(program: Program) -> None:
    grants = program.of("Grants")[f"catalog-access-{program.outputs['catalog']}"]
    held = {grant["principal"]: set(grant["privileges"]) for grant in grants.inputs["grants"]}
    assert {"USE_CATALOG", "USE_SCHEMA", "CREATE_VOLUME"} <= held[PLATFORM]
    area = next(r for r in program.resources if r.name == "area-retention_lab")
    assert grants.urn in area.dependencies, "the privileges come before the schema is handed over"


def test_nobody_but_the_platform_team_touches_the_code(program: Program) -> None:
    folder = program.of("Directory")["folder"].inputs["path"]
    assert folder == f"/churn-{program.stack}", "the home of a deployer would go with the deployer"
    assert all(file.inputs["path"].startswith(f"{folder}/") for file in program.of("WorkspaceFile").values())
    allowed = program.of("Permissions")["folder-permissions"]
    assert allowed.inputs["directoryPath"] == folder
    levels = {entry.get("groupName"): entry["permissionLevel"] for entry in allowed.inputs["accessControls"]}
    assert levels == {PLATFORM: "CAN_MANAGE", "churn-engineers": "CAN_READ", None: "CAN_READ"}
    runner = next(entry for entry in allowed.inputs["accessControls"] if "servicePrincipalName" in entry)
    assert runner["servicePrincipalName"] == RUNNER
    for waiting in ("pipelines", "jobs"):
        component = next(r for r in program.resources if r.name == waiting)
        assert allowed.urn in component.dependencies


def test_secrets_of_jobs_are_written_by_engineers_outside_of_production(program: Program) -> None:
    scope = program.outputs["secret_scope"]
    assert scope == f"churn-{program.stack}"
    assert {s.inputs["name"] for s in program.of("SecretScope").values()} == {
        *(scope, f"{scope}-masks", f"{scope}-erasure")
    }
    acls: dict[str, dict[str, str]] = defaultdict(dict)
    for name, acl in program.of("SecretAcl").items():
        acls[name.partition("-")[0]][acl.inputs["principal"]] = acl.inputs["permission"]
    writing = {} if program.stack == "prod" else {"churn-engineers": "WRITE"}  # to write is to read
    assert acls == {
        "secrets": {RUNNER: "READ", PLATFORM: "MANAGE"} | writing,
        "masks": {PLATFORM: "MANAGE"},
        "erasure": {RUNNER: "WRITE", PLATFORM: "MANAGE", "churn-pii-readers": "WRITE"},
    }


def test_every_object_has_the_permissions_of_the_table(program: Program) -> None:
    groups = json.loads(engine_config(program.stack)["churn:platform"])["groups"]
    principals = {Role(role): group for role, group in groups.items() if role != "deliverers"}
    principals |= {Role.RUNNER: RUNNER, Role.SERVER: SERVER}
    made = defaultdict(list)
    for permissions in program.of("Permissions").values():
        kind = kind_of(permissions)
        controls = permissions.inputs["accessControls"]
        assert all("servicePrincipalName" in control or control.get("groupName") != RUNNER for control in controls)
        made[kind].append(
            {control.get("groupName", control.get("servicePrincipalName")): control for control in controls}
        )
    scopes = {ObjectKind.SECRET_SCOPE, ObjectKind.MASKS_SCOPE, ObjectKind.ERASURE_SCOPE}
    assert set(made) == set(ObjectKind) - scopes, "secrets have a resource of their own"
    for kind, objects in made.items():
        levels = permissions_on(kind, production=program.stack == "prod")
        expected = {principals[role]: level for role, level in levels.items()}
        for controls in objects:
            assert {who: control["permissionLevel"] for who, control in controls.items()} == expected, kind


def test_in_production_people_change_nothing_that_runs(programs: dict[str, Program]) -> None:
    changing = {"CAN_EDIT", "CAN_MANAGE", "IS_OWNER"}
    for stack, expected in (("prod", set()), ("dev", {"churn-engineers"})):
        held = {
            control["groupName"]
            for permissions in programs[stack].of("Permissions").values()
            for control in permissions.inputs["accessControls"]
            if control["permissionLevel"] in changing and "groupName" in control
        }
        assert held - {PLATFORM} == expected


@pytest.mark.parametrize(
    ("dashboard", "readers", "tables"),
    [
        ("dashboard", {"churn-engineers", "churn-scientists", "churn-analysts"}, MARTS),
        ("stream-dashboard", {"churn-engineers"}, ["mlops.stream_freshness"]),
    ],
)
def test_who_may_open_a_dashboard_may_read_what_it_shows(
    program: Program, dashboard: str, readers: set[str], tables: Sequence[str]
) -> None:
    opening = program.of("Permissions")[f"{dashboard}-permissions"].inputs["accessControls"]
    assert {entry["groupName"] for entry in opening} - {PLATFORM} == readers, "who owns the catalog reads it all"
    for group in readers:
        readable = {
            securable
            for grants in program.of("Grants").values()
            for kind in ("schema", "table")
            if (securable := grants.inputs.get(kind))
            and any(held["principal"] == group and "SELECT" in held["privileges"] for held in grants.inputs["grants"])
        }
        for name in tables:
            table = f"{program.outputs['catalog']}.{name}"
            assert {table, table.rpartition(".")[0]} & readable, f"{group} cannot read {table}"
