"""The code that runs on Databricks, as workspace files: wheel, requirements, sources of the pipelines."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_databricks as databricks

from infra.access.permissions import ObjectKind
from infra.layers.platform.libraries import Libraries
from infra.layers.platform.permit import permit
from infra.written.paths import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from infra.layers.platform.permit import Principals

WORKLOADS = REPOSITORY / "workloads"
SOURCES = WORKLOADS / "pipelines"
# What jobs and what pipelines install beside the wheel; `make lock` resolves them.
JOBS_REQUIREMENTS = WORKLOADS / "requirements.txt"
PIPELINES_REQUIREMENTS = SOURCES / "requirements.txt"


@dataclass(frozen=True)
class ArtifactsArgs:
    """Inputs of `Artifacts`.

    Attributes:
        folder: Workspace folder of the stack, at the root: everybody may write in `/Shared`, and homes go with people.
        principals: Principal of each role.
        wheel: The built wheel on this machine.
        sources: Source files of the pipelines on this machine.
        protect: Whether to refuse to destroy the folder; if not, destroying it takes along whatever lies in it.
    """

    folder: str
    principals: Principals
    wheel: Path
    sources: Sequence[Path]
    protect: bool


class Artifacts(pulumi.ComponentResource):
    """Owns the stack's folder of workspace files and all that lies in it.

    All code lies below one path that holds a hash of it, so that a change of code is a change of every job and pipeline
    that runs it.
    """

    jobs: Libraries
    pipelines: Libraries
    sources: dict[str, pulumi.Output[str]]
    folder: databricks.Directory

    def __init__(self, name: str, args: ArtifactsArgs, opts: pulumi.ResourceOptions) -> None:
        """Declares the folder, and uploads the code into it."""
        super().__init__("churn:platform:Artifacts", name, None, opts)
        # The experiment lies here too, with all its runs.
        self.folder = databricks.Directory(
            "folder",
            path=args.folder,
            delete_recursive=not args.protect,
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
        )
        permit(self, "folder", ObjectKind.FOLDER, self.folder.path, args.principals)
        digest = _digest([args.wheel, JOBS_REQUIREMENTS, PIPELINES_REQUIREMENTS, *args.sources])
        code = self._code_folder("code", pulumi.Output.concat(self.folder.path, f"/code/{digest}"))
        of_pipelines = self._code_folder("code-pipelines", pulumi.Output.concat(code, "/pipelines"))
        wheel = self._upload("wheel", args.wheel, code)
        self.jobs = Libraries(self._upload("requirements", JOBS_REQUIREMENTS, code), wheel)
        self.pipelines = Libraries(self._upload("pipelines-requirements", PIPELINES_REQUIREMENTS, of_pipelines), wheel)
        self.sources = {
            source.name: self._upload(f"source-{source.stem}", source, of_pipelines) for source in args.sources
        }
        self.register_outputs({"wheel": wheel})

    def _code_folder(self, name: str, path: pulumi.Input[str]) -> pulumi.Output[str]:
        """Makes a folder for code, and gives its path.

        The provider makes a missing folder with the first file; two files that find it missing at once fail.
        """
        return databricks.Directory(name, path=path, opts=self._kept()).path

    def _upload(self, name: str, source: Path, folder: pulumi.Output[str]) -> pulumi.Output[str]:
        """Uploads a file into a folder and gives its path under `/Workspace`.

        The content is passed, since the local path differs from machine to machine.
        """
        file = databricks.WorkspaceFile(
            name,
            path=pulumi.Output.concat(folder, f"/{source.name}"),
            content_base64=base64.b64encode(source.read_bytes()).decode(),
            opts=self._kept(),
        )
        return file.path.apply(lambda known: f"/Workspace{known}")

    def _kept(self) -> pulumi.ResourceOptions:
        """Options of code: a run keeps the settings that it began with, so `up` leaves the code that it still uses.

        Old code is deleted with the folder.
        """
        return pulumi.ResourceOptions(parent=self, retain_on_delete=True)


def _digest(files: Sequence[Path]) -> str:
    """Hash of names and contents of files."""
    digests = [f"{file.name} {hashlib.sha256(file.read_bytes()).hexdigest()}" for file in files]
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()[:8]
