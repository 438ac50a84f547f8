"""The MLflow experiment that training is tracked in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_databricks as databricks

from infra.access.permissions import ObjectKind
from infra.layers.platform.permissions import permit

if TYPE_CHECKING:
    from infra.layers.platform.permissions import Principals


@dataclass(frozen=True)
class TrackingArgs:
    """Inputs of `Tracking`.

    Attributes:
        folder: Workspace folder that the experiment lies in.
        principals: Principal of each role.
        protect: Whether to refuse to destroy it.
    """

    folder: pulumi.Input[str]
    principals: Principals
    protect: bool


class Tracking(pulumi.ComponentResource):
    """Owns the experiment and its permissions; the runs in it belong to the jobs that train."""

    experiment_id: pulumi.Output[str]

    def __init__(self, name: str, args: TrackingArgs, opts: pulumi.ResourceOptions) -> None:
        """Declares the experiment."""
        super().__init__("churn:platform:Tracking", name, None, opts)
        experiment = databricks.MlflowExperiment(
            "experiment",
            name=pulumi.Output.concat(args.folder, "/churn_model"),
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
        )
        self.experiment_id = experiment.id
        permit(self, "experiment", ObjectKind.EXPERIMENT, experiment.id, args.principals)
        self.register_outputs({"experiment_id": self.experiment_id})
