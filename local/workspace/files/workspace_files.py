"""Files and folders of the workspace (`/Workspace`)."""

import base64
import binascii
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

from databricks.sdk.service import workspace as sdk
from fastapi import APIRouter, Depends, Request
from fastapi.responses import FileResponse, JSONResponse, Response
from starlette.datastructures import UploadFile

from local.workspace.core.context import ADMIN, Here, Workspace
from local.workspace.core.errors import ApiError, bad_request, not_found
from local.workspace.core.requests import body, checked
from local.workspace.core.store import Document

from .whole_files import whole_file

router = APIRouter()
_API = "/api/2.0/workspace"
_PREFIX = "/Workspace"

# What else is to be done when an object of some type is deleted; the area that keeps such objects says it.
removers: dict[str, Callable[[Workspace, Document], None]] = {}


def start(here: Workspace) -> None:
    """Makes the folders that every workspace has."""
    for path in ("/", "/Shared", "/Users", f"/Users/{ADMIN}"):
        make_folder(here, path)


async def _import_request(request: Request) -> Document:
    """The request of an import; its `content` is bytes. SDKs send a form, or JSON with base64."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        sent = checked(await request.body(), sdk.WorkspaceAPI.import_)
        try:
            return sent | {"content": base64.b64decode(sent.get("content", ""), validate=True)}
        except binascii.Error as error:
            raise bad_request(f"content is not base64: {error}") from error
    sent = {}
    async with request.form() as form:
        for name, value in form.items():
            if name not in ("path", "content", "format", "language", "overwrite"):
                raise bad_request(f"unknown field {name}; known here: content, format, language, overwrite, path")
            sent[name] = await value.read() if isinstance(value, UploadFile) else value
    if "path" not in sent:
        raise bad_request("missing field path")
    content = sent.get("content", b"")
    content = content.encode() if isinstance(content, str) else content
    return sent | {"content": content, "overwrite": sent.get("overwrite") == "true"}


@router.post(f"{_API}/import")
def import_file(sent: Annotated[Document, Depends(_import_request)], here: Here) -> Document:
    path = canonical(sent["path"])
    file_format = sent.get("format", "SOURCE")
    notebook = sent["content"].lstrip().startswith(b"# Databricks notebook source")
    if file_format not in ("AUTO", "RAW") or (file_format == "AUTO" and notebook):
        message = (
            f"import of {path} with format {file_format}: the local workspace holds files (AUTO, RAW), not notebooks"
        )
        raise ApiError(501, "NOT_IMPLEMENTED", message)
    parent = str(PurePosixPath(path).parent)
    with here.store.transaction():
        if _found(here, parent) is None:
            raise not_found(f"The parent folder ({parent}) does not exist.")
        there = _found(here, path)
        if there is not None and there["object_type"] != "FILE":
            raise bad_request(f"Cannot overwrite {path}: it is a {there['object_type']}", "RESOURCE_ALREADY_EXISTS")
        if there is not None and not sent.get("overwrite"):
            message = f"{path} already exists. Please pass overwrite as true to update it."
            raise bad_request(message, "RESOURCE_ALREADY_EXISTS")
        with whole_file(local_path(here, path), here.settings.workspace_files) as file:
            file.write(sent["content"])
        return {"object_id": put_object(here, path, "FILE")["object_id"]}


@router.get(f"{_API}/get-status")
def get_status(path: str, here: Here) -> Document:
    return _shown(here, path, _get(here, path))


@router.get(f"{_API}/list")
def list_folder(path: str, here: Here, notebooks_modified_after: int = 0) -> Document:
    there = _get(here, path)
    inside = [there]
    if there["object_type"] == "DIRECTORY":
        prefix = there["path"].rstrip("/") + "/"
        known = [item for _, item in here.store.items("workspace_objects", prefix) if item["path"] != "/"]
        inside = [item for item in known if "/" not in item["path"][len(prefix) :]]
    shown = [_shown(here, path, item) for item in inside if item["modified_at"] >= notebooks_modified_after]
    return {"objects": shown} if shown else {}


@router.post(f"{_API}/mkdirs")
def mkdirs(sent: Annotated[dict[str, Any], Depends(body(sdk.WorkspaceAPI.mkdirs))], here: Here) -> Document:
    make_folder(here, canonical(sent["path"]))
    return {}


@router.post(f"{_API}/delete")
def delete(sent: Annotated[dict[str, Any], Depends(body(sdk.WorkspaceAPI.delete))], here: Here) -> Document:
    there = _get(here, sent["path"])
    path = there["path"]
    if path in ("/", "/Shared", "/Users"):
        raise bad_request(f"Folder {path} is protected")
    while True:
        with here.store.transaction():
            inside = [item for _, item in here.store.items("workspace_objects", f"{path}/")]
            if inside and not sent.get("recursive"):
                raise bad_request(f"Folder ({path}) is not empty", "DIRECTORY_NOT_EMPTY")
            found = _found(here, path)
            doomed = [*inside, found] if found else inside
            waiting = [item for item in doomed if item["object_type"] in removers]
            if not waiting:
                _delete_files(here, there)
                for item in doomed:
                    forget_object(here, item["path"])
                return {}
        # outside the transaction, in which all other requests would wait for MLflow; more may have come meanwhile
        for item in waiting:
            removers[item["object_type"]](here, item)
            forget_object(here, item["path"])  # at once: where a later one fails, this one is done


@router.get(f"{_API}/export")
def export(path: str, here: Here, format: str = "SOURCE", direct_download: bool = False) -> Response:  # noqa: A002
    there = _get(here, path)
    if there["object_type"] != "FILE" or format not in ("AUTO", "RAW", "SOURCE"):
        message = f"export of the {there['object_type']} {path} with format {format}"
        raise ApiError(501, "NOT_IMPLEMENTED", message)
    file = local_path(here, there["path"])
    if not file.is_file():
        raise not_found(f"Path ({path}) has lost its file: delete it or import it again.")
    if direct_download:
        return FileResponse(file)
    return JSONResponse({"content": base64.b64encode(file.read_bytes()).decode(), "file_type": file.suffix.lstrip(".")})


def canonical(path: str) -> str:
    """A path as the workspace keeps it: absolute, and without the prefix `/Workspace`.

    Raises:
        ApiError: It is relative or leads upwards.
    """
    if not path.startswith("/") or ".." in path.split("/") or "\0" in path:
        raise bad_request(f"Path ({path}) must be absolute and without '..'")
    if path == _PREFIX or path.startswith(f"{_PREFIX}/"):
        path = path[len(_PREFIX) :]
    return str(PurePosixPath("/" + path.strip("/")))


def local_path(here: Workspace, path: str) -> Path:
    """Where a canonical path lies on this machine."""
    return here.settings.workspace_files / path.lstrip("/")


def make_folder(here: Workspace, path: str) -> None:
    """Makes a folder, and those above it, where they are missing."""
    with here.store.transaction():
        for folder in [*reversed(PurePosixPath(path).parents), PurePosixPath(path)]:
            there = _found(here, str(folder))
            if there is None:
                local_path(here, str(folder)).mkdir(parents=True, exist_ok=True)
                put_object(here, str(folder), "DIRECTORY")
            elif there["object_type"] != "DIRECTORY":
                raise bad_request(f"{folder} is a {there['object_type']}, not a folder", "RESOURCE_ALREADY_EXISTS")


def put_object(here: Workspace, path: str, object_type: str, **more: str) -> Document:
    """Records that an object of the workspace was made or changed; one that is there keeps its id."""
    now = time.time_ns() // 1_000_000
    there = _found(here, path) or {"object_id": here.store.next_id("workspace_objects"), "created_at": now}
    document = there | {"path": path, "object_type": object_type, "modified_at": now} | more
    here.store.put("workspace_objects", path, document)
    return document


def forget_object(here: Workspace, path: str) -> None:
    here.store.delete("workspace_objects", path)


def _delete_files(here: Workspace, there: Document) -> None:
    """Deletes a file or folder on this machine, which is gone already where an earlier deletion was stopped."""
    if there["object_type"] == "DIRECTORY":
        shutil.rmtree(local_path(here, there["path"]), ignore_errors=True)
    elif there["object_type"] == "FILE":
        local_path(here, there["path"]).unlink(missing_ok=True)


def _found(here: Workspace, path: str) -> Document | None:
    return here.store.get("workspace_objects", path)


def _get(here: Workspace, path: str) -> Document:
    there = _found(here, canonical(path))
    if there is None:
        raise not_found(f"Path ({path}) doesn't exist.")
    return there


def _shown(here: Workspace, asked: str, document: Document) -> Document:
    """An object as an answer: its path with `/Workspace` where the caller wrote it so."""
    prefix = _PREFIX if asked == _PREFIX or asked.startswith(f"{_PREFIX}/") else ""
    shown = document | {"path": (prefix + document["path"]).rstrip("/") or "/"}
    shown["resource_id"] = str(document.get("resource_id", document["object_id"]))
    if document["object_type"] == "FILE":
        with suppress(FileNotFoundError):  # a deletion that was stopped leaves a record without its file
            shown["size"] = local_path(here, document["path"]).stat().st_size
    return shown
