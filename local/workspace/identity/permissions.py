"""Who may do what with an object of the workspace (`/api/2.0/permissions`)."""

from dataclasses import dataclass
from typing import Annotated, Any

from databricks.sdk.service import iam
from fastapi import APIRouter, Depends

from local.workspace.core.context import ADMIN, Here, Workspace
from local.workspace.core.errors import ApiError, bad_request, not_found
from local.workspace.core.requests import body
from local.workspace.core.store import Document

router = APIRouter()
_OBJECT = "/api/2.0/permissions/{kind:path}/{identifier}"
_NAMES = ("user_name", "group_name", "service_principal_name")


@dataclass(frozen=True)
class _Kind:
    """One type of object.

    Attributes:
        object_type: How answers call it.
        documents: Its kind in the store.
        levels: Permission levels that it knows, lowest first.
    """

    object_type: str
    documents: str
    levels: tuple[str, ...]

    @property
    def owned(self) -> bool:
        return "IS_OWNER" in self.levels


_FILE_LEVELS = ("CAN_READ", "CAN_RUN", "CAN_EDIT", "CAN_MANAGE")
_WAREHOUSE = _Kind("warehouses", "warehouses", ("CAN_VIEW", "CAN_USE", "CAN_MONITOR", "CAN_MANAGE", "IS_OWNER"))
_KINDS = {
    "cluster-policies": _Kind("cluster-policy", "cluster_policies", ("CAN_USE",)),
    "clusters": _Kind("cluster", "clusters", ("CAN_ATTACH_TO", "CAN_RESTART", "CAN_MANAGE")),
    "dashboards": _Kind("dashboard", "dashboards", _FILE_LEVELS),
    "directories": _Kind("directory", "workspace_objects", _FILE_LEVELS),
    "experiments": _Kind("mlflowExperiment", "workspace_objects", ("CAN_READ", "CAN_EDIT", "CAN_MANAGE")),
    "files": _Kind("file", "workspace_objects", _FILE_LEVELS),
    "jobs": _Kind("job", "jobs", ("CAN_VIEW", "CAN_MANAGE_RUN", "CAN_MANAGE", "IS_OWNER")),
    "pipelines": _Kind("pipelines", "pipelines", ("CAN_VIEW", "CAN_RUN", "CAN_MANAGE", "IS_OWNER")),
    "serving-endpoints": _Kind("serving-endpoint", "serving_endpoints", ("CAN_VIEW", "CAN_QUERY", "CAN_MANAGE")),
    "sql/warehouses": _WAREHOUSE,
    "warehouses": _WAREHOUSE,
}


@router.get(_OBJECT)
def get(kind: str, identifier: str, here: Here) -> Document:
    return _shown(kind, identifier, _current(here, kind, identifier))


@router.put(_OBJECT)
def replace(
    kind: str,
    identifier: str,
    sent: Annotated[dict[str, Any], Depends(body(iam.PermissionsAPI.set))],
    here: Here,
) -> Document:
    with here.store.transaction():
        old = _current(here, kind, identifier)
        return _write(here, kind, identifier, old, sent.get("access_control_list", []))


@router.patch(_OBJECT)
def update(
    kind: str,
    identifier: str,
    sent: Annotated[dict[str, Any], Depends(body(iam.PermissionsAPI.update))],
    here: Here,
) -> Document:
    with here.store.transaction():
        old = _current(here, kind, identifier)
        added = sent.get("access_control_list", [])
        named = [_who(here, entry) for entry in added]
        owner_given = any(entry.get("permission_level") == "IS_OWNER" for entry in added)
        kept = [
            entry
            for entry in old
            if _who(here, entry) not in named and not (owner_given and entry["permission_level"] == "IS_OWNER")
        ]
        return _write(here, kind, identifier, old, kept + added)


def _write(here: Workspace, kind: str, identifier: str, old: list[Document], new: list[Document]) -> Document:
    levels = _KINDS[kind].levels
    for index, entry in enumerate(new):
        _who(here, entry)
        if entry.get("permission_level") not in levels:
            level = entry.get("permission_level")
            where = f"access_control_list[{index}].permission_level"
            raise bad_request(f"{where} is {level!r}; allowed for {kind}: {', '.join(levels)}")
    owners = [entry for entry in new if entry["permission_level"] == "IS_OWNER"]
    if len(owners) > 1 or any("group_name" in owner for owner in owners):
        raise bad_request(f"{kind} {identifier} must have exactly one owner, a user or service principal")
    if _KINDS[kind].owned and not owners:
        new = new + [entry for entry in old if entry["permission_level"] == "IS_OWNER"]
    here.store.put("permissions", f"{_KINDS[kind].documents}/{identifier}", {"access_control_list": new})
    return _shown(kind, identifier, new)


def _current(here: Workspace, kind: str, identifier: str) -> list[Document]:
    """Direct permissions of an object; raises ApiError where it does not exist."""
    if kind not in _KINDS:
        message = f"permissions of {kind}; the local workspace has those of: {', '.join(sorted(_KINDS))}"
        raise ApiError(501, "NOT_IMPLEMENTED", message)
    documents = _KINDS[kind].documents
    found = next(
        (
            document
            for key, document in here.store.items(documents)
            if identifier in (key, *(str(document.get(name)) for name in ("id", "object_id", "resource_id")))
        ),
        None,
    )
    if found is None:
        raise not_found(f"{kind} {identifier} does not exist.")
    set_here = here.store.get("permissions", f"{documents}/{identifier}")
    if set_here is not None:
        entries: list[Document] = set_here["access_control_list"]
        return entries
    creator = found.get("creator_user_name") or found.get("creator_name") or found.get("creator") or ADMIN
    if kind == "cluster-policies":
        return []
    return [_named(here, creator) | {"permission_level": "IS_OWNER" if _KINDS[kind].owned else "CAN_MANAGE"}]


def _named(here: Workspace, name: str) -> Document:
    kind = here.principal(name).kind
    return {"user_name" if kind == "user" else "service_principal_name": name}


def _who(here: Workspace, entry: Document) -> tuple[str, str]:
    """Whom an entry is about; raises ApiError unless exactly one is named and exists."""
    named = [(field, entry[field]) for field in _NAMES if entry.get(field)]
    if len(named) != 1:
        raise bad_request(f"access_control_list: give exactly one of {', '.join(_NAMES)}")
    field, name = named[0]
    if field == "group_name":
        if not any(group["displayName"] == name for _, group in here.store.items("groups")):
            raise not_found(f"Principal: GroupName({name}) does not exist")
    elif here.principal(name).kind != ("user" if field == "user_name" else "service_principal"):
        raise not_found(f"Principal: {field} {name} does not exist")
    return named[0]


def _shown(kind: str, identifier: str, entries: list[Document]) -> Document:
    listed: dict[tuple[str, str], list[Document]] = {}
    for entry in entries:
        who = next((field, entry[field]) for field in _NAMES if entry.get(field))
        listed.setdefault(who, []).append({"permission_level": entry["permission_level"], "inherited": False})
    if "CAN_MANAGE" in _KINDS[kind].levels:
        inherited = {"permission_level": "CAN_MANAGE", "inherited": True, "inherited_from_object": [f"/{kind}/"]}
        listed.setdefault(("group_name", "admins"), []).append(inherited)
    return {
        "object_id": f"/{kind}/{identifier}",
        "object_type": _KINDS[kind].object_type,
        "access_control_list": [
            {field: name, "display_name": name, "all_permissions": permissions}
            for (field, name), permissions in listed.items()
        ],
    }
