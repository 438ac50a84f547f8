"""A resource that lets the run of a continuous job end when the job has changed, so that the next one has the change.

A run keeps the settings with which it began, and that of a continuous job has no end of its own:
https://docs.databricks.com/aws/en/jobs/continuous#update
The provider runs in a process of its own, as that of `infra.once.run_once`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, Resource, ResourceProvider, UpdateResult


@dataclass(frozen=True)
class CurrentRunArgs:
    """Inputs of `CurrentRun`.

    Attributes:
        host: URL of the workspace, from the settings.
        job_id: The continuous job.
        settings: A hash of what a run takes from the job.
    """

    host: str
    job_id: pulumi.Input[str]
    settings: pulumi.Input[str]


class CurrentRunProvider(ResourceProvider):
    """Provider whose resources are runs with the present settings: to update one is to cancel the runs before."""

    serialize_as_secret_always = False  # it holds no secret, and a secret provider hides every change of itself

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Does nothing: the service begins the first run of a new job by itself.

        Args:
            props: The resource's inputs.
        """
        return CreateResult(props["job_id"], props)

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """Asks for another run where the job's settings have changed."""
        changed = [key for key in ("job_id", "host", "settings") if olds.get(key) != news.get(key)]
        return DiffResult(changes=bool(changed), replaces=["job_id"] if "job_id" in changed else [])

    def update(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Cancels the runs of the job, after which the service begins one with the present settings."""
        from databricks.sdk import WorkspaceClient

        if olds.get("settings") != news["settings"]:
            WorkspaceClient(host=news["host"]).jobs.cancel_all_runs(job_id=int(news["job_id"]))
        return UpdateResult(news)


class CurrentRun(Resource, module="churn", name="CurrentRun"):
    """The run of a continuous job. Deleting the resource ends no run."""

    def __init__(self, name: str, args: CurrentRunArgs, opts: pulumi.ResourceOptions) -> None:
        """Declares the run."""
        super().__init__(CurrentRunProvider(), name, {**vars(args)}, opts)
