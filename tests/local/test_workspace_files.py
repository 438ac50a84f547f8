"""Files of the workspace and of volumes."""

from __future__ import annotations

import io
import shutil
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.config import Config
from databricks.sdk.errors import AlreadyExists, BadRequest, DatabricksError, NotFound, ResourceAlreadyExists
from databricks.sdk.errors import NotImplemented as NotBuilt
from databricks.sdk.service.workspace import ImportFormat, ObjectType

from local.settings import LocalSettings
from local.workspace.core.context import ADMIN, Principal, Workspace
from local.workspace.core.errors import ApiError, bad_request
from local.workspace.core.store import Document, Store
from local.workspace.files import volume_files as files
from local.workspace.files import workspace_files
from local.workspace.files.whole_files import whole_file
from local.workspace.unity_catalog import volumes as uc_volumes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.local.conftest import LocalWorkspace

AUTO = ImportFormat.AUTO
VOLUME = "/Volumes/files/bronze/raw"
RECORD = {"full_name": "files.bronze.raw", "volume_type": "MANAGED", "storage_location": "s3://tests/volumes/1"}
OWNED = {"owner": ADMIN}


@pytest.fixture
def client(workspace: LocalWorkspace) -> WorkspaceClient:
    return workspace.client()


@pytest.fixture
def in_process(tmp_path: Path) -> Iterator[Workspace]:
    """A workspace in this process, for tests that look into a request."""
    in_process = Workspace(LocalSettings(tmp_path), Store(tmp_path / "workspace.sqlite"))
    workspace_files.start(in_process)
    yield in_process
    in_process.store.close()


@pytest.fixture(scope="module")
def volumes(workspace: LocalWorkspace) -> WorkspaceClient:
    """A client of a workspace with one volume, written to the store, as the API would need Spark."""
    store = Store(workspace.settings.home / "workspace.sqlite")
    store.put("uc_volume", "files.bronze.raw", RECORD | OWNED)
    store.put("uc_catalog", "files", OWNED)
    store.put("uc_schema", "files.bronze", OWNED)
    store.close()
    (workspace.settings.volumes / "files/bronze/raw").mkdir(parents=True)
    return workspace.client()


@pytest.mark.shows("files: workspace files are imported, listed, exported and deleted", client="databricks-sdk")
def test_a_file_is_imported_listed_exported_and_deleted(workspace: LocalWorkspace, client: WorkspaceClient) -> None:
    content = bytes(range(256)) + b"\r\n--boundary\r\n\n"
    client.workspace.mkdirs("/Workspace/Shared/a/b")
    client.workspace.upload("/Workspace/Shared/a/b/file.bin", content, format=AUTO)
    status = client.workspace.get_status("/Workspace/Shared/a/b/file.bin")
    assert (status.path, status.object_type, status.size) == (
        "/Workspace/Shared/a/b/file.bin",
        ObjectType.FILE,
        len(content),
    )
    assert client.workspace.get_status("/Shared/a/b/file.bin").object_id == status.object_id
    assert client.workspace.download("/Shared/a/b/file.bin").read() == content
    assert (workspace.settings.workspace_files / "Shared/a/b/file.bin").read_bytes() == content
    assert [item.path for item in client.workspace.list("/Shared/a", recursive=True)] == ["/Shared/a/b/file.bin"]

    with pytest.raises(BadRequest, match="is not empty") as raised:
        client.workspace.delete("/Shared/a")
    assert raised.value.error_code == "DIRECTORY_NOT_EMPTY"
    client.workspace.delete("/Shared/a", recursive=True)
    with pytest.raises(NotFound) as raised:
        client.workspace.get_status("/Shared/a/b/file.bin")
    assert raised.value.error_code == "RESOURCE_DOES_NOT_EXIST"
    assert not (workspace.settings.workspace_files / "Shared/a").exists()


@pytest.mark.shows("files: a workspace file is overwritten and keeps its id", client="databricks-sdk")
def test_a_new_version_keeps_the_id_and_is_asked_for(client: WorkspaceClient) -> None:
    client.workspace.upload("/Shared/version.txt", b"1", format=AUTO)
    first = client.workspace.get_status("/Shared/version.txt")
    with pytest.raises(ResourceAlreadyExists):
        client.workspace.upload("/Shared/version.txt", b"2", format=AUTO)
    client.workspace.upload("/Shared/version.txt", b"2", format=AUTO, overwrite=True)
    assert client.workspace.get_status("/Shared/version.txt").object_id == first.object_id
    assert client.workspace.download("/Shared/version.txt").read() == b"2"


def test_a_new_version_does_not_disturb_a_reader(workspace: LocalWorkspace, client: WorkspaceClient) -> None:
    client.workspace.upload("/Shared/read.txt", b"old", format=AUTO)
    with (workspace.settings.workspace_files / "Shared/read.txt").open("rb") as reader:
        client.workspace.upload("/Shared/read.txt", b"new", format=AUTO, overwrite=True)
        assert reader.read() == b"old"
    assert client.workspace.download("/Shared/read.txt").read() == b"new"
    assert not list(workspace.settings.workspace_files.rglob(".upload-*"))


def test_what_has_lost_its_files_can_be_deleted_and_made_again(
    workspace: LocalWorkspace, client: WorkspaceClient
) -> None:
    """Leaves the state of a workspace that was killed during a deletion."""
    client.workspace.mkdirs("/Shared/lost")
    client.workspace.upload("/Shared/lost/x.txt", b"x", format=AUTO)
    shutil.rmtree(workspace.settings.workspace_files / "Shared/lost")
    assert [(item.path, item.size) for item in client.workspace.list("/Shared/lost")] == [("/Shared/lost/x.txt", None)]
    with pytest.raises(NotFound, match="has lost its file"):
        client.workspace.download("/Shared/lost/x.txt")
    client.workspace.delete("/Shared/lost/x.txt")
    client.workspace.upload("/Shared/lost/y.txt", b"y", format=AUTO)
    assert client.workspace.download("/Shared/lost/y.txt").read() == b"y"
    shutil.rmtree(workspace.settings.workspace_files / "Shared/lost")
    client.workspace.delete("/Shared/lost", recursive=True)


def test_a_slow_remover_keeps_nobody_waiting(in_process: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(_: Workspace, __: Document) -> None:
        other = threading.Thread(target=in_process.store.get, args=("users", "1"), daemon=True)
        other.start()
        other.join(10)
        assert not other.is_alive()

    monkeypatch.setitem(workspace_files.removers, "SLOW", slow)
    workspace_files.put_object(in_process, "/Shared/x", "SLOW")
    workspace_files.delete({"path": "/Shared/x"}, in_process)
    assert in_process.store.get("workspace_objects", "/Shared/x") is None


def test_a_remover_that_fails_undoes_no_other(in_process: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    called, broken = [], ["/Shared/folder/b"]

    def remove(_: Workspace, document: Document) -> None:
        called.append(document["path"])
        if document["path"] in broken:
            raise bad_request("not now")

    monkeypatch.setitem(workspace_files.removers, "KEPT", remove)
    workspace_files.make_folder(in_process, "/Shared/folder")
    for name in ("a", "b"):
        workspace_files.put_object(in_process, f"/Shared/folder/{name}", "KEPT")
    deletion = {"path": "/Shared/folder", "recursive": True}
    with pytest.raises(ApiError, match="not now"):
        workspace_files.delete(deletion, in_process)
    broken.clear()
    workspace_files.delete(deletion, in_process)
    assert called == [f"/Shared/folder/{name}" for name in ("a", "b", "b")]
    assert in_process.store.items("workspace_objects", "/Shared/folder") == []


def test_a_volume_s_files_go_before_its_record(in_process: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    record = {"full_name": "c.s.v", "volume_type": "MANAGED", "storage_location": "s3://tests/v"}
    in_process.store.put("uc_volume", "c.s.v", record)
    content = in_process.settings.s3 / "tests" / "v"
    content.mkdir(parents=True)

    def killed(*_: str) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(in_process.store, "delete", killed)
    with pytest.raises(KeyboardInterrupt):
        uc_volumes.remove(in_process, "c.s.v")
    monkeypatch.undo()
    assert not content.exists()
    uc_volumes.remove(in_process, "c.s.v")
    assert in_process.store.get("uc_volume", "c.s.v") is None


def test_a_folder_that_a_file_comes_into_is_not_removed(in_process: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    in_process.store.put("uc_volume", "files.bronze.raw", RECORD | OWNED)
    in_process.store.put("uc_catalog", "files", OWNED)
    in_process.store.put("uc_schema", "files.bronze", OWNED)
    folder = in_process.settings.volumes / "files" / "bronze" / "raw" / "day"
    folder.mkdir(parents=True)
    rmdir = Path.rmdir

    def late(path: Path) -> None:
        (path / "a.csv").touch()
        rmdir(path)

    monkeypatch.setattr(Path, "rmdir", late)
    with pytest.raises(ApiError, match="is not empty") as raised:
        files.delete_folder(f"{VOLUME}/day", in_process, Principal(ADMIN, "1", "user", admin=True))
    assert (raised.value.status, raised.value.error_code) == (400, "DIRECTORY_NOT_EMPTY")
    assert (folder / "a.csv").exists()


def test_a_file_arrives_though_its_folder_is_removed_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "day"
    folder.mkdir()
    replace = Path.replace

    def late(path: Path, target: Path) -> Path:
        monkeypatch.undo()
        folder.rmdir()
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", late)
    with whole_file(folder / "a.csv", tmp_path) as file:
        file.write(b"whole")
    assert [path.name for path in tmp_path.iterdir()] == ["day"]
    assert (folder / "a.csv").read_bytes() == b"whole"


def test_imports_that_cannot_be(client: WorkspaceClient) -> None:
    with pytest.raises(NotFound, match=r"The parent folder \(/Shared/none\) does not exist"):
        client.workspace.upload("/Shared/none/x.txt", b"x", format=AUTO)
    with pytest.raises(DatabricksError, match="must be absolute and without"):
        client.workspace.upload("/Shared/../../etc/x", b"x", format=AUTO)
    with pytest.raises(NotBuilt, match="not notebooks"):
        client.workspace.upload("/Shared/n.py", b"# Databricks notebook source\nprint(1)", format=AUTO)
    with pytest.raises(BadRequest, match="content is not base64"):
        client.workspace.import_("/Shared/x.txt", content="%%%", format=AUTO)


@pytest.mark.shows("files: files of a volume are uploaded, downloaded and deleted", client="databricks-sdk")
def test_a_volume_s_file_goes_up_and_down(workspace: LocalWorkspace, volumes: WorkspaceClient) -> None:
    path = f"{VOLUME}/landing/2026-01-01/customers, März.csv"
    volumes.files.upload(path, io.BytesIO(b"a,b\n1,2\n"))
    assert volumes.files.download(path).contents.read() == b"a,b\n1,2\n"
    metadata = volumes.files.get_metadata(path)
    assert metadata.content_length == 8
    stored = workspace.settings.volumes / "files/bronze/raw/landing/2026-01-01/customers, März.csv"
    assert stored.read_bytes() == b"a,b\n1,2\n"
    with pytest.raises(AlreadyExists):
        volumes.files.upload(path, io.BytesIO(b"new"), overwrite=False)
    volumes.files.upload(path, io.BytesIO(b"new"), overwrite=True)
    assert volumes.files.download(path).contents.read() == b"new"
    volumes.files.delete(path)
    with pytest.raises(NotFound):
        volumes.files.download(path)


@pytest.mark.usefixtures("volumes")
@pytest.mark.shows("files: large uploads to a volume", client="databricks-sdk")
def test_a_large_upload_goes_whole_where_the_sdk_would_send_parts(workspace: LocalWorkspace) -> None:
    config = Config(host=workspace.settings.workspace_url, token=workspace.token, auth_type="pat")
    config.files_ext_multipart_upload_min_stream_size = 1000
    client = WorkspaceClient(config=config)
    content = b"0123456789" * 5000
    client.files.upload(f"{VOLUME}/large.bin", io.BytesIO(content), overwrite=True)
    assert client.files.download(f"{VOLUME}/large.bin").contents.read() == content


@pytest.mark.shows("files: folders of a volume, listed in pages", client="databricks-sdk")
def test_folders_are_made_listed_in_pages_and_removed(volumes: WorkspaceClient) -> None:
    volumes.files.create_directory(f"{VOLUME}/pages/inner")
    for number in range(5):
        volumes.files.upload(f"{VOLUME}/pages/{number}.txt", io.BytesIO(b"x" * number), overwrite=True)
    listed = list(volumes.files.list_directory_contents(f"{VOLUME}/pages", page_size=2))
    assert [(entry.name, entry.is_directory) for entry in listed] == [
        *((f"{number}.txt", False) for number in range(5)),
        ("inner", True),
    ]
    assert [entry.file_size for entry in listed[:5]] == [0, 1, 2, 3, 4]
    with pytest.raises(BadRequest, match="not empty"):
        volumes.files.delete_directory(f"{VOLUME}/pages")
    volumes.files.delete_directory(f"{VOLUME}/pages/inner")
    with pytest.raises(NotFound):
        volumes.files.get_directory_metadata(f"{VOLUME}/pages/inner")


@pytest.mark.parametrize(
    ("path", "error", "message"),
    [
        ("/Volumes/files/bronze/other/x", NotFound, "Volume 'files.bronze.other' does not exist"),
        ("/Volumes/files/bronze", BadRequest, "the form is /Volumes"),
        ("/Workspace/Shared/x", BadRequest, "the form is /Volumes"),
        (f"{VOLUME}/a/../../../x", BadRequest, "Invalid path"),
        (f"{VOLUME}/.upload-x", BadRequest, "no listing shows names that begin with .upload-"),
    ],
)
def test_paths_where_no_file_can_be_are_refused(
    volumes: WorkspaceClient, path: str, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        volumes.files.upload(path, io.BytesIO(b"x"))
