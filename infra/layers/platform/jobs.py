"""The jobs: `churn_daily`, from deliveries to marts, and `churn_bootstrap`, which must have run once before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pulumi
import pulumi_databricks as databricks

from infra.layers.platform.compute import SECURITY_MODE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pulumi_databricks import JobTaskArgsDict as Task

    from infra.written.settings import Compute, Daily, Simulation, Training
    from infra.written.tenancy import Groups

CLUSTER = "main"
ENVIRONMENT = "default"
ENVIRONMENT_VERSION = "4"  # of serverless compute: Python 3.12, the first with a Spark 4 client
RETRY_AFTER_SECONDS = 60


@dataclass(frozen=True)
class JobsArgs:
    """Attributes:
    stack: Name of the stack, for tags.
    catalog: Catalog that the tasks work on.
    model: Full name of the registered model.
    experiment_id: MLflow experiment that models are tracked in.
    wheel: Path of the wheel with the tasks' entry points.
    pipeline_ids: Ids of `churn_bronze` and `churn_silver`.
    policy_id: Cluster policy of the job cluster.
    runner: Application id of the service principal that runs them.
    logical_date: Default of the job parameter `date`.
    compute, daily, simulation, training: Sections of the settings.
    groups: Display names of the account's groups.
    """

    stack: str
    catalog: pulumi.Input[str]
    model: pulumi.Input[str]
    experiment_id: pulumi.Input[str]
    wheel: pulumi.Input[str]
    pipeline_ids: Mapping[str, pulumi.Input[str]]
    policy_id: pulumi.Input[str]
    runner: pulumi.Input[str]
    logical_date: str
    compute: Compute
    daily: Daily
    simulation: Simulation
    training: Training
    groups: Groups


class Jobs(pulumi.ComponentResource):
    """Owns both jobs and their permissions; their clusters live as long as a run."""

    ids: dict[str, pulumi.Output[str]]

    def __init__(self, name: str, args: JobsArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("churn:jobs:Jobs", name, None, opts)
        self._args = args
        daily = self._job(
            "churn_daily",
            "A day of churn: deliveries in, every active customer scored, marts refreshed",
            self._daily_tasks(),
            schedule={
                "quartz_cron_expression": args.daily.cron,
                "timezone_id": args.daily.timezone,
                "pause_status": "PAUSED" if args.daily.paused else "UNPAUSED",
            },
        )
        bootstrap = self._job(
            "churn_bootstrap",
            "What must be there before the first day: a base-rate model to serve, and the marts to grant",
            [self._wheel_task("bootstrap", **self._tracked()), self._wheel_task("tables")],
        )
        self.ids = {"churn_bootstrap": bootstrap.id, "churn_daily": daily.id}
        self.register_outputs({"ids": self.ids})

    def _daily_tasks(self) -> list[Task]:
        """The path of a day, each task after the one above it; scores need features too."""
        args = self._args
        training = args.training
        window = {
            "lead_days": str(training.lead_days),
            "horizon_days": str(training.horizon_days),
            "settle_days": str(training.settle_days),
        }
        tasks: list[Task] = []

        def then(task: Task) -> None:
            if tasks:
                task["depends_ons"] = [{"task_key": _key(tasks[-1])}]
            tasks.append(task)

        if args.simulation.enabled and args.simulation.snapshot_date:
            snapshot, seed = args.simulation.snapshot_date.isoformat(), str(args.simulation.seed)
            then(self._wheel_task("simulate", snapshot_date=snapshot, seed=seed))
        then(self._wheel_task("ingest"))
        then(self._pipeline_task("bronze", args.pipeline_ids["churn_bronze"]))
        then(self._pipeline_task("silver", args.pipeline_ids["churn_silver"]))
        then(self._wheel_task("reconcile"))
        then(self._wheel_task("features", **window))
        due = {"retrain_days": str(training.retrain_days), "history_days": str(training.history_days)}
        then(self._told(self._wheel_task("train", **self._tracked(), **due, **window)))
        then(self._told(self._wheel_task("gate", model=args.model)))
        # Customers are scored by the champion there is, though a new one could not be made or judged; but never by
        # features of an earlier run of the day: without new ones both of these have failed, and so does the run.
        score = self._wheel_task("score", model=args.model)
        score["depends_ons"] = [{"task_key": "features"}, {"task_key": "gate"}]
        score["run_if"] = "AT_LEAST_ONE_SUCCESS"
        tasks.append(score)
        then(self._wheel_task("marts"))
        return tasks

    def _job(self, name: str, description: str, tasks: list[Task], **options: Any) -> databricks.Job:
        args = self._args
        notify = list(args.daily.notify)
        if notify:
            options["email_notifications"] = {
                "on_failures": notify,
                "on_duration_warning_threshold_exceededs": notify,
                "no_alert_for_skipped_runs": True,
            }
        longest = databricks.JobHealthRuleArgs(
            metric="RUN_DURATION_SECONDS", op="GREATER_THAN", value=args.daily.warn_after_minutes * 60
        )
        # The provider compares lists by position, and the service returns tasks by key.
        ordered: list[Task] = sorted(tasks, key=_key)
        job = databricks.Job(
            name,
            name=name,
            description=description,
            tasks=ordered,
            parameters=[databricks.JobParameterArgs(name="date", default=args.logical_date)],
            run_as=databricks.JobRunAsArgs(service_principal_name=args.runner),
            max_concurrent_runs=1,
            queue=databricks.JobQueueArgs(enabled=True),
            health=databricks.JobHealthArgs(rules=[longest]),
            tags={"project": "churn", "stack": args.stack},
            **self._where(),
            **options,
            opts=pulumi.ResourceOptions(parent=self),
        )
        databricks.Permissions(
            f"{name}-permissions",
            job_id=job.id,
            access_controls=[
                {"group_name": args.groups.engineers, "permission_level": "CAN_MANAGE_RUN"},
                {"group_name": args.groups.scientists, "permission_level": "CAN_VIEW"},
            ],
            opts=pulumi.ResourceOptions(parent=self),
        )
        return job

    def _where(self) -> dict[str, Any]:
        """Serverless environments or one job cluster under the policy."""
        args = self._args
        if args.compute.serverless:
            spec = {"environment_version": ENVIRONMENT_VERSION, "dependencies": [args.wheel]}
            return {"environments": [{"environment_key": ENVIRONMENT, "spec": spec}]}
        cluster = {
            "spark_version": args.compute.spark_version,
            "node_type_id": args.compute.node_type_id,
            "num_workers": args.compute.workers,
            "policy_id": args.policy_id,
            "data_security_mode": SECURITY_MODE,
            "custom_tags": {"project": "churn", "stack": args.stack},
            "spark_conf": args.compute.spark_conf,
        }
        return {"job_clusters": [{"job_cluster_key": CLUSTER, "new_cluster": cluster}]}

    def _wheel_task(self, entry_point: str, **parameters: pulumi.Input[str]) -> Task:
        """A task that calls an entry point of the wheel; every one takes the catalog, the date and the run."""
        args = self._args
        task = self._task(entry_point)
        task["python_wheel_task"] = {
            "package_name": "churn",
            "entry_point": entry_point,
            "named_parameters": {
                "catalog": args.catalog,
                "date": "{{job.parameters.date}}",
                "run_id": "{{job.run_id}}",
                **parameters,
            },
        }
        if args.compute.serverless:
            task["environment_key"] = ENVIRONMENT
            task["disable_auto_optimization"] = True  # which would retry failed tasks, whatever `task_retries` says
        else:
            task["job_cluster_key"] = CLUSTER
            task["libraries"] = [{"whl": args.wheel}]
        return task

    def _tracked(self) -> dict[str, pulumi.Input[str]]:
        """Parameters of a task that makes a model: where it is registered, and where its making is tracked."""
        return {"model": self._args.model, "experiment_id": self._args.experiment_id}

    def _told(self, task: Task) -> Task:
        """A task whose failure people are told of, since the run may succeed in spite of it."""
        notify = list(self._args.daily.notify)
        return {**task, "email_notifications": {"on_failures": notify}} if notify else task

    def _pipeline_task(self, key: str, pipeline_id: pulumi.Input[str]) -> Task:
        task = self._task(key)
        task["pipeline_task"] = {"pipeline_id": pipeline_id, "full_refresh": False}
        return task

    def _task(self, key: str) -> Task:
        daily = self._args.daily
        task: Task = {"task_key": key, "timeout_seconds": daily.task_timeout_minutes * 60}
        if daily.task_retries:
            task["max_retries"] = daily.task_retries
            task["min_retry_interval_millis"] = RETRY_AFTER_SECONDS * 1000
            task["retry_on_timeout"] = False
        return task


def _key(task: Task) -> str:
    """The key of a task of ours, which is always plain text."""
    return str(task["task_key"])
