"""The registered model and the endpoint that serves its champion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
import pulumi_databricks as databricks

from infra.access.permissions import ObjectKind
from infra.access.roles import Role
from infra.errors import NoChampionError
from infra.layers.platform.permit import permit
from infra.layers.workspace_provider import workspace_provider

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from infra.layers.platform.permit import Principals
    from infra.written.settings.serving import Serving as ServingSettings
    from infra.written.settings.workspace import Workspace

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
        tags: Tags of the endpoint, by which what it costs is told apart.
        model: Full name of the registered model.
        after: Resources without which the model has no champion.
        settings: The stack's section `serving`.
        principals: Principal of each role.
        workspace: The section `workspace`.
        server: The service principal that makes the endpoint, and in whose name the endpoint reads the model.
    """

    endpoint: str
    tags: Mapping[str, str]
    model: pulumi.Input[str]
    after: Sequence[pulumi.Resource]
    settings: ServingSettings
    principals: Principals
    workspace: Workspace
    server: databricks.ServicePrincipal


class Serving(pulumi.ComponentResource):
    """Owns the endpoint and its permissions. Nothing else writes it: promotion moves the alias, then Pulumi follows.

    The version behind the alias is looked up while planning; before the first deployment it is not known. An endpoint
    acts for ever as whoever has made it: as a service principal that may execute this model and do nothing else.
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
        self.version = model.apply(lambda found: _champion(found) or self._served(args.endpoint, found.full_name))
        child = pulumi.ResourceOptions(parent=self)
        secret = databricks.ServicePrincipalSecret("server-secret", service_principal_id=args.server.id, opts=child)
        server = workspace_provider(
            "server",
            args.workspace,
            auth_type="oauth-m2m",
            client_id=args.principals[Role.SERVER],
            client_secret=secret.secret,
            opts=child,
        )
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
            tags=[{"key": key, "value": value} for key, value in args.tags.items()],
            opts=pulumi.ResourceOptions(parent=self, provider=server),
        )
        self.endpoint_name = endpoint.name
        permit(self, "endpoint", ObjectKind.ENDPOINT, endpoint.serving_endpoint_id, args.principals)
        self.register_outputs({"endpoint_name": self.endpoint_name})

    def _served(self, endpoint: str, model: str) -> pulumi.Output[str]:
        """Looks up the version that the endpoint serves now, for a model that has lost its champion."""
        endpoints = databricks.get_serving_endpoints_output(opts=pulumi.InvokeOutputOptions(parent=self))
        return endpoints.apply(lambda found: _keep(found, endpoint, model))


def _champion(model: databricks.GetRegisteredModelResult) -> str | None:
    """Finds the version that has the alias; aliases ignore case."""
    for info in model.model_infos or []:
        for alias in info.aliases or []:
            if (alias.alias_name or "").casefold() == CHAMPION:
                return str(alias.version_num)
    return None


def _keep(found: databricks.GetServingEndpointsResult, endpoint: str, model: str) -> str:
    """Keeps the version that the endpoint serves, with a warning.

    Raises:
        NoChampionError: There is no such endpoint yet, so nothing to serve.
    """
    for listed in found.endpoints or []:
        for config in (listed.configs or []) if listed.name == endpoint else []:
            for entity in config.served_entities or []:
                if entity.entity_version:
                    pulumi.warn(
                        f"{model}: no version has the alias {CHAMPION}; the endpoint {endpoint} keeps version "
                        f"{entity.entity_version}; remedy: set the alias on the version to serve"
                    )
                    return entity.entity_version
    raise NoChampionError(
        f"{model}: no version has the alias {CHAMPION}, so there is nothing to serve; remedy: set it on a "
        "version that predicts, or delete the versions and run the job churn_bootstrap"
    )
