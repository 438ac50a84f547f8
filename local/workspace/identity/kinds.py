"""The kinds of principals: how the store, SCIM, permissions and rule sets call them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from databricks.sdk.service import iam

from local.workspace.core import documents

if TYPE_CHECKING:
    from local.workspace.core.context import Workspace
    from local.workspace.core.store import Document, DocumentKind

Collection = Literal["Users", "Groups", "ServicePrincipals"]
_SCHEMA = "urn:ietf:params:scim:schemas:core:2.0"


@dataclass(frozen=True)
class Kind:
    """One kind of principal.

    Attributes:
        collection: Name of its SCIM collection.
        documents: Kind in the store; code for all kinds of principals reads fields by their names in SCIM.
        sdk: Dataclass of a SCIM request.
        words: How messages call one of them.
        unique: SCIM attribute that no two share: the name in all other APIs.
        field: Field for the name in permissions and assignments.
        path: What precedes the name in a rule.
    """

    collection: Collection
    documents: DocumentKind[Any]
    sdk: type
    words: str
    unique: str
    field: str
    path: str

    @property
    def schema(self) -> str:
        """SCIM schema of an answer."""
        return f"{_SCHEMA}:{self.sdk.__name__}"

    def named(self, workspace: Workspace, name: str) -> tuple[str, Document] | None:
        """Returns the id and the document of the principal of this name, or None; the case of users does not count."""
        name = name.lower() if self.documents == "users" else name
        return next((item for item in workspace.store.items(self.documents) if item[1][self.unique] == name), None)

    def seen(self, workspace: Workspace, name: str) -> tuple[str, Document] | None:
        """Returns what `named` does, or None for a principal so new that other services do not see it yet."""
        found = self.named(workspace, name)
        return found if found and workspace.sees(found[0]) else None


USERS = Kind("Users", documents.USERS, iam.User, "User with username", "userName", "user_name", "users")
GROUPS = Kind("Groups", documents.GROUPS, iam.Group, "Group with name", "displayName", "group_name", "groups")
SERVICE_PRINCIPALS = Kind(
    "ServicePrincipals",
    documents.SERVICE_PRINCIPALS,
    iam.ServicePrincipal,
    "Service principal with application ID",
    "applicationId",
    "service_principal_name",
    "servicePrincipals",
)
KINDS = (USERS, GROUPS, SERVICE_PRINCIPALS)
BY_COLLECTION: dict[Collection, Kind] = {kind.collection: kind for kind in KINDS}


def by_id(workspace: Workspace, identifier: str) -> tuple[Kind, Document] | None:
    """Returns the kind and the document of a principal by its id, or None."""
    for kind in KINDS:
        document = workspace.store.get(kind.documents, identifier)
        if document is not None:
            return kind, document
    return None
