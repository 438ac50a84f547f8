"""The code that runs on Databricks, as workspace files: the wheel and the sources of the pipelines."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_databricks as databricks

from infra.access.permissions import ObjectKind
from infra.layers.platform.permit import permit
from infra.written.paths import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from infra.layers.platform.permit import Principals

SOURCES = REPOSITORY / "workloads" / "pipelines"


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

    The wheel's path holds a hash of its content, so that a change of code is a change of every job that uses it.
    """

    wheel: pulumi.Output[str]
    sources: dict[str, pulumi.Output[str]]
    folder: databricks.Directory

    def __init__(self, name: str, args: ArtifactsArgs, opts: pulumi.ResourceOptions) -> None:
        """Declares the folder, and uploads the wheel and the sources into it."""
        super().__init__("churn:platform:Artifacts", name, None, opts)
        # The experiment lies here too, with all its runs.
        self.folder = databricks.Directory(
            "folder",
            path=args.folder,
            delete_recursive=not args.protect,
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
        )
        permit(self, "folder", ObjectKind.FOLDER, self.folder.path, args.principals)
        # A run keeps the settings that it began with, so `up` leaves the wheel that it still installs from. Old wheels
        # are deleted with the folder.
        digest = hashlib.sha256(args.wheel.read_bytes()).hexdigest()[:8]
        self.wheel = self._upload("wheel", args.wheel, f"{args.folder}/wheels/{digest}/{args.wheel.name}", keep=True)
        # The provider makes a missing folder with the first file; two files that find it missing at once fail.
        pipelines = databricks.Directory(
            "pipelines-folder",
            path=pulumi.Output.concat(self.folder.path, "/pipelines"),
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
        )
        self.sources = {
            source.name: self._upload(
                f"source-{source.stem}", source, pulumi.Output.concat(pipelines.path, f"/{source.name}")
            )
            for source in args.sources
        }
        self.register_outputs({"wheel": self.wheel})

    def _upload(self, name: str, source: Path, path: pulumi.Input[str], *, keep: bool = False) -> pulumi.Output[str]:
        """Uploads a file and gives its path under `/Workspace`.

        The content is passed, since the local path differs from machine to machine.
        """
        file = databricks.WorkspaceFile(
            name,
            path=path,
            content_base64=base64.b64encode(source.read_bytes()).decode(),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[self.folder], retain_on_delete=keep),
        )
        return file.path.apply(lambda known: f"/Workspace{known}")
