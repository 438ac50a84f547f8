"""Runs before the first day, by which pipelines and the bootstrap job make what grants and the endpoint need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi

from infra.layers.platform.job_tasks import BOOTSTRAP, BRONZE_PIPELINE, SILVER_PIPELINE
from infra.once.run_once import RunOnce, RunOnceArgs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True)
class FirstRunsArgs:
    """Inputs of `FirstRuns`.

    Attributes:
        host: URL of the workspace.
        pipeline_ids: Id of each pipeline by name.
        job_ids: Id of each job by name.
        pipeline_tables: Tables that the pipelines make; another list asks for another run.
        bootstrap_objects: The model and tables that the bootstrap job makes; another list asks for another run.
    """

    host: str
    pipeline_ids: Mapping[str, pulumi.Input[str]]
    job_ids: Mapping[str, pulumi.Input[str]]
    pipeline_tables: Sequence[str]
    bootstrap_objects: Sequence[str]


class FirstRuns(pulumi.ComponentResource):
    """Owns one run of each pipeline, bronze before silver, and one of the bootstrap job."""

    bootstrap: RunOnce

    def __init__(self, name: str, args: FirstRunsArgs, opts: pulumi.ResourceOptions) -> None:
        """Declares the runs."""
        super().__init__("churn:platform:FirstRuns", name, None, opts)
        tables = ",".join(args.pipeline_tables)
        bronze = RunOnce(
            "first-bronze",
            RunOnceArgs(args.host, fingerprint=tables, pipeline_id=args.pipeline_ids[BRONZE_PIPELINE.name]),
            pulumi.ResourceOptions(parent=self),
        )
        RunOnce(
            "first-silver",
            RunOnceArgs(args.host, fingerprint=tables, pipeline_id=args.pipeline_ids[SILVER_PIPELINE.name]),
            pulumi.ResourceOptions(parent=self, depends_on=[bronze]),
        )
        self.bootstrap = RunOnce(
            "bootstrap",
            RunOnceArgs(args.host, fingerprint=",".join(args.bootstrap_objects), job_id=args.job_ids[BOOTSTRAP.name]),
            pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})
