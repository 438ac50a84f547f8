"""Providers of a workspace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pulumi_databricks as databricks

if TYPE_CHECKING:
    from infra.written.settings.workspace import Workspace


def workspace_provider(name: str, workspace: Workspace, **credentials: Any) -> databricks.Provider:
    """Declares a provider of a workspace, which refuses to plan when the host is of another workspace.

    Args:
        name: Name of the resource.
        workspace: The section `platform.workspace`.
        credentials: Further arguments of the provider; without any the environment has the credentials.
    """
    workspace_id = str(workspace.id) if workspace.id else None
    return databricks.Provider(name, host=workspace.host, workspace_id=workspace_id, **credentials)
