"""Documents of the store that the Jobs area keeps."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

from local.workspace.core.store import Document, DocumentKind

Trigger = Literal["ONE_TIME", "PERIODIC", "CONTINUOUS", "CONTINUOUS_RESTART"]


class JobDocument(TypedDict):
    """A job (kind `jobs`, by its id)."""

    job_id: int
    creator_user_name: str
    created_time: int  # milliseconds, as all times
    settings: Document  # as `settings.checked` returns them


class Stateful(TypedDict):
    """The state of a run, an attempt or a repair, in both forms of the API: see `states`."""

    state: Document
    status: Document
    start_time: int
    end_time: NotRequired[int]


class AttemptDocument(Stateful):
    """One attempt of one task; part of its run."""

    task_key: str
    run_id: int
    attempt_number: int
    execution_duration: NotRequired[int]
    resolved_values: NotRequired[Document]


class RepairDocument(Stateful):
    """One repair of a run; part of the run."""

    id: int
    type: Literal["REPAIR"]
    task_run_ids: list[int]


class ParameterDocument(TypedDict):
    """A parameter of a run."""

    name: str
    default: str
    value: str


class RunDocument(Stateful):
    """A run of a job (kind `runs`, by its id)."""

    run_id: int
    job_id: int
    number_in_job: int
    run_name: str
    creator_user_name: str
    run_as: str
    trigger: Trigger
    trigger_time: NotRequired[int]  # when it was due, of a schedule to the minute; runs of older releases lack it
    settings: Document  # the job's, when the run or its latest repair began
    job_parameters: list[ParameterDocument]
    attempts: list[AttemptDocument]
    repair_history: list[RepairDocument]
    idempotency_token: NotRequired[str | None]
    queue_duration: NotRequired[int]
    run_duration: NotRequired[int]


class TaskRunDocument(TypedDict):
    """The run that an attempt belongs to (kind `task_runs`, by the attempt's `run_id`)."""

    run_id: int


JOBS = DocumentKind[JobDocument]("jobs")
RUNS = DocumentKind[RunDocument]("runs")
TASK_RUNS = DocumentKind[TaskRunDocument]("task_runs")
