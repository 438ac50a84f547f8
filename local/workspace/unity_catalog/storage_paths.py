"""Storage of catalogs and volumes: below which external location it lies, who may use that, what lies there already."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local.workspace.core.errors import bad_request, not_found, permission_denied
from local.workspace.unity_catalog.access import holds
from local.workspace.unity_catalog.cloud_documents import LOCATIONS
from local.workspace.unity_catalog.cloud_urls import lies_in, overlap, parsed
from local.workspace.unity_catalog.documents import CATALOGS, VOLUMES

if TYPE_CHECKING:
    from local.workspace.core.context import Principal, Workspace
    from local.workspace.unity_catalog.cloud_documents import LocationDocument


def usable(workspace: Workspace, caller: Principal, url: str, field: str, privilege: str) -> str:
    """Returns the URL of storage that a caller may take, in its one form.

    Args:
        workspace: The workspace.
        caller: Who takes it.
        url: As the request has it.
        field: Field of the request, for the message.
        privilege: Privilege that the caller needs on the external location there.

    Raises:
        ApiError: No external location covers it, the caller may not use that, or it is read-only.
    """
    url = parsed(url, field)
    location = covering(workspace, url)
    if location is None:
        raise not_found(
            f"No parent external location was found for path '{url}'. Please create an external location on one of "
            "the parent paths and then retry the query or command again.",
            "EXTERNAL_LOCATION_DOES_NOT_EXIST",
        )
    if not holds(workspace, caller, "external_location", location["name"], privilege):
        spoken = privilege.replace("_", " ")
        raise permission_denied(f"User does not have {spoken} on External Location '{location['name']}'.")
    if privilege == "CREATE_MANAGED_STORAGE" and location["read_only"]:
        raise bad_request(f"{field} is {url}: External Location '{location['name']}' is read-only", "INVALID_STATE")
    return url


def covering(workspace: Workspace, url: str) -> LocationDocument | None:
    """Returns the external location in which a URL lies; locations do not overlap."""
    locations = [document for _, document in workspace.store.items(LOCATIONS)]
    return next((location for location in locations if lies_in(url, location["url"])), None)


def check_free(workspace: Workspace, url: str, *, managed: bool) -> None:
    """Checks that storage overlaps with no other.

    Args:
        workspace: The workspace.
        url: The storage.
        managed: Whether it is a catalog's, below which several catalogs have a folder each, or an external volume's.

    Raises:
        ApiError: It overlaps with a volume, or an external volume with a catalog.
    """
    taken = _external_volumes(workspace) | ({} if managed else _catalogs(workspace))
    if conflicts := sorted(name for name, other in taken.items() if overlap(url, other)):
        raise bad_request(
            f"LOCATION_OVERLAP: Input path url '{url}' overlaps with managed storage or other external tables or "
            f"volumes. Conflicting: {', '.join(conflicts)}."
        )


def dependents(workspace: Workspace, url: str) -> list[str]:
    """Returns the names of the catalogs and external volumes that lie in a URL."""
    storage = _catalogs(workspace) | _external_volumes(workspace)
    return sorted(name for name, other in storage.items() if lies_in(other, url))


def _catalogs(workspace: Workspace) -> dict[str, str]:
    catalogs = workspace.store.items(CATALOGS)
    return {name: document.get("storage_root", document["storage_location"]) for name, document in catalogs}


def _external_volumes(workspace: Workspace) -> dict[str, str]:
    volumes = workspace.store.items(VOLUMES)
    return {name: document["storage_location"] for name, document in volumes if document["volume_type"] == "EXTERNAL"}
