"""The stream: its pipeline from Kafka to silver, the job of the online store, the alert on lag, and its dashboard."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pulumi

from infra.access.classified import delivered_places, streamed_tables
from infra.access.permissions import ObjectKind
from infra.layers.platform.dashboard import DashboardArgs, declare_dashboard
from infra.layers.platform.job_tasks import ACTIVITY, STREAM_PIPELINE
from infra.layers.platform.jobs import Jobs
from infra.layers.platform.lag_alert import LagAlert, LagAlertArgs
from infra.layers.platform.online_store import OnlineStore, OnlineStoreArgs, project_id
from infra.layers.platform.stream_pipeline import StreamPipeline, StreamPipelineArgs
from infra.once.current_run import CurrentRun, CurrentRunArgs
from infra.once.made_tables import MadeTables, MadeTablesArgs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.context import Context
    from infra.layers.platform.jobs import JobsArgs
    from infra.layers.platform.pipelines import PipelinesArgs


@dataclass(frozen=True)
class StreamArgs:
    """Inputs of `Stream`.

    Attributes:
        host: URL of the workspace.
        pipeline: Inputs of its pipeline.
        tables: Full names of the pipeline's tables that are waited for.
        columns: Full names of their classified columns.
        online: Inputs of the online store.
        jobs: Inputs of the stack's jobs, which that of the stream shares.
        workers: Worker nodes of the job.
        alert: Inputs of the alert.
        runs: Runs that have made what the pipeline reads beside its topic.
    """

    host: str
    pipeline: StreamPipelineArgs
    tables: Sequence[str]
    columns: Sequence[str]
    online: OnlineStoreArgs
    jobs: JobsArgs
    workers: int
    alert: LagAlertArgs
    runs: pulumi.Resource


class Stream(pulumi.ComponentResource):
    """Owns what the stream is made of, in the order in which it can begin.

    Attributes:
        pipeline_ids: Id of the pipeline by name.
        tables: The pipeline's tables, which exist.
        job_ids: Id of each job by name.
        online: The online store.
        reach: How tasks reach it, by the names of their options.
    """

    pipeline_ids: dict[str, pulumi.Output[str]]
    tables: MadeTables
    job_ids: dict[str, pulumi.Output[str]]
    online: OnlineStore
    reach: dict[str, pulumi.Input[str]]

    def __init__(self, name: str, args: StreamArgs, opts: pulumi.ResourceOptions) -> None:
        """Declares the parts."""
        super().__init__("churn:platform:Stream", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.online = OnlineStore("online-store", args.online, child)
        self.reach = {
            "endpoint": self.online.endpoint,
            "database": self.online.database,
            "sslmode": "require" if args.online.settings.tls else "disable",
        }
        ready = pulumi.ResourceOptions(parent=self, depends_on=[args.runs])
        pipeline_id = StreamPipeline("stream-pipeline", args.pipeline, ready).id
        self.pipeline_ids = {STREAM_PIPELINE.name: pipeline_id}
        tables, columns = ",".join(sorted(args.tables)), ",".join(sorted(args.columns))
        self.tables = MadeTables("stream-tables", MadeTablesArgs(args.host, pipeline_id, tables, columns), child)
        after = pulumi.ResourceOptions(parent=self, depends_on=[self.online, self.tables])
        jobs = Jobs("stream-jobs", self._of_activity(args), after)
        self.job_ids = jobs.ids
        run = CurrentRunArgs(args.host, jobs.ids[ACTIVITY.name], jobs.settings[ACTIVITY.name])
        CurrentRun("activity-run", run, pulumi.ResourceOptions(parent=self, depends_on=[jobs]))
        LagAlert("lag-alert", args.alert, pulumi.ResourceOptions(parent=self, depends_on=[jobs]))
        declare_dashboard(self, "stream-dashboard", _dashboard(args.alert))
        self.register_outputs({"pipeline_ids": self.pipeline_ids})

    def _of_activity(self, args: StreamArgs) -> JobsArgs:
        """Inputs of the job: it runs on a cluster everywhere, since serverless jobs take no trigger interval."""
        compute = args.jobs.compute.model_copy(update={"serverless": False, "workers": args.workers})
        values = {**args.jobs.values, **self.reach, "until_caught_up": "0"}
        return replace(args.jobs, specs=[ACTIVITY], compute=compute, notify=args.pipeline.notify, values=values)


def deploy_stream(
    context: Context,
    of_pipelines: PipelinesArgs,
    of_jobs: JobsArgs,
    warehouse_id: pulumi.Input[str],
    access: pulumi.Resource,
    runs: pulumi.Resource,
) -> Stream | None:
    """Deploys the stream of a stack; None where its settings have none.

    Args:
        context: What people wrote, and the provider of the workspace.
        of_pipelines: Inputs of the stack's pipelines.
        of_jobs: Inputs of the stack's jobs.
        warehouse_id: SQL warehouse of the alert's query.
        access: The rights of the pipeline and of the job.
        runs: The runs that have made the tables of files, which the pipeline reads; the online store does not wait.
    """
    settings, platform = context.settings, context.platform
    stream = platform.stream
    if stream is None:
        return None
    notify, principals = platform.stream_notify, of_jobs.principals
    pipeline = StreamPipelineArgs(
        common=of_pipelines,
        kafka=of_jobs.values,
        tags=settings.tags,
        compute=platform.compute,
        workers=stream.workers,
        notify=notify,
    )
    online = OnlineStoreArgs(
        project=project_id(settings.prefix),
        tags=settings.tags,
        settings=stream.online,
        principals=principals,
        protect=platform.protect_data,
    )
    alert = LagAlertArgs(
        stack=settings.stack,
        folder=f"/Workspace/{settings.prefix}",
        catalog=settings.catalog,
        warehouse_id=warehouse_id,
        settings=stream,
        notify=notify,
        principals=principals,
    )
    streamed = [contract for contract in context.sources.contracts if contract.topic is not None]
    args = StreamArgs(
        host=platform.workspace.host,
        pipeline=pipeline,
        tables=[f"{settings.catalog}.{table}" for table in streamed_tables(streamed)],
        columns=[f"{settings.catalog}.{place.table}.{place.column}" for place in delivered_places(streamed)],
        online=online,
        jobs=of_jobs,
        workers=stream.workers,
        alert=alert,
        runs=runs,
    )
    return Stream("stream", args, context.after(access))


def _dashboard(alert: LagAlertArgs) -> DashboardArgs:
    """The dashboard that stands beside the alert."""
    return DashboardArgs(
        title=f"Churn stream ({alert.stack})",
        file="stream.lvdash.json",
        kind=ObjectKind.STREAM_DASHBOARD,
        folder=alert.folder,
        catalog=alert.catalog,
        warehouse_id=alert.warehouse_id,
        principals=alert.principals,
    )
