"""`platform rehearse`: the stacks `account`, `dev` and `prod`, whole, on a local cloud of their own."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import yaml
from databricks.sdk import AccountClient
from databricks.sdk.service.settings import WorkspaceNetworkOption

from cli import lifecycle, simulator, stream_account
from cli.aws_inventory import AWS_TYPES, in_aws
from cli.days import DAILY_JOB
from cli.deployed_stream import stream_of
from cli.errors import CommandError
from cli.exposure import Exposure
from cli.interruptions import Interruptions, services_of
from cli.inventory import TYPES, Thing, in_account, in_workspace, objects
from cli.jobs import follow
from cli.stack import GROUND_ALONE, Stack, addresses
from local import supervisor
from local.progress import console, step
from local.settings import REPOSITORY, LocalSettings
from local.workspace.core.context import ACCOUNT_ID

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from databricks.sdk import WorkspaceClient

    from cli.stack import Report

Answer = TypeVar("Answer")
ACCOUNT, ENVIRONMENTS = "account", ("dev", "prod")
DAILY = "dev"  # the stack whose source systems are simulated
MAKES_ITS_WORKSPACE = "prod"  # so that it is made in two steps
CHANGED: dict[str, object] = {  # one setting of each layer
    "churn:account.budget.alerts_usd_per_month": [77, 777],
    "churn:ground.aws.watch.budget_usd_per_month": 777,
    "churn:platform.daily.warn_after_minutes": 77,  # which both jobs have
}
SCORED_DAY = "2026-01-31"  # of the snapshot that the simulation in dev delivers first
WORLD = {"snapshot_date": SCORED_DAY, "date": SCORED_DAY, "seed": "7"}  # whose customers send events
MESSAGES, AUDIT_SECONDS = 300, 180.0  # sent to the stream, and waited for until each is accounted for
PRINCIPALS = ("runner", "server")  # service principals of each environment
SHARE_OF_ENGINE = 0.9  # of an environment's objects, over which its kills fall; then services are killed
TAG_MINUTES = 0.1  # here tags count at once; on Databricks `prod` waits for minutes
PRINCIPALS_SEEN_AFTER_SECONDS = 5  # as a directory may take a while on Databricks
CATALOGS = {"dev": "churn_dev", "prod": "churn"}  # of each environment
AUDITORS = "churn-pii-readers"  # who compare messages with rows, which others see masked
READER = "churn-engineers"  # the group of people who read the most tables
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


@dataclass(frozen=True)
class Rehearsal:
    """A rehearsal on a local cloud that is up.

    Attributes:
        settings: The local cloud.
        client: Its workspace.
        interruptions: How the engine and services are killed.
        kills: How often the engine, during the first deployment of which environments.
        faults: Share of requests that are refused, late or lost during first deployments.
    """

    settings: LocalSettings
    client: WorkspaceClient
    interruptions: Interruptions = field(default_factory=Interruptions)
    kills: Mapping[str, int] = field(default_factory=dict)
    faults: float = 0.0

    def stack(self, name: str) -> Stack:
        """A stack with the local cloud's addresses, ids and pace of tags; the rest is as its file has it."""
        deployer = self.client.current_user.me().user_name
        ids = {
            **dict.fromkeys(_ACCOUNT_IDS, ACCOUNT_ID),
            **dict.fromkeys(_METASTORE_IDS, self.client.metastores.current().metastore_id),
            "churn:account.members": {group: [deployer] for group in (*_groups_with_members(), AUDITORS)},
            "churn:account.network_policy.workspaces": [self.client.get_workspace_id()],
            "churn:platform.workspace.id": self.client.get_workspace_id(),
            "churn:platform.tag_minutes": TAG_MINUTES,
            **dict.fromkeys(("churn:platform.workspace.deployer", "churn:ground.workspace.deployer"), deployer),
        }
        return Stack(name, self.settings, addresses(self.settings) | ids)

    def deploy(self, name: str) -> None:
        """Deploys a stack as a person does for the first time, and expects that a second plan has nothing to do."""
        stack = self.stack(name)
        exposure = Exposure(self.client, CATALOGS.get(name, ""), READER)
        steps: dict[str, Mapping[str, object]] = {f"deploy the stack `{name}`": {}}
        if name == MAKES_ITS_WORKSPACE:
            steps = {f"deploy the ground of `{name}`": GROUND_ALONE, **steps}
        for title, changes in steps.items():
            with step(title) as report:
                up = _with_a_word(stack, partial(stack.up, changes=changes))
                if kills := self.kills.get(name, 0):
                    planned = stack.creations(report, changes)
                    by_engine = int(planned * SHARE_OF_ENGINE)
                    left = self.interruptions.interrupt(up, by_engine, kills // len(steps), report, exposure.look)
                    self.interruptions.disturb(up, left + planned - by_engine, services_of(self.settings), report)
                if self.faults:
                    repair = _with_a_word(stack, stack.adopt)
                    self.interruptions.spoil(up, repair, self.settings.faults, self.faults, report)
                report(up(report))
        if self.kills.get(name, 0):
            with step(f"look who could read what between the deployments of `{name}`") as report:
                report(f"{exposure.expect_no_less_than_at_the_end()} tables, all masked")
        with step(f"plan the stack `{name}` again") as report:
            stack.expect_no_changes(report)
            report("no changes")

    def send_events(self, name: str) -> None:
        """Sends events of customers to the stream of an environment."""
        stream = stream_of(self.client, self.stack(name).outputs())
        with step(f"send events to the stream of `{name}`") as report:
            report(f"{simulator.send(stream, WORLD, MESSAGES, MESSAGES, 1)['produced']:,} messages")

    def account_for_events(self, name: str) -> None:
        """Waits until the stream of an environment has taken over what was sent.

        Raises:
            CommandError: An event is lost, or there twice, or none is in silver.
        """
        stream = stream_of(self.client, self.stack(name).outputs())
        with step(f"account for every event of `{name}`") as report:
            account = stream_account.audit(stream, AUDIT_SECONDS)
            *_, verdict = lines = stream_account.lines(account)
            if account.lost or account.twice or not any(partition.silver for partition in account.partitions):
                raise CommandError("\n".join(lines))
            report(verdict)

    def run_day(self) -> None:
        """Runs the daily job once, and serves the champion that it has made.

        Raises:
            CommandError: The job failed.
        """
        stack = self.stack(DAILY)
        follow(self.client, stack.outputs()["job_ids"][DAILY_JOB], SCORED_DAY)
        with step("deploy the champion to the endpoint") as report:
            report(stack.up(report))

    def change(self, name: str) -> None:
        """Changes one setting of each layer of a stack, and expects updates alone.

        Raises:
            CommandError: The change made, replaced or deleted something, or changed nothing.
        """
        stack = self.stack(name)
        layers = yaml.safe_load(stack.source.read_text())["config"]
        changed: dict[str, object] = {}
        for setting in (setting for setting in CHANGED if setting.partition(".")[0] in layers):
            changed[setting] = CHANGED[setting]
            with step(f"change {setting} of `{name}`") as report:
                changes = stack.up(report, changed)
                report(changes)
                if "updated" not in changes or any(word in changes for word in ("created", "deleted", "replaced")):
                    raise CommandError(f"a changed {setting} should only update resources, and did this: {changes}")
        with step(f"plan the changed stack `{name}` again") as report:
            stack.expect_no_changes(report, changed)

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
        if name != ACCOUNT:
            self._remove_principals(name)

    def _remove_principals(self, name: str) -> None:
        """Removes a stack's service principals from the account, in which a workspace that lets them go leaves them."""
        account = self._account()
        with step(f"remove the service principals of `{name}` from the account") as report:
            for principal in PRINCIPALS:
                wanted = f'displayName eq "churn-{name}-{principal}"'
                for found in account.service_principals_v2.list(filter=wanted):
                    account.service_principals_v2.delete(found.id or "")
                    report(found.display_name or "")

    def things(self) -> list[Thing]:
        """Everything in workspace, account and AWS."""
        client = self.client
        return [*in_workspace(client), *in_account(self._account(), client), *in_aws(self.settings)]

    def _account(self) -> AccountClient:
        token = self.client.config.token
        return AccountClient(host=self.settings.workspace_url, account_id=ACCOUNT_ID, token=token, auth_type="pat")

    def expect_once(self, before: Sequence[Thing], stacks: Sequence[str]) -> None:
        """Expects that everything in the cloud stands in the state of a stack, once, and the other way round.

        Args:
            before: What the local cloud had from the start.
            stacks: The stacks that are deployed.

        Raises:
            CommandError: Something is there twice, or in no state, or in a state alone.
        """
        there = objects(self.things()) - objects(before)
        known = Counter(
            (resource["type"], resource["id"])
            for name in stacks
            for resource in self.stack(name).resources()
            if resource["type"] in TYPES | AWS_TYPES
        )
        if wrong := [f"{kind} {id_}" for kind, id_ in (there - known) + (known - there)]:
            raise CommandError(f"{len(wrong)} objects stand not once in the states: {', '.join(wrong)}")


def _with_a_word(stack: Stack, act: Callable[[Report], Answer]) -> Callable[[Report], Answer]:
    """An act with a person who knows that nobody else makes objects here, and says so where it is asked for."""

    def done(report: Report) -> Answer:
        try:
            return act(report)
        except CommandError as error:
            named = re.findall(r"--mine (\S+)", str(error))
            if not named:
                raise
            console.print(f"  [dim]a person's word: {', '.join(named)}[/dim]")
            stack.adopt(report, named)
            return act(report)

    return done


def _groups_with_members() -> list[str]:
    """Groups that the account's stack puts deployers into."""
    account = yaml.safe_load((REPOSITORY / f"Pulumi.{ACCOUNT}.yaml").read_text())["config"][f"churn:{ACCOUNT}"]
    return list(account.get("members", {}))


@contextmanager
def new_cloud(settings: LocalSettings, stacks: Sequence[str]) -> Iterator[LocalSettings]:
    """A new local cloud for stacks whose settings are checked before; it is stopped after the block.

    Args:
        settings: The local cloud of the platform on this machine, beside which the new one is.
        stacks: The stacks.
    """
    own = LocalSettings(settings.home / "rehearsal", settings.port + PORTS_AWAY, PRINCIPALS_SEEN_AFTER_SECONDS)
    supervisor.stop(own)
    shutil.rmtree(own.home, ignore_errors=True)
    for name in stacks:
        Stack(name, own).check_settings()
    lifecycle.build(own)
    lifecycle.start(own)
    try:
        yield own
    finally:
        with step("stop the services"):
            supervisor.stop(own)


def rehearse(
    settings: LocalSettings,
    environments: Sequence[str],
    *,
    day: bool,
    kills: int = 0,
    faults: float = 0.0,
    seed: int = 1,
) -> None:
    """Deploys the account and environments to a new local cloud, changes settings, and destroys all of it.

    Args:
        settings: The local cloud of the platform on this machine; the rehearsal has one of its own beside it.
        environments: Stacks to deploy above the account, of `dev` and `prod`.
        day: Whether to send events to the environments, and to run the daily job of `dev` once.
        kills: How often the engine is killed during the first deployment of each environment; the next deployment goes
            on each time. Then workspace, AWS and broker are killed once each.
        faults: Share of requests that are refused, late or lost during first deployments; the next one goes on. Not
            with `kills`, which would leave them nothing to spoil.
        seed: Of the random points at which it is killed, and of the faults.

    Raises:
        CommandError: A step failed, a second plan had changes, something was made twice, or something was left after
            the end. The services are stopped then too; their logs stay until the next rehearsal.
    """
    names = (ACCOUNT, *environments)
    with new_cloud(settings, names) as own:
        client, interruptions = lifecycle.workspace_client(own), Interruptions(seed)
        rehearsal = Rehearsal(own, client, interruptions, dict.fromkeys(environments, kills), faults)
        before = rehearsal.things()
        for name in names:
            rehearsal.deploy(name)
        with step("compare what is in the cloud with the states"):
            rehearsal.expect_once(before, names)
        if day:
            for name in environments:
                rehearsal.send_events(name)
            if DAILY in environments:
                rehearsal.run_day()
            for name in environments:
                rehearsal.account_for_events(name)
        for name in names:
            rehearsal.change(name)
        for name in reversed(names):
            rehearsal.destroy(name)
        if left := sorted(
            {f"{thing.kind} {thing.name}" for thing in rehearsal.things()} - {f"{t.kind} {t.name}" for t in before}
        ):
            raise CommandError(f"{len(left)} things are left after the end: {', '.join(left)}")
    console.print("[green]✓[/green] everything was deployed, planned again, changed and destroyed; nothing is left")
