"""Unity Catalog: catalogs, schemas, volumes, tables, registered models, and grants."""

from fastapi import APIRouter

from local.workspace.unity_catalog import (
    catalogs,
    effective_grants,
    grants,
    metastore,
    models,
    schemas,
    tables,
    volumes,
)

router = APIRouter()
for _area in (metastore, catalogs, schemas, volumes, tables, models, grants, effective_grants):
    router.include_router(_area.router)
