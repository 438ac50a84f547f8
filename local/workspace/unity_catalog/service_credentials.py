"""Use of service credentials: what Spark asks before a source or sink takes one. On Databricks this has no route."""

from fastapi import APIRouter

from local.workspace.core.context import Caller, WorkspaceDep
from local.workspace.core.errors import ApiError, bad_request, permission_denied
from local.workspace.core.store import Document
from local.workspace.unity_catalog.access import holds
from local.workspace.unity_catalog.cloud_documents import CREDENTIALS
from local.workspace.unity_catalog.securables import find

router = APIRouter()


@router.get("/local/service-credentials/{name}/access")
def access(name: str, principal: str, workspace: WorkspaceDep, caller: Caller) -> Document:
    """Refuses where a principal may not use a service credential.

    Raises:
        ApiError: There is no such credential, it is one for storage, the principal lacks ACCESS, or the caller is no
            administrator.
    """
    if not caller.admin:
        raise permission_denied(f"User '{caller.name}' is not an administrator.")
    credential = find(workspace, CREDENTIALS, name)
    if credential["purpose"] != "SERVICE":
        raise bad_request(f"Credential '{name}' has purpose {credential['purpose']}; a service credential is needed.")
    try:
        user = workspace.principal(principal)
    except ApiError as error:
        raise permission_denied(f"the session's user {principal!r} is no active principal of the workspace") from error
    if not holds(workspace, user, "credential", credential["name"], "ACCESS"):
        raise permission_denied(f"User '{principal}' does not have ACCESS on Service Credential '{name}'.")
    return {}
