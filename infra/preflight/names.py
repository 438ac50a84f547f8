"""Checks that the names of the stack's objects are free, or taken by the stack's own objects.

An object is the stack's own if its deployer or the platform's group owns or manages it, as all of them after a
deployment. Names below the folder and the catalog need no look: both belong to one stack.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from databricks.sdk.errors import NotFound

from churn.core.contract import read_contracts
from infra.access.roles import Role, principals
from infra.layers.platform.job_tasks import deployed_name, jobs_of, pipelines_of
from infra.layers.platform.online_store import project_id
from infra.names import (
    CATALOG_LOCATION,
    CHECKPOINTS_LOCATION,
    KAFKA_CREDENTIAL,
    STORAGE_CREDENTIAL,
    erasure_scope,
    landing_location,
    masks_scope,
)
from infra.preflight.inspection import Finding
from infra.written import paths

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from databricks.sdk.service.catalog import CatalogInfo, CredentialInfo, ExternalLocationInfo, StorageCredentialInfo

    from infra.preflight.inspection import Inspection

    Owned = CatalogInfo | CredentialInfo | ExternalLocationInfo | StorageCredentialInfo

MANAGING = ("CAN_MANAGE", "IS_OWNER")


def catalog(inspection: Inspection) -> Iterator[Finding]:
    """Looks at the catalog."""
    yield _owned(inspection, "catalog", inspection.settings.catalog, inspection.client.catalogs.get)


def credentials(inspection: Inspection) -> Iterator[Finding]:
    """Looks at the credentials of a ground in AWS, as far as the ground has what they are for."""
    prefix, client = inspection.settings.prefix, inspection.client
    if inspection.ground.makes_storage:
        get_storage = client.storage_credentials.get
        yield _owned(inspection, "storage credential", f"{prefix}-{STORAGE_CREDENTIAL}", get_storage)
    if inspection.ground.makes_kafka_role:
        get_service = client.credentials.get_credential
        yield _owned(inspection, "service credential", f"{prefix}-{KAFKA_CREDENTIAL}", get_service)


def external_locations(inspection: Inspection) -> Iterator[Finding]:
    """Looks at the external locations over the buckets of a ground in AWS."""
    if not inspection.ground.makes_storage:
        return
    contracts = read_contracts(paths.CONTRACTS)
    landing = [landing_location(contract.domain) for contract in contracts if contract.topic is None]
    for purpose in (CATALOG_LOCATION, CHECKPOINTS_LOCATION, *landing):
        name = f"{inspection.settings.prefix}-{purpose}"
        yield _owned(inspection, "external location", name, inspection.client.external_locations.get)


def service_principals(inspection: Inspection) -> Iterator[Finding]:
    """Looks at the service principals; the directory lets several have one name."""
    names, account_id = principals(inspection.platform, inspection.settings.prefix), inspection.platform.account_id
    for name in (names[Role.RUNNER], names[Role.SERVER]):
        found = [*inspection.client.service_principals.list(filter=f'displayName eq "{name}"')]
        for principal in found:
            rule_set = inspection.client.account_access_control_proxy.get_rule_set(
                f"accounts/{account_id}/servicePrincipals/{principal.application_id}/ruleSets/default", ""
            )
            managers = [
                manager.partition("/")[2]
                for rule in rule_set.grant_rules or []
                if rule.role.endswith(".manager")
                for manager in rule.principals or []
            ]
            yield _taken(inspection, f"service principal {name}", managers)
        if not found:
            yield _free(f"service principal {name}")


def folder(inspection: Inspection) -> Iterator[Finding]:
    """Looks at the folder of code, at the root."""
    path = f"/{inspection.settings.prefix}"
    try:
        found = inspection.client.workspace.get_status(path)
    except NotFound:
        yield _free(f"folder {path}")
    else:
        yield _taken(inspection, f"folder {path}", _managers(inspection, "directories", str(found.object_id)))


def cluster_policies(inspection: Inspection) -> Iterator[Finding]:
    """Looks at the cluster policies, which administrators manage; the engineers use those of the stack.

    The stream's has a name only where its pipeline runs on a cluster.
    """
    platform = inspection.platform
    purposes = ("jobs", "stream") if platform.stream and not platform.compute.serverless else ("jobs",)
    existing = {policy.name: policy for policy in inspection.client.cluster_policies.list()}
    for purpose in purposes:
        name = f"{inspection.settings.prefix}-{purpose}"
        policy = existing.get(name)
        if policy:
            users = _managers(inspection, "cluster-policies", policy.policy_id or "", ("CAN_USE",))
            own = {platform.groups.engineers, *_own(inspection)}
            yield _taken(inspection, f"cluster policy {name}", [policy.creator_user_name, *users], own)
        else:
            yield _free(f"cluster policy {name}")


def warehouse(inspection: Inspection) -> Iterator[Finding]:
    """Looks at the SQL warehouse."""
    name = inspection.settings.prefix
    ids = [item.id for item in inspection.client.warehouses.list() if item.name == name]
    yield from _found(inspection, f"SQL warehouse {name}", "warehouses", ids)


def secret_scopes(inspection: Inspection) -> Iterator[Finding]:
    """Looks at the secret scopes: that of jobs, of masks, and of erasures."""
    existing = {scope.name for scope in inspection.client.secrets.list_scopes()}
    prefix = inspection.settings.prefix
    for name in (prefix, masks_scope(prefix), erasure_scope(prefix)):
        if name in existing:
            rights = inspection.client.secrets.list_acls(name)
            managers = [right.principal for right in rights if right.permission.value == "MANAGE"]
            yield _taken(inspection, f"secret scope {name}", managers)
        else:
            yield _free(f"secret scope {name}")


def pipelines(inspection: Inspection) -> Iterator[Finding]:
    """Looks at the pipelines."""
    for spec in pipelines_of(streamed=inspection.platform.stream is not None):
        name = deployed_name(spec.name, inspection.settings.prefix)
        listed = inspection.client.pipelines.list_pipelines(filter=f"name LIKE '{name}'")
        # an underscore of LIKE stands for any character
        ids = [pipeline.pipeline_id for pipeline in listed if pipeline.name == name]
        yield from _found(inspection, f"pipeline {name}", "pipelines", ids)


def jobs(inspection: Inspection) -> Iterator[Finding]:
    """Looks at the jobs, of which several may have one name."""
    for spec in jobs_of(streamed=inspection.platform.stream is not None):
        name = deployed_name(spec.name, inspection.settings.prefix)
        ids = [str(job.job_id) for job in inspection.client.jobs.list(name=name)]
        yield from _found(inspection, f"job {name}", "jobs", ids)


def online_store(inspection: Inspection) -> Iterator[Finding]:
    """Looks at the project of Lakebase, where the stack has a stream."""
    if inspection.platform.stream is None:
        return
    name = project_id(inspection.settings.prefix)
    try:
        inspection.client.postgres.get_project(f"projects/{name}")
        ids = [name]
    except NotFound:
        ids = []
    yield from _found(inspection, f"Lakebase project {name}", "database-projects", ids)


def endpoint(inspection: Inspection) -> Iterator[Finding]:
    """Looks at the serving endpoint."""
    name = inspection.settings.prefix
    try:
        ids = [inspection.client.serving_endpoints.get(name).id]
    except NotFound:
        ids = []
    yield from _found(inspection, f"serving endpoint {name}", "serving-endpoints", ids)


def _owned(inspection: Inspection, kind: str, name: str, get: Callable[[str], Owned]) -> Finding:
    """The finding for an object of the metastore, by its owner."""
    what = f"{kind} {name}"
    try:
        return _taken(inspection, what, [get(name).owner])
    except NotFound:
        return _free(what)


def _found(inspection: Inspection, what: str, kind: str, ids: Iterable[str | None]) -> Iterator[Finding]:
    """A finding for each object of a name, by who manages it; one if there is none."""
    managers = [_managers(inspection, kind, found) for found in ids if found]
    yield from (_taken(inspection, what, names) for names in managers)
    if not managers:
        yield _free(what)


def _managers(inspection: Inspection, kind: str, object_id: str, levels: tuple[str, ...] = MANAGING) -> list[str]:
    """Principals that hold one of some permissions on an object, administrators by their nature left out."""
    entries = inspection.client.permissions.get(kind, object_id).access_control_list or []
    return [
        entry.user_name or entry.group_name or entry.service_principal_name or ""
        for entry in entries
        for permission in entry.all_permissions or []
        if permission.permission_level and permission.permission_level.value in levels and not permission.inherited
    ]


def _own(inspection: Inspection) -> set[str]:
    """Principals by which the stack's own objects are known."""
    return {inspection.platform.workspace.deployer, inspection.platform.groups.platform}


def _free(what: str) -> Finding:
    return Finding(what=what, received="free")


def _taken(inspection: Inspection, what: str, holders: Iterable[str | None], own: set[str] | None = None) -> Finding:
    """The finding for an object that exists, by who holds it."""
    held_by = sorted({holder for holder in holders if holder})
    if {holder.casefold() for holder in held_by} & {name.casefold() for name in own or _own(inspection)}:
        return Finding(what=what, received="exists and is this platform's")
    return Finding(
        what=what,
        received=f"exists, managed by {', '.join(held_by) or 'administrators alone'}",
        allowed=f"a free name, or what {' or '.join(sorted(_own(inspection)))} manages",
        remedy="remove or rename it, or give the stack another name, from which all names follow",
    )
