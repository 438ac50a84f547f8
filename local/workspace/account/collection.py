"""Collections of the account's objects: unique names, and no deletion of what is in use."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from local.workspace.core.clock import now_ms
from local.workspace.core.context import ACCOUNT_ID, Caller, Workspace
from local.workspace.core.errors import ApiError, already_exists, not_found, permission_denied
from local.workspace.core.store import Document, DocumentKind

ACCOUNT = "/api/2.0/accounts/{account_id}"

D = TypeVar("D", bound=Mapping[str, Any])


def account_administrator(account_id: str, caller: Caller) -> None:
    """Lets only administrators of this account pass; a FastAPI dependency.

    The local cloud has one directory, so that an administrator of the workspace administers the account as well.

    Raises:
        ApiError: The path has another account, or the caller is no administrator.
    """
    if account_id != ACCOUNT_ID:
        raise not_found(f"there is no account {account_id}, only {ACCOUNT_ID}")
    if not caller.admin:
        raise permission_denied(f"{caller.name} is not an administrator of account {account_id}")


@dataclass(frozen=True)
class Collection(Generic[D]):
    """Objects of one kind.

    Attributes:
        kind: Kind in the store.
        words: How messages call one of them.
        identifier: Field with its id.
        name: Field with its name, which no two share; None where they have no name.
        users: Kinds of documents that may refer to one by its id.
    """

    kind: DocumentKind[D]
    words: str
    identifier: str
    name: str | None
    users: tuple[DocumentKind[Any], ...] = ()

    def create(self, workspace: Workspace, request: Document, identifier: str = "") -> D:
        """Stores a new object, with an id and the time.

        Args:
            workspace: The workspace that keeps it.
            request: Its other fields.
            identifier: Its id; empty draws one.

        Raises:
            ApiError: Another one has its name.
        """
        with workspace.store.transaction():
            if self.name and any(other[self.name] == request[self.name] for other in self.all(workspace)):
                raise already_exists(f"A {self.words} with {self.name} {request[self.name]!r} already exists")
            key = identifier or str(uuid.uuid4())
            own = {self.identifier: key, "account_id": ACCOUNT_ID, "creation_time": now_ms()}
            new = self.kind.document(request | own)
            workspace.store.put(self.kind, key, new)
        return new

    def find(self, workspace: Workspace, identifier: str) -> D:
        """Returns an object.

        Raises:
            ApiError: There is none of this id.
        """
        return workspace.find(self.kind, identifier, f"There is no {self.words} {identifier}")

    def all(self, workspace: Workspace) -> list[D]:
        """Returns all objects, the first made first."""
        return [document for _, document in workspace.store.items(self.kind)]

    def delete(self, workspace: Workspace, identifier: str) -> D:
        """Removes an object and returns it.

        Raises:
            ApiError: There is none of this id, or another object refers to it.
        """
        with workspace.store.transaction():
            document = self.find(workspace, identifier)
            for kind in self.users:
                for key, user in workspace.store.items(kind):
                    if f'"{identifier}"' in json.dumps(user):
                        used = f"{self.words} {identifier} is used by {kind.removeprefix('account_')} {key}"
                        raise ApiError(409, "RESOURCE_CONFLICT", f"{used}, which has to be deleted first")
            workspace.store.delete(self.kind, identifier)
        return document
