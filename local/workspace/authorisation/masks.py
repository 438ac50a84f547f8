"""Masks and row filters of a table for one reader: those of the table itself, and those of policies by tags."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from local.workspace.authorisation.conditions import holds_for
from local.workspace.authorisation.dialect import refused
from local.workspace.unity_catalog.documents import POLICIES, TABLES, TAGS, PolicyDocument

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from local.workspace.core.context import Workspace
    from local.workspace.core.store import Document

Tags = dict[str, str]


class Column(str):
    """An argument that is the column of this name."""

    __slots__ = ()


class Constant(str):
    """An argument that is this text."""

    __slots__ = ()


@dataclass(frozen=True)
class Call:
    """A call of a function by a mask or a filter.

    Attributes:
        function: Full name.
        arguments: The name of a column, or a text, of each argument.
    """

    function: str
    arguments: tuple[Column | Constant, ...]


@dataclass
class Protection:
    """What a reader of a table gets: masked columns, in small letters, and the filters that its rows pass."""

    masks: dict[str, Call] = field(default_factory=dict)
    filters: list[Call] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.masks or self.filters)


def protection(workspace: Workspace, names: set[str], table: str) -> Protection:
    """Returns what protects a table from a reader.

    Args:
        workspace: The workspace.
        names: The reader's name and groups.
        table: Full name of the table.

    Raises:
        ApiError: Two different masks or filters hold for the same column and reader.
    """
    found = Protection()
    document = workspace.store.get(TABLES, table)
    for column, mask in (document.get("masks", {}) if document else {}).items():
        _add_mask(found, table, column, _call(mask["function_name"], [column, *mask["columns"]]))
    if document and "row_filter" in document:
        found.filters.append(_call(document["row_filter"]["function_name"], document["row_filter"]["columns"]))
    policies = [policy for policy in _policies(workspace, table) if _concerns(policy, names)]
    if policies:
        columns, whole = _column_tags(workspace, table), _tags_of_table(workspace, table)
        for policy in policies:
            if holds_for(policy.get("when_condition", "TRUE"), whole):
                _apply(found, table, policy, columns)
    _check(found, table)
    return found


def policies_on(workspace: Workspace, table: str) -> list[PolicyDocument]:
    """Returns the policies on a table and on what contains it, whomever they concern."""
    return list(_policies(workspace, table))


def _policies(workspace: Workspace, table: str) -> Iterator[PolicyDocument]:
    catalog, schema, _ = table.split(".", 2)
    for place in (f"CATALOG/{catalog}/", f"SCHEMA/{catalog}.{schema}/", f"TABLE/{table}/"):
        for _, policy in workspace.store.items(POLICIES, place):
            yield policy


def _concerns(policy: PolicyDocument, names: set[str]) -> bool:
    return bool(names & set(policy["to_principals"])) and not names & set(policy.get("except_principals", []))


def _column_tags(workspace: Workspace, table: str) -> dict[str, Tags]:
    columns: dict[str, Tags] = {}
    for _, tag in workspace.store.items(TAGS, f"columns/{table}."):
        column = tag["entity_name"].lower().split(".", 3)[3]
        columns.setdefault(column, {})[tag["tag_key"]] = tag.get("tag_value", "")
    return columns


def _tags_of_table(workspace: Workspace, table: str) -> Tags:
    """The tags of a table, with those that it inherits."""
    catalog, schema, _ = table.split(".", 2)
    tags: Tags = {}
    for place in (f"catalogs/{catalog}/", f"schemas/{catalog}.{schema}/", f"tables/{table}/"):
        tags |= {tag["tag_key"]: tag.get("tag_value", "") for _, tag in workspace.store.items(TAGS, place)}
    return tags


def _apply(found: Protection, table: str, policy: PolicyDocument, columns: Mapping[str, Tags]) -> None:
    """Adds a policy's mask or filter, unless a condition of it matches no column of the table."""
    matched: dict[str, list[str]] = {}
    for index, match in enumerate(policy.get("match_columns", [])):
        fitting = [column for column, tags in columns.items() if holds_for(match["condition"], tags)]
        if not fitting:
            return
        matched[match.get("alias", f" {index}")] = fitting
    if "column_mask" in policy:
        options = policy["column_mask"]
        for column in matched[options["on_column"]]:
            _add_mask(found, table, column, _call_of(options, matched, [column]))
    else:
        found.filters.append(_call_of(policy["row_filter"], matched, []))


def _call_of(options: Document, matched: Mapping[str, list[str]], columns: list[str]) -> Call:
    arguments: list[Column | Constant] = [Column(column) for column in columns]
    for argument in options.get("using", []):
        if "constant" in argument:
            arguments.append(Constant(argument["constant"]))
        elif len(matched[argument["alias"]]) == 1:
            arguments.append(Column(matched[argument["alias"]][0]))
        else:
            found = matched[argument["alias"]]
            raise refused(f"alias {argument['alias']} of a policy matches several columns: {found}")
    return Call(options["function_name"].lower(), tuple(arguments))


def _call(function: str, columns: list[str]) -> Call:
    return Call(function.lower(), tuple(Column(column) for column in columns))


def _add_mask(found: Protection, table: str, column: str, call: Call) -> None:
    column = column.lower()
    if found.masks.setdefault(column, call) != call:
        names = f"{found.masks[column].function}, {call.function}"
        raise refused(f"several masks hold for column '{column}' of Table '{table}': {names}")


def _check(found: Protection, table: str) -> None:
    """Refuses what would be applied to values that are masked themselves."""
    found.filters = list(dict.fromkeys(found.filters))
    if len(found.filters) > 1:
        names = ", ".join(call.function for call in found.filters)
        raise refused(f"several row filters hold for Table '{table}': {names}")
    for column, call in found.masks.items():
        if masked := sorted(
            {name.lower() for name in call.arguments if isinstance(name, Column)} - {column} & set(found.masks)
        ):
            raise refused(f"the mask of column '{column}' of Table '{table}' reads a masked column: {masked[0]}")
