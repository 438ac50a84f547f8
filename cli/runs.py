"""`platform run`: a deployed job of a stack, on this machine or in the cloud."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from cli import doctor
from cli.days import DAILY_JOB, run_missing
from cli.errors import CommandError
from cli.jobs import follow
from cli.lifecycle import workspace_client
from cli.programs import pulumi
from cli.stack import Stack
from local.settings import LocalSettings

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient  # half a second to import


def run_job(settings: LocalSettings, stack: str, name: str, date: str | None, *, missing: bool) -> None:
    """Runs a deployed job by name and shows its tasks until it ends.

    Args:
        settings: The local cloud, which has the stack `local`.
        stack: Name of the stack that has the job. Any other than `local` is read from the shell's Pulumi backend, and
            its workspace is reached with the shell's credentials.
        name: Name of the job.
        date: Logical date, YYYY-MM-DD; None for the job's own default.
        missing: Whether to run it for each day without scores, with `date` as the last day to look at.

    Raises:
        CommandError: The stack has no such job, its workspace does not answer, or a run failed.
    """
    if missing and name != DAILY_JOB:
        raise CommandError(f"--missing is for {DAILY_JOB}, which has days, not for {name}")
    is_local = stack == Stack.local(settings).name
    outputs = outputs_of(settings, stack)
    jobs = outputs.get("job_ids", {})
    if name not in jobs:
        deploys = "`platform up`" if is_local else f"`pulumi up --stack {stack}`"
        raise CommandError(
            f"no deployed job {name!r}; there are: {', '.join(sorted(jobs)) or f'none: {deploys} deploys them'}"
        )
    client = client_of(settings, stack, outputs)
    if missing:
        run_missing(client, outputs, date)
    else:
        follow(client, jobs[name], date)


def outputs_of(settings: LocalSettings, stack: str) -> dict[str, Any]:
    """Outputs of a stack: of this machine's, if it is `local`, else of the shell's Pulumi backend."""
    local = Stack.local(settings)
    return local.outputs() if stack == local.name else _outputs(stack)


def client_of(settings: LocalSettings, stack: str, outputs: dict[str, Any]) -> WorkspaceClient:
    """The workspace of a stack: this machine's, if it is `local`, else the one that its outputs name."""
    return _local_client(settings) if stack == Stack.local(settings).name else _client(outputs)


def _outputs(stack: str) -> dict[str, Any]:
    """Outputs of a stack of the shell's backend."""
    outputs: dict[str, Any] = json.loads(pulumi("stack", "output", "--json", "--stack", stack))
    return outputs


def _client(outputs: dict[str, Any]) -> WorkspaceClient:
    """The workspace that a stack was deployed to, with the shell's credentials, whatever host the shell names."""
    from databricks.sdk import WorkspaceClient

    try:
        return WorkspaceClient(host=outputs["workspace_url"])
    except ValueError as error:
        raise CommandError(
            f"no credentials for {outputs['workspace_url']}: {error}\n  → set DATABRICKS_CLIENT_ID and "
            "DATABRICKS_CLIENT_SECRET, or DATABRICKS_CONFIG_PROFILE, of this workspace"
        ) from error


def _local_client(settings: LocalSettings) -> WorkspaceClient:
    services = doctor.services(settings)
    if not services.ok:
        raise CommandError(f"{services.state}\n  → {services.remedy}")
    return workspace_client(settings)
