"""Securables of Unity Catalog and grants on them: which privileges each kind takes, and what contains it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum


class Phase(Enum):
    """Phases in which grants can be made; from the catalog on, each needs what the phase before it has made."""

    CLOUD = "as soon as credentials and external locations exist"
    CATALOG = "as soon as the catalog exists"
    OBJECTS = "as soon as schemas, volumes and the registered model exist"
    TABLES = "after pipelines and the bootstrap job have made their tables"


class Kind(StrEnum):
    """Kinds of securables; the value is the argument of `databricks.Grants` that takes the securable's name."""

    METASTORE = "metastore"
    STORAGE_CREDENTIAL = "storage_credential"
    SERVICE_CREDENTIAL = "credential"
    EXTERNAL_LOCATION = "external_location"
    CATALOG = "catalog"
    SCHEMA = "schema"
    TABLE = "table"
    VOLUME = "volume"
    MODEL = "model"

    @property
    def phase(self) -> Phase:
        """Phase in which grants on this kind can be made."""
        return _PHASES.get(self, Phase.CATALOG)


_PHASES = {
    Kind.STORAGE_CREDENTIAL: Phase.CLOUD,
    Kind.SERVICE_CREDENTIAL: Phase.CLOUD,
    Kind.EXTERNAL_LOCATION: Phase.CLOUD,
    Kind.SCHEMA: Phase.OBJECTS,
    Kind.VOLUME: Phase.OBJECTS,
    Kind.MODEL: Phase.OBJECTS,
    Kind.TABLE: Phase.TABLES,
}

# Kinds of the containers of a kind, outermost first. Its name begins with their names, joined by dots. All other kinds
# lie in the metastore itself: a dot in their name is a dot.
PARENTS: dict[Kind, tuple[Kind, ...]] = {
    Kind.SCHEMA: (Kind.CATALOG,),
    Kind.TABLE: (Kind.CATALOG, Kind.SCHEMA),
    Kind.VOLUME: (Kind.CATALOG, Kind.SCHEMA),
    Kind.MODEL: (Kind.CATALOG, Kind.SCHEMA),
}

# The privilege that lets a principal into a container.
ENTRY = {Kind.CATALOG: "USE_CATALOG", Kind.SCHEMA: "USE_SCHEMA"}

# Privileges that each kind takes; those of children may stand on a catalog or schema and are inherited.
# https://docs.databricks.com/aws/en/data-governance/unity-catalog/manage-privileges/privileges
_TABLE = frozenset({"SELECT", "MODIFY", "APPLY_TAG", "MANAGE"})
_VOLUME = frozenset({"READ_VOLUME", "WRITE_VOLUME", "APPLY_TAG", "MANAGE"})
_MODEL = frozenset({"EXECUTE", "APPLY_TAG", "MANAGE"})
_CREATE = frozenset(
    {"CREATE_TABLE", "CREATE_MATERIALIZED_VIEW", "CREATE_VOLUME", "CREATE_FUNCTION", "CREATE_MODEL", "REFRESH"}
)
_SCHEMA = _TABLE | _VOLUME | _MODEL | _CREATE | {"USE_SCHEMA"}
_FILES = frozenset({"READ_FILES", "WRITE_FILES", "CREATE_EXTERNAL_TABLE", "MANAGE"})
_METASTORE = frozenset(
    {
        "CREATE_CATALOG",
        "CREATE_CLEAN_ROOM",
        "CREATE_CONNECTION",
        "CREATE_EXTERNAL_LOCATION",
        "CREATE_PROVIDER",
        "CREATE_RECIPIENT",
        "CREATE_SERVICE_CREDENTIAL",
        "CREATE_SHARE",
        "CREATE_STORAGE_CREDENTIAL",
        "MANAGE_ALLOWLIST",
        "SET_SHARE_PERMISSION",
        "USE_MARKETPLACE_ASSETS",
        "USE_PROVIDER",
        "USE_RECIPIENT",
        "USE_SHARE",
    }
)
PRIVILEGES: dict[Kind, frozenset[str]] = {
    Kind.METASTORE: _METASTORE,
    Kind.STORAGE_CREDENTIAL: _FILES | {"CREATE_EXTERNAL_LOCATION"},
    Kind.SERVICE_CREDENTIAL: frozenset({"ACCESS", "CREATE_CONNECTION", "MANAGE"}),
    Kind.EXTERNAL_LOCATION: _FILES | {"BROWSE", "CREATE_EXTERNAL_VOLUME", "CREATE_MANAGED_STORAGE"},
    Kind.CATALOG: _SCHEMA | {"USE_CATALOG", "CREATE_SCHEMA", "BROWSE"},
    Kind.SCHEMA: _SCHEMA,
    Kind.TABLE: _TABLE,
    Kind.VOLUME: _VOLUME,
    Kind.MODEL: _MODEL,
}


@dataclass(frozen=True, order=True)
class Securable:
    """One object that grants are made on.

    Attributes:
        name: Full name, such as `churn_local.silver.customer`.
        kind: What it is.
    """

    name: str
    kind: Kind

    def __str__(self) -> str:
        """Its kind and its name."""
        return f"{self.kind} {self.name}"

    def path(self) -> list[tuple[Securable, str]]:
        """The catalog and schema on the way into it, itself included, each with the privilege that lets one enter."""
        parts = self.name.split(".")
        kinds = [*PARENTS.get(self.kind, ()), self.kind]
        return [
            (Securable(".".join(parts[:depth]), kind), ENTRY[kind])
            for depth, kind in enumerate(kinds, start=1)
            if kind in ENTRY
        ]


@dataclass(frozen=True)
class Grant:
    """Privileges of one principal on one securable.

    Attributes:
        securable: What the privileges are on.
        principal: Group's display name, user name, or name of a service principal of this program.
        privileges: Names as Unity Catalog has them.
    """

    securable: Securable
    principal: str
    privileges: frozenset[str]
