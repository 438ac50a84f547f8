"""Deploys the declarative pipelines of `job_tasks.py`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pulumi
import pulumi_databricks as databricks

from infra.access.permissions import ObjectKind
from infra.access.roles import Role
from infra.layers.platform.job_tasks import PIPELINES, deployed_name
from infra.layers.platform.permit import permit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.layers.platform.job_tasks import PipelineSpec
    from infra.layers.platform.libraries import Libraries
    from infra.layers.platform.permit import Principals


@dataclass(frozen=True)
class PipelinesArgs:
    """Inputs of `Pipelines`.

    Attributes:
        prefix: Beginning of their names, as `churn-local`.
        tags: Tags of each pipeline, by which what it costs is told apart.
        catalog: Catalog that the pipelines write to.
        sources: Path of each source by the name of its file.
        libraries: What the sources need; they import the wheel.
        spark_conf: Settings of each session.
        principals: Principal of each role.
        protect: Whether to refuse to destroy: deleting a pipeline deletes its tables.
    """

    prefix: str
    tags: Mapping[str, str]
    catalog: pulumi.Input[str]
    sources: Mapping[str, pulumi.Input[str]]
    libraries: Libraries
    spark_conf: Mapping[str, str]
    principals: Principals
    protect: bool


class Pipelines(pulumi.ComponentResource):
    """Owns the pipelines that jobs update, with their permissions.

    When they run, how often after a failure, and who is notified of it is the jobs' concern. They are serverless
    everywhere: what they read and write is in the catalog. `StreamPipeline` has to reach the brokers.
    """

    ids: dict[str, pulumi.Output[str]]

    def __init__(self, name: str, args: PipelinesArgs, opts: pulumi.ResourceOptions) -> None:
        """Declares the pipelines."""
        super().__init__("churn:platform:Pipelines", name, None, opts)
        own: dict[str, pulumi.Input[str]] = {
            # The job's task retries. The service's own retries, five of an update and two of each flow in it, would
            # multiply with those.
            "pipelines.numUpdateRetryAttempts": "0",
            "pipelines.maxFlowRetryAttempts": "0",
            "churn.admitted": pulumi.Output.format("/Volumes/{0}/bronze/admitted", args.catalog),
        }
        self.ids = {
            spec.name: declare_pipeline(self, spec, args, own, serverless=True, continuous=False).id
            for spec in PIPELINES
        }
        self.register_outputs({"ids": self.ids})


def declare_pipeline(
    parent: pulumi.Resource,
    spec: PipelineSpec,
    args: PipelinesArgs,
    configuration: Mapping[str, pulumi.Input[str]],
    **own: Any,
) -> databricks.Pipeline:
    """Declares a pipeline with its permissions.

    Args:
        parent: The component that owns it.
        spec: The pipeline.
        args: What all pipelines have.
        configuration: What its source reads besides the catalog, and settings of the service.
        **own: Further arguments of the resource.
    """
    pipeline = databricks.Pipeline(
        spec.name,
        name=deployed_name(spec.name, args.prefix),
        catalog=args.catalog,
        schema=spec.schema,
        development=False,
        channel="CURRENT",
        configuration={**args.spark_conf, "churn.catalog": args.catalog, **configuration},
        libraries=[{"file": {"path": args.sources[spec.source]}}],
        tags=dict(args.tags),
        environment=args.libraries.environment(),
        run_as={"service_principal_name": args.principals[Role.RUNNER]},
        opts=pulumi.ResourceOptions(parent=parent, protect=args.protect),
        **own,
    )
    permit(parent, spec.name, ObjectKind.PIPELINE, pipeline.id, args.principals)
    return pipeline
