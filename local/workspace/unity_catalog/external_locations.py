"""External locations: which credential reaches which part of the cloud."""

import uuid
from typing import Annotated

from databricks.sdk.service import catalog
from fastapi import APIRouter

from local.workspace.core.context import Caller, Principal, Workspace, WorkspaceDep
from local.workspace.core.errors import bad_request, not_built
from local.workspace.core.paging import page
from local.workspace.core.requests import body
from local.workspace.core.store import Document
from local.workspace.unity_catalog.access import check_create, check_privilege
from local.workspace.unity_catalog.cloud_documents import LOCATIONS, LocationDocument
from local.workspace.unity_catalog.cloud_urls import check_bucket, lies_in, overlap, parsed
from local.workspace.unity_catalog.credentials import storage_credential
from local.workspace.unity_catalog.securables import (
    PAGE,
    UC,
    change,
    changing,
    created,
    exists,
    find,
    forget,
    named,
)
from local.workspace.unity_catalog.storage_paths import dependents

router = APIRouter()

# The service's own: clients send back what they have read.
_OUTPUT_ONLY = ("effective_enable_file_events", "effective_file_event_queue")
_QUEUES = ("managed_sqs", "provided_sqs")  # of AWS


@router.post(f"{UC}/external-locations")
def create(
    request: Annotated[Document, body(catalog.ExternalLocationsAPI.create)], workspace: WorkspaceDep, caller: Caller
) -> Document:
    """Creates an external location."""
    name = named(request["name"])
    check_create(workspace, caller, "metastore", workspace.metastore_id, "CREATE_EXTERNAL_LOCATION")
    with changing:
        if workspace.store.get(LOCATIONS, name):
            raise exists("external_location", name)
        fields = {"read_only": False, "fallback": False} | _checked(workspace, caller, name, request)
        document: LocationDocument = {
            **LOCATIONS.document(fields),
            **created(caller),
            "metastore_id": workspace.metastore_id,
            "id": str(uuid.uuid4()),
            "name": name,
            "full_name": name,
            "isolation_mode": "ISOLATION_MODE_OPEN",
        }
        workspace.store.put(LOCATIONS, name, document)
        return _shown(document)


@router.get(f"{UC}/external-locations")
def list_all(
    workspace: WorkspaceDep,
    max_results: int = 0,
    page_token: str = "",
    include_browse: bool = False,
    include_unbound: bool = False,
) -> Document:
    """Returns all external locations: everybody sees each, and none is bound to other workspaces alone."""
    del include_browse, include_unbound
    shown = [_shown(document) for _, document in workspace.store.items(LOCATIONS)]
    return page(shown, "external_locations", max_results or PAGE, page_token, most=PAGE)


@router.get(f"{UC}/external-locations/{{name}}")
def get(name: str, workspace: WorkspaceDep, include_browse: bool = False) -> Document:
    """Returns an external location."""
    del include_browse  # everybody sees each
    return _shown(find(workspace, LOCATIONS, name))


@router.patch(f"{UC}/external-locations/{{name}}")
def update(
    name: str,
    request: Annotated[Document, body(catalog.ExternalLocationsAPI.update)],
    workspace: WorkspaceDep,
    caller: Caller,
) -> Document:
    """Changes an external location."""
    force = request.pop("force", False)
    with changing:
        document = find(workspace, LOCATIONS, name)
        checked = _checked(workspace, caller, document["name"], request)
        if not lies_in(document["url"], checked.get("url", document["url"])) and not force:
            _check_unused(workspace, document, "its url cannot change")
        return _shown(change(workspace, caller, LOCATIONS, name, checked))


@router.delete(f"{UC}/external-locations/{{name}}")
def delete(name: str, workspace: WorkspaceDep, caller: Caller, force: bool = False) -> Document:
    """Deletes an external location; what lies there stays."""
    with changing:
        document = find(workspace, LOCATIONS, name)
        check_privilege(workspace, caller, "external_location", document["name"], "MANAGE")
        if not force:
            _check_unused(workspace, document, "it cannot be deleted")
        workspace.store.delete(LOCATIONS, document["name"])
        forget(workspace, "external_location", document["name"])
        return {}


def _checked(workspace: Workspace, caller: Principal, name: str, request: Document) -> Document:
    """The fields of a request in the form of the store.

    Raises:
        ApiError: A field has a value that Unity Catalog refuses or that the local workspace lacks, or the caller may
            not use the credential.
    """
    fields = {key: value for key, value in request.items() if key not in _OUTPUT_ONLY}
    skip_validation = fields.pop("skip_validation", False)
    if "encryption_details" in fields:
        raise not_built("encryption_details of an external location")
    if fields.get("fallback"):
        raise not_built("fallback of an external location to a cluster's own credentials")
    if "credential_name" in fields:
        credential = storage_credential(workspace, fields["credential_name"])
        present = workspace.store.get(LOCATIONS, name)
        if present is None or present["credential_name"] != credential["name"]:
            check_privilege(workspace, caller, "credential", credential["name"], "CREATE_EXTERNAL_LOCATION")
        fields |= {"credential_name": credential["name"], "credential_id": credential["id"]}
    if "file_event_queue" in fields:
        fields["file_event_queue"] = _queue(fields)
    if "url" in fields:
        fields["url"] = parsed(fields["url"], "url")
        for other, location in workspace.store.items(LOCATIONS):
            if other != name and overlap(fields["url"], location["url"]):
                raise bad_request(
                    f"LOCATION_OVERLAP: Input path url '{fields['url']}' overlaps with other external locations. "
                    f"Conflicting location: {other} ({location['url']})."
                )
        if not skip_validation:
            check_bucket(workspace, fields["url"])
    return fields


def _queue(fields: Document) -> Document:
    """The queue of file events, with what the service adds to one that it manages."""
    if not fields.get("enable_file_events"):
        raise bad_request("file_event_queue: only with enable_file_events true")
    queues: Document = fields["file_event_queue"]
    if len(queues) != 1 or not {*queues} <= {*_QUEUES}:
        received = ", ".join(sorted(queues)) or "none"
        raise bad_request(f"file_event_queue has {received}: name one, {' or '.join(_QUEUES)}, as the url is of S3")
    ((kind, queue),) = queues.items()
    if kind == "provided_sqs" and not queue.get("queue_url"):
        raise bad_request("missing field file_event_queue.provided_sqs.queue_url")
    return {kind: queue | {"managed_resource_id": f"csms-{uuid.uuid4()}"} if kind == "managed_sqs" else queue}


def _check_unused(workspace: Workspace, document: LocationDocument, refusal: str) -> None:
    """Raises ApiError where catalogs or volumes lie in the location."""
    if users := dependents(workspace, document["url"]):
        message = f"External Location '{document['name']}' has {len(users)} dependent(s), so {refusal} without force"
        raise bad_request(f"{message}: {', '.join(users)}", "INVALID_STATE")


def _shown(document: LocationDocument) -> Document:
    events = document.get("enable_file_events", False)
    hidden = {"bindings"} if events else {"bindings", "file_event_queue"}
    return {key: value for key, value in document.items() if key not in hidden} | {
        "effective_enable_file_events": events
    }
