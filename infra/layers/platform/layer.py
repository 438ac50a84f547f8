"""Deploys the layer of the platform: everything inside a workspace, with the rights of a workspace administrator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi

from infra.access.classified import classified_places, delivered_places
from infra.access.permissions import ObjectKind
from infra.access.roles import principals
from infra.layers.platform import governance
from infra.layers.platform.artifacts import SOURCES, Artifacts, ArtifactsArgs
from infra.layers.platform.compute import Compute, ComputeArgs
from infra.layers.platform.dashboard import ChurnDashboard, DashboardArgs
from infra.layers.platform.data import Data, deploy_data
from infra.layers.platform.entitlements import GroupEntitlements, GroupEntitlementsArgs
from infra.layers.platform.erasure import deploy_erasure
from infra.layers.platform.first_runs import FirstRuns, FirstRunsArgs
from infra.layers.platform.identities import Identities, IdentitiesArgs
from infra.layers.platform.job_tasks import BOOTSTRAP, daily_job, pipelines_of
from infra.layers.platform.jobs import Jobs, JobsArgs
from infra.layers.platform.kafka import kafka_values
from infra.layers.platform.pipelines import Pipelines, PipelinesArgs
from infra.layers.platform.quality_alert import QualityAlert, QualityAlertArgs
from infra.layers.platform.serving import Serving, ServingArgs
from infra.layers.platform.stream import deploy_stream
from infra.layers.platform.tracking import Tracking, TrackingArgs
from infra.names import MARTS, MODEL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.context import Context
    from infra.layers.ground.outputs import GroundOutputs


@dataclass(frozen=True)
class PlatformOutputs:
    """Outputs of the platform layer.

    The stack exports each value under the name that it has as an attribute.

    Attributes:
        workspace_url: URL of the workspace.
        catalog: Name of the catalog.
        model: Full name of the registered model.
        warehouse_id: SQL warehouse for statements.
        secret_scope: Name of the scope for secrets of jobs.
        erasure_scope: Name of the scope for requests to erase customers.
        pipeline_ids: Id of each pipeline by name.
        job_ids: Id of each job by name.
        endpoint_name: Name of the serving endpoint.
        endpoint_url: Where it answers.
        dashboard_url: Page of the published dashboard.
        online_store: Host, endpoint and database of the online store; None without a stream.
    """

    workspace_url: str
    catalog: pulumi.Output[str]
    model: pulumi.Output[str]
    warehouse_id: pulumi.Output[str]
    secret_scope: pulumi.Output[str]
    erasure_scope: pulumi.Output[str]
    pipeline_ids: dict[str, pulumi.Output[str]]
    job_ids: dict[str, pulumi.Output[str]]
    endpoint_name: pulumi.Output[str]
    endpoint_url: pulumi.Output[str]
    dashboard_url: pulumi.Output[str]
    online_store: dict[str, pulumi.Output[str]] | None


def deploy_platform(context: Context, ground: GroundOutputs, after: Sequence[pulumi.Resource]) -> PlatformOutputs:
    """Deploys the layer of the platform.

    Args:
        context: What people wrote, and the provider of the workspace.
        ground: What the platform stands on.
        after: What must exist before groups can be named: the groups, where the same stack makes them.
    """
    identities = _identities(context, after)
    _entitlements(context, identities)
    classified = governance.declare_classified(context)
    data = deploy_data(context, ground, identities)
    code = _code(context, identities, classified)
    compute = _compute(context, identities)
    masks = governance.deploy_masks(context, identities.principals, compute.warehouse_id, [data.access, compute])
    runs = _pipelines_and_jobs(context, ground, identities, data, code, compute)
    first_runs = _first_runs(context, data, runs)
    stream = deploy_stream(context, runs.of_pipelines, runs.of_jobs, compute.warehouse_id, data.access, first_runs)
    erasure = deploy_erasure(context, runs.of_jobs, stream, [data.access, code.artifacts, compute, runs.pipelines])
    governance.open_tables(context, identities, classified, masks, first_runs, stream.tables if stream else None)
    serving = _serving(context, identities, data, first_runs)
    dashboard = _dashboard(context, identities, code, compute)
    _quality_alert(context, identities, code, compute, first_runs)
    host = context.platform.workspace.host
    return PlatformOutputs(
        workspace_url=host,
        catalog=data.catalog,
        model=data.model,
        warehouse_id=compute.warehouse_id,
        secret_scope=compute.secret_scope,
        erasure_scope=erasure.scope,
        pipeline_ids=runs.pipelines.ids | (stream.pipeline_ids if stream else {}),
        job_ids=runs.jobs.ids | (stream.job_ids if stream else {}) | erasure.job_ids,
        endpoint_name=serving.endpoint_name,
        endpoint_url=pulumi.Output.format("{0}/serving-endpoints/{1}/invocations", host, serving.endpoint_name),
        dashboard_url=pulumi.Output.format("{0}/dashboardsv3/{1}/published", host, dashboard.dashboard_id),
        online_store=stream.online.outputs if stream else None,
    )


@dataclass(frozen=True)
class _Code:
    """Resources of the area of code that others use."""

    artifacts: Artifacts
    tracking: Tracking


@dataclass(frozen=True)
class _Runs:
    """Resources of the area of pipelines and jobs that others use."""

    pipelines: Pipelines
    jobs: Jobs
    of_pipelines: PipelinesArgs  # which the stream shares, as those of jobs
    of_jobs: JobsArgs


def _identities(context: Context, after: Sequence[pulumi.Resource]) -> Identities:
    """Lets groups into the workspace, and makes the stack's service principals."""
    platform = context.platform
    args = IdentitiesArgs(
        host=platform.workspace.host,
        account_id=str(platform.account_id),
        groups=platform.group_names,
        names=principals(platform, context.settings.prefix),
        production=context.settings.production,
    )
    return Identities("identities", args, context.after(*after))


def _entitlements(context: Context, identities: Identities) -> None:
    """Lets the groups open what their work needs."""
    platform = context.platform
    ids = [entry.principal_id for entry in identities.entries]
    args = GroupEntitlementsArgs(
        groups=dict(zip(platform.group_names, ids, strict=True)),
        by_work=platform.groups,
    )
    GroupEntitlements("entitlements", args, context.after(identities.groups))


def _code(context: Context, identities: Identities, classified: governance.Classified) -> _Code:
    """Uploads the code that jobs and pipelines run, and makes the experiment beside it.

    Code that fills other columns is uploaded once nobody may read the tables.
    """
    settings, protect = context.settings, context.platform.protect_data
    artifacts = Artifacts(
        "artifacts",
        ArtifactsArgs(
            folder=f"/{settings.prefix}",
            principals=identities.principals,
            wheel=context.sources.wheel,
            sources=[SOURCES / spec.source for spec in pipelines_of(streamed=context.platform.stream is not None)],
            protect=protect,
        ),
        context.after(identities, classified),
    )
    tracking = Tracking(
        "tracking",
        TrackingArgs(folder=artifacts.folder.path, principals=identities.principals, protect=protect),
        context.after(identities),
    )
    return _Code(artifacts, tracking)


def _compute(context: Context, identities: Identities) -> Compute:
    """Makes the compute of jobs, people and dashboards."""
    settings, platform = context.settings, context.platform
    args = ComputeArgs(
        prefix=settings.prefix,
        tags=settings.tags,
        settings=platform.compute,
        warehouse=platform.warehouse,
        principals=identities.principals,
        protect=platform.protect_data,
    )
    return Compute("compute", args, context.after(identities))


def _pipelines_and_jobs(
    context: Context, ground: GroundOutputs, identities: Identities, data: Data, code: _Code, compute: Compute
) -> _Runs:
    """Makes the path of a day: deliveries, bronze, silver, features, model, scores, marts."""
    settings, platform, artifacts = context.settings, context.platform, code.artifacts
    of_pipelines = PipelinesArgs(
        prefix=settings.prefix,
        tags=settings.tags,
        catalog=data.catalog,
        sources=artifacts.sources,
        libraries=artifacts.pipelines,
        spark_conf={**platform.compute.spark_conf, "churn.stream": str(platform.stream is not None).lower()},
        principals=identities.principals,
        protect=platform.protect_data,
    )
    pipelines = Pipelines("pipelines", of_pipelines, context.after(data.access, artifacts))
    of_jobs = JobsArgs(
        specs=[BOOTSTRAP, daily_job(simulated=platform.simulation.enabled, streamed=platform.stream is not None)],
        prefix=settings.prefix,
        tags=settings.tags,
        catalog=data.catalog,
        model=data.model,
        experiment_id=code.tracking.experiment_id,
        libraries=artifacts.jobs,
        pipeline_ids=pipelines.ids,
        policy_id=compute.policy_id,
        principals=identities.principals,
        compute=platform.compute,
        daily=platform.daily,
        simulation=platform.simulation,
        training=platform.training,
        stream=platform.stream,
        notify=platform.daily.notify,
        values=kafka_values(ground, settings.prefix),
    )
    jobs = Jobs("jobs", of_jobs, context.after(data.access, artifacts, code.tracking, compute))
    return _Runs(pipelines, jobs, of_pipelines, of_jobs)


def _first_runs(context: Context, data: Data, runs: _Runs) -> FirstRuns:
    """Runs the pipelines and the bootstrap job once, so that the columns exist that are tagged, and then granted."""
    contracts = context.sources.contracts
    tables = [contract.table for contract in contracts if contract.topic is None]
    delivered = delivered_places(contracts)
    written = [place for place in classified_places(contracts) if place not in delivered]
    return FirstRuns(
        "first-runs",
        FirstRunsArgs(
            host=context.platform.workspace.host,
            pipeline_ids=runs.pipelines.ids,
            job_ids=runs.jobs.ids,
            pipeline_tables=[*tables, *(f"{place.table}.{place.column}" for place in delivered)],
            bootstrap_objects=[
                f"{context.settings.catalog}.{MODEL}",
                *MARTS,
                *(f"{place.table}.{place.column}" for place in written),
            ],
        ),
        context.after(data.access, runs.pipelines, runs.jobs),
    )


def _serving(context: Context, identities: Identities, data: Data, first_runs: FirstRuns) -> Serving:
    """Makes the endpoint, which serves the champion that the bootstrap job has made at the latest."""
    args = ServingArgs(
        endpoint=context.settings.prefix,
        tags=context.settings.tags,
        model=data.model,
        after=[first_runs.bootstrap],
        settings=context.platform.serving,
        principals=identities.principals,
        workspace=context.platform.workspace,
        server=identities.server,
    )
    return Serving("serving", args, context.after())


def _dashboard(context: Context, identities: Identities, code: _Code, compute: Compute) -> ChurnDashboard:
    """Makes the dashboard."""
    args = DashboardArgs(
        title=f"Churn ({context.settings.stack})",
        file="churn.lvdash.json",
        kind=ObjectKind.DASHBOARD,
        folder=code.artifacts.folder.path.apply(lambda path: f"/Workspace{path}"),
        catalog=context.settings.catalog,
        warehouse_id=compute.warehouse_id,
        principals=identities.principals,
    )
    return ChurnDashboard("dashboard", args, context.after(identities))


def _quality_alert(
    context: Context, identities: Identities, code: _Code, compute: Compute, first_runs: FirstRuns
) -> None:
    """Makes the alert on data, once the tables are there that it reads."""
    daily = context.platform.daily
    args = QualityAlertArgs(
        stack=context.settings.stack,
        folder=code.artifacts.folder.path.apply(lambda path: f"/Workspace{path}"),
        catalog=context.settings.catalog,
        warehouse_id=compute.warehouse_id,
        contracts=context.sources.contracts,
        paused=daily.paused,
        notify=daily.notify,
        principals=identities.principals,
    )
    QualityAlert("quality-alert", args, context.after(first_runs))
