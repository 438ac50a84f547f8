"""Effective grants: those on a securable, and those that it inherits."""

from fastapi import APIRouter

from local.workspace.core.context import WorkspaceDep
from local.workspace.core.errors import not_built
from local.workspace.core.paging import page
from local.workspace.core.store import Document
from local.workspace.unity_catalog import grants
from local.workspace.unity_catalog.securables import PAGE, UC

router = APIRouter()
_WITHIN_OTHERS = ("schema", "table", "volume", "function")


@router.get(f"{UC}/effective-permissions/{{kind}}/{{full_name}}")
def get(
    kind: str, full_name: str, workspace: WorkspaceDep, principal: str = "", max_results: int = 0, page_token: str = ""
) -> Document:
    """Returns the effective grants on a securable that lies in no other, so that none is inherited."""
    if kind.lower() in _WITHIN_OTHERS:
        raise not_built(f"effective permissions of a {kind.lower()}, which inherits those of its catalog")
    assignments = [
        {
            "principal": assignment["principal"],
            "privileges": [{"privilege": privilege} for privilege in assignment["privileges"]],
        }
        for assignment in grants.get(kind, full_name, workspace, principal)["privilege_assignments"]
    ]
    return page(assignments, "privilege_assignments", max_results or PAGE, page_token, most=PAGE)
