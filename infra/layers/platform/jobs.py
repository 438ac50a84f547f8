"""Deploys the jobs of `job_tasks.py`."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pulumi
import pulumi_databricks as databricks

from churn.core.task import JOB_PARAMETERS
from churn.tasks import EVENTS, USAGE
from infra.access.roles import Role
from infra.layers.platform.compute import SECURITY_MODE
from infra.layers.platform.job_tasks import PipelineSpec, deployed_name
from infra.layers.platform.permit import permit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pulumi_databricks import JobTaskArgsDict

    from churn.core.task import Task
    from infra.layers.platform.job_tasks import JobSpec, TaskSpec
    from infra.layers.platform.libraries import Libraries
    from infra.layers.platform.permit import Principals
    from infra.written.settings.compute import Compute
    from infra.written.settings.daily import Daily
    from infra.written.settings.simulation import Simulation
    from infra.written.settings.stream import Stream
    from infra.written.settings.training import Training

CLUSTER = "main"
ENVIRONMENT = "default"
RETRY_AFTER_SECONDS = 60
# Parameters that every wheel task has beside the catalog; the workspace fills them in.
COMMON_PARAMETERS = {**{name: f"{{{{job.parameters.{name}}}}}" for name in JOB_PARAMETERS}, "run_id": "{{job.run_id}}"}


@dataclass(frozen=True)
class JobsArgs:
    """Inputs of `Jobs`.

    Attributes:
        specs: The jobs.
        prefix: Beginning of their names, as `churn-local`.
        tags: Tags of jobs and of their nodes.
        catalog: Catalog that the tasks work on.
        model: Full name of the registered model.
        experiment_id: MLflow experiment that models are tracked in.
        libraries: What the tasks install; the wheel has their entry points.
        pipeline_ids: Id of each pipeline by name.
        policy_id: Cluster policy of the job cluster.
        principals: Principal of each role.
        compute: The stack's section `compute`.
        daily: The stack's section `daily`.
        simulation: The stack's section `simulation`.
        training: The stack's section `training`.
        stream: The stack's section `stream`; None without a stream.
        notify: E-mail addresses that are notified.
        values: Values of further parameters, by name: how Kafka and the online store are reached.
    """

    specs: Sequence[JobSpec]
    prefix: str
    tags: Mapping[str, str]
    catalog: pulumi.Input[str]
    model: pulumi.Input[str]
    experiment_id: pulumi.Input[str]
    libraries: Libraries
    pipeline_ids: Mapping[str, pulumi.Input[str]]
    policy_id: pulumi.Input[str]
    principals: Principals
    compute: Compute
    daily: Daily
    simulation: Simulation
    training: Training
    stream: Stream | None
    notify: Sequence[str]
    values: Mapping[str, pulumi.Input[str]]


class Jobs(pulumi.ComponentResource):
    """Owns the jobs and their permissions; their clusters live as long as a run.

    Attributes:
        ids: Ids of the jobs, by name.
        settings: A hash of what a run takes from its job, by name.
    """

    ids: dict[str, pulumi.Output[str]]
    settings: dict[str, pulumi.Output[str]]

    def __init__(self, name: str, args: JobsArgs, opts: pulumi.ResourceOptions) -> None:
        """Declares the jobs."""
        super().__init__("churn:platform:Jobs", name, None, opts)
        self._args = args
        self.settings = {}
        self.ids = {spec.name: self._job(spec).id for spec in args.specs}
        self.register_outputs({"ids": self.ids})

    def _job(self, spec: JobSpec) -> databricks.Job:
        args = self._args
        # The provider compares lists by position, and the service returns tasks by key.
        tasks = [self._task(task, spec) for task in sorted(spec.tasks, key=lambda task: task.key)]
        compute = self._compute()
        self.settings[spec.name] = pulumi.Output.json_dumps([tasks, compute]).apply(_digest)
        job = databricks.Job(
            spec.name,
            name=deployed_name(spec.name, args.prefix),
            description=spec.description,
            tasks=tasks,
            parameters=[{"name": name, "default": self._job_defaults()[name]} for name in JOB_PARAMETERS],
            run_as={"service_principal_name": args.principals[Role.RUNNER]},
            max_concurrent_runs=1,
            tags=dict(args.tags),
            **compute,
            **(self._without_end() if spec.continuous else self._with_end()),
            **(self._schedule(spec.scheduled) if spec.scheduled else {}),
            **self._notifications(spec),
            opts=pulumi.ResourceOptions(parent=self),
        )
        permit(self, spec.name, spec.kind, job.id, args.principals)
        return job

    def _compute(self) -> dict[str, Any]:
        """Describes what the tasks run on: serverless environments, or one job cluster under the policy."""
        args = self._args
        if args.compute.serverless:
            return {"environments": [{"environment_key": ENVIRONMENT, "spec": args.libraries.environment()}]}
        cluster = {
            "spark_version": args.compute.spark_version,
            "node_type_id": args.compute.node_type_id,
            "num_workers": args.compute.workers,
            "policy_id": args.policy_id,
            "data_security_mode": SECURITY_MODE,
            "custom_tags": dict(args.tags),
            "spark_conf": args.compute.spark_conf,
        }
        return {"job_clusters": [{"job_cluster_key": CLUSTER, "new_cluster": cluster}]}

    def _with_end(self) -> dict[str, Any]:
        """Describes how long a run may take, and that it waits for the one before."""
        seconds = self._args.daily.warn_after_minutes * 60
        rule = {"metric": "RUN_DURATION_SECONDS", "op": "GREATER_THAN", "value": seconds}
        return {"queue": {"enabled": True}, "health": {"rules": [rule]}}

    @staticmethod
    def _without_end() -> dict[str, Any]:
        """Describes a run that the service starts at once, and again after its end; pauses grow after failures."""
        # the mode is the default, which the service tells and a job without it would differ from
        return {"continuous": {"pause_status": "UNPAUSED", "task_retry_mode": "NEVER"}}

    def _schedule(self, setting: str) -> dict[str, Any]:
        daily = self._args.daily
        return {
            "schedule": {
                "quartz_cron_expression": getattr(daily, setting),
                "timezone_id": daily.timezone,
                "pause_status": "PAUSED" if daily.paused else "UNPAUSED",
            }
        }

    def _notifications(self, job: JobSpec) -> dict[str, Any]:
        notify = list(self._args.notify)
        if not notify:
            return {}
        if job.continuous:
            return {"email_notifications": {"on_failures": notify}}
        return {
            "email_notifications": {
                "on_failures": notify,
                "on_duration_warning_threshold_exceededs": notify,
                "no_alert_for_skipped_runs": True,
            }
        }

    def _task(self, spec: TaskSpec, job: JobSpec) -> JobTaskArgsDict:
        """Describes one task: what it runs and where, what it waits for, and what happens when it fails."""
        daily = self._args.daily
        task: JobTaskArgsDict = {"task_key": spec.key}
        if not job.continuous:  # of which the service takes neither a time limit nor a number of retries
            task["timeout_seconds"] = daily.task_timeout_minutes * 60
        if dependencies := sorted(other.key for other in spec.after if other in job.tasks):
            task["depends_ons"] = [{"task_key": key} for key in dependencies]
        if spec.run_if:
            task["run_if"] = spec.run_if
        if daily.task_retries and not job.continuous:
            task["max_retries"] = daily.task_retries
            task["min_retry_interval_millis"] = RETRY_AFTER_SECONDS * 1000
            task["retry_on_timeout"] = False
        if spec.alerts and self._args.notify:
            task["email_notifications"] = {"on_failures": list(self._args.notify)}
            task["notification_settings"] = {"alert_on_last_attempt": True}
        if isinstance(spec.runs, PipelineSpec):
            pipeline_id = self._args.pipeline_ids[spec.runs.name]
            task["pipeline_task"] = {"pipeline_id": pipeline_id, "full_refresh": False}
        else:
            self._run_wheel_task(task, spec.runs)
        return task

    def _run_wheel_task(self, task: JobTaskArgsDict, wheel_task: Task[Any]) -> None:
        """Adds to a task that it calls an entry point of the wheel."""
        args, values = self._args, self._parameter_values()
        task["description"] = wheel_task.description
        task["python_wheel_task"] = {
            "package_name": "churn",
            "entry_point": wheel_task.name,
            "named_parameters": {
                "catalog": args.catalog,
                **COMMON_PARAMETERS,
                **{name: values[name] for name in wheel_task.parameters},
            },
        }
        if args.compute.serverless:
            task["environment_key"] = ENVIRONMENT
            task["disable_auto_optimization"] = True  # which would retry failed tasks, whatever `task_retries` says
        else:
            task["job_cluster_key"] = CLUSTER
            task["libraries"] = args.libraries.of_cluster()

    def _job_defaults(self) -> dict[str, str]:
        """Gives the default of each parameter of a job."""
        return {"date": self._args.daily.date_parameter}

    def _parameter_values(self) -> dict[str, pulumi.Input[str]]:
        """Gives the value of each parameter that a wheel task may have.

        Those of training and of the stream are named as the settings.
        """
        args = self._args
        return {
            "model": args.model,
            "experiment_id": args.experiment_id,
            "snapshot_date": str(args.simulation.snapshot_date),
            "seed": str(args.simulation.seed),
            "usage_table": USAGE if args.stream is None else EVENTS,
            **{name: str(value) for name, value in args.training.model_dump().items()},
            **{name: str(value) for name, value in (args.stream.model_dump() if args.stream else {}).items()},
            **args.values,
        }


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
