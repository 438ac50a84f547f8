"""Who reads: the identity whose rights and policies count, and the user of the session."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from local.workspace.core.errors import ApiError
from local.workspace.unity_catalog import access

if TYPE_CHECKING:
    from local.workspace.authorisation.scope import Scope
    from local.workspace.core.context import Principal, Workspace


@dataclass(frozen=True)
class Reader:
    """Who reads.

    Attributes:
        workspace: The workspace.
        user: Who sent the statement: what `current_user()` says.
        groups: Names of the user's groups.
        names: The name and the groups whose rights and policies count: the user's, and inside a view or a function
            those of its owner, which may be a group.
        scope: Catalog and schema of names without them.
    """

    workspace: Workspace
    user: Principal
    groups: frozenset[str]
    names: frozenset[str]
    scope: Scope

    @classmethod
    def of(cls, workspace: Workspace, user: Principal, scope: Scope) -> Reader:
        """Returns the reader that a user is."""
        groups = frozenset(workspace.groups_of(user.id))
        return cls(workspace, user, groups, frozenset(access.names_of(workspace, user)), scope)

    def as_owner(self, owner: str, scope: Scope) -> Reader:
        """Returns the reader inside of a view or a function that `owner` owns."""
        try:
            names = frozenset(access.names_of(self.workspace, self.workspace.principal(owner)))
        except ApiError:  # a group, or a principal that is gone
            names = frozenset({owner, "account users"})
        return replace(self, names=names, scope=scope)

    def check(self, kind: str, full_name: str, privilege: str) -> None:
        """Refuses a reader who may not use a privilege on an object.

        Raises:
            ApiError: A 403 in the words of SQL.
        """
        missing = access.lacking(self.workspace, self.names, kind, full_name, privilege)
        if missing:
            raise insufficient(missing)

    def holds(self, kind: str, full_name: str, privilege: str) -> bool:
        """Whether the reader may use a privilege on an object."""
        return access.lacking(self.workspace, self.names, kind, full_name, privilege) is None


def insufficient(message: str) -> ApiError:
    """Returns the error of SQL for a right that is missing."""
    text = f"[INSUFFICIENT_PERMISSIONS] Insufficient privileges: {message.rstrip('.')}. SQLSTATE: 42501"
    return ApiError(403, "PERMISSION_DENIED", text)
