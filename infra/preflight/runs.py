"""Checks of what jobs run on: runtime and nodes of their cluster, and the packages that they install."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from infra.preflight.inspection import Finding
from infra.written.paths import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.preflight.inspection import Inspection

WORKLOADS = REPOSITORY / "workloads"
LOCKS = (WORKLOADS / "requirements.txt", WORKLOADS / "pipelines" / "requirements.txt")
RUNTIME = WORKLOADS / "runtime.txt"  # versions that the cloud has already
CLOUD = ("--python-version", "3.12", "--python-platform", "x86_64-manylinux_2_28", "--only-binary", ":all:")
LINES_SHOWN = 6


def runtime(inspection: Inspection) -> Iterator[Finding]:
    """Requires the runtime of the job cluster, where there is one."""
    if inspection.platform.compute.serverless:
        yield Finding(what="churn:platform.compute", received="serverless, without a runtime and nodes of its own")
        return
    listed = inspection.client.clusters.spark_versions().versions or []
    known = {version.key for version in listed if version.key}
    wanted = inspection.platform.compute.spark_version
    yield _listed("spark_version", wanted, known, "a runtime of the workspace")


def nodes(inspection: Inspection) -> Iterator[Finding]:
    """Requires the instance type of the job cluster, where there is one."""
    if inspection.platform.compute.serverless:
        return
    listed = inspection.client.clusters.list_node_types().node_types or []
    known = {node.node_type_id for node in listed if not node.is_deprecated}
    yield _listed("node_type_id", inspection.platform.compute.node_type_id, known, "an instance type of the workspace")


def lock(_: Inspection) -> Iterator[Finding]:
    """Requires that the packages of jobs and pipelines can be installed: Python 3.12 on Linux, x86-64."""
    for path in LOCKS:
        yield resolved(path)


def resolved(requirements: Path) -> Finding:
    """Resolves a file of requirements as the cloud would, by the registry of this machine.

    Args:
        requirements: The file.
    """
    what = f"packages of {requirements.parent.name}/{requirements.name}"
    uv = Path(sys.executable).with_name("uv")
    # Nothing is run here, so that no Python 3.12 has to be found first.
    command = [str(uv), "pip", "compile", str(requirements), "--constraint", str(RUNTIME), *CLOUD]
    command += ["--python", sys.executable, "--quiet"]
    try:
        done = subprocess.run(command, cwd=WORKLOADS, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        remedy = "`make setup` installs it; --offline leaves this check out"
        return Finding(what=what, received=f"no program {uv}", allowed="uv, which resolves requirements", remedy=remedy)
    if done.returncode == 0:
        return Finding(what=what, received="resolves for Python 3.12 on Linux x86-64")
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    return Finding(
        what=what,
        received=" ".join(lines[:LINES_SHOWN]),
        allowed="versions that the registry of this machine has for Python 3.12 on Linux x86-64",
        remedy="`make lock` resolves them anew; without a registry here --offline leaves this check out",
    )


def _listed(field: str, wanted: str, known: set[str], allowed: str) -> Finding:
    what = f"churn:platform.compute.{field}"
    if wanted in known:
        return Finding(what=what, received=wanted)
    alike = sorted(name for name in known if name.partition(".")[0] == wanted.partition(".")[0])
    return Finding(
        what=what,
        received=wanted,
        allowed=f"{allowed}, such as {', '.join(alike or sorted(known))[:200] or 'none'}",
        remedy="correct the setting",
    )
