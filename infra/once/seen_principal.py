"""A resource that waits until a new service principal is seen by all services of a workspace.

The directory answers for a new principal at once; permissions, grants and rule sets may not find it for some time. The
provider runs in a process of its own, as that of `infra.once.run_once`.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, Resource, ResourceProvider, UpdateResult

from infra.errors import PrincipalNotSeenError

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

POLL_SECONDS = 2.0
SIGHTINGS = 3  # in a row: several servers answer, and each has a cache of its own
TIMEOUT_MINUTES = 5


class SeenPrincipalProvider(ResourceProvider):
    """Provider whose resources are sightings: to create one is to wait for it."""

    serialize_as_secret_always = False  # it holds no secret, and a secret provider hides every change of itself

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Waits until the principal is seen.

        Args:
            props: The resource's inputs.

        Raises:
            PrincipalNotSeenError: It was not seen in time.
        """
        from databricks.sdk import WorkspaceClient

        client = WorkspaceClient(host=props["host"])
        deadline = time.monotonic() + 60 * float(props["timeout_minutes"])
        sightings = 0
        while True:
            sightings = sightings + 1 if _is_seen(client, props["account_id"], props["application_id"]) else 0
            if sightings == SIGHTINGS:
                return CreateResult(props["application_id"], props)
            if time.monotonic() > deadline:
                raise PrincipalNotSeenError(
                    f"service principal {props['application_id']} is not seen by the directory and the rule sets of "
                    f"{props['host']} after {props['timeout_minutes']:g} minutes; remedy: deploy again"
                )
            time.sleep(POLL_SECONDS)

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """Asks for another sighting of another principal alone."""
        replaces = ["application_id"] if olds.get("application_id") != news.get("application_id") else []
        changed = any(olds.get(key) != value for key, value in news.items() if not key.startswith("__"))
        return DiffResult(changes=changed, replaces=replaces)

    def update(self, _id: str, _olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Takes over another address or time limit."""
        return UpdateResult(news)


class SeenPrincipal(Resource, module="churn", name="SeenPrincipal"):
    """A service principal that all services see; `application_id` is known as soon as they do."""

    application_id: pulumi.Output[str]

    def __init__(
        self, name: str, host: str, account_id: str, application_id: pulumi.Input[str], opts: pulumi.ResourceOptions
    ) -> None:
        """Declares the sighting.

        Args:
            name: Name of the resource.
            host: URL of the workspace.
            account_id: Account that the workspace belongs to.
            application_id: Of the principal.
            opts: Options of the resource.
        """
        properties = {
            "host": host,
            "account_id": account_id,
            "application_id": application_id,
            "timeout_minutes": TIMEOUT_MINUTES,
        }
        super().__init__(SeenPrincipalProvider(), name, properties, opts)


def _is_seen(client: WorkspaceClient, account_id: str, application_id: str) -> bool:
    """Whether the directory finds a service principal by its name, and a rule set by its principal."""
    from databricks.sdk.errors import NotFound

    if not any(client.service_principals.list(filter=f'applicationId eq "{application_id}"')):
        return False
    try:
        client.account_access_control_proxy.get_rule_set(
            f"accounts/{account_id}/servicePrincipals/{application_id}/ruleSets/default", ""
        )
    except NotFound:
        return False
    return True
