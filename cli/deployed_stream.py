"""The stream of the local stack as it is deployed: where its parts are, and what state they have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cli.errors import CommandError
from cli.lifecycle import workspace_client
from cli.queries import rows
from cli.stack import Stack

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

    from local.settings import LocalSettings

PIPELINE = "churn_stream"
JOB = "churn_activity"
TOPIC_OF_PIPELINE = "churn.kafka.topic"
BROKERS_OF_PIPELINE = "churn.kafka.bootstrap_servers"


@dataclass(frozen=True)
class DeployedStream:
    """A stream that is deployed.

    Attributes:
        client: The workspace.
        outputs: Outputs of the stack.
        topic: Topic of events.
        brokers: Addresses of brokers.
        state: State of the pipeline, such as RUNNING.
    """

    client: WorkspaceClient
    outputs: dict[str, Any]
    topic: str
    brokers: str
    state: str

    def job_state(self) -> str:
        """State of the newest run of the job, or how it ended."""
        run = next(iter(self.client.jobs.list_runs(job_id=int(self.outputs["job_ids"][JOB]), limit=1)), None)
        found = run and run.state and (run.state.result_state or run.state.life_cycle_state)
        return found.value if found else "NOT STARTED"

    def rows(self, statement: str) -> list[list[str]]:
        """Runs a query; see `cli.queries.rows`."""
        return rows(self.client, self.outputs, statement)


def deployed_stream(settings: LocalSettings) -> DeployedStream:
    """Looks up the stream of the local stack.

    Raises:
        CommandError: The stack is not deployed, or has no stream.
    """
    return stream_of(workspace_client(settings), Stack.local(settings).outputs())


def stream_of(client: WorkspaceClient, outputs: dict[str, Any]) -> DeployedStream:
    """Looks up the stream of a stack in its workspace, local or not.

    Args:
        client: The workspace.
        outputs: Outputs of the stack.

    Raises:
        CommandError: The stack has no stream.
    """
    pipeline_id = outputs.get("pipeline_ids", {}).get(PIPELINE)
    if pipeline_id is None:
        raise CommandError("the stack has no stream\n  → add churn:platform.stream to its file, and `platform up`")
    pipeline = client.pipelines.get(pipeline_id)
    configuration = (pipeline.spec.configuration if pipeline.spec else None) or {}
    return DeployedStream(
        client,
        outputs,
        configuration[TOPIC_OF_PIPELINE],
        configuration[BROKERS_OF_PIPELINE],
        pipeline.state.value if pipeline.state else "UNKNOWN",
    )
