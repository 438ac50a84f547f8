"""Where training is tracked: the MLflow experiment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_databricks as databricks

if TYPE_CHECKING:
    from infra.written.tenancy import Groups


@dataclass(frozen=True)
class TrackingArgs:
    """Attributes:
    folder: Workspace folder that the experiment lies in.
    runner: Application id of the service principal that jobs run as, which writes the runs.
    groups: Display names of the account's groups.
    protect: Whether to refuse to destroy it.
    """

    folder: pulumi.Input[str]
    runner: pulumi.Input[str]
    groups: Groups
    protect: bool


class Tracking(pulumi.ComponentResource):
    """Owns the experiment and its permissions; the runs in it belong to the jobs that train."""

    experiment_id: pulumi.Output[str]

    def __init__(self, name: str, args: TrackingArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("churn:tracking:Tracking", name, None, opts)
        experiment = databricks.MlflowExperiment(
            "experiment",
            name=pulumi.Output.concat(args.folder, "/churn_model"),
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
        )
        self.experiment_id = experiment.id
        databricks.Permissions(
            "experiment-permissions",
            experiment_id=experiment.id,
            access_controls=[
                {"service_principal_name": args.runner, "permission_level": "CAN_EDIT"},
                {"group_name": args.groups.engineers, "permission_level": "CAN_MANAGE"},
                {"group_name": args.groups.scientists, "permission_level": "CAN_READ"},
            ],
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({"experiment_id": self.experiment_id})
