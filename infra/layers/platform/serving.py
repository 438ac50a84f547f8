"""The registered model and the endpoint that serves its champion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_databricks as databricks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.written.settings import Serving as ServingSettings
    from infra.written.tenancy import Groups

CHAMPION = "champion"


@dataclass(frozen=True)
class ModelArgs:
    """Attributes:
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
        super().__init__("churn:serving:Model", name, None, opts)
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
    """Attributes:
    endpoint: Name of the endpoint.
    model: Full name of the registered model.
    registered: What must be done before the model has a champion.
    settings: The stack's section `serving`.
    groups: Display names of the account's groups.
    """

    endpoint: str
    model: pulumi.Input[str]
    registered: Sequence[pulumi.Resource]
    settings: ServingSettings
    groups: Groups


class Serving(pulumi.ComponentResource):
    """Owns the endpoint and its permissions. Nothing else writes it: promotion moves the alias, then Pulumi follows.

    The version behind the alias is looked up while planning; before the first deployment it is not known.
    """

    version: pulumi.Output[str]
    endpoint_name: pulumi.Output[str]

    def __init__(self, name: str, args: ServingArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("churn:serving:Serving", name, None, opts)
        found = databricks.get_registered_model_output(
            full_name=args.model,
            include_aliases=True,
            opts=pulumi.InvokeOutputOptions(parent=self, depends_on=list(args.registered)),
        )
        self.version = found.apply(_champion)
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
        databricks.Permissions(
            "endpoint-permissions",
            serving_endpoint_id=endpoint.serving_endpoint_id,
            access_controls=[
                {"group_name": args.groups.engineers, "permission_level": "CAN_MANAGE"},
                {"group_name": args.groups.scientists, "permission_level": "CAN_QUERY"},
            ],
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({"endpoint_name": self.endpoint_name})


def _champion(found: databricks.GetRegisteredModelResult) -> str:
    """Version that the alias names."""
    for info in found.model_infos or []:
        for alias in info.aliases or []:
            if alias.alias_name == CHAMPION:
                return str(alias.version_num)
    raise pulumi.RunError(
        f"{found.full_name}: no version has the alias {CHAMPION}, so there is nothing to serve; remedy: set it on a "
        "version that predicts, or delete the versions and run the job churn_bootstrap"
    )
