"""Plan of a stack: the grants of roles, contracts and requests, merged and then judged by the guard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from churn.core.faults import Fault, FaultsError, choices
from infra.access.guards import Holders, check_classified
from infra.access.masks import CLEAR
from infra.access.plan import Plan, merge
from infra.access.roles import (
    KAFKA_GRANTS,
    ROLE_GRANTS,
    Role,
    delivery_grants,
    domain_grants,
    file_grants,
    principals,
    role_grants,
    storage_grants,
)
from infra.access.sources import contract_grants, request_grants

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from churn.core.contract import Contract
    from infra.access.roles import RoleGrant
    from infra.written.requests import WorkspaceArea
    from infra.written.settings.platform import Platform
    from infra.written.settings.stack import Settings


def plan_access(settings: Settings, contracts: Collection[Contract], requests: Collection[WorkspaceArea]) -> Plan:
    """Makes the plan of a stack out of its roles, contracts and requests; without the platform's layer it is empty.

    Raises:
        FaultsError: Somebody could reach classified values who may not, or a group delivers files of no domain.
    """
    platform = settings.platform
    if platform is None:
        return Plan()
    catalog, names = settings.catalog, principals(platform, settings.prefix)
    domains = [contract.domain for contract in contracts if contract.topic is None]
    _check_domains(settings.stack, platform, domains)
    over_ground: list[RoleGrant] = []
    if settings.ground and settings.ground.makes_storage:
        over_ground += storage_grants(domains)
    if settings.ground and settings.ground.makes_kafka_role:
        over_ground += KAFKA_GRANTS
    in_catalog = (
        *ROLE_GRANTS,
        *domain_grants(contracts, simulated=platform.simulation.enabled),
        *file_grants(domains, simulated=platform.simulation.enabled),
    )
    grants = [
        *role_grants(in_catalog, f"{catalog}.", names),
        *role_grants(over_ground, f"{settings.prefix}-", names),
        *delivery_grants(platform.groups.deliverers, catalog),
        *contract_grants(contracts, catalog),
        *request_grants(requests, catalog),
    ]
    plan = merge(grants, names[Role.PLATFORM])
    check_classified(plan, catalog, contracts, holders(platform, names))
    return plan


def holders(platform: Platform, names: Mapping[Role, str]) -> Holders:
    """Lists who may hold rights on classified values in a stack."""
    clear = frozenset(names[role] for role in CLEAR)
    return Holders(
        clear=clear,
        masked=frozenset({names[Role.ENGINEERS], names[Role.SCIENTISTS]}),
        conformed=frozenset({names[Role.ANALYSTS]}),
        files=clear | ({names[Role.ENGINEERS]} if platform.simulation.enabled else frozenset()),
        writers=frozenset({names[Role.RUNNER]}),
        managers=frozenset({names[Role.PLATFORM]}),
        deliverers=platform.groups.deliverers,
    )


def _check_domains(stack: str, platform: Platform, domains: Collection[str]) -> None:
    """Refuses a group that would deliver files of a domain without a contract.

    Raises:
        FaultsError: There is one.
    """
    faults = [
        Fault(
            file=f"Pulumi.{stack}.yaml",
            field=f"churn:platform.groups.deliverers.{domain}",
            received=group,
            allowed=f"a group for each of {choices(domains)}, which have contracts",
            remedy="correct the name of the domain, or add its contract",
        )
        for domain, group in platform.groups.deliverers.items()
        if domain not in domains
    ]
    if faults:
        raise FaultsError(faults)
