"""The Go that builds the engine and the provider, where no release of them can be downloaded.

Since 1.21, Go fetches the toolchain that a `go.mod` asks for by itself (https://go.dev/doc/toolchain). An older Go,
such as the 1.19 of Debian 12, fetches the same toolchain as the module that it is, with the same check of its hash.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

from local.errors import EngineError

GO_MODULES = Path(__file__).parent / "cli"
FIRST_WITH_TOOLCHAINS = (1, 21)
MODULE_PROXY_REMEDY = (
    "check that the Go module proxy (`go env GOPROXY`) can be reached and the disk has 8 GB free, then run this again"
)


def wanted_version() -> tuple[int, ...]:
    """Major and minor version of Go that the engine's modules ask for."""
    return version_in((GO_MODULES / "go.mod").read_text())


def version_in(text: str) -> tuple[int, ...]:
    """Major and minor version of Go that a text names first; nothing where it names none."""
    match = re.search(r"\bgo ?(\d+)\.(\d+)", text)
    return tuple(int(part) for part in match.groups()) if match else ()


def is_new_enough(version: tuple[int, ...]) -> bool:
    """Whether a Go can build the engine, by the version that it reports in the folder of the modules.

    A Go that fetches toolchains reports the fetched one there, or its own where `GOTOOLCHAIN` forbids that.
    """
    return version >= wanted_version() or () < version < FIRST_WITH_TOOLCHAINS


def go_program() -> str:
    """Path of the Go program that builds: the one on PATH, or the toolchain that an older one fetches.

    Raises:
        EngineError: There is no Go, or its toolchain cannot be fetched.
    """
    path = shutil.which("go")
    if path is None:
        raise EngineError(
            "`go` is not on PATH, and no release of pulumi can be downloaded: install Go (any version: it fetches the "
            "one that is needed), or the pinned version of pulumi, and run this again"
        )
    # asked outside of the modules, where a newer Go would fetch a toolchain first
    own = version_in(subprocess.run([path, "version"], cwd="/", capture_output=True, text=True, check=False).stdout)
    return _fetched_toolchain(path) if () < own < FIRST_WITH_TOOLCHAINS else path


def _fetched_toolchain(go: str) -> str:
    """Program of the wanted toolchain, which an older Go downloads without marking its programs as executable."""
    system = subprocess.run([go, "env", "GOOS", "GOARCH"], cwd="/", capture_output=True, text=True, check=True)
    version = ".".join(str(part) for part in wanted_version())
    module = f"golang.org/toolchain@v0.0.1-go{version}.0.{'-'.join(system.stdout.split())}"
    done = subprocess.run(
        [go, "mod", "download", "-json", module], cwd="/", capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise EngineError(f"{(done.stdout + done.stderr).strip()}\n`go mod download {module}`: {MODULE_PROXY_REMEDY}")
    folder = Path(json.loads(done.stdout)["Dir"])
    for program in [*(folder / "bin").iterdir(), *(folder / "pkg" / "tool").rglob("*")]:
        program.chmod(program.stat().st_mode | 0o111)
    return str(folder / "bin" / "go")
