"""A statement of a caller, judged and made ready for Spark."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from local.workspace.authorisation import changes, commands, grants_by_sql
from local.workspace.authorisation.dialect import read, refused, written
from local.workspace.authorisation.prepared import Prepared
from local.workspace.authorisation.reader import Reader, insufficient
from local.workspace.authorisation.relations import Relations
from local.workspace.authorisation.scope import NOWHERE, Scope
from local.workspace.core.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable

    from local.workspace.core.context import Principal, Workspace


def prepare(workspace: Workspace, user: Principal, statement: str, catalog: str = "", schema: str = "") -> Prepared:
    """Judges a statement, and returns what runs in its place.

    Args:
        workspace: The workspace.
        user: Who sent it.
        statement: One statement of SQL.
        catalog: Catalog of names without one.
        schema: Schema of names without one.

    Raises:
        ApiError: The user may not do what the statement does, or it cannot be judged.
    """

    def judged(reader: Reader) -> Prepared:
        if catalog:
            reader.check("catalog", catalog.lower(), "USE_CATALOG")
        command = commands.prepared(reader, statement) or grants_by_sql.prepared(reader, statement)
        return command or _of_tree(reader, read(statement))

    scope = Scope(catalog.lower() or NOWHERE, schema.lower() or "default")
    return _judged(Reader.of(workspace, user, scope), judged)


def _judged(reader: Reader, judge: Callable[[Reader], Prepared]) -> Prepared:
    """Judges, and puts refusals into the words of SQL."""
    try:
        return judge(reader)
    except RecursionError as error:
        raise refused("the statement is too deep to be checked") from error
    except ApiError as error:
        if error.error_code == "PERMISSION_DENIED" and not error.message.startswith("["):
            raise insufficient(error.message) from error
        raise


def prepare_query(workspace: Workspace, user: Principal, query: str) -> Prepared:
    """Judges a query, as `prepare` does; whatever else a dashboard has in its place is refused."""
    return _judged(Reader.of(workspace, user, Scope()), lambda reader: _of_tree(reader, _query(query)))


def _query(text: str) -> exp.Expr:
    tree = read(text)
    if not isinstance(tree, exp.Query | exp.Values):
        raise refused("the statement is no query")
    return tree


def _of_tree(reader: Reader, tree: exp.Expr) -> Prepared:
    relations = Relations()
    if isinstance(tree, exp.Query | exp.Values):
        text = written(relations.secure(tree, reader))
        return Prepared(text, secrets=relations.calls.secrets, guarded=relations.guarded)
    for kind, change in changes.BY_KIND.items():
        if isinstance(tree, kind):
            return change(reader, tree, relations)
    raise refused(f"{tree.key.upper()} statements cannot be checked")
