"""Effective grants: those on a securable, and those that it inherits from what contains it."""

from fastapi import APIRouter

from local.workspace.core.context import WorkspaceDep
from local.workspace.core.paging import page
from local.workspace.core.store import Document
from local.workspace.unity_catalog import grants
from local.workspace.unity_catalog.access import containers, granted
from local.workspace.unity_catalog.securables import PAGE, UC

router = APIRouter()
_WITHIN_OTHERS = ("schema", "table", "volume", "function")


@router.get(f"{UC}/effective-permissions/{{kind}}/{{full_name}}")
def get(
    kind: str, full_name: str, workspace: WorkspaceDep, principal: str = "", max_results: int = 0, page_token: str = ""
) -> Document:
    """Returns the effective grants on a securable; each inherited one says where it was granted."""
    found, name = grants.place(workspace, kind, full_name)
    effective: dict[str, list[Document]] = {}
    for place, place_name in [(found, name), *(containers(name) if found in _WITHIN_OTHERS else [])]:
        origin = {} if place_name == name else {"inherited_from_type": place.upper(), "inherited_from_name": place_name}
        for grantee, privileges in granted(workspace, place, place_name).items():
            if principal in ("", grantee):
                effective.setdefault(grantee, []).extend({"privilege": item, **origin} for item in privileges)
    assignments = [{"principal": grantee, "privileges": items} for grantee, items in effective.items()]
    return page(assignments, "privilege_assignments", max_results or PAGE, page_token, most=PAGE)
