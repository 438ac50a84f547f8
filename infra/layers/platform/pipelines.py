"""The declarative pipelines: raw files to bronze, bronze to silver."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_databricks as databricks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from infra.written.tenancy import Groups


@dataclass(frozen=True)
class PipelinesArgs:
    """Attributes:
    catalog: Catalog that the pipelines write to.
    sources: Path of the source file by the schema it fills.
    wheel: Path of the wheel that the sources import.
    spark_conf: Settings of each session.
    runner: Application id of the service principal that updates run as.
    groups: Display names of the account's groups.
    notify: E-mail addresses told of failed updates.
    protect: Whether to refuse to destroy: deleting a pipeline deletes its tables.
    """

    catalog: pulumi.Input[str]
    sources: Mapping[str, pulumi.Input[str]]
    wheel: pulumi.Input[str]
    spark_conf: Mapping[str, str]
    runner: pulumi.Input[str]
    groups: Groups
    notify: Sequence[str]
    protect: bool


class Pipelines(pulumi.ComponentResource):
    """Owns one pipeline for each source, with its permissions; when they run is the jobs' concern.

    Pipelines are serverless everywhere: on classic clusters they cannot install a wheel as a dependency.
    """

    ids: dict[str, pulumi.Output[str]]

    def __init__(self, name: str, args: PipelinesArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("churn:pipelines:Pipelines", name, None, opts)
        configuration: dict[str, pulumi.Input[str]] = {
            **args.spark_conf,
            "churn.catalog": args.catalog,
            "churn.admitted": pulumi.Output.format("/Volumes/{0}/bronze/admitted", args.catalog),
        }
        self.ids = {}
        for schema, source in args.sources.items():
            pipeline = databricks.Pipeline(
                f"churn_{schema}",
                name=f"churn_{schema}",
                catalog=args.catalog,
                schema=schema,
                serverless=True,
                continuous=False,
                development=False,
                channel="CURRENT",
                configuration=configuration,
                libraries=[{"file": {"path": source}}],
                environment={"dependencies": [args.wheel]},
                run_as={"service_principal_name": args.runner},
                notifications=[
                    {"alerts": ["on-update-failure", "on-flow-failure"], "email_recipients": list(args.notify)}
                ]
                if args.notify
                else [],
                opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
            )
            databricks.Permissions(
                f"churn_{schema}-permissions",
                pipeline_id=pipeline.id,
                access_controls=[
                    {"service_principal_name": args.runner, "permission_level": "CAN_RUN"},
                    {"group_name": args.groups.engineers, "permission_level": "CAN_MANAGE"},
                ],
                opts=pulumi.ResourceOptions(parent=self),
            )
            self.ids[f"churn_{schema}"] = pipeline.id
        self.register_outputs({"ids": self.ids})
