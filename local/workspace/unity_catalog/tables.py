"""Tables, read from Spark."""

import uuid
from datetime import datetime
from typing import Any

from fastapi import APIRouter
from pyspark.sql.types import DataType, DecimalType, StructType

from local.workspace.core.context import Caller, Workspace, WorkspaceDep
from local.workspace.core.paging import page
from local.workspace.core.store import Document
from local.workspace.unity_catalog import namespaces
from local.workspace.unity_catalog.access import check_manage, check_privilege, names_of, owner_of, sees
from local.workspace.unity_catalog.cloud_urls import url_of
from local.workspace.unity_catalog.documents import SCHEMAS, TABLES, TAGS
from local.workspace.unity_catalog.securables import PAGE, UC, changing, find, forget, missing

router = APIRouter()

_TYPE_NAMES = {"integer": "INT", "bigint": "LONG", "smallint": "SHORT", "tinyint": "BYTE"}


@router.get(f"{UC}/tables")
def list_all(
    catalog_name: str,
    schema_name: str,
    workspace: WorkspaceDep,
    caller: Caller,
    max_results: int = 0,
    page_token: str = "",
    omit_columns: bool = False,
) -> Document:
    """Returns the tables that the caller may know of."""
    schema = find(workspace, SCHEMAS, f"{catalog_name}.{schema_name}")["full_name"]
    names = names_of(workspace, caller)
    tables = [name for name in namespaces.tables(workspace, schema) if sees(workspace, names, f"{schema}.{name}")]
    answer = page(tables, "tables", max_results or PAGE, page_token, most=PAGE)
    shown = [_shown(workspace, f"{schema}.{name}", columns=not omit_columns) for name in answer["tables"]]
    return answer | {"tables": shown}


@router.get(f"{UC}/tables/{{full_name}}")
def get(full_name: str, workspace: WorkspaceDep, caller: Caller) -> Document:
    """Returns a table that the caller may know of."""
    _check(workspace, full_name)
    if not sees(workspace, names_of(workspace, caller), full_name.lower()):
        check_privilege(workspace, caller, "table", full_name.lower(), "SELECT")
    return _shown(workspace, full_name.lower(), columns=True)


@router.get(f"{UC}/tables/{{full_name}}/exists")
def exists(full_name: str, workspace: WorkspaceDep) -> Document:
    """Says whether a table exists."""
    return {"table_exists": namespaces.has_table(workspace, full_name)}


@router.delete(f"{UC}/tables/{{full_name}}")
def delete(full_name: str, workspace: WorkspaceDep, caller: Caller) -> Document:
    """Deletes a table."""
    with changing:
        _check(workspace, full_name)
        check_manage(workspace, caller, "table", full_name.lower())
        namespaces.drop_table(workspace, full_name)
        forget_table(workspace, full_name.lower())
        return {}


def forget_table(workspace: Workspace, full_name: str) -> None:
    """Drops what the workspace keeps of a table that was deleted, with the tags of its columns."""
    forget(workspace, "table", full_name)
    workspace.store.delete(TABLES, full_name)
    for key, _ in workspace.store.items(TAGS, f"columns/{full_name}."):
        workspace.store.delete(TAGS, key)


def _check(workspace: Workspace, full_name: str) -> None:
    if full_name.count(".") != 2 or not namespaces.has_table(workspace, full_name):
        raise missing("table", full_name)


def _shown(workspace: Workspace, full_name: str, columns: bool) -> Document:
    catalog_name, schema_name, name = full_name.split(".")
    detail: dict[str, Any] = namespaces.detail(workspace, full_name)
    document = {
        "name": name,
        "catalog_name": catalog_name,
        "schema_name": schema_name,
        "full_name": full_name,
        "table_type": "MANAGED",
        "data_source_format": str(detail["format"]).upper(),
        "storage_location": url_of(workspace, str(detail["location"])),
        "properties": detail.get("properties") or {},
        "owner": owner_of(workspace, "table", full_name),
        "metastore_id": workspace.metastore_id,
        "table_id": str(uuid.uuid5(uuid.UUID(workspace.metastore_id), full_name)),
        "created_at": _ms(detail["createdAt"]),
        "updated_at": _ms(detail["lastModified"]),
    }
    if detail.get("description"):
        document["comment"] = detail["description"]
    if columns:
        table = namespaces.table(workspace, full_name)
        if table is None:
            raise missing("table", full_name)
        document["columns"] = _columns(table.schema)
    _add_rules(workspace, full_name, document)
    return document


def _add_rules(workspace: Workspace, full_name: str, document: Document) -> None:
    """Adds the masks and the row filter that a table itself has."""
    rules = workspace.store.get(TABLES, full_name)
    if rules and "row_filter" in rules:
        given = rules["row_filter"]
        document["row_filter"] = {"function_name": given["function_name"], "input_column_names": given["columns"]}
    for column in document.get("columns", []):
        mask = rules.get("masks", {}).get(column["name"].lower()) if rules else None
        if mask:
            column["mask"] = {"function_name": mask["function_name"], "using_column_names": mask["columns"]}


def _columns(schema: StructType) -> list[Document]:
    return [
        {
            "name": field.name,
            "position": position,
            "type_text": field.dataType.simpleString(),
            "type_name": _type_name(field.dataType),
            "type_json": field.json(),
            "nullable": field.nullable,
            **({"comment": field.metadata["comment"]} if "comment" in field.metadata else {}),
            **(
                {"type_precision": field.dataType.precision, "type_scale": field.dataType.scale}
                if isinstance(field.dataType, DecimalType)
                else {}
            ),
        }
        for position, field in enumerate(schema.fields)
    ]


def _type_name(kind: DataType) -> str:
    name = kind.typeName()
    return _TYPE_NAMES.get(name, name.upper())


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
