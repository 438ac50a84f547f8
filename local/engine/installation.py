"""Installs the Pulumi engine and the Databricks provider in the cache folder.

The engine comes from the first of these: a CLI on PATH of the pinned version; the official release archive with its
checksum; a build from Go modules. The provider comes from `pulumi plugin install` where the CLI is an official one,
else from a build. Each has a folder named by the hash of its inputs, which is complete or does not exist.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from local.content_hash import content_hash
from local.engine.go import GO_MODULES, MODULE_PROXY_REMEDY, go_program
from local.engine.release import ENGINE_VERSION, RELEASES, download_release
from local.errors import EngineError
from local.progress import errors, say, step
from local.settings import cache_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

PROVIDER_VERSION = "1.104.0"
ENGINE_SOURCES = Path(__file__).parent
LAUNCHERS = ENGINE_SOURCES / "bin"
PROVIDER_BINARY = "pulumi-resource-databricks"
GO_BUILD = ("go", "build", "-trimpath", "-buildvcs=false", "-mod=readonly", "-tags", "osusergo,grpcnotrace")


@dataclass(frozen=True)
class Installed:
    """The folders of the installed engine and provider.

    Attributes:
        engine: Folder whose `bin` holds the CLI, the language host and the dynamic provider.
        provider: Folder with the provider's binary and its `schema.json`.
    """

    engine: Path
    provider: Path

    @classmethod
    def locate(cls) -> Installed:
        """The folders that hold, or will hold, what this version of the project needs."""
        version_and_machine = [f"{platform.system()}-{platform.machine()}"]
        engine = _hash([GO_MODULES, LAUNCHERS], [ENGINE_VERSION, *version_and_machine])
        provider = _hash([ENGINE_SOURCES / "databricks_provider"], [PROVIDER_VERSION, *version_and_machine])
        return cls(cache_folder() / f"engine-{engine}", cache_folder() / f"databricks-provider-{provider}")

    @property
    def cli(self) -> Path:
        """The program `pulumi`."""
        return self.engine / "bin" / "pulumi"

    @property
    def provider_binary(self) -> Path:
        """The provider's program."""
        return self.provider / PROVIDER_BINARY

    @property
    def schema(self) -> Path:
        """The provider's Pulumi schema."""
        return self.provider / "schema.json"

    @property
    def official(self) -> bool:
        """Whether the CLI is a published binary, which brings a language host of its own."""
        return not (self.cli.parent / ".built").exists()


def install() -> Installed:
    """Installs engine and provider; does nothing, and needs no network, where both are installed.

    Raises:
        EngineError: a prerequisite is missing or a build failed.
    """
    installed = Installed.locate()
    if installed.cli.is_symlink() and cli_version(installed.cli) != ENGINE_VERSION:
        shutil.rmtree(installed.engine)  # the CLI on PATH has been replaced since
    if not installed.cli.exists():
        with _filled_folder(installed.engine, installed.cli) as folder:
            _engine_into(folder / "bin")
    if not installed.provider_binary.exists():
        with _filled_folder(installed.provider, installed.provider_binary) as folder:
            _provider_into(folder, installed)
    return installed


def cli_version(cli: Path) -> str | None:
    """Version of a CLI, without the leading v; None if the program does not run."""
    try:
        done = subprocess.run(
            [str(cli), "version"],
            env=os.environ | {"PULUMI_SKIP_UPDATE_CHECK": "true"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip().removeprefix("v") if done.returncode == 0 else None


def _engine_into(folder: Path) -> None:
    folder.mkdir()
    cli = cli_on_path()
    if cli:
        say(f"engine: using {cli}")
        (folder / "pulumi").symlink_to(cli)
    elif not download_release(folder, RELEASES):
        build_cli(folder)


def cli_on_path() -> Path | None:
    """A CLI of the pinned version on PATH, but not one of our own builds, which `platform local env` puts on PATH."""
    for folder in os.get_exec_path():
        program = shutil.which("pulumi", path=folder)
        cli = Path(program).resolve() if program else None
        if cli and not cli.is_relative_to(cache_folder().resolve()) and cli_version(cli) == ENGINE_VERSION:
            return cli
    return None


def build_cli(folder: Path) -> None:
    """Builds the CLI from Go modules and puts the launchers of our language host beside it."""
    stamp = f"-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v{ENGINE_VERSION}"
    output = ["-ldflags", stamp, "-o", str(folder / "pulumi"), "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"]
    with step(f"engine: building pulumi {ENGINE_VERSION} from Go modules (4 minutes when nothing is cached)", errors):
        _go((*GO_BUILD, *output), GO_MODULES)
    for launcher in LAUNCHERS.iterdir():
        shutil.copy(launcher, folder)
    (folder / ".built").touch()


def _provider_into(folder: Path, installed: Installed) -> None:
    if not (installed.official and official_provider(folder, installed.cli)):
        build_provider(folder)


def official_provider(folder: Path, cli: Path) -> bool:
    """Fetches the published provider through the CLI; prints the reason and returns False where it cannot."""
    environment = os.environ | {"PULUMI_HOME": str(folder / "home"), "PULUMI_SKIP_UPDATE_CHECK": "true"}
    name = f"databricks {PROVIDER_VERSION}"
    command = [str(cli), "plugin", "install", "resource", *name.split()]
    with step(f"databricks provider: pulumi plugin install {name}", errors):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        say(f"databricks provider: not available ({done.stderr.strip().splitlines()[-1:]})")
        return False
    plugin = folder / "home" / "plugins" / f"resource-databricks-v{PROVIDER_VERSION}" / PROVIDER_BINARY
    plugin.rename(folder / PROVIDER_BINARY)
    command = [str(cli), "package", "get-schema", str(folder / PROVIDER_BINARY)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    shutil.rmtree(folder / "home")
    if done.returncode:
        say(f"databricks provider: returns no schema ({done.stderr.strip().splitlines()[-1:]})")
        return False
    (folder / "schema.json").write_text(done.stdout)
    return True


def build_provider(folder: Path) -> None:
    """Builds the bridged provider, after generating the schema and the metadata that it embeds."""
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        source = Path(scratch, "source")
        shutil.copytree(ENGINE_SOURCES / "databricks_provider", source)
        main = source / "cmd" / PROVIDER_BINARY
        with step(
            "databricks provider: building its schema generator from Go modules (3 minutes, nothing cached)", errors
        ):
            _go((*GO_BUILD, "-o", str(Path(scratch, "tfgen")), "./cmd/tfgen"), source)
        with step("databricks provider: generating the schema", errors):
            _run([str(Path(scratch, "tfgen")), "schema", "--skip-docs", "--out", str(main)], source)
        with step(f"databricks provider: building {PROVIDER_VERSION}", errors):
            stamp = ["-ldflags", "-s -w"]
            _go((*GO_BUILD, *stamp, "-o", str(folder / PROVIDER_BINARY), f"./cmd/{PROVIDER_BINARY}"), source)
        shutil.copy(main / "schema.json", folder)


def _go(command: tuple[str, ...], module: Path) -> None:
    _run([go_program(), *command[1:]], module, MODULE_PROXY_REMEDY)


def _run(command: list[str], folder: Path, remedy: str = "report it with the output above") -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        tail = "\n".join((done.stdout + done.stderr).strip().splitlines()[-20:])
        raise EngineError(f"{tail}\n`{' '.join(command[:2])}` in {folder} ended with {done.returncode}: {remedy}")


@contextmanager
def _filled_folder(target: Path, wanted: Path) -> Iterator[Path]:
    """Yields a temporary folder beside the target, and gives the folder the target's name once it is filled.

    Args:
        target: The folder to make. A damaged one, without the wanted file, is removed first.
        wanted: A file of the target, by which a complete one is known.

    Raises:
        EngineError: the wanted file is missing afterwards.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(target, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-", ignore_cleanup_errors=True) as name:
        folder = Path(name, "new")
        folder.mkdir()
        yield folder
        reason = "what was fetched or built lacks it"
        try:
            folder.rename(target)
        except OSError as error:  # another process was faster, with the same inputs: no fault
            reason = str(error)
        if not wanted.exists():
            raise EngineError(f"{wanted} is missing ({reason}): remove {target}, then run this again")


def _hash(folders: list[Path], words: list[str]) -> str:
    """Hash that names a build: of its sources, which are below the folders, and of what else it depends on."""
    files = [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]
    sources = [path for path in files if not path.name.endswith("_test.go")]
    return content_hash(ENGINE_SOURCES, sources, words)[:16]
