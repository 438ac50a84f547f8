"""Commands that the reader of SQL does not read: by their first words, and the one object that each names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sqlglot import exp

from local.workspace.authorisation import information_schema, table_rules
from local.workspace.authorisation.changes import PLACES
from local.workspace.authorisation.dialect import quoted, read, refused, written
from local.workspace.authorisation.masks import protection
from local.workspace.authorisation.prepared import Prepared, rows
from local.workspace.authorisation.relations import Relations, check_known
from local.workspace.authorisation.scope import NOWHERE
from local.workspace.unity_catalog.access import sees
from local.workspace.unity_catalog.documents import CATALOGS, TABLES, TAGS

if TYPE_CHECKING:
    from local.workspace.authorisation.reader import Reader

_PART = r"(?:`(?:[^`]|``)+`|\w+)"
NAME = rf"{_PART}(?:\s*\.\s*{_PART}){{0,2}}"
_FLAGS = re.IGNORECASE | re.DOTALL
_USE = re.compile(rf"USE\s+(?:(CATALOG|SCHEMA|DATABASE)\s+)?({NAME})", _FLAGS)
_EXPLAIN = re.compile(r"EXPLAIN\s+(?:(EXTENDED|FORMATTED|COST|CODEGEN)\s+)?(.*)", _FLAGS)
_DESCRIBE_QUERY = re.compile(r"DESC(?:RIBE)?\s+(?:QUERY\s+)?((?:(?:SELECT|WITH|VALUES)\b|\().*)", _FLAGS)
_DESCRIBE = re.compile(rf"DESC(?:RIBE)?\s+(?:TABLE\s+)?(?:(EXTENDED|FORMATTED|DETAIL|HISTORY)\s+)?({NAME})(.*)", _FLAGS)
_SHOW = re.compile(
    rf"SHOW\s+(CATALOGS|SCHEMAS|DATABASES|TABLES|COLUMNS|TBLPROPERTIES|CREATE\s+TABLE)(?:\s+(?:IN|FROM))?(?:\s+({NAME}))?",
    _FLAGS,
)
_MAINTAIN = re.compile(rf"(OPTIMIZE|VACUUM|ANALYZE\s+TABLE|REFRESH\s+TABLE|RESTORE\s+TABLE)\s+({NAME})\b(.*)", _FLAGS)
_ALTER = re.compile(rf"(ALTER\s+TABLE)\s+({NAME})\s+(.*)", _FLAGS)
_COMMENT = re.compile(rf"(COMMENT\s+ON\s+TABLE)\s+({NAME})(\s+IS\s.*)", _FLAGS)
# Of ALTER TABLE, what changes neither whose the table is nor where it lies, nor takes a name from a tagged column.
_ALTERED = re.compile(
    r"(ADD\s+COLUMNS?|ALTER\s+COLUMN|CHANGE|CLUSTER\s+BY|DROP\s+CONSTRAINT|ADD\s+CONSTRAINT|DROP\s+COLUMNS?"
    r"|RENAME\s+COLUMN|SET\s+TBLPROPERTIES|UNSET\s+TBLPROPERTIES)\b",
    re.IGNORECASE,
)
_MOVES_COLUMNS = re.compile(r"(DROP\s+COLUMN|RENAME\s+COLUMN|CHANGE)", re.IGNORECASE)
_QUERY = re.compile(r"\b(SELECT|FROM|TABLE|WITH|VALUES)\b", re.IGNORECASE)
_TEXTS = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|`[^`]*`", re.DOTALL)


def prepared(reader: Reader, statement: str) -> Prepared | None:
    """Judges a command; returns None where the statement is none of those that this module knows.

    Raises:
        ApiError: The reader may not do what the command does, or it cannot be judged.
    """
    text = statement.strip().rstrip(";").strip()
    for pattern, judged in (
        (_USE, _use),
        (_EXPLAIN, _explain),
        (_DESCRIBE_QUERY, _describe_query),
        (_DESCRIBE, _describe),
        (_SHOW, _show),
        (_MAINTAIN, _maintain),
        (_ALTER, _alter),
        (_COMMENT, _comment),
    ):
        if match := pattern.fullmatch(text):
            return judged(reader, match)
    return None


def parts_of(name: str) -> list[str]:
    """Returns the parts of a written name."""
    return [part.strip("`").replace("``", "`") for part in re.findall(_PART, name)]


def full_table(reader: Reader, name: str) -> str:
    """Returns a table's name in full; raises ApiError where its schema is not one of Unity Catalog."""
    full_name = reader.scope.full(parts_of(name))
    check_known(reader, full_name)
    return full_name


def _use(reader: Reader, match: re.Match[str]) -> Prepared:
    parts = parts_of(match[2])
    if (match[1] or "").upper() == "CATALOG":
        reader.check("catalog", parts[0].lower(), "USE_CATALOG")
    else:
        reader.check("schema", reader.scope.schema_name(parts), "USE_SCHEMA")
    return Prepared()


def _explain(reader: Reader, match: re.Match[str]) -> Prepared:
    text, relations = _secured(reader, match[2])
    if relations.guarded or relations.calls.secrets:
        raise refused("EXPLAIN of a query on masked or filtered tables would show how they are masked")
    return Prepared(f"EXPLAIN {match[1] or ''} {text}")


def _describe_query(reader: Reader, match: re.Match[str]) -> Prepared:
    text, relations = _secured(reader, match[1])
    return Prepared(f"DESCRIBE QUERY {text}", secrets=relations.calls.secrets, guarded=relations.guarded)


def _secured(reader: Reader, statement: str) -> tuple[str, Relations]:
    tree, relations = read(statement), Relations()
    if not isinstance(tree, exp.Query | exp.Values):
        raise refused("only queries can be described and explained")
    return written(relations.secure(tree, reader)), relations


def _describe(reader: Reader, match: re.Match[str]) -> Prepared:
    if match[3].strip():
        raise refused("this form of DESCRIBE cannot be checked")
    full_name, word = full_table(reader, match[2]), (match[1] or "").upper()
    if not word and sees(reader.workspace, reader.names, full_name):
        return Prepared(f"DESCRIBE TABLE {_written(full_name)}")
    reader.check("table", full_name, "SELECT")
    _check_whole(reader, full_name)  # HISTORY has conditions, EXTENDED and DETAIL statistics and places of files
    return Prepared(f"DESCRIBE {'' if word in ('DETAIL', 'HISTORY') else 'TABLE '}{word} {_written(full_name)}")


def _show(reader: Reader, match: re.Match[str]) -> Prepared:
    kind, name = " ".join(match[1].upper().split()), match[2]
    if kind == "CATALOGS":
        names = [catalog for catalog, _ in reader.workspace.store.items(CATALOGS)]
        return Prepared(rows(["catalog"], [[name] for name in names if reader.holds("catalog", name, "USE_CATALOG")]))
    if kind in ("SCHEMAS", "DATABASES"):
        catalog = parts_of(name)[0].lower() if name else reader.scope.catalog
        reader.check("catalog", catalog, "USE_CATALOG")
        found = information_schema.schemas(reader, catalog)
        return Prepared(rows(["databaseName"], [[schema.rpartition(".")[2]] for schema in found]))
    if kind == "TABLES":
        schema = reader.scope.schema_name(parts_of(name) if name else [reader.scope.schema])
        reader.check("schema", schema, "USE_SCHEMA")
        short = schema.rpartition(".")[2]
        tables = [full_name.rpartition(".")[2] for full_name in information_schema.tables(reader, schema)]
        return Prepared(rows(["database", "tableName", "isTemporary"], [[short, table, "false"] for table in tables]))
    if not name:
        raise refused(f"SHOW {kind} without a table cannot be checked")
    full_name = full_table(reader, name)
    reader.check("table", full_name, "SELECT")
    return Prepared(f"SHOW {kind} {'IN ' if kind == 'COLUMNS' else ''}{_written(full_name)}")


def _maintain(reader: Reader, match: re.Match[str]) -> Prepared:
    full_name = full_table(reader, match[2])
    reader.check("table", full_name, "MODIFY")
    _check_whole(reader, full_name)
    return Prepared(f"{match[1]} {_written(full_name)}{_plain(match[3], but='TABLE')}")


def _alter(reader: Reader, match: re.Match[str]) -> Prepared:
    full_name = full_table(reader, match[2])
    if rule := table_rules.prepared(reader, full_name, match[3]):
        return rule
    if not _ALTERED.match(match[3]):
        raise refused("this form of ALTER TABLE cannot be checked")
    if any(PLACES.search(text.strip("'\"`")) for text in _TEXTS.findall(match[3])):
        raise refused("where a table lies cannot be changed by its properties")
    reader.check("table", full_name, "MANAGE")
    _check_whole(reader, full_name)
    if _MOVES_COLUMNS.match(match[3]):
        _check_untagged(reader, full_name)
    return Prepared(f"ALTER TABLE {_written(full_name)} {_plain(match[3])}")


def _comment(reader: Reader, match: re.Match[str]) -> Prepared:
    full_name = full_table(reader, match[2])
    reader.check("table", full_name, "MANAGE")
    return Prepared(f"COMMENT ON TABLE {_written(full_name)}{_plain(match[3])}")


def _check_untagged(reader: Reader, full_name: str) -> None:
    """Refuses to move the columns of a table that has tags or masks on some: they would lose them."""
    store = reader.workspace.store
    document = store.get(TABLES, full_name)
    if store.items(TAGS, f"columns/{full_name}.") or (document and document.get("masks")):
        raise refused(f"columns of Table '{full_name}' have tags or masks, which do not move with them here")


def _check_whole(reader: Reader, full_name: str) -> None:
    if protection(reader.workspace, set(reader.names), full_name):
        raise refused(f"Table '{full_name}' is masked or filtered for the user")


def _plain(rest: str, but: str = "") -> str:
    """The rest of a command, which must have no query."""
    found = {word.upper() for word in _QUERY.findall(_TEXTS.sub("''", rest))} - {but}
    if found:
        raise refused(f"{min(found)} in this command cannot be checked")
    return rest


def _written(full_name: str) -> str:
    if full_name.startswith(f"{NOWHERE}."):
        raise refused(f"Table '{full_name}' is not one of Unity Catalog")
    return ".".join(quoted(part) for part in full_name.split("."))
