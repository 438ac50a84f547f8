"""Credentials: IAM roles by which Unity Catalog reaches storage and services of the cloud.

Storage credentials have routes of their own and stand among the credentials too. That the role exists and trusts Unity
Catalog is not asked of AWS.
"""

import re
import uuid
from typing import Annotated

from databricks.sdk.service import catalog
from fastapi import APIRouter

from local.workspace.core.context import ACCOUNT_ID, Caller, Principal, Workspace, WorkspaceDep
from local.workspace.core.errors import bad_request, not_built
from local.workspace.core.paging import page
from local.workspace.core.requests import body
from local.workspace.core.store import Document
from local.workspace.unity_catalog.access import check_create, check_privilege
from local.workspace.unity_catalog.cloud_documents import CREDENTIALS, LOCATIONS, CredentialDocument, Purpose
from local.workspace.unity_catalog.securables import (
    PAGE,
    UC,
    change,
    changing,
    created,
    exists,
    find,
    forget,
    missing,
    named,
)

router = APIRouter()

# Databricks' own role, which the trust policy of a credential's role has to name.
UNITY_CATALOG_ROLE = "arn:aws:iam::414351767826:role/unity-catalog-prod-UCMasterRole-14S5ZJVKOTYTL"
_ROLE = re.compile(r"arn:aws:iam::\d{12}:role/[\w+=,.@/-]+")
_IDENTITIES = (
    "azure_managed_identity",
    "azure_service_principal",
    "cloudflare_api_token",
    "databricks_gcp_service_account",
)


@router.post(f"{UC}/storage-credentials")
def create_storage(
    request: Annotated[Document, body(catalog.StorageCredentialsAPI.create)], workspace: WorkspaceDep, caller: Caller
) -> Document:
    """Creates a storage credential."""
    return _of_storage(_add(workspace, caller, request, "STORAGE"))


@router.get(f"{UC}/storage-credentials")
def list_storage(
    workspace: WorkspaceDep, max_results: int = 0, page_token: str = "", include_unbound: bool = False
) -> Document:
    """Returns all storage credentials; none of them is bound to other workspaces alone."""
    del include_unbound
    shown = [_of_storage(document) for document in _all(workspace, "STORAGE")]
    return page(shown, "storage_credentials", max_results or PAGE, page_token, most=PAGE)


@router.get(f"{UC}/storage-credentials/{{name}}")
def get_storage(name: str, workspace: WorkspaceDep) -> Document:
    """Returns a storage credential."""
    return _of_storage(storage_credential(workspace, name))


@router.patch(f"{UC}/storage-credentials/{{name}}")
def update_storage(
    name: str,
    request: Annotated[Document, body(catalog.StorageCredentialsAPI.update)],
    workspace: WorkspaceDep,
    caller: Caller,
) -> Document:
    """Changes a storage credential."""
    storage_credential(workspace, name)
    return _of_storage(_change(workspace, caller, name, request))


@router.delete(f"{UC}/storage-credentials/{{name}}")
def delete_storage(name: str, workspace: WorkspaceDep, caller: Caller, force: bool = False) -> Document:
    """Deletes a storage credential."""
    storage_credential(workspace, name)
    return _remove(workspace, caller, name, force)


@router.post(f"{UC}/credentials")
def create(
    request: Annotated[Document, body(catalog.CredentialsAPI.create_credential)],
    workspace: WorkspaceDep,
    caller: Caller,
) -> Document:
    """Creates a credential."""
    if "purpose" not in request:
        raise bad_request("missing field purpose")
    return _shown(_add(workspace, caller, request, request["purpose"]))


@router.get(f"{UC}/credentials")
def list_all(
    workspace: WorkspaceDep,
    purpose: catalog.CredentialPurpose | None = None,
    max_results: int = 0,
    page_token: str = "",
    include_unbound: bool = False,
) -> Document:
    """Returns all credentials; none of them is bound to other workspaces alone."""
    del include_unbound
    shown = [_shown(document) for document in _all(workspace, purpose.value if purpose else None)]
    return page(shown, "credentials", max_results or PAGE, page_token, most=PAGE)


@router.get(f"{UC}/credentials/{{name}}")
def get(name: str, workspace: WorkspaceDep) -> Document:
    """Returns a credential."""
    return _shown(find(workspace, CREDENTIALS, name))


@router.patch(f"{UC}/credentials/{{name}}")
def update(
    name: str,
    request: Annotated[Document, body(catalog.CredentialsAPI.update_credential)],
    workspace: WorkspaceDep,
    caller: Caller,
) -> Document:
    """Changes a credential."""
    return _shown(_change(workspace, caller, name, request))


@router.delete(f"{UC}/credentials/{{name}}")
def delete(name: str, workspace: WorkspaceDep, caller: Caller, force: bool = False) -> Document:
    """Deletes a credential."""
    return _remove(workspace, caller, name, force)


def storage_credential(workspace: Workspace, name: str) -> CredentialDocument:
    """Returns a storage credential.

    Raises:
        ApiError: There is none of this name.
    """
    document = workspace.store.get(CREDENTIALS, name.lower())
    if document is None or document["purpose"] != "STORAGE":
        raise missing("storage_credential", name)
    return document


def _add(workspace: Workspace, caller: Principal, request: Document, purpose: Purpose) -> CredentialDocument:
    name = named(request["name"])
    role = _role(request)
    if role is None:
        raise bad_request("missing field aws_iam_role")
    if purpose == "SERVICE" and "read_only" in request:
        raise bad_request("read_only: only a credential with purpose STORAGE has it")
    request.pop("skip_validation", None)
    check_create(workspace, caller, "metastore", workspace.metastore_id, f"CREATE_{purpose}_CREDENTIAL")
    with changing:
        if workspace.store.get(CREDENTIALS, name):
            raise exists("credential", name)
        document: CredentialDocument = {
            **CREDENTIALS.document({"read_only": False} | request),
            **created(caller),
            "metastore_id": workspace.metastore_id,
            "id": str(uuid.uuid4()),
            "name": name,
            "full_name": name,
            "purpose": purpose,
            "aws_iam_role": role,
            "isolation_mode": "ISOLATION_MODE_OPEN",
            "used_for_managed_storage": False,
        }
        workspace.store.put(CREDENTIALS, name, document)
        return document


def _role(request: Document) -> Document | None:
    """The role of a request, with what Databricks adds; None if the request has none."""
    for identity in _IDENTITIES:
        if identity in request:
            raise not_built(f"{identity} of a credential")
    role = request.get("aws_iam_role")
    if role is None:
        return None
    if others := sorted(role.keys() - {"role_arn"}):
        raise bad_request(f"aws_iam_role.{others[0]}: Databricks says it; send role_arn alone")
    arn = role.get("role_arn", "")
    if not _ROLE.fullmatch(arn):
        raise bad_request(f"aws_iam_role.role_arn is {arn!r}: write arn:aws:iam::<account>:role/<name>")
    return {"role_arn": arn, "external_id": ACCOUNT_ID, "unity_catalog_iam_arn": UNITY_CATALOG_ROLE}


def _change(workspace: Workspace, caller: Principal, name: str, request: Document) -> CredentialDocument:
    request.pop("skip_validation", None)
    force, role = request.pop("force", False), _role(request)
    with changing:
        document = find(workspace, CREDENTIALS, name)
        if role is not None:
            request["aws_iam_role"] = role
            if role != document["aws_iam_role"] and not force:
                _check_unused(workspace, name, "its role cannot change")
        return change(workspace, caller, CREDENTIALS, name, request)


def _remove(workspace: Workspace, caller: Principal, name: str, force: bool) -> Document:
    with changing:
        name = find(workspace, CREDENTIALS, name)["name"]
        check_privilege(workspace, caller, "credential", name, "MANAGE")
        if not force:
            _check_unused(workspace, name, "it cannot be deleted")
        workspace.store.delete(CREDENTIALS, name)
        forget(workspace, "credential", name)
        return {}


def _check_unused(workspace: Workspace, name: str, refusal: str) -> None:
    """Raises ApiError where external locations use the credential."""
    locations = workspace.store.items(LOCATIONS)
    users = [key for key, location in locations if location["credential_name"] == name.lower()]
    if users:
        message = (
            f"Storage Credential '{name}' has {len(users)} dependent external location(s), so {refusal} without force"
        )
        raise bad_request(f"{message}: {', '.join(users)}", "INVALID_STATE")


def _all(workspace: Workspace, purpose: str | None) -> list[CredentialDocument]:
    documents = [document for _, document in workspace.store.items(CREDENTIALS)]
    return [document for document in documents if purpose in (None, document["purpose"])]


def _shown(document: CredentialDocument) -> Document:
    return {key: value for key, value in document.items() if key != "bindings"}


def _of_storage(document: CredentialDocument) -> Document:
    return {key: value for key, value in _shown(document).items() if key != "purpose"}
