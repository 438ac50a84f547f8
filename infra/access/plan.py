"""Who may do what in Unity Catalog: one pure function merges all grants; `infra.layers.platform.grants` makes them.

Nothing here imports a provider SDK, so that a request or a change can be judged without one.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from churn.core.faults import Fault, FaultsError, choices
from infra.names import MARTS, VOLUMES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from infra.written.contracts import TableContract
    from infra.written.requests import WorkspaceArea
    from infra.written.settings.groups import Groups
    from infra.written.settings.stack import Settings

# Privileges that each kind of securable takes; those of children may stand on a catalog or schema and are inherited.
# https://docs.databricks.com/aws/en/data-governance/unity-catalog/manage-privileges/privileges
_TABLE = frozenset({"SELECT", "MODIFY", "APPLY_TAG", "MANAGE"})
_VOLUME = frozenset({"READ_VOLUME", "WRITE_VOLUME", "APPLY_TAG", "MANAGE"})
_MODEL = frozenset({"EXECUTE", "APPLY_TAG", "MANAGE"})
_CREATE = frozenset(
    {"CREATE_TABLE", "CREATE_MATERIALIZED_VIEW", "CREATE_VOLUME", "CREATE_FUNCTION", "CREATE_MODEL", "REFRESH"}
)
_SCHEMA = _TABLE | _VOLUME | _MODEL | _CREATE | {"USE_SCHEMA"}
PRIVILEGES = {
    "catalog": _SCHEMA | {"USE_CATALOG", "CREATE_SCHEMA", "BROWSE"},
    "schema": _SCHEMA,
    "table": _TABLE,
    "volume": _VOLUME,
    "model": _MODEL,
}


@dataclass(frozen=True, order=True)
class Securable:
    """Something that grants are made on.

    Attributes:
        name: Full name, such as `churn_local.silver.customer`.
        kind: A key of `PRIVILEGES`.
    """

    name: str
    kind: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"

    def path(self) -> list[tuple[Securable, str]]:
        """The catalog and schema that hold this one or are it, each with the privilege that lets one enter."""
        parts = self.name.split(".")
        containers = [
            (Securable(parts[0], "catalog"), "USE_CATALOG"),
            (Securable(".".join(parts[:2]), "schema"), "USE_SCHEMA"),
        ]
        return containers[: len(parts)]


@dataclass(frozen=True)
class Grant:
    """Privileges of one principal on one securable.

    Attributes:
        securable: What the privileges are on.
        principal: Group's display name, user name, or name of a service principal of this program.
        privileges: Names as Unity Catalog has them.
    """

    securable: Securable
    principal: str
    privileges: frozenset[str]


Plan = dict[Securable, dict[str, tuple[str, ...]]]


def merge(grants: Iterable[Grant], deployer: str) -> Plan:
    """All grants of roles, contracts and requests as one plan, in sorted order.

    Whoever holds anything may enter the catalog and schema on the way to it; SELECT on a schema alone opens no table.
    The deployer keeps MANAGE on every securable, since `Grants` takes away what it does not list.

    Args:
        grants: From every source, in any order.
        deployer: The identity that runs Pulumi.

    Raises:
        ValueError: A privilege does not exist on its securable. ALL_PRIVILEGES never stops differing: refused too.
    """
    merged: dict[Securable, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for grant in grants:
        if wrong := grant.privileges - PRIVILEGES[grant.securable.kind]:
            allowed = choices(PRIVILEGES[grant.securable.kind])
            raise ValueError(f"{grant.securable}: {grant.principal} is given {choices(wrong)}; allowed: {allowed}")
        if grant.privileges:
            merged[grant.securable][grant.principal] |= grant.privileges
    for securable in list(merged):
        merged[securable][deployer].add("MANAGE")
        for principal in list(merged[securable]):
            for container, privilege in securable.path():
                merged[container][principal].add(privilege)
                merged[container][deployer].add("MANAGE")
    return {
        securable: {principal: tuple(sorted(held)) for principal, held in sorted(merged[securable].items())}
        for securable in sorted(merged)
    }


def role_grants(catalog: str, groups: Groups, runner: str, deployer: str) -> list[Grant]:
    """What each role may do by its nature; tables of silver come from their contracts.

    Analysts read the marts and no other table of gold: features and scores are of single customers, whose attributes
    their contract keeps confidential.

    Args:
        catalog: The platform's catalog.
        groups: Display names of the account's groups.
        runner: Service principal that jobs and pipelines run as.
        deployer: The identity that runs Pulumi, which serves the model and makes volumes in schemas that it has handed
            to the teams that asked for them.
    """

    def on(kind: str, name: str, principal: str, *privileges: str) -> Grant:
        return Grant(Securable(f"{catalog}.{name}" if name else catalog, kind), principal, frozenset(privileges))

    build = ("SELECT", "MODIFY", "CREATE_TABLE", "CREATE_MATERIALIZED_VIEW", "REFRESH")
    people = (groups.engineers, groups.scientists, groups.analysts)
    return [
        *(on("catalog", "", group, "BROWSE") for group in people),
        on("catalog", "", deployer, "USE_SCHEMA", "CREATE_VOLUME"),
        *(on("schema", schema, runner, *build) for schema in ("bronze", "silver", "gold", "mlops")),
        *(on("schema", schema, groups.engineers, "SELECT") for schema in ("bronze", "silver", "gold", "mlops")),
        *(on("schema", schema, groups.scientists, "SELECT") for schema in ("gold", "mlops")),
        *(on("table", mart, groups.analysts, "SELECT") for mart in MARTS),
        *(on("volume", f"bronze.{volume}", runner, "READ_VOLUME", "WRITE_VOLUME") for volume in VOLUMES),
        *(on("volume", f"bronze.{volume}", groups.engineers, "READ_VOLUME") for volume in VOLUMES),
        on("volume", "bronze.raw", groups.deliverers, "READ_VOLUME", "WRITE_VOLUME"),
        on("schema", "mlops", runner, "CREATE_MODEL"),  # MLflow asks to create the model before each version
        on("model", "mlops.churn_model", deployer, "EXECUTE"),
        on("model", "mlops.churn_model", groups.engineers, "EXECUTE"),
        on("model", "mlops.churn_model", groups.scientists, "EXECUTE"),
    ]


def plan_access(settings: Settings, contracts: Collection[TableContract], requests: Iterable[WorkspaceArea]) -> Plan:
    """The plan of a stack: its roles, contracts and requests.

    Raises:
        FaultsError: By it somebody reads single customers whose work it is not.
    """
    if settings.platform is None:
        return {}
    catalog, groups, deployer = settings.catalog, settings.platform.groups, settings.platform.workspace.deployer
    plan = merge(
        [
            *role_grants(catalog, groups, settings.runner, deployer),
            *(grant for contract in contracts for grant in contract.grants_in(catalog)),
            *(grant for request in requests for grant in request.grants_in(catalog)),
        ],
        deployer,
    )
    refuse_strangers(plan, catalog, contracts, {groups.engineers, groups.scientists, settings.runner})
    return plan


def refuse_strangers(plan: Plan, catalog: str, contracts: Iterable[TableContract], trusted: Collection[str]) -> None:
    """Checks that a table with a classified column is read by those alone whose work it is.

    Args:
        plan: Merged grants: whichever source one comes from, it is seen.
        catalog: The platform's catalog.
        contracts: Of all tables.
        trusted: Principals that may read single customers.

    Raises:
        FaultsError: With each other principal that holds SELECT on such a table, or on what holds it.
    """
    faults = []
    for contract in contracts:
        table = contract.securable(catalog)
        places = (table, *(container for container, _ in table.path()))
        readers = {who for on in places for who, held in plan.get(on, {}).items() if "SELECT" in held}
        for stranger in sorted(readers - set(trusted)) if contract.confidential else ():
            received, allowed = f"SELECT on {table.name} for {stranger}", f"{choices(trusted)}: a column is classified"
            remedy = (
                "take it out of the contract's roles, or out of the grants in infra/access/plan.py; others read marts"
            )
            faults.append(Fault(file=contract.file, field="roles", received=received, allowed=allowed, remedy=remedy))
    if faults:
        raise FaultsError(faults)
