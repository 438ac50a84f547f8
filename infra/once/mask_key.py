"""A resource for the key of a hash: generated where it is kept, so that neither code nor state ever has it.

The provider runs in a process of its own, as that of `infra.once.run_once`.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, ReadResult, Resource, ResourceProvider, UpdateResult

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

KEY_BYTES = 32  # as many as the hash, SHA-256, has


@dataclass(frozen=True)
class MaskKeyArgs:
    """Inputs of `MaskKey`.

    Attributes:
        host: URL of the workspace, from the settings.
        scope: Secret scope.
        key: Name of the secret in the scope.
    """

    host: str
    scope: pulumi.Input[str]
    key: str


class MaskKeyProvider(ResourceProvider):
    """Provider whose resources are keys: to create one is to generate it, unless the scope has it."""

    serialize_as_secret_always = False  # it holds no secret, and a secret provider hides every change of itself

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Puts a random key into the scope; one that is there stays, since another one would change every hash."""
        client = _client(props)
        if not _has(client, props):
            client.secrets.put_secret(props["scope"], props["key"], string_value=secrets.token_hex(KEY_BYTES))
        return CreateResult(f"{props['scope']}/{props['key']}", props)

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Looks whether the scope has the key; its value is not asked for."""
        return ReadResult(id_ if _has(_client(props), props) else "", props)

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """Asks for another key in another scope alone."""
        changed = [name for name in ("scope", "key", "host") if olds.get(name) != news.get(name)]
        return DiffResult(changes=bool(changed), replaces=[name for name in changed if name != "host"])

    def update(self, _id: str, _olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Takes over another address."""
        return UpdateResult(news)


class MaskKey(Resource, module="churn", name="MaskKey"):
    """The key of a hash, of masks or of erasures. Deleting the resource leaves it: it goes with its scope.

    Attributes:
        scope: Secret scope, once it has the key.
    """

    scope: pulumi.Output[str]

    def __init__(self, name: str, args: MaskKeyArgs, opts: pulumi.ResourceOptions) -> None:
        """Declares the key."""
        super().__init__(MaskKeyProvider(), name, {**vars(args)}, opts)


def _client(props: dict[str, Any]) -> WorkspaceClient:
    from databricks.sdk import WorkspaceClient

    return WorkspaceClient(host=props["host"])


def _has(client: WorkspaceClient, props: dict[str, Any]) -> bool:
    from databricks.sdk.errors import NotFound

    try:
        return any(secret.key == props["key"] for secret in client.secrets.list_secrets(props["scope"]))
    except NotFound:
        return False  # the scope is gone
