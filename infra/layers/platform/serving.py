"""The registered model and the endpoint that serves its champion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_databricks as databricks

from infra.access.permissions import ObjectKind
from infra.errors import NoChampionError
from infra.layers.platform.permissions import permit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.layers.platform.permissions import Principals
    from infra.written.settings.serving import Serving as ServingSettings

CHAMPION = "champion"


@dataclass(frozen=True)
class ModelArgs:
    """Inputs of `Model`.

    Attributes:
        catalog: Catalog of the model.
        schema: Schema of the model.
        owner: Application id of the service principal that registers versions and moves aliases.
        protect: Whether to refuse to destroy it.
    """

    catalog: pulumi.Input[str]
    schema: pulumi.Input[str]
    owner: pulumi.Input[str]
    protect: bool


class Model(pulumi.ComponentResource):
    """Owns the registered model; its versions and aliases belong to the jobs that train, gate and promote."""

    full_name: pulumi.Output[str]

    def __init__(self, name: str, args: ModelArgs, opts: pulumi.ResourceOptions) -> None:
        """Declares the model."""
        super().__init__("churn:platform:Model", name, None, opts)
        model = databricks.RegisteredModel(
            "churn_model",
            catalog_name=args.catalog,
            schema_name=args.schema,
            name="churn_model",
            owner=args.owner,
            comment="Probability that an active customer leaves; alias champion serves, challenger waits for the gate",
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
        )
        self.full_name = model.id
        self.register_outputs({"full_name": self.full_name})


@dataclass(frozen=True)
class ServingArgs:
    """Inputs of `Serving`.

    Attributes:
        endpoint: Name of the endpoint.
        model: Full name of the registered model.
        after: Resources without which the model has no champion.
        settings: The stack's section `serving`.
        principals: Principal of each role.
    """

    endpoint: str
    model: pulumi.Input[str]
    after: Sequence[pulumi.Resource]
    settings: ServingSettings
    principals: Principals


class Serving(pulumi.ComponentResource):
    """Owns the endpoint and its permissions. Nothing else writes it: promotion moves the alias, then Pulumi follows.

    The version behind the alias is looked up while planning; before the first deployment it is not known.
    """

    version: pulumi.Output[str]
    endpoint_name: pulumi.Output[str]

    def __init__(self, name: str, args: ServingArgs, opts: pulumi.ResourceOptions) -> None:
        """Declares the endpoint with the version that is the champion now."""
        super().__init__("churn:platform:Serving", name, None, opts)
        model = databricks.get_registered_model_output(
            full_name=args.model,
            include_aliases=True,
            opts=pulumi.InvokeOutputOptions(parent=self, depends_on=list(args.after)),
        )
        self.version = model.apply(_champion)
        endpoint = databricks.ModelServing(
            "endpoint",
            name=args.endpoint,
            config={
                "served_entities": [
                    {
                        "name": CHAMPION,
                        "entity_name": args.model,
                        "entity_version": self.version,
                        "workload_size": args.settings.workload_size.value,
                        "scale_to_zero_enabled": args.settings.scale_to_zero,
                    }
                ],
                "traffic_config": {"routes": [{"served_model_name": CHAMPION, "traffic_percentage": 100}]},
            },
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.endpoint_name = endpoint.name
        permit(self, "endpoint", ObjectKind.ENDPOINT, endpoint.serving_endpoint_id, args.principals)
        self.register_outputs({"endpoint_name": self.endpoint_name})


def _champion(model: databricks.GetRegisteredModelResult) -> str:
    """Finds the version that has the alias."""
    for info in model.model_infos or []:
        for alias in info.aliases or []:
            if alias.alias_name == CHAMPION:
                return str(alias.version_num)
    raise NoChampionError(
        f"{model.full_name}: no version has the alias {CHAMPION}, so there is nothing to serve; remedy: set it on a "
        "version that predicts, or delete the versions and run the job churn_bootstrap"
    )
