"""Tables, read from Spark."""

import uuid
from datetime import datetime
from typing import Any

from fastapi import APIRouter
from pyspark.sql.types import DataType, DecimalType, StructType

from local.workspace.core.context import Here, Workspace
from local.workspace.core.store import Document

from . import namespaces
from .securables import UC, changing, find, forget, missing, page

router = APIRouter()

_TYPE_NAMES = {"integer": "INT", "bigint": "LONG", "smallint": "SHORT", "tinyint": "BYTE"}


@router.get(f"{UC}/tables")
def list_all(
    catalog_name: str,
    schema_name: str,
    here: Here,
    max_results: int = 0,
    page_token: str = "",
    omit_columns: bool = False,
) -> Document:
    schema = find(here, "schema", f"{catalog_name}.{schema_name}")["full_name"]
    names, rest = page(namespaces.tables(here, schema), max_results, page_token)
    found = [_shown(here, f"{schema}.{name}", columns=not omit_columns) for name in names]
    return {"tables": found} | rest


@router.get(f"{UC}/tables/{{full_name}}")
def get(full_name: str, here: Here) -> Document:
    _check(here, full_name)
    return _shown(here, full_name.lower(), columns=True)


@router.get(f"{UC}/tables/{{full_name}}/exists")
def exists(full_name: str, here: Here) -> Document:
    return {"table_exists": namespaces.has_table(here, full_name)}


@router.delete(f"{UC}/tables/{{full_name}}")
def delete(full_name: str, here: Here) -> Document:
    with changing:
        _check(here, full_name)
        namespaces.drop_table(here, full_name)
        forget(here, "table", full_name.lower())
        return {}


def _check(here: Workspace, full_name: str) -> None:
    if full_name.count(".") != 2 or not namespaces.has_table(here, full_name):
        raise missing("table", full_name)


def _shown(here: Workspace, full_name: str, columns: bool) -> Document:
    catalog_name, schema_name, name = full_name.split(".")
    detail: dict[str, Any] = namespaces.detail(here, full_name)
    parent = find(here, "schema", f"{catalog_name}.{schema_name}")
    document = {
        "name": name,
        "catalog_name": catalog_name,
        "schema_name": schema_name,
        "full_name": full_name,
        "table_type": "MANAGED",
        "data_source_format": str(detail["format"]).upper(),
        "storage_location": detail["location"],
        "properties": detail.get("properties") or {},
        "owner": parent["owner"],
        "metastore_id": here.metastore_id,
        "table_id": str(uuid.uuid5(uuid.UUID(here.metastore_id), full_name)),
        "created_at": _ms(detail["createdAt"]),
        "updated_at": _ms(detail["lastModified"]),
    }
    if detail.get("description"):
        document["comment"] = detail["description"]
    if columns:
        table = namespaces.table(here, full_name)
        if table is None:
            raise missing("table", full_name)
        document["columns"] = _columns(table.schema)
    return document


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
