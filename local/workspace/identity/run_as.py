"""The principal that jobs and pipelines run as."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local.workspace.core.errors import ApiError, bad_request, not_built

if TYPE_CHECKING:
    from local.workspace.core.context import Workspace
    from local.workspace.core.store import Document


def run_as_name(workspace: Workspace, settings: Document, path: str = "") -> str | None:
    """Returns the name of the principal in `run_as`; None where there is no `run_as`: then the creator is meant.

    Args:
        workspace: The workspace, whose directory has the principal.
        settings: Settings of a job or a pipeline.
        path: Place of the settings in the request, for messages.

    Raises:
        ApiError: There is no such principal, or `run_as` names none or several.
    """
    run_as = settings.get("run_as")
    if run_as is None:
        return None
    if "group_name" in run_as:
        raise not_built(f"{path}run_as.group_name")
    names = [run_as[field] for field in ("user_name", "service_principal_name") if run_as.get(field)]
    if len(names) != 1:
        raise bad_request(f"{path}run_as must have either user_name or service_principal_name")
    try:
        return workspace.principal(names[0]).name
    except ApiError as error:
        raise bad_request(f"{path}run_as: {error.message}") from error
