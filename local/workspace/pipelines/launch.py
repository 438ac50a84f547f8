"""The command that runs an update: the pipeline runner with a pipeline's sources, settings and identity."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local.errors import LibraryError
from local.workspace.programs import libraries, runner

if TYPE_CHECKING:
    from pathlib import Path

    from local.workspace.core.context import Workspace
    from local.workspace.core.store import Document
    from local.workspace.pipelines.documents import PipelineDocument, UpdateDocument


def command(
    workspace: Workspace, pipeline: PipelineDocument, update: UpdateDocument
) -> tuple[list[str], dict[str, str]]:
    """Returns the command of an update, and its environment variables.

    Raises:
        LibraryError: A source or a dependency is missing.
        ApiError: The principal that the pipeline runs as does not exist any more.
    """
    spec = update["config"]
    conf = {
        name: value for cluster in spec.get("clusters", []) for name, value in cluster.get("spark_conf", {}).items()
    }
    conf |= spec.get("configuration", {})
    remote = workspace.settings.spark_remote_of(pipeline["run_as_user_name"])
    arguments = ["--update-id", update["update_id"], "--remote", remote]
    arguments += ["--catalog", spec["catalog"], "--schema", spec.get("schema") or spec["target"]]
    arguments += ["--storage", str(storage(workspace, pipeline["pipeline_id"]))]
    arguments += [f"--configuration={name}={value}" for name, value in conf.items()]
    arguments += [f"--full-refresh={table}" for table in update.get("full_refresh_selection", [])]
    arguments += [f"--refresh={table}" for table in update.get("refresh_selection", [])]
    arguments += ["--full-refresh-all"] * bool(update.get("full_refresh"))
    arguments += ["--continuous"] * bool(spec.get("continuous"))
    arguments += ["--validate"] * bool(update.get("validate_only"))
    folders = libraries.unpack(workspace.settings, spec.get("environment", {}).get("dependencies", []))
    if "root_path" in spec:
        folders.append(libraries.local_path(workspace.settings, spec["root_path"]))
    paths = map(str, sources(workspace, spec))
    env = runner.environment(workspace, pipeline["run_as_user_name"], folders)
    env |= {"PLATFORM_HOME": str(workspace.settings.home), "PLATFORM_PORT": str(workspace.settings.port)}
    return runner.module("local.spark.pipeline_runner", *paths, *arguments), env


def storage(workspace: Workspace, pipeline_id: str) -> Path:
    """Returns the folder of a pipeline's checkpoints."""
    return workspace.settings.home / "pipelines" / pipeline_id


def sources(workspace: Workspace, spec: Document) -> list[Path]:
    """Returns the files of a pipeline's libraries, on this machine.

    Raises:
        LibraryError: A file is missing, or a pattern matches none.
    """
    paths: list[Path] = []
    for library in spec.get("libraries", []):
        if "file" in library:
            path = libraries.local_path(workspace.settings, library["file"]["path"])
            if not path.is_file():
                raise LibraryError(f"library file {library['file']['path']} does not exist")
            paths.append(path)
        else:
            pattern = library["glob"]["include"]
            folder, _, rest = pattern.partition("*")
            root = libraries.local_path(workspace.settings, folder.rstrip("/"))
            files = sorted(path for path in root.glob(f"*{rest}/*.py" if rest == "*" else f"*{rest}") if path.is_file())
            if not files:
                raise LibraryError(f"library pattern {pattern} finds no file")
            paths += files
    return paths
