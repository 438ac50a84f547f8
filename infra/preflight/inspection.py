"""Inputs and outcomes of the checks: an open workspace, and findings in the form of faults."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from databricks.sdk import WorkspaceClient
from databricks.sdk.config import Config
from databricks.sdk.errors import NotFound, PermissionDenied, Unauthenticated
from databricks.sdk.service.iam import Group, User

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from databricks.sdk.service.catalog import GetMetastoreSummaryResponse

    from infra.written.settings.ground import Ground
    from infra.written.settings.platform import Platform
    from infra.written.settings.stack import Settings

ADMINS = "admins"
# The account's directory at a workspace's address. It has groups that no stack has let into the workspace yet, which
# the workspace's own directory does not show. databricks-sdk has no call for it.
ACCOUNT_GROUPS = "/api/2.0/account/scim/v2/Groups"
ME = "/api/2.0/preview/scim/v2/Me"
NUMBER = "X-Databricks-Org-Id"  # header of its answer: the number of the workspace
ANSWER_SECONDS = 10  # in which a host has to answer, for each of two attempts at most


class NoWorkspaceError(Exception):
    """A workspace does not answer, or refuses who asks. The text is written for people."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Outcome of looking at one thing.

    Attributes:
        what: The setting or the object that was looked at.
        received: What the stack's file or the workspace says.
        allowed: What would do; empty where nothing is missing.
        remedy: What to do; empty where nothing is missing.
        skipped: Whether it was not looked at; `received` says why.
    """

    what: str
    received: str
    allowed: str = ""
    remedy: str = ""
    skipped: bool = False

    @property
    def missing(self) -> bool:
        """Whether something has to be done before a deployment."""
        return bool(self.allowed)


@dataclass(frozen=True)
class Inspection:
    """Inputs of every check.

    Attributes:
        settings: All settings of the stack.
        platform: Their section `platform`.
        ground: Their section `ground`, which stands beside it.
        client: Client of the workspace, with the credentials of whoever asks.
        me: Whoever asks, as the workspace's directory has it.
        workspace_id: Number of the workspace.
    """

    settings: Settings
    platform: Platform
    ground: Ground
    client: WorkspaceClient
    me: User
    workspace_id: int

    @property
    def name(self) -> str:
        """User name or application id of whoever asks."""
        return self.me.user_name or ""

    @cached_property
    def groups(self) -> frozenset[str]:
        """Display names of the groups of whoever asks, as far as the workspace has them."""
        return frozenset(group.display for group in self.me.groups or [] if group.display)

    @cached_property
    def metastore(self) -> GetMetastoreSummaryResponse | None:
        """The workspace's metastore; None if it has none."""
        try:
            return self.client.metastores.summary()
        except NotFound:
            return None

    def account_group(self, name: str) -> Group | None:
        """The account's group of a display name, however its letters are written, with its members."""
        quoted = name.replace("\\", "\\\\").replace('"', '\\"')
        query = {"filter": f'displayName eq "{quoted}"', "attributes": "id,displayName"}
        found: Any = self.client.api_client.do("GET", ACCOUNT_GROUPS, query=query)
        for listed in found.get("Resources", []):
            whole: Any = self.client.api_client.do("GET", f"{ACCOUNT_GROUPS}/{listed['id']}")
            return Group.from_dict(whole)
        return None

    def makes_group(self, name: str) -> bool:
        """Whether the stack itself makes a group of this name."""
        return self.settings.account is not None and name in self.settings.account.groups


def open_workspace(settings: Settings) -> Inspection:
    """Logs in to the workspace of a stack with the credentials of the environment.

    Args:
        settings: The stack's settings.

    Raises:
        NoWorkspaceError: The stack has none, it does not answer, or it refuses the credentials.
    """
    platform, ground = settings.platform, settings.ground
    if platform is None or ground is None:
        raise NoWorkspaceError(
            f"Pulumi.{settings.stack}.yaml: received no churn:platform; allowed: a stack with a workspace; "
            "remedy: name another stack"
        )
    host = platform.workspace.host
    try:
        config = Config(host=host, retry_timeout_seconds=ANSWER_SECONDS)
        client = WorkspaceClient(config=config)
        me: Any = client.api_client.do("GET", ME, response_headers=[NUMBER])
    except (Unauthenticated, PermissionDenied, ValueError) as error:  # the last where there are no credentials
        remedy = (
            "set DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SECRET, or DATABRICKS_CONFIG_PROFILE, of this workspace"
        )
        raise NoWorkspaceError(f"{host}: refuses who asks: {error}; remedy: {remedy}") from error
    except OSError as error:  # an answer of another kind too: DatabricksError is one
        remedy = "correct churn:platform.workspace.host, or let this machine reach it"
        raise NoWorkspaceError(f"{host}: does not answer as a workspace: {error}; remedy: {remedy}") from error
    if not me.get(NUMBER):
        remedy = "write the URL of a workspace into churn:platform.workspace.host"
        raise NoWorkspaceError(f"{host}: is no workspace, since it has no number; remedy: {remedy}")
    return Inspection(settings, platform, ground, client, User.from_dict(me), int(me[NUMBER]))


if TYPE_CHECKING:
    Check = Callable[[Inspection], Iterator[Finding]]
