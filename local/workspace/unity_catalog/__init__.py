"""Unity Catalog: storage, catalogs, schemas, volumes, tables, models, functions, and what governs them."""

from fastapi import APIRouter

from local.workspace.unity_catalog import (
    bindings,
    catalogs,
    credentials,
    effective_grants,
    external_locations,
    functions,
    grants,
    metastore,
    models,
    policies,
    schemas,
    service_credentials,
    tables,
    tag_assignments,
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
    functions,
    tag_assignments,
    policies,
    grants,
    effective_grants,
):
    router.include_router(_area.router)
