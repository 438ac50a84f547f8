"""Masks, row filters, tags and the owner of a table by `ALTER TABLE`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from local.workspace.authorisation.prepared import Prepared
from local.workspace.core.errors import bad_request
from local.workspace.unity_catalog import namespaces
from local.workspace.unity_catalog.access import check_manage, owner_of
from local.workspace.unity_catalog.documents import FUNCTIONS, TABLES, MaskDocument, TableDocument
from local.workspace.unity_catalog.securables import changing, check_owner, find, missing

if TYPE_CHECKING:
    from local.workspace.authorisation.reader import Reader

_PART = r"(?:`[^`]+`|\w+)"
_LIST = rf"\(\s*({_PART}(?:\s*,\s*{_PART})*)?\s*\)"
_FUNCTION = rf"({_PART}(?:\.{_PART}){{0,2}})"
_SET_MASK = re.compile(
    rf"ALTER\s+COLUMN\s+({_PART})\s+SET\s+MASK\s+{_FUNCTION}(?:\s+USING\s+COLUMNS\s*{_LIST})?", re.IGNORECASE
)
_DROP_MASK = re.compile(rf"ALTER\s+COLUMN\s+({_PART})\s+DROP\s+MASK", re.IGNORECASE)
_SET_FILTER = re.compile(rf"SET\s+ROW\s+FILTER\s+{_FUNCTION}\s+ON\s*{_LIST}", re.IGNORECASE)
_DROP_FILTER = re.compile(r"DROP\s+ROW\s+FILTER", re.IGNORECASE)
_OWNER = re.compile(r"(?:SET\s+)?OWNER\s+TO\s+(`[^`]+`|\w+)", re.IGNORECASE)


def prepared(reader: Reader, full_name: str, action: str) -> Prepared | None:
    """Does what an action of `ALTER TABLE` says; returns None where the action is none of this module's.

    Raises:
        ApiError: The reader may not, or the table, a column or the function does not exist.
    """
    action = action.strip()
    if match := _OWNER.fullmatch(action):
        return _give(reader, full_name, match[1].strip("`"))
    for pattern in (_SET_MASK, _DROP_MASK, _SET_FILTER, _DROP_FILTER):
        if match := pattern.fullmatch(action):
            with changing:
                reader.check("table", full_name, "MANAGE")
                _rule(reader, full_name, pattern, match)
            return Prepared()
    return None


def _rule(reader: Reader, full_name: str, pattern: re.Pattern[str], match: re.Match[str]) -> None:
    document = _document(reader, full_name)
    masks = {**document.get("masks", {})}
    if pattern is _SET_MASK:
        column = match[1].strip("`").lower()
        masks[column] = _mask(reader, full_name, match[2], _names(match[3]), [column])
        document["masks"] = masks
    elif pattern is _DROP_MASK:
        masks.pop(match[1].strip("`").lower(), None)
        document["masks"] = masks
    elif pattern is _SET_FILTER:
        document["row_filter"] = _mask(reader, full_name, match[1], _names(match[2]), [])
    else:
        document.pop("row_filter", None)
    reader.workspace.store.put(TABLES, full_name, document)


def _give(reader: Reader, full_name: str, owner: str) -> Prepared:
    with changing:
        check_manage(reader.workspace, reader.user, "table", full_name)
        check_owner(reader.workspace, owner)
        document = _document(reader, full_name)
        reader.workspace.store.put(TABLES, full_name, TABLES.document({**document, "owner": owner}))
        return Prepared()


def _document(reader: Reader, full_name: str) -> TableDocument:
    if not namespaces.has_table(reader.workspace, full_name):
        raise missing("table", full_name)
    document = reader.workspace.store.get(TABLES, full_name)
    return document or TableDocument(owner=str(owner_of(reader.workspace, "table", full_name)))


def _mask(reader: Reader, full_name: str, function: str, columns: list[str], first: list[str]) -> MaskDocument:
    name = reader.scope.full([part.strip("`") for part in function.split(".")])
    made = find(reader.workspace, FUNCTIONS, name)
    reader.check("function", name, "EXECUTE")
    table = namespaces.table(reader.workspace, full_name)
    known = [column.lower() for column in table.columns] if table is not None else []
    for column in [*first, *columns]:
        if column not in known:
            raise bad_request(f"Column '{column}' does not exist in Table '{full_name}'; there: {', '.join(known)}")
    if len(first) + len(columns) != len(made["input_params"]["parameters"]):
        raise bad_request(f"{name} takes {len(made['input_params']['parameters'])} arguments")
    return {"function_name": name, "columns": columns}


def _names(listed: str | None) -> list[str]:
    return [part.strip("`").lower() for part in re.findall(_PART, listed or "")]
