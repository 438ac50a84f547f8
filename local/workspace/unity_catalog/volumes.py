"""Volumes: folders of files under `/Volumes`."""

import shutil
from pathlib import Path
from typing import Annotated, Any

from databricks.sdk.service import catalog
from fastapi import APIRouter, Depends

from local.workspace.core.context import Caller, Here, Workspace
from local.workspace.core.errors import bad_request
from local.workspace.core.requests import body
from local.workspace.core.store import Document

from .securables import UC, changing, check_owner, created, exists, find, forget, named, page, updated

router = APIRouter()


@router.post(f"{UC}/volumes")
def create(
    sent: Annotated[dict[str, Any], Depends(body(catalog.VolumesAPI.create))], here: Here, caller: Caller
) -> Document:
    if sent["volume_type"] != "MANAGED":
        raise bad_request(f"volume_type is {sent['volume_type']}: the local workspace has MANAGED volumes only")
    with changing:
        find(here, "catalog", sent["catalog_name"])
        schema = find(here, "schema", f"{sent['catalog_name']}.{sent['schema_name']}")
        name = named(sent["name"])
        full_name = f"{schema['full_name']}.{name}"
        if here.store.get("uc_volume", full_name):
            raise exists("volume", full_name)
        folder = folder_of(here, full_name)
        folder.mkdir(parents=True, exist_ok=True)
        document = {
            **sent,
            **created(here, caller),
            "name": name,
            "catalog_name": schema["catalog_name"],
            "schema_name": schema["name"],
            "full_name": full_name,
            "volume_id": str(here.store.next_id("uc_volume")),
            "storage_location": folder.as_uri(),
        }
        here.store.put("uc_volume", full_name, document)
        return document


@router.get(f"{UC}/volumes")
def list_all(catalog_name: str, schema_name: str, here: Here, max_results: int = 0, page_token: str = "") -> Document:
    schema = find(here, "schema", f"{catalog_name}.{schema_name}")["full_name"]
    inside = [document for _, document in here.store.items("uc_volume", f"{schema}.")]
    found, rest = page(inside, max_results, page_token)
    return {"volumes": found} | rest


@router.get(f"{UC}/volumes/{{full_name}}")
def get(full_name: str, here: Here) -> Document:
    return find(here, "volume", full_name)


@router.patch(f"{UC}/volumes/{{full_name}}")
def update(
    full_name: str,
    sent: Annotated[dict[str, Any], Depends(body(catalog.VolumesAPI.update))],
    here: Here,
    caller: Caller,
) -> Document:
    with changing:
        document = find(here, "volume", full_name)
        if named(sent.pop("new_name", document["name"])) != document["name"]:
            raise bad_request("new_name: the local workspace cannot rename a volume; make a new one")
        if "owner" in sent:
            check_owner(here, sent["owner"])
        document |= sent | updated(caller)
        here.store.put("uc_volume", document["full_name"], document)
        return document


@router.delete(f"{UC}/volumes/{{full_name}}")
def delete(full_name: str, here: Here) -> Document:
    remove(here, find(here, "volume", full_name)["full_name"])
    return {}


def remove(here: Workspace, full_name: str) -> None:
    """Removes a volume with its files, as a managed volume's are."""
    with changing:
        # the files first: one that was stopped in between can be removed again, and no new volume finds old files
        shutil.rmtree(folder_of(here, full_name), ignore_errors=True)
        here.store.delete("uc_volume", full_name)
        forget(here, "volume", full_name)


def folder_of(here: Workspace, full_name: str) -> Path:
    """Where a volume's files lie on this machine."""
    return here.settings.volumes.joinpath(*full_name.split("."))
