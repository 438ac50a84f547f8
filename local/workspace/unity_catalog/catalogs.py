"""Catalogs."""

from typing import Annotated, Any

from databricks.sdk.service import catalog
from fastapi import APIRouter, Depends

from local.workspace.core.context import Caller, Here
from local.workspace.core.errors import bad_request
from local.workspace.core.requests import body
from local.workspace.core.store import Document

from . import namespaces, schemas
from .securables import UC, changing, check_owner, created, exists, find, forget, named, page, updated

router = APIRouter()


@router.post(f"{UC}/catalogs")
def create(
    sent: Annotated[dict[str, Any], Depends(body(catalog.CatalogsAPI.create))], here: Here, caller: Caller
) -> Document:
    name = named(sent["name"])
    if "__" in name or name.endswith("_"):  # Spark's names of its schemas, `<catalog>__<schema>`, must be clear
        raise bad_request(f"name is {name!r}: a catalog of the local workspace has no __ in its name nor _ at its end")
    foreign = [field for field in ("connection_name", "provider_name", "share_name") if field in sent]
    if foreign:
        raise bad_request(f"{foreign[0]}: foreign and shared catalogs are not part of the local workspace")
    with changing:
        if here.store.get("uc_catalog", name):
            raise exists("catalog", name)
        document = {
            **sent,
            **created(here, caller),
            "name": name,
            "full_name": name,
            "catalog_type": "MANAGED_CATALOG",
            "isolation_mode": "OPEN",
            "enable_predictive_optimization": "INHERIT",
            "securable_type": "CATALOG",
            "storage_location": sent.get("storage_root", here.settings.tables.as_uri()),
        }
        namespaces.create_catalog(here, name)
        schemas.add(here, caller, name, {"name": "default", "comment": "Default schema (auto-created)"})
        here.store.put("uc_catalog", name, document)
        return _shown(document)


@router.get(f"{UC}/catalogs")
def list_all(here: Here, max_results: int = 0, page_token: str = "") -> Document:
    found, rest = page([_shown(document) for _, document in here.store.items("uc_catalog")], max_results, page_token)
    return {"catalogs": found} | rest


@router.get(f"{UC}/catalogs/{{name}}")
def get(name: str, here: Here) -> Document:
    return _shown(find(here, "catalog", name))


@router.patch(f"{UC}/catalogs/{{name}}")
def update(
    name: str,
    sent: Annotated[dict[str, Any], Depends(body(catalog.CatalogsAPI.update))],
    here: Here,
    caller: Caller,
) -> Document:
    with changing:
        document = find(here, "catalog", name)
        if named(sent.pop("new_name", name)) != document["name"]:
            raise bad_request("new_name: the local workspace cannot rename a catalog; make a new one")
        if "owner" in sent:
            check_owner(here, sent["owner"])
        document |= sent | updated(caller)
        here.store.put("uc_catalog", document["name"], document)
        return _shown(document)


@router.delete(f"{UC}/catalogs/{{name}}")
def delete(name: str, here: Here, force: bool = False) -> Document:
    with changing:
        name = find(here, "catalog", name)["name"]
        inside = [key for key, _ in here.store.items("uc_schema", f"{name}.")]
        in_spark = [f"{name}.{schema}" for schema in namespaces.schemas(here, name)]
        by_sql = [schema for schema in in_spark if schema not in inside]
        others = [key for key in inside if key != f"{name}.default"] + by_sql
        if others and not force:
            message = f"Catalog '{name}' is not empty. The catalog has {len(others)} schema(s)."
            raise bad_request(message, "INVALID_STATE")
        for schema in inside + by_sql:
            schemas.remove(here, schema, force)  # refuses a schema `default` that holds something
        namespaces.drop_catalog(here, name, force)
        here.store.delete("uc_catalog", name)
        forget(here, "catalog", name)
        return {}


def _shown(document: Document) -> Document:
    shown = {key: value for key, value in document.items() if key != "bindings"}
    asked = document["enable_predictive_optimization"]
    return shown | {
        "effective_predictive_optimization_flag": {"value": "DISABLE" if asked == "INHERIT" else asked},
        "provisioning_info": {"state": "ACTIVE"},
    }
