"""The official release of the Pulumi engine: a check that it exists, and its download."""

from __future__ import annotations

import hashlib
import platform
import shutil
import tarfile
import urllib.request
from http.client import HTTPException
from pathlib import Path

from local.progress import errors, say, step

ENGINE_VERSION = "3.259.0"
RELEASES = "https://github.com/pulumi/pulumi/releases/download"


def release_exists(releases: str) -> bool:
    """Whether a release for this machine can be downloaded, without downloading it.

    Args:
        releases: Base address of the releases, as in `download_release`.
    """
    try:
        return _archive_name() in _checksums(f"{releases}/v{ENGINE_VERSION}")
    except (OSError, HTTPException, ValueError):
        return False


def download_release(folder: Path, releases: str) -> bool:
    """Unpacks the official release into a folder; prints the reason and returns False where it cannot.

    Args:
        folder: Receives the archive's programs.
        releases: Base address of the releases, each with its archives and a file of SHA-256 checksums.
    """
    name = _archive_name()
    base = f"{releases}/v{ENGINE_VERSION}"
    archive = folder / name
    try:
        expected = _checksums(base)
        if name not in expected:
            say(f"engine: the release has no {name}")
            return False
        with (
            step(f"engine: downloading {name}", errors),
            urllib.request.urlopen(f"{base}/{name}", timeout=30) as response,  # noqa: S310 (an address of ours)
            archive.open("wb") as file,
        ):
            shutil.copyfileobj(response, file)
        digest = hashlib.sha256(archive.read_bytes()).hexdigest()
        if digest != expected[name]:
            say(f"engine: {name} has the SHA-256 {digest}, not {expected[name]}: not used")
            return False
        with tarfile.open(archive) as tar:
            for member in tar.getmembers():
                content = tar.extractfile(member) if member.isfile() else None
                if content:
                    program = folder / Path(member.name).name  # the archive has one folder, `pulumi`
                    with content, program.open("wb") as file:
                        shutil.copyfileobj(content, file)
                    program.chmod(member.mode & 0o755)
    except (OSError, HTTPException, tarfile.TarError, ValueError, EOFError) as error:
        say(f"engine: no official release from {releases.split('/')[2]} ({error})")
        return False
    finally:
        archive.unlink(missing_ok=True)
    return True


def _archive_name() -> str:
    machine = {"x86_64": "x64", "aarch64": "arm64", "arm64": "arm64"}.get(platform.machine())
    return f"pulumi-v{ENGINE_VERSION}-{platform.system().lower()}-{machine}.tar.gz"


def _checksums(base: str) -> dict[str, str]:
    """SHA-256 of each archive of a release, from its file of checksums."""
    address = f"{base}/pulumi-{ENGINE_VERSION}-checksums.txt"
    with urllib.request.urlopen(address, timeout=3) as response:  # noqa: S310 (an address of ours)
        lines = response.read().decode().splitlines()
    return {file: digest for digest, file in (line.split() for line in lines if line.strip())}
