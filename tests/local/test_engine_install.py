"""Where engine and provider come from, and what is said where they cannot be had."""

from __future__ import annotations

import functools
import hashlib
import http.client
import http.server
import importlib.metadata
import io
import platform
import subprocess
import tarfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from local.engine import engine_environment, install
from local.engine.installation import (
    ENGINE_SOURCES,
    ENGINE_VERSION,
    PROVIDER_BINARY,
    PROVIDER_VERSION,
    Installed,
    cli_version,
    download_release,
    official_provider,
)
from local.engine.release import release_exists
from local.errors import EngineError
from local.settings import LocalSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

MACHINE = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine(), "x64")
ARCHIVE = f"pulumi-v{ENGINE_VERSION}-{platform.system().lower()}-{MACHINE}.tar.gz"


@pytest.fixture
def releases(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """Folder of a release with an archive and checksums, and the address that serves it."""
    folder = tmp_path / "served" / f"v{ENGINE_VERSION}"
    folder.mkdir(parents=True)
    with tarfile.open(folder / ARCHIVE, "w:gz") as tar:
        script = f"#!/bin/sh\necho v{ENGINE_VERSION}\n".encode()
        member = tarfile.TarInfo("pulumi/pulumi")
        member.size, member.mode = len(script), 0o755
        tar.addfile(member, io.BytesIO(script))
    digest = hashlib.sha256((folder / ARCHIVE).read_bytes()).hexdigest()
    (folder / f"pulumi-{ENGINE_VERSION}-checksums.txt").write_text(f"{digest}  {ARCHIVE}\n")
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path / "served"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield folder, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_versions_are_those_of_the_sdks() -> None:
    assert importlib.metadata.version("pulumi") == ENGINE_VERSION
    assert importlib.metadata.version("pulumi-databricks") == PROVIDER_VERSION
    assert f"pulumi/pkg/v3 v{ENGINE_VERSION}" in (ENGINE_SOURCES / "cli" / "go.mod").read_text()
    assert f'"{PROVIDER_VERSION}"' in (ENGINE_SOURCES / "databricks_provider" / "provider.go").read_text()
    assert cli_version(install().cli) == ENGINE_VERSION


def test_a_release_is_seen_without_being_downloaded(releases: tuple[Path, str]) -> None:
    assert release_exists(releases[1])
    (releases[0] / f"pulumi-{ENGINE_VERSION}-checksums.txt").write_text("0  of-another-machine.tar.gz\n")
    assert not release_exists(releases[1])
    assert not release_exists("http://127.0.0.1:9")


def test_a_release_is_unpacked_if_its_checksum_is_right(tmp_path: Path, releases: tuple[Path, str]) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    assert download_release(folder, releases[1])
    assert [path.name for path in folder.iterdir()] == ["pulumi"]
    assert cli_version(folder / "pulumi") == ENGINE_VERSION


def test_a_release_is_unpacked_by_the_first_python_of_3_11(
    tmp_path: Path, releases: tuple[Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Filters came to `extract` with 3.11.4."""

    def extract(_: object, member: str, path: str = "", set_attrs: bool = True, *, numeric_owner: bool = False) -> None:
        raise AssertionError(f"{member} extracted")

    monkeypatch.setattr(tarfile.TarFile, "extract", extract)
    folder = tmp_path / "bin"
    folder.mkdir()
    assert download_release(folder, releases[1])
    assert cli_version(folder / "pulumi") == ENGINE_VERSION


def test_a_cli_that_hangs_has_no_version(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(command: list[str], **_: object) -> None:
        raise subprocess.TimeoutExpired(command, 60)

    monkeypatch.setattr(subprocess, "run", run)
    assert cli_version(Path("/usr/bin/pulumi")) is None


def test_a_release_with_another_checksum_is_not_used(
    tmp_path: Path, releases: tuple[Path, str], capsys: pytest.CaptureFixture[str]
) -> None:
    with (releases[0] / ARCHIVE).open("ab") as archive:
        archive.write(b"something else")
    folder = tmp_path / "bin"
    folder.mkdir()
    assert not download_release(folder, releases[1])
    assert list(folder.iterdir()) == []
    assert "not used" in capsys.readouterr().err


def test_a_release_that_cannot_be_reached_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert not download_release(tmp_path, "http://127.0.0.1:9")
    assert "no official release from 127.0.0.1:9" in capsys.readouterr().err


@pytest.mark.parametrize("fault", [ConnectionResetError("reset"), http.client.IncompleteRead(b"half", 8)])
def test_a_release_that_breaks_off_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], fault: Exception
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise fault

    monkeypatch.setattr("urllib.request.urlopen", broken)
    assert not download_release(tmp_path, "http://127.0.0.1:9")
    assert f"no official release from 127.0.0.1:9 ({fault})" in capsys.readouterr().err


def test_a_provider_that_tells_no_schema_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plugins = f"$PULUMI_HOME/plugins/resource-databricks-v{PROVIDER_VERSION}"
    cli = tmp_path / "pulumi"
    install_plugin = f'mkdir -p "{plugins}" && touch "{plugins}/pulumi-resource-databricks"'
    cli.write_text(f'#!/bin/sh\nif [ "$1" = plugin ]; then {install_plugin}; else echo no such flag >&2; exit 3; fi\n')
    cli.chmod(0o755)
    folder = tmp_path / "provider"
    folder.mkdir()
    assert not official_provider(folder, cli)
    assert "returns no schema (['no such flag'])" in capsys.readouterr().err
    assert [path.name for path in folder.iterdir()] == ["pulumi-resource-databricks"]


def test_what_is_cached_needs_neither_go_nor_network(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = install()
    monkeypatch.setenv("PATH", "/nowhere")
    assert install() == expected


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("local.engine.installation.RELEASES", "http://127.0.0.1:9")
    return tmp_path


def test_without_go_the_remedy_is_named_and_nothing_is_left(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(EngineError, match=r"`go` is not on PATH.*install Go"):
        install()
    assert [path for path in (empty_cache / "cache").rglob("*") if path.is_file()] == []


def test_an_older_go_fetches_the_toolchain_as_a_module(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as Debian 12's 1.19, which leaves the programs of a module without the right to be executed."""
    toolchain = empty_cache / "toolchain"
    for program in ("bin/go", "pkg/tool/linux_amd64/compile"):
        (toolchain / program).parent.mkdir(parents=True)
        (toolchain / program).write_text("#!/bin/sh\necho the newer one >&2\nexit 1\n")
    go = empty_cache / "bin" / "go"
    go.parent.mkdir()
    go.write_text(f"""#!/bin/sh
case "$1 $2" in
"version "*) echo go version go1.19.8 linux/amd64 ;;
"env GOOS") printf 'linux\\namd64\\n' ;;
"mod download") [ "$4" = golang.org/toolchain@v0.0.1-go1.26.0.linux-amd64 ] && echo '{{"Dir": "{toolchain}"}}' ;;
*) echo the older one >&2; exit 1 ;;
esac
""")
    go.chmod(0o755)
    monkeypatch.setenv("PATH", str(go.parent))
    with pytest.raises(EngineError, match="the newer one"):
        install()
    assert all(path.stat().st_mode & 0o111 for path in toolchain.rglob("*") if path.is_file())
    go.write_text(go.read_text().replace("toolchain@", "no-toolchain@"))
    with pytest.raises(EngineError, match=r"`go mod download golang.org/toolchain@.*`: check that the Go module proxy"):
        install()


def test_without_the_go_modules_the_remedy_is_named(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go = empty_cache / "bin" / "go"
    go.parent.mkdir()
    go.write_text("#!/bin/sh\necho module lookup disabled by GOPROXY=off >&2\nexit 1\n")
    go.chmod(0o755)
    monkeypatch.setenv("PATH", str(go.parent))
    with pytest.raises(EngineError, match="check that the Go module proxy"):
        install()


def test_the_pinned_version_on_path_is_used(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It brings its own language host; here it cannot fetch the provider, which is then built from modules."""
    found = empty_cache / "found" / "pulumi"
    found.parent.mkdir()
    found.write_text(f'#!/bin/sh\n[ "$1" = version ] && echo v{ENGINE_VERSION}\n')
    found.chmod(0o755)
    monkeypatch.setenv("PATH", str(found.parent))
    with pytest.raises(EngineError, match="`go` is not on PATH"):
        install()
    installed = Installed.locate()
    assert installed.cli.resolve() == found
    assert installed.official


def test_a_cli_in_the_cache_is_none_that_was_found(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is our own, of earlier inputs; `platform local env` puts it on PATH."""
    own = empty_cache / "cache" / "churn-platform" / "engine-old" / "bin" / "pulumi"
    own.parent.mkdir(parents=True)
    own.write_text(f'#!/bin/sh\n[ "$1" = version ] && echo v{ENGINE_VERSION}\n')
    own.chmod(0o755)
    monkeypatch.setenv("PATH", str(own.parent))
    with pytest.raises(EngineError, match="`go` is not on PATH"):
        install()
    assert not Installed.locate().engine.exists()


def test_a_damaged_cache_is_repaired(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder whose program is gone is made anew, once."""
    built: list[Path] = []

    def build(folder: Path, name: str) -> None:
        (folder / name).touch()
        built.append(folder)

    monkeypatch.setattr("local.engine.installation.build_cli", lambda folder: build(folder, "pulumi"))
    monkeypatch.setattr("local.engine.installation.build_provider", lambda folder: build(folder, PROVIDER_BINARY))
    monkeypatch.setattr("local.engine.installation.official_provider", lambda *_: False)
    monkeypatch.setenv("PATH", "/nowhere")
    installed = install()
    for program in (installed.cli, installed.provider_binary):
        program.unlink()
        (program.parent / "rest").touch()
    install()
    assert len(built) == 4
    assert not list((empty_cache / "cache").rglob("rest"))
    assert install() == installed
    assert len(built) == 4


def test_a_release_without_the_engine_is_no_engine(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local.engine.installation.download_release", lambda *_: True)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(EngineError, match=r"bin/pulumi is missing .*: remove .*engine-.*, then run this again"):
        install()


@pytest.mark.usefixtures("empty_cache")
def test_an_environment_without_an_engine_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"run `python -m local.engine install`"):
        engine_environment(LocalSettings(tmp_path / "home"))
