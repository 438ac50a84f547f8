"""The Files API: files of the volumes (`/Volumes`), and of the versions of registered models (`/Models`)."""

import contextlib
import errno
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse
from starlette.concurrency import run_in_threadpool

from local.workspace.core.context import Caller, Principal, Workspace, WorkspaceDep
from local.workspace.core.errors import ApiError, already_exists, bad_request, not_found
from local.workspace.core.paging import page
from local.workspace.core.store import Document
from local.workspace.files.whole_files import PREFIX, whole_file
from local.workspace.unity_catalog import model_store, volumes
from local.workspace.unity_catalog.access import check_privilege
from local.workspace.unity_catalog.documents import VOLUMES

router = APIRouter()
_FILES = "/api/2.0/fs/files/{path:path}"
_FOLDERS = "/api/2.0/fs/directories/{path:path}"
_PAGE = 1000  # entries of a page at most


@router.put(_FILES, status_code=204)
async def upload(path: str, request: Request, workspace: WorkspaceDep, caller: Caller, overwrite: bool = False) -> None:
    """Writes a file."""
    root, target = await run_in_threadpool(_target, workspace, caller, path, overwrite)
    with _as_conflict(path), whole_file(target, root) as file:
        async for chunk in request.stream():
            await run_in_threadpool(file.write, chunk)


@router.get(_FILES)
def download(path: str, workspace: WorkspaceDep, caller: Caller) -> Response:
    """Returns the content of a file."""
    return FileResponse(_file(workspace, caller, path), media_type="application/octet-stream")


@router.head(_FILES)
def file_metadata(path: str, workspace: WorkspaceDep, caller: Caller) -> Response:
    """Returns the size and the time of a file."""
    status = _file(workspace, caller, path).stat()
    headers = {"content-length": str(status.st_size), "last-modified": formatdate(status.st_mtime, usegmt=True)}
    return Response(headers=headers, media_type="application/octet-stream")


@router.delete(_FILES, status_code=204)
def delete(path: str, workspace: WorkspaceDep, caller: Caller) -> None:
    """Deletes a file."""
    _file(workspace, caller, path, write=True).unlink()


@router.post(_FILES)
def start_upload(path: str, workspace: WorkspaceDep, caller: Caller, action: str, overwrite: bool = False) -> Document:
    """Starts an upload in parts."""
    if action != "initiate-upload":
        raise bad_request(f"action is {action!r}; allowed: initiate-upload")
    _target(workspace, caller, path, overwrite)
    return {"multipart_upload": {"session_token": "whole"}}


@router.post("/api/2.0/fs/create-upload-part-urls")
@router.post("/api/2.0/fs/create-abort-upload-url")
@router.post("/api/2.0/fs/create-download-url")
def no_presigned_urls() -> Response:
    """Refuses presigned URLs, as there is no cloud storage behind the files; the SDKs then use the Files API."""
    raise _NoPresignedUrlsError


@router.put(_FOLDERS, status_code=204)
def make_folder(path: str, workspace: WorkspaceDep, caller: Caller) -> None:
    """Makes a folder, and those above it."""
    _, folder = _locate(workspace, caller, path, write=True)
    with _as_conflict(path):
        folder.mkdir(parents=True, exist_ok=True)


@router.head(_FOLDERS)
def folder_metadata(path: str, workspace: WorkspaceDep, caller: Caller) -> Response:
    """Says whether a folder exists."""
    _folder(workspace, caller, path)
    return Response()


@router.delete(_FOLDERS, status_code=204)
def delete_folder(path: str, workspace: WorkspaceDep, caller: Caller) -> None:
    """Deletes an empty folder."""
    root, _ = _locate(workspace, caller, path, write=True)
    folder = _folder(workspace, caller, path, write=True)
    if folder == root:
        raise bad_request(f"/{path} is a volume or a version of a model; delete it by Unity Catalog's API")
    try:
        folder.rmdir()
    except OSError as error:
        if error.errno != errno.ENOTEMPTY:
            raise
        raise bad_request(f"The directory being deleted is not empty: /{path}", "DIRECTORY_NOT_EMPTY") from error


@router.get(_FOLDERS)
def list_folder(
    path: str, workspace: WorkspaceDep, caller: Caller, page_size: int = 0, page_token: str = ""
) -> Document:
    """Returns the entries of a folder."""
    folder = _folder(workspace, caller, path)
    entries = sorted(entry for entry in folder.iterdir() if not entry.name.startswith(PREFIX))
    answer = page(entries, "contents", page_size or _PAGE, page_token, most=_PAGE)
    return answer | {"contents": [_entry(path, entry) for entry in answer["contents"]]}


class _NoPresignedUrlsError(ApiError):
    def __init__(self) -> None:
        super().__init__(403, "PERMISSION_DENIED", "the local workspace has no presigned URLs")

    def as_dict(self) -> dict[str, Any]:
        info = {
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": "FILES_API_API_IS_NOT_ENABLED",
            "domain": "filesystem.databricks.com",
        }
        return {**super().as_dict(), "details": [info]}


def _locate(workspace: Workspace, caller: Principal, path: str, write: bool = False) -> tuple[Path, Path]:
    """The volume's or version's folder and the place of `path` on this machine; raises ApiError if there is none.

    A volume asks for READ VOLUME, or WRITE VOLUME to `write`, and then must not be one that can only be read; a version
    must not be READY yet: its files are written once.
    """
    parts = path.strip("/").split("/")
    if ".." in parts or "" in parts or "\0" in path:
        raise bad_request(f"Invalid path: /{path}")
    if len(parts) >= 5 and parts[0] == "Models":
        version = model_store.find_version(workspace, ".".join(parts[1:4]), parts[4])
        if write and version["status"] == model_store.READY:
            raise bad_request(f"/{path} belongs to a version that is READY, whose files stay as they are")
        root = model_store.folder_of(workspace, version)
        return root, root.joinpath(*parts[5:])
    if len(parts) < 4 or parts[0] != "Volumes":
        forms = "/Volumes/<catalog>/<schema>/<volume>/<path> or /Models/<catalog>/<schema>/<model>/<version>/<path>"
        raise bad_request(f"Invalid path: /{path}; the form is {forms}")
    volume = ".".join(parts[1:4]).lower()
    workspace.find(VOLUMES, volume, f"Volume '{volume}' does not exist.", "NOT_FOUND")
    check_privilege(workspace, caller, "volume", volume, "WRITE_VOLUME" if write else "READ_VOLUME")
    if write:
        volumes.check_writable(workspace, volume)
    root = workspace.settings.volumes.joinpath(*volume.split("."))
    return root, root.joinpath(*parts[4:])


def _target(workspace: Workspace, caller: Principal, path: str, overwrite: bool) -> tuple[Path, Path]:
    """The folder of the volume or version, and the target of an upload; raises ApiError if nothing can go there."""
    root, target = _locate(workspace, caller, path, write=True)
    if target.name.startswith(PREFIX):
        raise bad_request(f"Invalid path: /{path}; no listing shows names that begin with {PREFIX}")
    if target == root or target.is_dir():
        raise already_exists(f"/{path} is a directory", "ALREADY_EXISTS")
    if target.exists() and not overwrite:
        raise already_exists(f"The file being created already exists: /{path}", "ALREADY_EXISTS")
    return root, target


def _file(workspace: Workspace, caller: Principal, path: str, write: bool = False) -> Path:
    _, file = _locate(workspace, caller, path, write)
    if not file.is_file():
        raise not_found(f"The file being accessed is not found: /{path}", "NOT_FOUND")
    return file


def _folder(workspace: Workspace, caller: Principal, path: str, write: bool = False) -> Path:
    _, folder = _locate(workspace, caller, path, write)
    if not folder.is_dir():
        raise not_found(f"The directory being accessed is not found: /{path}", "NOT_FOUND")
    return folder


@contextlib.contextmanager
def _as_conflict(path: str) -> Iterator[None]:
    try:
        yield
    except (FileExistsError, NotADirectoryError) as error:
        raise already_exists(f"A file is where /{path} needs a directory", "ALREADY_EXISTS") from error


def _entry(path: str, entry: Path) -> Document:
    status = entry.stat()
    shown = {
        "path": f"/{path.strip('/')}/{entry.name}",
        "name": entry.name,
        "is_directory": entry.is_dir(),
        "last_modified": int(status.st_mtime * 1000),
    }
    return shown if entry.is_dir() else shown | {"file_size": status.st_size}
