"""The metastore of the workspace."""

from fastapi import APIRouter

from local.workspace.core.context import WorkspaceDep
from local.workspace.core.store import Document
from local.workspace.unity_catalog.securables import UC

router = APIRouter()


@router.get(f"{UC}/current-metastore-assignment")
def assignment(workspace: WorkspaceDep) -> Document:
    """Returns the assignment of the metastore to this workspace."""
    return {"metastore_id": workspace.metastore_id, "workspace_id": workspace.workspace_id}


@router.get(f"{UC}/metastore_summary")
def summary(workspace: WorkspaceDep) -> Document:
    """Returns the metastore. It has no storage root, as one that Databricks makes, unless a test gives it one."""
    root = workspace.metastore_root
    return {
        "metastore_id": workspace.metastore_id,
        "global_metastore_id": f"local:{workspace.metastore_id}",
        "name": "local",
        "region": "local",
        "cloud": "local",
        "owner": workspace.metastore_owner,
        "privilege_model_version": "1.0",
        **({"storage_root": root} if root else {}),
    }
