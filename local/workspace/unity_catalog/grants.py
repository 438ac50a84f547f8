"""Grants on securables."""

from typing import Annotated, Any

from databricks.sdk.service import catalog
from fastapi import APIRouter

from local.workspace.core.context import Caller, Workspace, WorkspaceDep
from local.workspace.core.errors import bad_request
from local.workspace.core.requests import body
from local.workspace.core.store import Document, DocumentKind
from local.workspace.unity_catalog import model_store, namespaces
from local.workspace.unity_catalog.access import check_manage, granted
from local.workspace.unity_catalog.cloud_documents import CREDENTIALS, LOCATIONS
from local.workspace.unity_catalog.credentials import storage_credential
from local.workspace.unity_catalog.documents import CATALOGS, FUNCTIONS, GRANTS, SCHEMAS, VIEWS, VOLUMES
from local.workspace.unity_catalog.securables import UC, check_owner, find, missing

router = APIRouter()

# Unity Catalog's privileges by securable; those of a securable can also be granted on its parents.
_TABLE = {"ALL_PRIVILEGES", "APPLY_TAG", "MANAGE", "MODIFY", "SELECT"}
_VOLUME = {"ALL_PRIVILEGES", "APPLY_TAG", "MANAGE", "READ_VOLUME", "WRITE_VOLUME"}
_FUNCTION = {"ALL_PRIVILEGES", "APPLY_TAG", "CREATE_MODEL_VERSION", "EXECUTE", "MANAGE"}
_CREATE = {"CREATE_FUNCTION", "CREATE_MATERIALIZED_VIEW", "CREATE_MODEL", "CREATE_TABLE", "CREATE_VOLUME"}
_SCHEMA = _TABLE | _VOLUME | _FUNCTION | _CREATE | {"EXTERNAL_USE_SCHEMA", "REFRESH", "USE_SCHEMA"}
_CATALOG = _SCHEMA | {"BROWSE", "CREATE_SCHEMA", "USE_CATALOG"}
_METASTORE = {
    "CREATE_CATALOG",
    "CREATE_CONNECTION",
    "CREATE_EXTERNAL_LOCATION",
    "CREATE_SERVICE_CREDENTIAL",
    "CREATE_STORAGE_CREDENTIAL",
    "MANAGE_ALLOWLIST",
}
_FILES = {"ALL_PRIVILEGES", "CREATE_EXTERNAL_TABLE", "MANAGE", "READ_FILES", "WRITE_FILES"}
_SERVICE_CREDENTIAL = {"ACCESS", "ALL_PRIVILEGES", "CREATE_CONNECTION", "MANAGE"}
_PRIVILEGES = {
    "metastore": _METASTORE,
    "storage_credential": _FILES | {"CREATE_EXTERNAL_LOCATION"},
    "credential": _SERVICE_CREDENTIAL | _FILES | {"CREATE_EXTERNAL_LOCATION"},  # of either purpose
    "external_location": _FILES | {"BROWSE", "CREATE_EXTERNAL_VOLUME", "CREATE_MANAGED_STORAGE"},
    "catalog": _CATALOG,
    "schema": _SCHEMA,
    "table": _TABLE,
    "volume": _VOLUME,
    "function": _FUNCTION,  # a registered model is one
}

_FOUND: dict[str, DocumentKind[Any]] = {
    "catalog": CATALOGS,
    "credential": CREDENTIALS,
    "external_location": LOCATIONS,
    "schema": SCHEMAS,
    "volume": VOLUMES,
}


@router.get(f"{UC}/permissions/{{kind}}/{{full_name}}")
def get(kind: str, full_name: str, workspace: WorkspaceDep, principal: str = "") -> Document:
    """Returns the grants on a securable."""
    return _shown(granted(workspace, *place(workspace, kind, full_name)), principal)


@router.patch(f"{UC}/permissions/{{kind}}/{{full_name}}")
def update(
    kind: str,
    full_name: str,
    request: Annotated[Document, body(catalog.GrantsAPI.update)],
    workspace: WorkspaceDep,
    caller: Caller,
) -> Document:
    """Changes the grants on a securable."""
    found = place(workspace, kind, full_name)
    check_manage(workspace, caller, *found)
    allowed = _PRIVILEGES[kind.lower()]
    with workspace.store.transaction():
        held = granted(workspace, *found)
        for change in request.get("changes", []):
            wrong = sorted({*change.get("add", [])} - allowed)
            if wrong:
                known = ", ".join(sorted(allowed))
                raise bad_request(f"Privilege {wrong[0]} is not applicable to a {kind.lower()}; applicable: {known}")
            name = change["principal"]
            if change.get("add"):
                check_owner(workspace, name)
            kept = [privilege for privilege in held.pop(name, []) if privilege not in change.get("remove", [])]
            kept += [privilege for privilege in change.get("add", []) if privilege not in kept]
            if kept:
                held[name] = kept
        workspace.store.put(GRANTS, "/".join(found), held)
    return {} if request.get("omit_permissions_in_response") else _shown(held)


def place(workspace: Workspace, kind: str, full_name: str) -> tuple[str, str]:
    """Returns the kind and the name of a securable in the form of the store; raises ApiError where there is none."""
    kind, full_name = kind.lower(), full_name.lower()
    if kind in _FOUND:
        find(workspace, _FOUND[kind], full_name)
    elif kind == "storage_credential":
        storage_credential(workspace, full_name)
        kind = "credential"  # of which it is one
    elif kind == "table":
        if not workspace.store.get(VIEWS, full_name) and not namespaces.has_table(workspace, full_name):
            raise missing(kind, full_name)
    elif kind == "function":
        if not workspace.store.get(FUNCTIONS, full_name):
            model_store.find(workspace, full_name)
    elif kind == "metastore":
        if full_name != workspace.metastore_id:
            raise missing(kind, full_name)
    else:
        raise bad_request(f"securable type {kind!r}; the local workspace has: {', '.join(sorted(_PRIVILEGES))}")
    return kind, full_name


def _shown(held: dict[str, list[str]], principal: str = "") -> Document:
    return {
        "privilege_assignments": [
            {"principal": name, "privileges": privileges}
            for name, privileges in held.items()
            if principal in ("", name)
        ]
    }
