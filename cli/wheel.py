"""Builds the wheel `churn`: the same sources give the same bytes."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from cli.errors import CommandError
from cli.programs import run_logged
from local.content_hash import content_hash
from local.settings import REPOSITORY

WORKLOADS = REPOSITORY / "workloads"
EPOCH = "1767225600"  # 2026-01-01: the time stamp of every file in the wheel


def build_wheel(log: Path, report: Callable[[str], None]) -> Path:
    """Builds `workloads/dist/churn-….whl` unless the hash of its sources is that of the last build.

    Returns:
        The wheel's path.

    Raises:
        CommandError: The build failed, or this copy of the project has lost the link to the contracts.
    """
    link = WORKLOADS / "src" / "churn" / "contracts"
    if not link.is_dir():
        raise CommandError(
            f"{link.relative_to(REPOSITORY)} is no link to the folder contracts: this copy was made without symbolic "
            "links; take it with `git clone` (on Windows after `git config --global core.symlinks true`)"
        )
    dist = WORKLOADS / "dist"
    stamp = dist / ".sources"
    digest = content_hash(REPOSITORY, _sources())
    built = sorted(dist.glob("churn-*.whl"))
    if len(built) == 1 and stamp.exists() and stamp.read_text() == digest:
        return built[0]
    for old in built:
        old.unlink()
    run_logged(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(dist)],
        log,
        report,
        environment={**os.environ, "SOURCE_DATE_EPOCH": EPOCH},
        cwd=WORKLOADS,
    )
    stamp.write_text(digest)
    return next(iter(dist.glob("churn-*.whl")))


def _sources() -> list[Path]:
    files = [WORKLOADS / name for name in ("pyproject.toml", "LICENSE", "NOTICE")]
    paths = [*files, *(WORKLOADS / "src").rglob("*"), *(REPOSITORY / "contracts").rglob("*")]
    return sorted(path for path in paths if path.is_file() and "__pycache__" not in path.parts)
