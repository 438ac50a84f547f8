"""The principal that jobs and pipelines run as."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local.workspace.core.errors import ApiError, bad_request, not_built, permission_denied
from local.workspace.identity import rule_sets

if TYPE_CHECKING:
    from local.workspace.core.context import Principal, Workspace
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


def check_run_as(
    workspace: Workspace, caller: Principal, settings: Document, path: str = "", *, any_user: bool = False
) -> None:
    """Refuses a `run_as` that the caller may not set; `run_as_name` has checked that its principal exists.

    Source: databricks-sdk, `JobRunAs` of jobs and `RunAs` of pipelines.

    Args:
        workspace: The workspace, whose rule sets say who may run what as a service principal.
        caller: Who sets it; an administrator needs the role as well.
        settings: The settings that the request has.
        path: Place of the settings in the request, for messages.
        any_user: Whether the caller may choose any user, and not only itself.

    Raises:
        ApiError: A 403.
    """
    run_as = settings.get("run_as") or {}
    user, service_principal = run_as.get("user_name"), run_as.get("service_principal_name")
    if user and not any_user and user != caller.name:
        raise permission_denied(f"{path}run_as.user_name is {user!r}; {caller.name} may set only its own name")
    if service_principal and not rule_sets.may_use(workspace, caller, service_principal):
        raise permission_denied(
            f"{path}run_as.service_principal_name: {caller.name} lacks the role servicePrincipal.user on "
            f"{service_principal}; its manager grants the role by the rule set of this service principal"
        )
