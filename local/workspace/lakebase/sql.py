"""What the API does inside a PostgreSQL server: roles and databases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psycopg.sql import SQL, Composed, Identifier

if TYPE_CHECKING:
    import psycopg

    from local.workspace.core.store import Document

SUPERUSER = "databricks_superuser"
FIRST_DATABASE = "databricks_postgres"


def create_built_in(connection: psycopg.Connection[tuple[Any, ...]], creator: str) -> None:
    """Makes the roles and the database that each project begins with, unless they exist.

    Args:
        connection: Of the administrator.
        creator: Name of who made the project.
    """
    if not _exists(connection, "pg_roles", "rolname", SUPERUSER):
        connection.execute(SQL("CREATE ROLE {} NOLOGIN CREATEDB CREATEROLE BYPASSRLS").format(Identifier(SUPERUSER)))
        rights = SQL("GRANT pg_read_all_data, pg_write_all_data, pg_monitor TO {}").format(Identifier(SUPERUSER))
        connection.execute(rights)
    if not _exists(connection, "pg_roles", "rolname", creator):
        status = {"attributes": {"createdb": True, "createrole": True, "bypassrls": True}, "auth_method": "OAUTH"}
        create_role(connection, {**status, "postgres_role": creator, "membership_roles": ["DATABRICKS_SUPERUSER"]})
    if not _exists(connection, "pg_database", "datname", FIRST_DATABASE):
        create_database(connection, FIRST_DATABASE, creator)


def create_role(connection: psycopg.Connection[tuple[Any, ...]], status: Document) -> None:
    """Makes a role that has no right but those that are asked for.

    Args:
        connection: Of the administrator.
        status: What the role is to have, as the API names it.
    """
    login = SQL("NOLOGIN") if status["auth_method"] == "NO_LOGIN" else SQL("LOGIN")
    connection.execute(SQL("CREATE ROLE {} {}").format(Identifier(status["postgres_role"]), login))
    set_rights(connection, status)


def set_rights(connection: psycopg.Connection[tuple[Any, ...]], status: Document) -> None:
    """Gives a role the attributes and the membership that it is to have, and takes the others."""
    name, attributes = Identifier(status["postgres_role"]), status.get("attributes", {})
    for attribute in ("createdb", "createrole", "bypassrls"):
        word = attribute.upper() if attributes.get(attribute) else f"NO{attribute.upper()}"
        connection.execute(Composed([SQL("ALTER ROLE "), name, SQL(f" {word}")]))
    change = "GRANT {} TO {}" if "DATABRICKS_SUPERUSER" in status.get("membership_roles", []) else "REVOKE {} FROM {}"
    connection.execute(SQL(change).format(Identifier(SUPERUSER), name))


def drop_role(connection: psycopg.Connection[tuple[Any, ...]], name: str) -> None:
    """Drops a role; PostgreSQL refuses where it owns something or has rights on something."""
    connection.execute(SQL("DROP ROLE {}").format(Identifier(name)))


def reassign(connection: psycopg.Connection[tuple[Any, ...]], name: str, heir: str) -> None:
    """Gives all that a role owns in one database to another, and takes its rights there."""
    connection.execute(SQL("REASSIGN OWNED BY {} TO {}").format(Identifier(name), Identifier(heir)))
    connection.execute(SQL("DROP OWNED BY {}").format(Identifier(name)))


def create_database(connection: psycopg.Connection[tuple[Any, ...]], name: str, owner: str) -> None:
    """Makes a database."""
    connection.execute(SQL("CREATE DATABASE {} OWNER {}").format(Identifier(name), Identifier(owner)))


def change_database(connection: psycopg.Connection[tuple[Any, ...]], old: Document, name: str, owner: str) -> None:
    """Gives a database another name, another owner, or both."""
    if name != old["postgres_database"]:
        rename = SQL("ALTER DATABASE {} RENAME TO {}")
        connection.execute(rename.format(Identifier(old["postgres_database"]), Identifier(name)))
    connection.execute(SQL("ALTER DATABASE {} OWNER TO {}").format(Identifier(name), Identifier(owner)))


def drop_database(connection: psycopg.Connection[tuple[Any, ...]], name: str) -> None:
    """Drops a database, and ends its connections."""
    connection.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))


def _exists(connection: psycopg.Connection[tuple[Any, ...]], catalog: str, column: str, name: str) -> bool:
    query = SQL("SELECT 1 FROM {} WHERE {} = %s").format(Identifier(catalog), Identifier(column))
    return connection.execute(query, (name,)).fetchone() is not None
