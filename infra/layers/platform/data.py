"""The area of data: catalog, schemas, volumes, what teams have requested, the registered model, and grants on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi

from infra.access.roles import Role
from infra.access.securables import Phase
from infra.layers.metastore import attached_metastore
from infra.layers.platform.areas import Area, AreaArgs
from infra.layers.platform.cloud_storage import CloudStorage, CloudStorageArgs, KafkaCredential, KafkaCredentialArgs
from infra.layers.platform.deployer import owning_group
from infra.layers.platform.grants import CatalogGrants, CatalogGrantsArgs
from infra.layers.platform.serving import Model, ModelArgs
from infra.layers.platform.storage import Storage, StorageArgs
from infra.layers.platform.storage_root import found_storage_root

if TYPE_CHECKING:
    from infra.context import Context
    from infra.layers.ground.outputs import GroundOutputs
    from infra.layers.platform.identities import Identities


@dataclass(frozen=True)
class Data:
    """Resources of the area of data that others use; what reads or writes data waits for `access`."""

    catalog: pulumi.Output[str]
    model: pulumi.Output[str]
    access: CatalogGrants


def deploy_data(context: Context, ground: GroundOutputs, identities: Identities) -> Data:
    """Makes the catalog, what teams have requested in it, the registered model, and the grants on them.

    A team's volume is made in a schema that is the team's by then, which needs privileges on the catalog first. So
    does the deletion of the model, which its own owner does not delete.
    """
    protect = context.platform.protect_data
    owner = owning_group(context.platform, context.workspace, identities.groups)
    storage = _storage(context, ground, _cloud(context, ground, identities, owner), owner)
    catalog_access = _make_grants(
        context, "catalog-access", Phase.CATALOG, identities, context.after(identities, storage)
    )
    areas = [
        Area(
            f"area-{request.schema_name}",
            AreaArgs(catalog=storage.catalog, request=request, protect=protect),
            context.after(catalog_access),
        )
        for request in context.sources.requests
    ]
    model = Model(
        "model",
        ModelArgs(
            catalog=storage.catalog,
            schema=storage.schemas["mlops"].name,
            owner=identities.principals[Role.RUNNER],
            protect=protect,
        ),
        context.after(catalog_access),
    )
    access = _make_grants(context, "access", Phase.OBJECTS, identities, context.after(catalog_access, model, *areas))
    return Data(storage.catalog, model.full_name, access)


def _cloud(
    context: Context, ground: GroundOutputs, identities: Identities, owner: pulumi.Output[str]
) -> CloudStorage | None:
    """Connects the ground with the metastore, and makes the grants on that; None where the ground has no buckets."""
    arns, catalog, raw, checkpoints = ground.role_arns, ground.catalog_url, ground.raw_url, ground.checkpoints_url
    if arns is None or catalog is None or raw is None or checkpoints is None:
        return None
    settings, protect = context.settings, context.platform.protect_data
    args = CloudStorageArgs(
        settings.prefix, owner, arns["storage"], catalog, raw, checkpoints, domains=context.domains, protect=protect
    )
    made: list[pulumi.Resource] = [identities, cloud := CloudStorage("cloud-storage", args, context.after())]
    if settings.ground and settings.ground.makes_kafka_role:
        kafka_args = KafkaCredentialArgs(settings.prefix, owner, arns["kafka_client"])
        made.append(KafkaCredential("kafka-credential", kafka_args, context.after()))
    _make_grants(context, "cloud-access", Phase.CLOUD, identities, context.after(*made))
    return cloud


def _storage(context: Context, ground: GroundOutputs, cloud: CloudStorage | None, owner: pulumi.Output[str]) -> Storage:
    """Makes the catalog where the ground has room for it, or else where the settings say."""
    platform, workspace, settings = context.platform, context.workspace, context.settings.ground
    args = StorageArgs(
        catalog=context.settings.catalog,
        metastore_id=attached_metastore(platform.metastore_id, "churn:platform.metastore_id", workspace),
        owner=owner,
        root=ground.storage_root
        if cloud
        else found_storage_root(settings.storage_root if settings else None, workspace),
        domains=context.domains,
        landing_urls=cloud.landing_urls if cloud else {},
        protect=platform.protect_data,
    )
    return Storage("storage", args, context.after(*([cloud.catalog] if cloud else [])))


def _make_grants(
    context: Context, name: str, phase: Phase, identities: Identities, opts: pulumi.ResourceOptions
) -> CatalogGrants:
    """Makes the grants that can be made in one phase."""
    return CatalogGrants(name, CatalogGrantsArgs(context.sources.plan.part(phase), identities.application_ids), opts)
