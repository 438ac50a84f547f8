"""Unity Catalog: credentials, external locations, catalogs, schemas, volumes, tables, registered models, and grants."""

from fastapi import APIRouter

from local.workspace.unity_catalog import (
    bindings,
    catalogs,
    credentials,
    effective_grants,
    external_locations,
    grants,
    metastore,
    models,
    schemas,
    service_credentials,
    tables,
    volumes,
)

router = APIRouter()
for _area in (
    metastore,
    bindings,
    credentials,
    service_credentials,
    external_locations,
    catalogs,
    schemas,
    volumes,
    tables,
    models,
    grants,
    effective_grants,
):
    router.include_router(_area.router)
