"""Plan of a stack: the grants of roles, contracts and requests, merged and then judged by the guards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.access.guards import check_confidential_readers
from infra.access.plan import Plan, merge
from infra.access.roles import (
    KAFKA_GRANTS,
    ROLE_GRANTS,
    TRUSTED,
    Role,
    landing_grants,
    principals,
    role_grants,
    storage_grants,
)
from infra.access.sources import contract_grants, request_grants

if TYPE_CHECKING:
    from collections.abc import Collection

    from churn.core.contract import Contract
    from infra.access.roles import RoleGrant
    from infra.written.requests import WorkspaceArea
    from infra.written.settings.stack import Settings


def plan_access(settings: Settings, contracts: Collection[Contract], requests: Collection[WorkspaceArea]) -> Plan:
    """Makes the plan of a stack out of its roles, contracts and requests; without the platform's layer it is empty.

    Raises:
        FaultsError: Someone outside the trusted roles could read data of single customers.
    """
    if settings.platform is None:
        return Plan()
    catalog, names = settings.catalog, principals(settings.platform, settings.prefix)
    domains = [contract.domain for contract in contracts if contract.topic is None]
    over_ground: list[RoleGrant] = []
    if settings.ground and settings.ground.makes_storage:
        over_ground += storage_grants(domains)
    if settings.ground and settings.ground.makes_kafka_role:
        over_ground += KAFKA_GRANTS
    grants = [
        *role_grants(ROLE_GRANTS, f"{catalog}.", names),
        *role_grants(landing_grants(domains), f"{catalog}.", names),
        *role_grants(over_ground, f"{settings.prefix}-", names),
        *contract_grants(contracts, catalog),
        *request_grants(requests, catalog),
    ]
    plan = merge(grants, names[Role.PLATFORM])
    check_confidential_readers(plan, catalog, contracts, {names[role] for role in TRUSTED})
    return plan
