"""Pipelines and jobs of the platform as data: their tasks, and the order of these.

`pipelines.py` and `jobs.py` deploy them. What a wheel task does and which parameters it takes stands in `churn.tasks`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from churn import tasks
from infra.access.permissions import ObjectKind

if TYPE_CHECKING:
    from churn.core.task import Task


def deployed_name(name: str, prefix: str) -> str:
    """Names a pipeline or job in a workspace, where another stack may have it too: `churn_daily`, `churn-dev-daily`."""
    return f"{prefix}-{name.removeprefix('churn_')}"


@dataclass(frozen=True)
class PipelineSpec:
    """One declarative pipeline.

    Attributes:
        name: Its name in the program.
        schema: Schema that it fills; also the key of the task that updates it.
        source: Its file in `workloads/pipelines`.
    """

    name: str
    schema: str
    source: str


@dataclass(frozen=True)
class TaskSpec:
    """One task of a job.

    Attributes:
        runs: The wheel task or the pipeline that it runs.
        after: Tasks that it waits for, as far as the job has them.
        run_if: Which of these tasks must have succeeded, in the words of Databricks; None asks for all.
        alerts: Whether its failure sends an e-mail of its own, because the run can succeed although it failed.
    """

    runs: Task[Any] | PipelineSpec
    after: tuple[TaskSpec, ...] = ()
    run_if: str | None = None
    alerts: bool = False

    @property
    def key(self) -> str:
        """Its key in the job."""
        return self.runs.schema if isinstance(self.runs, PipelineSpec) else self.runs.name


@dataclass(frozen=True)
class JobSpec:
    """One job.

    Attributes:
        name: Its name in the program.
        description: What it does.
        tasks: Its tasks, each after those that it waits for.
        scheduled: Setting of `daily` that has its schedule; None where people start it.
        continuous: Whether the service starts it again whenever it has ended, with growing pauses after failures.
        kind: Kind of object, which says who may run it.
    """

    name: str
    description: str
    tasks: tuple[TaskSpec, ...]
    scheduled: str | None = None
    continuous: bool = False
    kind: ObjectKind = ObjectKind.JOB


BRONZE_PIPELINE = PipelineSpec("churn_bronze", "bronze", "bronze.py")
SILVER_PIPELINE = PipelineSpec("churn_silver", "silver", "silver.py")
PIPELINES = (BRONZE_PIPELINE, SILVER_PIPELINE)
STREAM_PIPELINE = PipelineSpec("churn_stream", "silver", "stream.py")  # runs by itself, day and night


def pipelines_of(*, streamed: bool) -> tuple[PipelineSpec, ...]:
    """The pipelines of a stack, with or without a stream."""
    return (*PIPELINES, STREAM_PIPELINE) if streamed else PIPELINES


SIMULATE = TaskSpec(tasks.SIMULATE)
INGEST = TaskSpec(tasks.INGEST, after=(SIMULATE,))
BRONZE = TaskSpec(BRONZE_PIPELINE, after=(INGEST,))
SILVER = TaskSpec(SILVER_PIPELINE, after=(BRONZE,))
RECONCILE = TaskSpec(tasks.RECONCILE, after=(SILVER,))
STREAMS = TaskSpec(tasks.STREAMS, after=(RECONCILE,))
QUALITY = TaskSpec(tasks.QUALITY, after=(RECONCILE, STREAMS))
FEATURES = TaskSpec(tasks.FEATURES, after=(QUALITY,))
TRAIN = TaskSpec(tasks.TRAIN, after=(FEATURES,), alerts=True)
GATE = TaskSpec(tasks.GATE, after=(TRAIN,), alerts=True)
# If training or the gate fails, the current champion still scores the day. If `features` fails, the gate is skipped as
# well; then neither dependency has succeeded, `score` does not run, and stale features are never scored.
SCORE = TaskSpec(tasks.SCORE, after=(FEATURES, GATE), run_if="AT_LEAST_ONE_SUCCESS")
MARTS = TaskSpec(tasks.MARTS, after=(SCORE,))

DAILY = JobSpec(
    "churn_daily",
    "A day of churn: deliveries in, every active customer scored, marts refreshed",
    (SIMULATE, INGEST, BRONZE, SILVER, RECONCILE, STREAMS, QUALITY, FEATURES, TRAIN, GATE, SCORE, MARTS),
    scheduled="cron",
)


def daily_job(*, simulated: bool, streamed: bool) -> JobSpec:
    """The daily job of a stack: it begins with `simulate` or `ingest`, and asks for the stream where there is one."""
    dropped = [task for task, wanted in ((SIMULATE, simulated), (STREAMS, streamed)) if not wanted]
    return replace(DAILY, tasks=tuple(task for task in DAILY.tasks if task not in dropped))


BOOTSTRAP = JobSpec(
    "churn_bootstrap",
    "What must be there before the first day: a base-rate model to serve, and the tables to tag and grant",
    (TaskSpec(tasks.BOOTSTRAP), TaskSpec(tasks.TABLES)),
)
ACTIVITY = JobSpec(
    "churn_activity",
    "Activity of each customer in the online store, by the minute, and scores while a session lasts",
    (TaskSpec(tasks.ACTIVITY),),
    continuous=True,
)
ERASE = TaskSpec(tasks.ERASE)
RETAIN = TaskSpec(tasks.RETAIN)
# Views of silver are made anew by an update.
ERASURE = JobSpec(
    "churn_erase",
    "Erasure of the customers whose erasure was asked for, wherever the platform has a row of them",
    (ERASE, TaskSpec(SILVER_PIPELINE, after=(ERASE,))),
    kind=ObjectKind.ERASURE_JOB,
)
RETENTION = JobSpec(
    "churn_retention",
    "End of what is older than its contract's retention",
    (RETAIN, TaskSpec(SILVER_PIPELINE, after=(RETAIN,))),
    scheduled="retention_cron",
)


def jobs_of(*, streamed: bool) -> tuple[JobSpec, ...]:
    """The jobs of a stack, with or without a stream."""
    return (DAILY, BOOTSTRAP, ERASURE, RETENTION, *((ACTIVITY,) if streamed else ()))
