"""Volumes: folders of files under `/Volumes`."""

import shutil
from pathlib import Path
from typing import Annotated

from databricks.sdk.service import catalog
from fastapi import APIRouter

from local.workspace.core.context import Caller, Principal, Workspace, WorkspaceDep
from local.workspace.core.errors import bad_request, permission_denied
from local.workspace.core.paging import page
from local.workspace.core.requests import body
from local.workspace.core.store import Document
from local.workspace.unity_catalog import cloud_urls
from local.workspace.unity_catalog.access import check_create, check_manage
from local.workspace.unity_catalog.documents import CATALOGS, SCHEMAS, VOLUMES, VolumeDocument
from local.workspace.unity_catalog.quotas import check_quota
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
from local.workspace.unity_catalog.storage_paths import check_free, covering, usable

router = APIRouter()


@router.post(f"{UC}/volumes")
def create(
    request: Annotated[Document, body(catalog.VolumesAPI.create)], workspace: WorkspaceDep, caller: Caller
) -> Document:
    """Creates a volume."""
    with changing:
        parent = find(workspace, CATALOGS, request["catalog_name"])
        schema = find(workspace, SCHEMAS, f"{request['catalog_name']}.{request['schema_name']}")
        check_create(workspace, caller, "schema", schema["full_name"], "CREATE_VOLUME")
        name = named(request["name"])
        full_name = f"{schema['full_name']}.{name}"
        if workspace.store.get(VOLUMES, full_name):
            raise exists("volume", full_name)
        check_quota(workspace, "volume", "Schema", schema["full_name"])
        volume_id = str(workspace.store.next_id(VOLUMES))
        location = _location(workspace, caller, request, f"{parent['storage_location']}/volumes/{volume_id}")
        _link(folder_of(workspace, full_name), cloud_urls.folder_of(workspace, location))
        document: VolumeDocument = {
            **VOLUMES.document(request),
            **created(caller),
            "metastore_id": workspace.metastore_id,
            "name": name,
            "catalog_name": schema["catalog_name"],
            "schema_name": schema["name"],
            "full_name": full_name,
            "volume_id": volume_id,
            "storage_location": location,
        }
        workspace.store.put(VOLUMES, full_name, document)
        return {**document}


@router.get(f"{UC}/volumes")
def list_all(
    catalog_name: str, schema_name: str, workspace: WorkspaceDep, max_results: int = 0, page_token: str = ""
) -> Document:
    """Returns all volumes."""
    schema = find(workspace, SCHEMAS, f"{catalog_name}.{schema_name}")["full_name"]
    volumes = [document for _, document in workspace.store.items(VOLUMES, f"{schema}.")]
    return page(volumes, "volumes", max_results or PAGE, page_token, most=PAGE)


@router.get(f"{UC}/volumes/{{full_name}}")
def get(full_name: str, workspace: WorkspaceDep) -> Document:
    """Returns a volume."""
    return {**find(workspace, VOLUMES, full_name)}


@router.patch(f"{UC}/volumes/{{full_name}}")
def update(
    full_name: str,
    request: Annotated[Document, body(catalog.VolumesAPI.update)],
    workspace: WorkspaceDep,
    caller: Caller,
) -> Document:
    """Changes a volume."""
    return {**change(workspace, caller, VOLUMES, full_name, request)}


@router.delete(f"{UC}/volumes/{{full_name}}")
def delete(full_name: str, workspace: WorkspaceDep, caller: Caller) -> Document:
    """Deletes a volume."""
    name = find(workspace, VOLUMES, full_name)["full_name"]
    check_manage(workspace, caller, "volume", name)
    remove(workspace, name)
    return {}


def remove(workspace: Workspace, full_name: str) -> None:
    """Removes a volume, a managed one with its files."""
    with changing:
        document = find(workspace, VOLUMES, full_name)
        if document["volume_type"] == "MANAGED":
            # The files first: a removal that was stopped can be repeated, and no new volume gets old files.
            shutil.rmtree(cloud_urls.folder_of(workspace, document["storage_location"]), ignore_errors=True)
        folder_of(workspace, full_name).unlink(missing_ok=True)
        workspace.store.delete(VOLUMES, full_name)
        forget(workspace, "volume", full_name)


def folder_of(workspace: Workspace, full_name: str) -> Path:
    """Returns the folder of `/Volumes` on this machine that leads to a volume's files in their bucket."""
    return workspace.settings.volumes.joinpath(*full_name.split("."))


def check_writable(workspace: Workspace, full_name: str) -> None:
    """Checks that files of a volume may change.

    Raises:
        ApiError: The volume lies in an external location that is read-only.
    """
    document = find(workspace, VOLUMES, full_name)
    location = covering(workspace, document["storage_location"])
    if document["volume_type"] == "EXTERNAL" and location and location["read_only"]:
        raise permission_denied(f"Volume '{full_name}': External Location '{location['name']}' is read-only")


def _location(workspace: Workspace, caller: Principal, request: Document, managed: str) -> str:
    """Where a new volume's files lie: a managed one's where its catalog has it, an external one's where it is told."""
    if request["volume_type"] == "MANAGED":
        if "storage_location" in request:
            raise bad_request("storage_location: only an EXTERNAL volume is told where it lies")
        return managed
    if "storage_location" not in request:
        raise bad_request("missing field storage_location of an EXTERNAL volume")
    url = usable(workspace, caller, request["storage_location"], "storage_location", "CREATE_EXTERNAL_VOLUME")
    check_free(workspace, url, managed=False)
    return url


def _link(link: Path, folder: Path) -> None:
    """Makes a folder, if it is missing, and a link to it; a link that a killed workspace left is replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    link.parent.mkdir(parents=True, exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(folder, target_is_directory=True)
