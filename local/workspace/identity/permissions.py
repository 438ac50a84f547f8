"""Permissions on objects of the workspace (`/api/2.0/permissions`)."""

from dataclasses import dataclass
from typing import Annotated, Any

from databricks.sdk.service import iam
from fastapi import APIRouter

from local.workspace.alerts.documents import ALERTS
from local.workspace.compute.documents import CLUSTERS, POLICIES, WAREHOUSES
from local.workspace.core.context import ADMIN, Workspace, WorkspaceDep
from local.workspace.core.errors import bad_request, not_built, not_found
from local.workspace.core.requests import body
from local.workspace.core.store import Document, DocumentKind
from local.workspace.dashboards.documents import DASHBOARDS
from local.workspace.files.documents import OBJECTS
from local.workspace.identity.documents import PERMISSIONS, PermissionsDocument
from local.workspace.identity.kinds import KINDS
from local.workspace.jobs.documents import JOBS
from local.workspace.lakebase.documents import PROJECTS
from local.workspace.pipelines.documents import PIPELINES
from local.workspace.serving.documents import ENDPOINTS

router = APIRouter()
_OBJECT = "/api/2.0/permissions/{kind:path}/{identifier}"
_NAMES = tuple(kind.field for kind in KINDS)


@dataclass(frozen=True)
class _Kind:
    """One type of object.

    Attributes:
        object_type: Its name in answers.
        documents: Its kind in the store.
        levels: Its permission levels, lowest first.
    """

    object_type: str
    documents: DocumentKind[Any]
    levels: tuple[str, ...]

    @property
    def owned(self) -> bool:
        """Whether an object of this type has an owner."""
        return "IS_OWNER" in self.levels


_IDS = ("id", "object_id", "resource_id", "project_id")  # fields by which a document of some kind is known
_FILE_LEVELS = ("CAN_READ", "CAN_RUN", "CAN_EDIT", "CAN_MANAGE")
_WAREHOUSE = _Kind("warehouses", WAREHOUSES, ("CAN_VIEW", "CAN_USE", "CAN_MONITOR", "CAN_MANAGE", "IS_OWNER"))
_KINDS = {
    "alertsv2": _Kind("alertv2", ALERTS, _FILE_LEVELS),
    "cluster-policies": _Kind("cluster-policy", POLICIES, ("CAN_USE",)),
    "clusters": _Kind("cluster", CLUSTERS, ("CAN_ATTACH_TO", "CAN_RESTART", "CAN_MANAGE")),
    "dashboards": _Kind("dashboard", DASHBOARDS, _FILE_LEVELS),
    "database-projects": _Kind("database-projects", PROJECTS, ("CAN_USE", "CAN_MANAGE")),
    "directories": _Kind("directory", OBJECTS, _FILE_LEVELS),
    "experiments": _Kind("mlflowExperiment", OBJECTS, ("CAN_READ", "CAN_EDIT", "CAN_MANAGE")),
    "files": _Kind("file", OBJECTS, _FILE_LEVELS),
    "jobs": _Kind("job", JOBS, ("CAN_VIEW", "CAN_MANAGE_RUN", "CAN_MANAGE", "IS_OWNER")),
    "pipelines": _Kind("pipelines", PIPELINES, ("CAN_VIEW", "CAN_RUN", "CAN_MANAGE", "IS_OWNER")),
    "serving-endpoints": _Kind("serving-endpoint", ENDPOINTS, ("CAN_VIEW", "CAN_QUERY", "CAN_MANAGE")),
    "sql/warehouses": _WAREHOUSE,
    "warehouses": _WAREHOUSE,
}


@router.get(_OBJECT)
def get(kind: str, identifier: str, workspace: WorkspaceDep) -> Document:
    """Returns the permissions on an object."""
    return _shown(kind, identifier, _current(workspace, kind, identifier))


@router.put(_OBJECT)
def replace(
    kind: str,
    identifier: str,
    request: Annotated[Document, body(iam.PermissionsAPI.set)],
    workspace: WorkspaceDep,
) -> Document:
    """Replaces the permissions on an object."""
    with workspace.store.transaction():
        old = _current(workspace, kind, identifier)
        return _write(workspace, kind, identifier, old, _entries(workspace, request))


@router.patch(_OBJECT)
def update(
    kind: str,
    identifier: str,
    request: Annotated[Document, body(iam.PermissionsAPI.update)],
    workspace: WorkspaceDep,
) -> Document:
    """Adds permissions on an object."""
    with workspace.store.transaction():
        old = _current(workspace, kind, identifier)
        added = _entries(workspace, request)
        named = [_principal(workspace, entry) for entry in added]
        owner_changes = any(entry.get("permission_level") == "IS_OWNER" for entry in added)
        kept = [
            entry
            for entry in old
            if _principal(workspace, entry) not in named
            and not (owner_changes and entry["permission_level"] == "IS_OWNER")
        ]
        return _write(workspace, kind, identifier, old, kept + added)


def _entries(workspace: Workspace, request: Document) -> list[Document]:
    """The entries of a request; the provider names a service principal that owns something as a user, and may."""
    entries: list[Document] = request.get("access_control_list", [])
    return [
        {name: value for name, value in entry.items() if name != "user_name"} | _named(workspace, entry["user_name"])
        if entry.get("user_name") and workspace.principal(entry["user_name"]).kind == "service_principal"
        else entry
        for entry in entries
    ]


def _write(workspace: Workspace, kind: str, identifier: str, old: list[Document], new: list[Document]) -> Document:
    levels = _KINDS[kind].levels
    for index, entry in enumerate(new):
        _principal(workspace, entry)
        if entry.get("permission_level") not in levels:
            level = entry.get("permission_level")
            where = f"access_control_list[{index}].permission_level"
            raise bad_request(f"{where} is {level!r}; allowed for {kind}: {', '.join(levels)}")
    owners = [entry for entry in new if entry["permission_level"] == "IS_OWNER"]
    if len(owners) > 1 or any("group_name" in owner for owner in owners):
        raise bad_request(f"{kind} {identifier} must have exactly one owner, a user or service principal")
    if _KINDS[kind].owned and not owners:
        new = new + [entry for entry in old if entry["permission_level"] == "IS_OWNER"]
    workspace.store.put(
        PERMISSIONS, f"{_KINDS[kind].documents}/{identifier}", PermissionsDocument(access_control_list=new)
    )
    return _shown(kind, identifier, new)


def _current(workspace: Workspace, kind: str, identifier: str) -> list[Document]:
    """Direct permissions of an object; raises ApiError where it does not exist."""
    if kind not in _KINDS:
        raise not_built(f"permissions of {kind} (there are those of: {', '.join(sorted(_KINDS))})")
    documents = _KINDS[kind].documents
    document = next(
        (
            document
            for key, document in workspace.store.items(documents)
            if identifier
            in (key, *(str(document.get(name)) for name in ("id", "object_id", "resource_id", "project_id")))
        ),
        None,
    )
    if document is None:
        raise not_found(f"{kind} {identifier} does not exist.")
    stored = workspace.store.get(PERMISSIONS, f"{documents}/{identifier}")
    if stored is not None:
        return stored["access_control_list"]
    creator = (
        document.get("creator_user_name")
        or document.get("creator_name")
        or document.get("creator")
        or document.get("owner_user_name")
        or ADMIN
    )
    if kind == "cluster-policies":
        return []
    return [_named(workspace, creator) | {"permission_level": "IS_OWNER" if _KINDS[kind].owned else "CAN_MANAGE"}]


def _named(workspace: Workspace, name: str) -> Document:
    kind = workspace.principal(name).kind
    return {"user_name" if kind == "user" else "service_principal_name": name}


def _principal(workspace: Workspace, entry: Document) -> tuple[str, str]:
    """Field and name of an entry's principal; raises ApiError unless exactly one is named and exists."""
    named = [(field, entry[field]) for field in _NAMES if entry.get(field)]
    if len(named) != 1:
        raise bad_request(f"access_control_list: give exactly one of {', '.join(_NAMES)}")
    field, name = named[0]
    if field == "group_name":
        if not workspace.has_group(name):
            raise not_found(f"Principal: GroupName({name}) does not exist")
    elif workspace.principal(name).kind != ("user" if field == "user_name" else "service_principal"):
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
