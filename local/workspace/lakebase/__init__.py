"""Lakebase: projects of PostgreSQL, with their roles, databases and passwords."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter

from local.workspace.lakebase import branches, credentials, databases, operations, projects, roles
from local.workspace.lakebase.runtime import Lakebase

if TYPE_CHECKING:
    from local.workspace.core.context import Workspace

router = APIRouter()
for _area in (projects, branches, roles, databases, credentials, operations):
    router.include_router(_area.router)


def start(workspace: Workspace) -> None:
    """Starts the servers of the projects that there are."""
    workspace.add_service(Lakebase(workspace))


def stop(workspace: Workspace) -> None:
    """Ends the servers."""
    workspace.service(Lakebase).stop()
