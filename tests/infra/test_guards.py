"""The guard of the plan: every place and privilege by which classified values can be reached."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from churn.core.contract import read_contracts
from churn.core.faults import FaultsError
from infra.access.guards import check_classified
from infra.access.plan import merge
from infra.access.roles import Role, principals
from infra.access.securables import Grant, Kind, Securable
from infra.access.stack_plan import holders, plan_access
from infra.written.paths import CONTRACTS, REPOSITORY
from infra.written.requests import WorkspaceArea, read_requests
from infra.written.stacks import read_settings

if TYPE_CHECKING:
    from pathlib import Path

    from infra.access.guards import Holders

SETTINGS = read_settings(REPOSITORY / "Pulumi.local.yaml")
PLATFORM = SETTINGS.platform
assert PLATFORM is not None
GROUPS = PLATFORM.group_names
ALL = read_contracts(CONTRACTS, GROUPS)
ENGINEERS, ANALYSTS, TEAM = "churn-engineers", "churn-analysts", "team-retention"
CUSTOMER, USAGE = "churn-deliverers-customer", "churn-deliverers-usage"

# Every way to a classified value, as (kind, name, privilege, somebody who must not have it).
REFUSED = [
    (Kind.TABLE, "c.silver.customer", "SELECT", TEAM),
    (Kind.TABLE, "c.silver.customer_versions", "SELECT", ANALYSTS),
    (Kind.TABLE, "c.silver.quarantine_customer", "SELECT", ANALYSTS),
    (Kind.TABLE, "c.bronze.customer", "SELECT", ANALYSTS),
    (Kind.TABLE, "c.bronze.events", "SELECT", TEAM),
    (Kind.TABLE, "c.gold.churn_features", "SELECT", ANALYSTS),
    (Kind.TABLE, "c.gold.churn_scores_live", "SELECT", ANALYSTS),
    (Kind.TABLE, "c.silver.customer", "MODIFY", ENGINEERS),
    (Kind.TABLE, "c.silver.customer", "MANAGE", ENGINEERS),
    (Kind.TABLE, "c.silver.customer", "APPLY_TAG", ENGINEERS),
    (Kind.SCHEMA, "c.silver", "SELECT", ENGINEERS),
    (Kind.SCHEMA, "c.gold", "SELECT", "churn-scientists"),
    (Kind.SCHEMA, "c.bronze", "MODIFY", ENGINEERS),
    (Kind.SCHEMA, "c.bronze", "READ_VOLUME", ENGINEERS),
    (Kind.SCHEMA, "c.landing", "READ_VOLUME", CUSTOMER),
    (Kind.SCHEMA, "c.landing", "WRITE_VOLUME", CUSTOMER),
    (Kind.SCHEMA, "c.silver", "MANAGE", TEAM),
    (Kind.SCHEMA, "c.silver", "APPLY_TAG", TEAM),
    (Kind.SCHEMA, "c.governance", "MANAGE", ENGINEERS),
    (Kind.SCHEMA, "c.governance", "CREATE_FUNCTION", ENGINEERS),
    (Kind.CATALOG, "c", "SELECT", ENGINEERS),
    (Kind.CATALOG, "c", "MODIFY", ENGINEERS),
    (Kind.CATALOG, "c", "MANAGE", ENGINEERS),
    (Kind.CATALOG, "c", "READ_VOLUME", ENGINEERS),
    (Kind.CATALOG, "c", "CREATE_FUNCTION", ENGINEERS),
    (Kind.VOLUME, "c.bronze.admitted", "READ_VOLUME", ANALYSTS),
    (Kind.VOLUME, "c.bronze.quarantine", "READ_VOLUME", CUSTOMER),
    (Kind.VOLUME, "c.bronze.admitted", "WRITE_VOLUME", ENGINEERS),
    (Kind.VOLUME, "c.landing.customer", "READ_VOLUME", USAGE),
    (Kind.VOLUME, "c.landing.customer", "WRITE_VOLUME", USAGE),
    (Kind.VOLUME, "c.landing.customer", "MANAGE", CUSTOMER),
    (Kind.EXTERNAL_LOCATION, "raw", "READ_FILES", ENGINEERS),
    (Kind.EXTERNAL_LOCATION, "raw", "CREATE_EXTERNAL_TABLE", TEAM),
    (Kind.STORAGE_CREDENTIAL, "storage", "READ_FILES", ENGINEERS),
]
ALLOWED = [
    (Kind.TABLE, "c.silver.customer", "SELECT", ANALYSTS),
    (Kind.TABLE, "c.silver.customer", "SELECT", ENGINEERS),
    (Kind.TABLE, "c.gold.churn_features", "SELECT", "churn-scientists"),
    (Kind.TABLE, "c.gold.marts_churn_overview", "SELECT", TEAM),
    (Kind.SCHEMA, "c.silver", "SELECT", "churn-pii-readers"),
    (Kind.SCHEMA, "c.retention_lab", "SELECT", TEAM),
    (Kind.SCHEMA, "c.mlops", "SELECT", ENGINEERS),
    (Kind.CATALOG, "other", "SELECT", TEAM),
    (Kind.VOLUME, "c.landing.customer", "WRITE_VOLUME", CUSTOMER),
    (Kind.VOLUME, "c.retention_lab.campaigns", "READ_VOLUME", TEAM),
    (Kind.EXTERNAL_LOCATION, "raw", "BROWSE", TEAM),
]


def those_of(stack: str) -> Holders:
    settings = read_settings(REPOSITORY / f"Pulumi.{stack}.yaml")
    assert settings.platform is not None
    return holders(settings.platform, principals(settings.platform, settings.prefix))


def judge(kind: Kind, name: str, privilege: str, principal: str) -> None:
    plan = merge([Grant(Securable(name, kind), principal, frozenset({privilege}))], "churn-platform")
    check_classified(plan, "c", ALL, those_of("prod"))


@pytest.mark.parametrize(("kind", "name", "privilege", "principal"), REFUSED)
def test_a_way_to_classified_values_is_refused(kind: Kind, name: str, privilege: str, principal: str) -> None:
    with pytest.raises(FaultsError, match=rf"received {privilege} on {name} for {principal}; allowed: .*classified"):
        judge(kind, name, privilege, principal)


@pytest.mark.parametrize(("kind", "name", "privilege", "principal"), ALLOWED)
def test_what_opens_nothing_classified_passes(kind: Kind, name: str, privilege: str, principal: str) -> None:
    judge(kind, name, privilege, principal)


def test_engineers_read_files_of_simulated_customers_alone() -> None:
    file = Grant(Securable("c.bronze.admitted", Kind.VOLUME), ENGINEERS, frozenset({"READ_VOLUME"}))
    plan = merge([file], "churn-platform")
    check_classified(plan, "c", ALL, those_of("dev"))
    with pytest.raises(FaultsError):
        check_classified(plan, "c", ALL, those_of("prod"))


@pytest.mark.parametrize("stack", ["local", "dev", "prod"])
def test_the_stacks_keep_their_own_guard(stack: str) -> None:
    settings = read_settings(REPOSITORY / f"Pulumi.{stack}.yaml")
    assert settings.platform is not None
    plan = plan_access(settings, ALL, read_requests(stack, settings.platform.group_names))
    selecting = {
        who
        for securable, held in plan.items()
        if ".silver" in securable.name or ".bronze" in securable.name
        for who, privileges in held.items()
        if "SELECT" in privileges
    }
    names = principals(settings.platform, settings.prefix)
    assert selecting - {ANALYSTS} == {
        names[role] for role in (Role.ENGINEERS, Role.SCIENTISTS, Role.PII_READERS, Role.RUNNER)
    }


def test_a_contract_cannot_open_single_customers_to_a_team(tmp_path: Path) -> None:
    for file in CONTRACTS.glob("*.yaml"):
        (tmp_path / file.name).write_text(file.read_text())
    text = (CONTRACTS / "usage.yaml").read_text()
    role = "  - role: team-retention\n    access: read\n    description: Tries.\n"
    (tmp_path / "usage.yaml").write_text(text.replace("roles:\n", f"roles:\n{role}", 1))
    with pytest.raises(
        FaultsError, match=r"usage\.yaml:\d+: roles: received SELECT on churn_local\.silver\.usage for team"
    ):
        plan_access(SETTINGS, read_contracts(tmp_path, GROUPS), [])


def test_a_request_cannot_open_a_schema_of_the_platform() -> None:
    area = WorkspaceArea.model_validate(
        {
            "kind": "workspace_area",
            "schema": "silver",
            "team": "retention",
            "owner_group": TEAM,
            "purpose": "Tries to read silver.",
            "stacks": ["local"],
            "grants": [{"group": TEAM, "privileges": ["SELECT"]}],
        }
    )
    with pytest.raises(FaultsError, match=r"SELECT on churn_local\.silver for team-retention"):
        plan_access(SETTINGS, ALL, [area])
