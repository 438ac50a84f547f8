"""Who may do what with a securable."""

from typing import Annotated, Any

from databricks.sdk.service import catalog
from fastapi import APIRouter, Depends

from local.workspace.core.context import Here, Workspace
from local.workspace.core.errors import bad_request
from local.workspace.core.requests import body
from local.workspace.core.store import Document

from . import models, namespaces
from .securables import UC, check_owner, find, missing

router = APIRouter()

# Unity Catalog's privileges by securable; those of a securable may be granted on what contains it as well.
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
_PRIVILEGES = {
    "metastore": _METASTORE,
    "catalog": _CATALOG,
    "schema": _SCHEMA,
    "table": _TABLE,
    "volume": _VOLUME,
    "function": _FUNCTION,  # a registered model is one
}


@router.get(f"{UC}/permissions/{{kind}}/{{full_name}}")
def get(kind: str, full_name: str, here: Here, principal: str = "") -> Document:
    return _shown(_granted(here, _key(here, kind, full_name)), principal)


@router.patch(f"{UC}/permissions/{{kind}}/{{full_name}}")
def update(
    kind: str, full_name: str, sent: Annotated[dict[str, Any], Depends(body(catalog.GrantsAPI.update))], here: Here
) -> Document:
    key = _key(here, kind, full_name)
    allowed = _PRIVILEGES[kind.lower()]
    with here.store.transaction():
        granted = _granted(here, key)
        for change in sent.get("changes", []):
            wrong = sorted({*change.get("add", [])} - allowed)
            if wrong:
                known = ", ".join(sorted(allowed))
                raise bad_request(f"Privilege {wrong[0]} is not applicable to a {kind.lower()}; applicable: {known}")
            name = change["principal"]
            if change.get("add"):
                check_owner(here, name)
            kept = [privilege for privilege in granted.pop(name, []) if privilege not in change.get("remove", [])]
            kept += [privilege for privilege in change.get("add", []) if privilege not in kept]
            if kept:
                granted[name] = kept
        here.store.put("uc_grants", key, granted)
    return {} if sent.get("omit_permissions_in_response") else _shown(granted)


def _key(here: Workspace, kind: str, full_name: str) -> str:
    kind, full_name = kind.lower(), full_name.lower()
    if kind in ("catalog", "schema", "volume"):
        find(here, kind, full_name)
    elif kind == "table":
        if not namespaces.has_table(here, full_name):
            raise missing(kind, full_name)
    elif kind == "function":
        models.find(here, full_name)
    elif kind == "metastore":
        if full_name != here.metastore_id:
            raise missing(kind, full_name)
    else:
        raise bad_request(f"securable type {kind!r}; the local workspace has: {', '.join(sorted(_PRIVILEGES))}")
    return f"{kind}/{full_name}"


def _granted(here: Workspace, key: str) -> dict[str, list[str]]:
    return here.store.get("uc_grants", key) or {}


def _shown(granted: dict[str, list[str]], principal: str = "") -> Document:
    return {
        "privilege_assignments": [
            {"principal": name, "privileges": privileges}
            for name, privileges in granted.items()
            if principal in ("", name)
        ]
    }
