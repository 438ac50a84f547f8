"""`platform rehearse`: the stacks `account`, `dev` and `prod`, whole, on a local cloud of their own."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3
import yaml
from databricks.sdk import AccountClient
from databricks.sdk.service.settings import WorkspaceNetworkOption

from cli import lifecycle
from cli.days import DAILY_JOB
from cli.errors import CommandError
from cli.jobs import follow
from cli.stack import Stack, addresses
from local import supervisor
from local.progress import console, step
from local.settings import REPOSITORY, LocalSettings
from local.workspace.core.context import ACCOUNT_ID

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from databricks.sdk import WorkspaceClient

ACCOUNT, ENVIRONMENTS = "account", ("dev", "prod")
DAILY = "dev"  # the stack whose source systems are simulated
MAKES_ITS_WORKSPACE = "prod"  # so that it is made in two steps
CHANGED = {"churn:platform.daily.warn_after_minutes": 77}  # a setting that both jobs have
SCORED_DAY = "2026-01-31"  # of the snapshot that the simulation in dev delivers first
PORTS_AWAY = 100  # from those of the local platform, which may be up

_ACCOUNT_IDS = (
    "churn:account.console.account_id",
    "churn:ground.aws.databricks_account_id",
    "churn:platform.account_id",
)
_METASTORE_IDS = (
    "churn:account.metastore_id",
    "churn:ground.workspace.metastore_id",
    "churn:platform.metastore_id",
)
DEFAULT_POLICY = "default-policy"  # for serverless compute, of workspaces that have no other
_OWN_GROUPS = ("admins", "users")  # which every workspace has


@dataclass(frozen=True)
class Rehearsal:
    """A rehearsal on a local cloud that is up.

    Attributes:
        settings: The local cloud.
        client: Its workspace.
    """

    settings: LocalSettings
    client: WorkspaceClient

    def stack(self, name: str) -> Stack:
        """A stack with the local cloud's addresses and ids in place of those of its file; the rest is as written."""
        deployer = self.client.current_user.me().user_name
        ids = {
            **dict.fromkeys(_ACCOUNT_IDS, ACCOUNT_ID),
            **dict.fromkeys(_METASTORE_IDS, self.client.metastores.current().metastore_id),
            "churn:account.members": {group: [deployer] for group in _groups_with_members()},
            "churn:account.network_policy.workspaces": [self.client.get_workspace_id()],
            "churn:platform.workspace.id": self.client.get_workspace_id(),
            **dict.fromkeys(("churn:platform.workspace.deployer", "churn:ground.workspace.deployer"), deployer),
        }
        return Stack(name, self.settings, addresses(self.settings) | ids)

    def deploy(self, name: str) -> None:
        """Deploys a stack as a person does for the first time, and expects that a second plan has nothing to do."""
        stack = self.stack(name)
        if name == MAKES_ITS_WORKSPACE:
            with step(f"deploy the ground of `{name}`") as report:
                report(stack.up_ground(report))
        with step(f"deploy the stack `{name}`") as report:
            report(stack.up(report))
        with step(f"plan the stack `{name}` again") as report:
            stack.expect_no_changes(report)
            report("no changes")

    def run_day(self) -> None:
        """Runs the daily job once, and serves the champion that it has made."""
        stack = self.stack(DAILY)
        follow(self.client, stack.outputs()["job_ids"][DAILY_JOB], SCORED_DAY)
        with step("deploy the champion to the endpoint") as report:
            report(stack.up(report))

    def change(self, name: str) -> None:
        """Changes one setting of a stack, and expects updates alone.

        Raises:
            CommandError: The change made, replaced or deleted something, or changed nothing.
        """
        stack = self.stack(name)
        with step(f"change one setting of `{name}`") as report:
            changes = stack.up(report, CHANGED)
            report(changes)
            if "updated" not in changes or any(word in changes for word in ("created", "deleted", "replaced")):
                raise CommandError(f"one changed setting should only update resources, and did this: {changes}")
            stack.expect_no_changes(report, CHANGED)

    def destroy(self, name: str) -> None:
        """Destroys a stack, after its protection is switched off."""
        stack = self.stack(name)
        if stack.protected():
            with step(f"switch protection of `{name}` off") as report:
                report(stack.unprotect(report))
        if name == ACCOUNT:
            self._account().workspace_network_configuration.update_workspace_network_option_rpc(
                self.client.get_workspace_id(), WorkspaceNetworkOption(network_policy_id=DEFAULT_POLICY)
            )
        with step(f"destroy the stack `{name}`") as report:
            report(stack.destroy(report))

    def leftovers(self) -> list[str]:
        """What is left in workspace, account and AWS that no new local cloud has."""
        client, aws, account = self.client, _Aws(self.settings), self._account()
        found: Mapping[str, Sequence[str | None]] = {
            "catalog": [catalog.name for catalog in client.catalogs.list()],
            "external location": [location.name for location in client.external_locations.list()],
            "storage credential": [credential.name for credential in client.storage_credentials.list()],
            "pipeline": [pipeline.name for pipeline in client.pipelines.list_pipelines()],
            "job": [job.settings.name for job in client.jobs.list() if job.settings],
            "endpoint": [endpoint.name for endpoint in client.serving_endpoints.list()],
            "warehouse": [warehouse.name for warehouse in client.warehouses.list()],
            "service principal": [principal.display_name for principal in client.service_principals.list()],
            "group": [group.display_name for group in client.groups.list() if group.display_name not in _OWN_GROUPS],
            "network policy": [
                policy.network_policy_id for policy in account.network_policies.list_network_policies_rpc()
            ],
            "budget": [budget.display_name for budget in account.budgets.list()],
            "bucket": aws.buckets(),
            "Kafka cluster": aws.clusters(),
            "role": aws.roles(),
        }
        return [f"{kind} {name}" for kind, names in found.items() for name in names]

    def _account(self) -> AccountClient:
        """The account of the local cloud."""
        return AccountClient(
            host=self.settings.workspace_url,
            account_id=ACCOUNT_ID,
            token=self.client.config.token,
            auth_type="pat",
        )


def _groups_with_members() -> list[str]:
    """Groups that the account's stack puts deployers into."""
    account = yaml.safe_load((REPOSITORY / f"Pulumi.{ACCOUNT}.yaml").read_text())["config"][f"churn:{ACCOUNT}"]
    return list(account.get("members", {}))


class _Aws:
    """What an AWS account has, by the official client."""

    def __init__(self, settings: LocalSettings) -> None:
        self._settings = settings

    def _client(self, service: str) -> boto3.client:
        return boto3.client(
            service,
            endpoint_url=self._settings.aws_url,
            region_name="eu-west-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",  # noqa: S106 (the local AWS knows no secrets)
        )

    def buckets(self) -> list[str]:
        return [bucket["Name"] for bucket in self._client("s3").list_buckets()["Buckets"]]

    def clusters(self) -> list[str]:
        return [cluster["ClusterName"] for cluster in self._client("kafka").list_clusters_v2()["ClusterInfoList"]]

    def roles(self) -> list[str]:
        return [role["RoleName"] for role in self._client("iam").list_roles()["Roles"]]


def rehearse(settings: LocalSettings, environments: Sequence[str], *, day: bool) -> None:
    """Deploys the account and environments to a new local cloud, changes one setting, and destroys all of it.

    Args:
        settings: The local cloud of the platform on this machine; the rehearsal has one of its own beside it.
        environments: Stacks to deploy above the account, of `dev` and `prod`.
        day: Whether to run the daily job once in `dev`.

    Raises:
        CommandError: A step failed, a second plan had changes, or something was left after the end. The services are
            stopped then too; their logs stay until the next rehearsal.
    """
    own = LocalSettings(settings.home / "rehearsal", settings.port + PORTS_AWAY)
    supervisor.stop(own)
    shutil.rmtree(own.home, ignore_errors=True)
    for name in (ACCOUNT, *environments):
        Stack(name, own).check_settings()
    lifecycle.build(own)
    lifecycle.start(own)
    try:
        rehearsal = Rehearsal(own, lifecycle.workspace_client(own))
        before = rehearsal.leftovers()
        for name in (ACCOUNT, *environments):
            rehearsal.deploy(name)
        if day and DAILY in environments:
            rehearsal.run_day()
        for name in environments:
            rehearsal.change(name)
        for name in reversed((ACCOUNT, *environments)):
            rehearsal.destroy(name)
        if left := [thing for thing in rehearsal.leftovers() if thing not in before]:
            raise CommandError(f"{len(left)} things are left after the end: {', '.join(left)}")
    finally:
        with step("stop the services"):
            supervisor.stop(own)
    console.print("[green]✓[/green] everything was deployed, planned again, changed and destroyed; nothing is left")
