"""A resource that waits until new principals are seen by all services of a workspace.

The directory answers for a new service principal or group at once; permissions, grants and rule sets may not find it
for some time. The provider runs in a process of its own, as that of `infra.once.run_once`.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Literal

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, Resource, ResourceProvider, UpdateResult

from infra.errors import PrincipalNotSeenError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from databricks.sdk import WorkspaceClient

# Where principals are looked for: a group is the account's before it enters the workspace.
Kind = Literal["service principal", "group of the account", "group of the workspace"]

POLL_SECONDS = 2.0
SIGHTINGS = 3  # in a row: several servers answer, and each has a cache of its own
TIMEOUT_MINUTES = 5
ACCOUNT_GROUPS = "/api/2.0/account/scim/v2/Groups"  # the account's directory at a workspace's address


class SeenPrincipalProvider(ResourceProvider):
    """Provider whose resources are sightings: to create one is to wait for it."""

    serialize_as_secret_always = False  # it holds no secret, and a secret provider hides every change of itself

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Waits until all of the principals are seen.

        Args:
            props: The resource's inputs.

        Raises:
            PrincipalNotSeenError: One was not seen in time.
        """
        from databricks.sdk import WorkspaceClient

        client, kind, account_id = WorkspaceClient(host=props["host"]), props["kind"], props["account_id"]
        deadline = time.monotonic() + 60 * float(props["timeout_minutes"])
        sightings = 0
        while True:
            unseen = [name for name in props["names"] if not _is_seen(client, account_id, kind, name)]
            sightings = 0 if unseen else sightings + 1
            if sightings == SIGHTINGS:
                return CreateResult(",".join(props["names"]), props)
            if time.monotonic() > deadline:
                raise PrincipalNotSeenError(
                    f"{kind} {', '.join(unseen or props['names'])} is not seen by the directory and "
                    f"the rule sets of {props['host']} after {props['timeout_minutes']:g} minutes; remedy: deploy "
                    "again, and if that does not help look whether it exists"
                )
            time.sleep(POLL_SECONDS)

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """Asks for another sighting of other principals alone."""
        replaces = [key for key in ("kind", "names") if olds.get(key) != news.get(key)]
        changed = any(olds.get(key) != value for key, value in news.items() if not key.startswith("__"))
        return DiffResult(changes=changed, replaces=replaces)

    def update(self, _id: str, _olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Takes over another address or time limit."""
        return UpdateResult(news)


class SeenPrincipal(Resource, module="churn", name="SeenPrincipal"):
    """Principals of one kind that all services see; `names` is known as soon as they do."""

    names: pulumi.Output[list[str]]

    def __init__(
        self,
        name: str,
        host: str,
        account_id: str,
        kind: Kind,
        names: Sequence[pulumi.Input[str]],
        opts: pulumi.ResourceOptions,
    ) -> None:
        """Declares the sighting.

        Args:
            name: Name of the resource.
            host: URL of the workspace.
            account_id: Account that the workspace belongs to.
            kind: What the principals are.
            names: Application ids, or display names of groups.
            opts: Options of the resource.
        """
        properties = {
            "host": host,
            "account_id": account_id,
            "kind": kind,
            "names": list(names),
            "timeout_minutes": TIMEOUT_MINUTES,
        }
        super().__init__(SeenPrincipalProvider(), name, properties, opts)


def _is_seen(client: WorkspaceClient, account_id: str, kind: Kind, name: str) -> bool:
    """Whether the directory finds a principal by its name, and a rule set a service principal."""
    from databricks.sdk.errors import NotFound, PermissionDenied

    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    if kind == "group of the account":
        try:
            found: Any = client.api_client.do("GET", ACCOUNT_GROUPS, query={"filter": f'displayName eq "{quoted}"'})
        except (NotFound, PermissionDenied):
            return (
                True  # it is documented nowhere, and may answer nobody: the group's entry to the workspace tells then
            )
        return bool(found.get("Resources"))
    if kind == "group of the workspace":
        return any(client.groups.list(filter=f'displayName eq "{quoted}"', attributes="id"))
    if not any(client.service_principals.list(filter=f'applicationId eq "{quoted}"')):
        return False
    try:
        client.account_access_control_proxy.get_rule_set(
            f"accounts/{account_id}/servicePrincipals/{name}/ruleSets/default", ""
        )
    except NotFound:
        return False
    return True
