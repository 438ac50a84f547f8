"""Volumes: folders of files under `/Volumes`."""

import shutil
from pathlib import Path
from typing import Annotated

from databricks.sdk.service import catalog
from fastapi import APIRouter

from local.workspace.core.context import Caller, Workspace, WorkspaceDep
from local.workspace.core.errors import bad_request
from local.workspace.core.paging import page
from local.workspace.core.requests import body
from local.workspace.core.store import Document
from local.workspace.unity_catalog.documents import CATALOGS, SCHEMAS, VOLUMES, VolumeDocument
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

router = APIRouter()


@router.post(f"{UC}/volumes")
def create(
    request: Annotated[Document, body(catalog.VolumesAPI.create)], workspace: WorkspaceDep, caller: Caller
) -> Document:
    """Creates a volume."""
    if request["volume_type"] != "MANAGED":
        raise bad_request(f"volume_type is {request['volume_type']}: the local workspace has MANAGED volumes only")
    with changing:
        find(workspace, CATALOGS, request["catalog_name"])
        schema = find(workspace, SCHEMAS, f"{request['catalog_name']}.{request['schema_name']}")
        name = named(request["name"])
        full_name = f"{schema['full_name']}.{name}"
        if workspace.store.get(VOLUMES, full_name):
            raise exists("volume", full_name)
        folder = folder_of(workspace, full_name)
        folder.mkdir(parents=True, exist_ok=True)
        document: VolumeDocument = {
            **VOLUMES.document(request),
            **created(caller),
            "metastore_id": workspace.metastore_id,
            "name": name,
            "catalog_name": schema["catalog_name"],
            "schema_name": schema["name"],
            "full_name": full_name,
            "volume_id": str(workspace.store.next_id(VOLUMES)),
            "storage_location": folder.as_uri(),
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
def delete(full_name: str, workspace: WorkspaceDep) -> Document:
    """Deletes a volume."""
    remove(workspace, find(workspace, VOLUMES, full_name)["full_name"])
    return {}


def remove(workspace: Workspace, full_name: str) -> None:
    """Removes a managed volume with its files."""
    with changing:
        # The files first: a removal that was stopped can be repeated, and no new volume gets old files.
        shutil.rmtree(folder_of(workspace, full_name), ignore_errors=True)
        workspace.store.delete(VOLUMES, full_name)
        forget(workspace, "volume", full_name)


def folder_of(workspace: Workspace, full_name: str) -> Path:
    """Returns the folder of a volume's files on this machine."""
    return workspace.settings.volumes.joinpath(*full_name.split("."))
