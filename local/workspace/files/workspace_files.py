"""Files and folders of the workspace (`/Workspace`)."""

import base64
import binascii
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Annotated

from databricks.sdk.service import workspace as sdk
from fastapi import APIRouter, Depends, Request
from fastapi.responses import FileResponse, JSONResponse, Response
from starlette.datastructures import UploadFile

from local.workspace.core.clock import now_ms
from local.workspace.core.context import ADMIN, Workspace, WorkspaceDep
from local.workspace.core.errors import bad_request, not_built, not_found
from local.workspace.core.requests import body, checked
from local.workspace.core.store import Document
from local.workspace.files.documents import OBJECTS, ObjectDocument, ObjectType
from local.workspace.files.whole_files import whole_file

router = APIRouter()
_API = "/api/2.0/workspace"
_PREFIX = "/Workspace"

# Deletes the rest of an object of some type; the area that keeps such objects adds its function.
removers: dict[ObjectType, Callable[[Workspace, ObjectDocument], None]] = {}


def start(workspace: Workspace) -> None:
    """Makes the folders that every workspace has."""
    for path in ("/", "/Shared", "/Users", f"/Users/{ADMIN}"):
        make_folder(workspace, path)


async def _import_request(request: Request) -> Document:
    """The request of an import; its `content` is bytes. Clients send a form, or JSON with base64."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        document = checked(await request.body(), sdk.WorkspaceAPI.import_)
        try:
            return document | {"content": base64.b64decode(document.get("content", ""), validate=True)}
        except binascii.Error as error:
            raise bad_request(f"content is not base64: {error}") from error
    fields: Document = {}
    async with request.form() as form:
        for name, value in form.items():
            if name not in ("path", "content", "format", "language", "overwrite"):
                raise bad_request(f"unknown field {name}; allowed: content, format, language, overwrite, path")
            fields[name] = await value.read() if isinstance(value, UploadFile) else value
    if "path" not in fields:
        raise bad_request("missing field path")
    content = fields.get("content", b"")
    content = content.encode() if isinstance(content, str) else content
    return fields | {"content": content, "overwrite": fields.get("overwrite") == "true"}


@router.post(f"{_API}/import")
def import_file(request: Annotated[Document, Depends(_import_request)], workspace: WorkspaceDep) -> Document:
    """Writes a file."""
    path = canonical(request["path"])
    file_format = request.get("format", "SOURCE")
    notebook = request["content"].lstrip().startswith(b"# Databricks notebook source")
    if file_format not in ("AUTO", "RAW") or (file_format == "AUTO" and notebook):
        raise not_built(
            f"import of {path} with format {file_format} (files can be imported as AUTO or RAW, not notebooks)"
        )
    parent = str(PurePosixPath(path).parent)
    with workspace.store.transaction():
        if _read(workspace, parent) is None:
            raise not_found(f"The parent folder ({parent}) does not exist.")
        item = _read(workspace, path)
        if item is not None and item["object_type"] != "FILE":
            raise bad_request(f"Cannot overwrite {path}: it is a {item['object_type']}", "RESOURCE_ALREADY_EXISTS")
        if item is not None and not request.get("overwrite"):
            message = f"{path} already exists. Please pass overwrite as true to update it."
            raise bad_request(message, "RESOURCE_ALREADY_EXISTS")
        with whole_file(local_path(workspace, path), workspace.settings.workspace_files) as file:
            file.write(request["content"])
        return {"object_id": put_object(workspace, path, "FILE")["object_id"]}


@router.get(f"{_API}/get-status")
def get_status(path: str, workspace: WorkspaceDep) -> Document:
    """Returns an object."""
    return _shown(workspace, path, _get(workspace, path))


@router.get(f"{_API}/list")
def list_folder(path: str, workspace: WorkspaceDep, notebooks_modified_after: int = 0) -> Document:
    """Returns the objects of a folder."""
    listed = _get(workspace, path)
    inside = [listed]
    if listed["object_type"] == "DIRECTORY":
        prefix = listed["path"].rstrip("/") + "/"
        known = [item for _, item in workspace.store.items(OBJECTS, prefix) if item["path"] != "/"]
        inside = [item for item in known if "/" not in item["path"][len(prefix) :]]
    shown = [_shown(workspace, path, item) for item in inside if item["modified_at"] >= notebooks_modified_after]
    return {"objects": shown} if shown else {}


@router.post(f"{_API}/mkdirs")
def mkdirs(request: Annotated[Document, body(sdk.WorkspaceAPI.mkdirs)], workspace: WorkspaceDep) -> Document:
    """Makes a folder, and those above it."""
    make_folder(workspace, canonical(request["path"]))
    return {}


@router.post(f"{_API}/delete")
def delete(request: Annotated[Document, body(sdk.WorkspaceAPI.delete)], workspace: WorkspaceDep) -> Document:
    """Deletes an object; a folder with its content."""
    target = _get(workspace, request["path"])
    path = target["path"]
    if path in ("/", "/Shared", "/Users"):
        raise bad_request(f"Folder {path} is protected")
    while True:
        with workspace.store.transaction():
            inside = [item for _, item in workspace.store.items(OBJECTS, f"{path}/")]
            if inside and not request.get("recursive"):
                raise bad_request(f"Folder ({path}) is not empty", "DIRECTORY_NOT_EMPTY")
            folder = _read(workspace, path)
            doomed = [*inside, folder] if folder else inside
            waiting = [item for item in doomed if item["object_type"] in removers]
            if not waiting:
                _delete_files(workspace, target)
                for item in doomed:
                    forget_object(workspace, item["path"])
                return {}
        # Outside the transaction: within it, all other requests would wait for MLflow. Meanwhile more may be added.
        for item in waiting:
            removers[item["object_type"]](workspace, item)
            forget_object(workspace, item["path"])  # at once: a later one may fail


@router.get(f"{_API}/export")
def export(path: str, workspace: WorkspaceDep, format: str = "SOURCE", direct_download: bool = False) -> Response:  # noqa: A002 (the parameter's name in the API)
    """Returns the content of a file."""
    item = _get(workspace, path)
    if item["object_type"] != "FILE" or format not in ("AUTO", "RAW", "SOURCE"):
        raise not_built(f"export of the {item['object_type']} {path} with format {format}")
    file = local_path(workspace, item["path"])
    if not file.is_file():
        raise not_found(f"Path ({path}) has lost its file: delete it or import it again.")
    if direct_download:
        return FileResponse(file)
    return JSONResponse({"content": base64.b64encode(file.read_bytes()).decode(), "file_type": file.suffix.lstrip(".")})


def canonical(path: str) -> str:
    """Returns a path in the form of the store: absolute, without the prefix `/Workspace`.

    Raises:
        ApiError: It is relative or leads upwards.
    """
    if not path.startswith("/") or ".." in path.split("/") or "\0" in path:
        raise bad_request(f"Path ({path}) must be absolute and without '..'")
    if path == _PREFIX or path.startswith(f"{_PREFIX}/"):
        path = path[len(_PREFIX) :]
    return str(PurePosixPath("/" + path.strip("/")))


def local_path(workspace: Workspace, path: str) -> Path:
    """Returns the place of a canonical path on this machine."""
    return workspace.settings.workspace_files / path.lstrip("/")


def make_folder(workspace: Workspace, path: str) -> None:
    """Makes a folder, and those above it, unless they exist."""
    with workspace.store.transaction():
        for folder in [*reversed(PurePosixPath(path).parents), PurePosixPath(path)]:
            item = _read(workspace, str(folder))
            if item is None:
                local_path(workspace, str(folder)).mkdir(parents=True, exist_ok=True)
                put_object(workspace, str(folder), "DIRECTORY")
            elif item["object_type"] != "DIRECTORY":
                raise bad_request(f"{folder} is a {item['object_type']}, not a folder", "RESOURCE_ALREADY_EXISTS")


def put_object(workspace: Workspace, path: str, object_type: ObjectType, **more: str) -> ObjectDocument:
    """Records that an object of the workspace was made or changed; an existing object keeps its id."""
    now = now_ms()
    item = _read(workspace, path) or {"object_id": workspace.store.next_id(OBJECTS), "created_at": now}
    document = OBJECTS.document({**item, "path": path, "object_type": object_type, "modified_at": now, **more})
    workspace.store.put(OBJECTS, path, document)
    return document


def forget_object(workspace: Workspace, path: str) -> None:
    """Drops the record of an object."""
    workspace.store.delete(OBJECTS, path)


def _delete_files(workspace: Workspace, item: ObjectDocument) -> None:
    """Deletes a file or folder on this machine; an earlier deletion that was stopped may have done so."""
    if item["object_type"] == "DIRECTORY":
        shutil.rmtree(local_path(workspace, item["path"]), ignore_errors=True)
    elif item["object_type"] == "FILE":
        local_path(workspace, item["path"]).unlink(missing_ok=True)


def _read(workspace: Workspace, path: str) -> ObjectDocument | None:
    return workspace.store.get(OBJECTS, path)


def _get(workspace: Workspace, path: str) -> ObjectDocument:
    item = _read(workspace, canonical(path))
    if item is None:
        raise not_found(f"Path ({path}) doesn't exist.")
    return item


def _shown(workspace: Workspace, requested: str, document: ObjectDocument) -> Document:
    """An object as an answer: its path with `/Workspace` where the caller wrote it so."""
    prefix = _PREFIX if requested == _PREFIX or requested.startswith(f"{_PREFIX}/") else ""
    shown: Document = {**document, "path": (prefix + document["path"]).rstrip("/") or "/"}
    shown["resource_id"] = str(document.get("resource_id", document["object_id"]))
    if document["object_type"] == "FILE":
        with suppress(FileNotFoundError):  # a deletion that was stopped leaves a record without a file
            shown["size"] = local_path(workspace, document["path"]).stat().st_size
    return shown
