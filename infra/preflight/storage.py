"""Checks of the catalog's root, and of the rights in Unity Catalog that the deployer needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.preflight.inspection import ADMINS, Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from databricks.sdk.service.catalog import ExternalLocationInfo

    from infra.preflight.inspection import Inspection

ALL = "ALL_PRIVILEGES"


def root(inspection: Inspection) -> Iterator[Finding]:
    """Requires a place for the catalog's tables: of the settings, of the ground that is made, or of the metastore."""
    ground, what = inspection.ground, "churn:ground.storage_root"
    if ground.storage_root:
        location = _location(inspection, ground.storage_root)
        if location:
            yield Finding(what=what, received=f"{ground.storage_root}, in the external location {location.name}")
        else:
            yield Finding(
                what=what,
                received=ground.storage_root,
                allowed="a path in an external location of the metastore that the deployer sees",
                remedy="make an external location over it, or correct the path",
            )
    elif ground.makes_storage:
        yield Finding(what=what, received="null; the ground in AWS has the place")
    elif inspection.metastore and inspection.metastore.storage_root:
        yield Finding(what=what, received=f"null; the metastore has {inspection.metastore.storage_root}")
    elif inspection.metastore:
        yield Finding(
            what=what,
            received=f"null, and the metastore {inspection.metastore.name} has no root either",
            allowed="a path in an external location, since a catalog has no other place then",
            remedy="set churn:ground.storage_root, or let the stack make a ground in AWS",
        )


def metastore_rights(inspection: Inspection) -> Iterator[Finding]:
    """Requires the privileges on the metastore that this stack uses."""
    metastore, ground = inspection.metastore, inspection.ground
    if metastore is None or not metastore.metastore_id:  # the finding of `metastore`
        return
    needed = ["CREATE_CATALOG"]
    if ground.makes_storage:
        needed += ["CREATE_STORAGE_CREDENTIAL", "CREATE_EXTERNAL_LOCATION"]
    if ground.makes_kafka_role:
        needed += ["CREATE_SERVICE_CREDENTIAL"]
    what = f"metastore {metastore.name}"
    if _is_caller(inspection, metastore.owner):
        yield Finding(what=what, received=f"{inspection.name} administers it")
        return
    held = _held(inspection, "metastore", metastore.metastore_id)
    yield from _required(inspection, what, "METASTORE", needed, held)


def location_rights(inspection: Inspection) -> Iterator[Finding]:
    """Requires the right to keep managed tables in the external location of the settings."""
    location = _location(inspection, inspection.ground.storage_root) if inspection.ground.storage_root else None
    if location is None or not location.name:
        return
    what = f"external location {location.name}"
    if _is_caller(inspection, location.owner):
        yield Finding(what=what, received=f"{inspection.name} owns it")
        return
    held = _held(inspection, "external_location", location.name)
    yield from _required(inspection, what, f"EXTERNAL LOCATION `{location.name}`", ["CREATE_MANAGED_STORAGE"], held)


def _required(
    inspection: Inspection, what: str, securable: str, needed: Iterable[str], held: frozenset[str]
) -> Iterator[Finding]:
    """A finding for each privilege, with the statement that gives a missing one."""
    for privilege in needed:
        words = privilege.replace("_", " ")
        if privilege in held or ALL in held:
            yield Finding(what=f"{words} on the {what}", received="granted")
        else:
            yield Finding(
                what=f"{words} on the {what}",
                received=f"granted neither to {inspection.name} nor to a group with this member",
                allowed="a grant",
                remedy=f"its owner runs: GRANT {words} ON {securable} TO `{inspection.platform.workspace.deployer}`",
            )


def _location(inspection: Inspection, url: str) -> ExternalLocationInfo | None:
    """The external location that covers a path; no two overlap."""
    for location in inspection.client.external_locations.list():
        if location.url and f"{url.rstrip('/')}/".startswith(f"{location.url.rstrip('/')}/"):
            return location
    return None


def _held(inspection: Inspection, kind: str, full_name: str) -> frozenset[str]:
    """Privileges on a securable of whoever asks, also by groups.

    Whether the service adds the privileges of groups when it is asked for one principal is documented nowhere, so all
    principals are read.
    """
    held: set[str] = set()
    token: str | None = None
    while True:
        answer = inspection.client.grants.get_effective(kind, full_name, max_results=0, page_token=token)
        for assignment in answer.privilege_assignments or []:
            if _is_caller(inspection, assignment.principal):
                held |= {item.privilege.value for item in assignment.privileges or [] if item.privilege}
        token = answer.next_page_token
        if not token:
            return frozenset(held)


def _is_caller(inspection: Inspection, principal: str | None) -> bool:
    """Whether a principal of Unity Catalog is whoever asks, or a group of theirs.

    A workspace that was given Unity Catalog by Databricks has a group of its administrators in the metastore, named
    `_workspace_admins_<…>_<number of the workspace>`, which no directory lists.
    https://docs.databricks.com/aws/en/data-governance/unity-catalog/manage-privileges/admin-privileges
    """
    if not principal:
        return False
    if principal.startswith("_workspace_admins_") and principal.endswith(f"_{inspection.workspace_id}"):
        return ADMINS in inspection.groups
    return (
        principal == "account users"
        or principal in inspection.groups
        or (principal.casefold() == inspection.name.casefold())
    )
