"""`GRANT`, `REVOKE` and `SHOW GRANTS`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from local.workspace.authorisation.commands import NAME, parts_of
from local.workspace.authorisation.dialect import refused
from local.workspace.authorisation.prepared import Prepared, rows
from local.workspace.core.errors import ApiError
from local.workspace.unity_catalog import grants
from local.workspace.unity_catalog.access import check_manage, containers, granted, owner_of

if TYPE_CHECKING:
    from local.workspace.authorisation.reader import Reader

_KIND = (
    r"(?:(CATALOG|SCHEMA|DATABASE|TABLE|VIEW|VOLUME|FUNCTION"
    r"|EXTERNAL\s+LOCATION|SERVICE\s+CREDENTIAL|STORAGE\s+CREDENTIAL)\s+)?"
)
_PRINCIPAL = r"(`[^`]+`|'[^']+'|[\w.@-]+)"
_CHANGE = re.compile(
    rf"(GRANT|REVOKE)\s+([\w ,\s]+?)\s+ON\s+{_KIND}({NAME})\s+(TO|FROM)\s+{_PRINCIPAL}", re.IGNORECASE | re.DOTALL
)
_METASTORE = re.compile(rf"(GRANT|REVOKE)\s+([\w ,\s]+?)\s+ON\s+METASTORE\s+(TO|FROM)\s+{_PRINCIPAL}", re.IGNORECASE)
_SHOW = re.compile(rf"SHOW\s+GRANTS?(?:\s+{_PRINCIPAL})?\s+ON\s+{_KIND}({NAME})", re.IGNORECASE)
_KINDS = {
    "DATABASE": "schema",
    "EXTERNAL LOCATION": "external_location",
    "SERVICE CREDENTIAL": "credential",
    "STORAGE CREDENTIAL": "storage_credential",
    "VIEW": "table",
}


def prepared(reader: Reader, statement: str) -> Prepared | None:
    """Does what a statement on grants says; returns None where it is none.

    Raises:
        ApiError: The caller may not, or what it names does not exist.
    """
    text = statement.strip().rstrip(";").strip()
    if match := _CHANGE.fullmatch(text):
        kind, full_name = _place(reader, match[3], match[4])
        return _change(reader, match[1], match[2], kind, full_name, (match[5], match[6]))
    if match := _METASTORE.fullmatch(text):
        return _change(reader, match[1], match[2], "metastore", reader.workspace.metastore_id, (match[3], match[4]))
    if match := _SHOW.fullmatch(text):
        kind, full_name = _place(reader, match[2], match[3])
        return Prepared(_shown(reader, kind, full_name, _name(match[1])))
    return None


def _change(reader: Reader, verb: str, listed: str, kind: str, full_name: str, whom: tuple[str, str]) -> Prepared:
    word, principal = whom
    if (verb.upper() == "GRANT") != (word.upper() == "TO"):
        raise refused(f"{verb} … {word} is no statement")
    privileges = ["_".join(privilege.upper().split()) for privilege in listed.split(",")]
    change = {"principal": _name(principal), "add" if verb.upper() == "GRANT" else "remove": privileges}
    grants.update(kind, full_name, {"changes": [change]}, reader.workspace, reader.user)
    return Prepared()


def _place(reader: Reader, kind: str | None, name: str) -> tuple[str, str]:
    word = " ".join((kind or "TABLE").upper().split())
    known, parts = _KINDS.get(word, word.lower()), parts_of(name)
    if known == "schema":
        return known, reader.scope.schema_name(parts)
    if known in ("function", "table", "volume"):
        return known, reader.scope.full(parts)
    return known, ".".join(parts).lower()


def _shown(reader: Reader, kind: str, full_name: str, principal: str) -> str:
    """The grants on an object and on what contains it: all for who manages it, the caller's own for others."""
    kind, full_name = grants.place(reader.workspace, kind, full_name)
    own = reader.names
    try:
        check_manage(reader.workspace, reader.user, kind, full_name)
    except ApiError:
        everything = owner_of(reader.workspace, kind, full_name) in own
    else:
        everything = True
    listed = [
        [name, privilege.replace("_", " "), place.upper(), place_name]
        for place, place_name in [(kind, full_name), *(containers(full_name) if kind != "metastore" else [])]
        for name, privileges in granted(reader.workspace, place, place_name).items()
        for privilege in privileges
        if (everything or name in own) and principal in ("", name)
    ]
    return rows(["Principal", "ActionType", "ObjectType", "ObjectKey"], listed)


def _name(written: str | None) -> str:
    return (written or "").strip("`'")
