"""Who reads what of Unity Catalog, in clear or masked, and by which right: from the API of any workspace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from databricks.sdk.errors import PermissionDenied

from cli.errors import CommandError
from cli.lifecycle import workspace_client
from cli.stack import Stack
from local.workspace.authorisation.conditions import holds_for

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from databricks.sdk import WorkspaceClient
    from databricks.sdk.service.catalog import PolicyInfo, TableInfo

    from local.settings import LocalSettings

EVERYBODY = "account users"
_ALL = "ALL_PRIVILEGES"
_NEEDED = ("SELECT", "USE_SCHEMA", "USE_CATALOG")


@dataclass(frozen=True)
class Access:
    """What somebody reads of a table.

    Attributes:
        table: Full name of the table.
        principal: A user, a service principal, or a group that has no member.
        masked: Columns that the principal sees masked.
        filtered: What keeps rows from the principal: names of policies, and the function of the table's own filter.
        route: The rights by which the principal reads.
        hidden: Whether there may be more, as whoever asked is not shown the policies of the table.
    """

    table: str
    principal: str
    masked: tuple[str, ...]
    filtered: tuple[str, ...]
    route: str
    hidden: bool = False

    @property
    def sight(self) -> str:
        """How the principal sees the table, in words."""
        if self.hidden:
            return "not known: its policies are shown to its owner, and to who has MANAGE on it"
        parts = [f"masked: {', '.join(self.masked)}"] if self.masked else []
        parts += [f"rows by {', '.join(self.filtered)}"] if self.filtered else []
        return "; ".join(parts) or "in clear"


class Directory:
    """Users, service principals and groups of a workspace, with the groups that each is in.

    Attributes:
        names: Names of each principal that is no group, and of each group without members: its own and its groups'.
    """

    def __init__(self, client: WorkspaceClient) -> None:
        """Reads the directory."""
        groups = list(client.groups.list(attributes="id,displayName,members"))
        people = {str(user.id): str(user.user_name) for user in client.users.list(attributes="id,userName")}
        people |= {
            str(principal.id): str(principal.application_id)
            for principal in client.service_principals.list(attributes="id,applicationId")
        }
        inside: dict[str, set[str]] = {}
        for group in groups:
            for member in group.members or []:
                inside.setdefault(str(member.value), set()).add(str(group.id))
        called = people | {str(group.id): str(group.display_name) for group in groups}
        empty = {str(group.id) for group in groups if not group.members}
        self.names = {
            called[key]: {called[key], EVERYBODY, *(called[each] for each in _closure(key, inside))}
            for key in [*people, *empty]
        }

    def of(self, principal: str) -> set[str]:
        """Returns the names in which a principal holds rights.

        Raises:
            CommandError: There is no such principal.
        """
        if principal not in self.names:
            raise CommandError(f"no user, service principal or empty group {principal!r}: name a user, or its id")
        return self.names[principal]


def who(client: WorkspaceClient, table: str) -> list[Access]:
    """Returns who reads a table.

    Args:
        client: The workspace; its user must own the table or have MANAGE on it.
        table: Full name of the table.

    Raises:
        CommandError: The user is not shown the table or its policies.
    """
    try:
        found, policies = client.tables.get(table), _policies(client, "table", table)
    except PermissionDenied as error:
        raise _refused(f"who reads {table}", "the table", error) from error
    return list(_of_table(client, found, policies, Directory(client).names))


def what(client: WorkspaceClient, principal: str, catalog: str) -> list[Access]:
    """Returns which tables of a catalog a principal reads.

    Args:
        client: The workspace; its user must own the catalog or have MANAGE on it.
        principal: A user, the application id of a service principal, or an empty group.
        catalog: Name of the catalog.

    Raises:
        CommandError: There is no such principal, or the user does not manage the catalog.
    """
    try:
        _policies(client, "catalog", catalog)
    except PermissionDenied as error:
        raise _refused(f"what {principal} reads of {catalog}", "the catalog", error) from error
    names = {principal: Directory(client).of(principal)}
    return [
        access
        for schema in client.schemas.list(catalog)
        if schema.name != "information_schema"
        for table in client.tables.list(catalog, str(schema.name))
        for access in _of_table(client, table, _shown_policies(client, str(table.full_name)), names)
    ]


def _policies(client: WorkspaceClient, kind: str, full_name: str) -> list[PolicyInfo]:
    return list(client.policies.list_policies(kind, full_name, include_inherited=True))


def _shown_policies(client: WorkspaceClient, table: str) -> list[PolicyInfo] | None:
    """The policies that concern a table; None where the user of the client is not shown them.

    The documentation leaves open whether the owner of a catalog is shown those on tables that others own.
    """
    try:
        return _policies(client, "table", table)
    except PermissionDenied:
        return None


def _refused(what_for: str, managed: str, error: PermissionDenied) -> CommandError:
    return CommandError(f"{what_for} is not shown to you: {error}\n  → ask its owner for MANAGE on {managed}")


def _of_table(
    client: WorkspaceClient, table: TableInfo, policies: list[PolicyInfo] | None, names: dict[str, set[str]]
) -> Iterator[Access]:
    full_name, columns = str(table.full_name), table.columns or []
    rights = _rights(client, table)
    tags = {
        str(column.name): {
            tag.tag_key: tag.tag_value or ""
            for tag in client.entity_tag_assignments.list("columns", f"{full_name}.{column.name}")
        }
        for column in (columns if policies else [])
    }
    own_masks = {str(column.name) for column in columns if column.mask}
    own_filters = [str(table.row_filter.function_name)] if table.row_filter else []
    for principal, own in sorted(names.items()):
        route = _route(own, rights)
        if route:
            holding = [policy for policy in policies or [] if _concerns(policy, own)]
            masks = {column for policy in holding if policy.column_mask for column in _masked(policy, tags)}
            filters = [str(policy.name) for policy in holding if policy.row_filter and _matches(policy, tags)]
            yield Access(
                full_name,
                principal,
                tuple(sorted(masks | own_masks)),
                (*own_filters, *filters),
                route,
                hidden=policies is None,
            )


def _rights(client: WorkspaceClient, table: TableInfo) -> list[tuple[str, str, str]]:
    """Who holds which privilege on which object: by a grant, or as owner of it."""
    full_name, catalog = str(table.full_name), str(table.catalog_name)
    schema = f"{catalog}.{table.schema_name}"
    owners = [
        (str(client.catalogs.get(catalog).owner), "USE_CATALOG", f"{catalog} as its owner"),
        (str(client.schemas.get(schema).owner), "USE_SCHEMA", f"{schema} as its owner"),
        (str(table.owner), "SELECT", f"{full_name} as its owner"),
    ]
    granted = [
        (str(assignment.principal), held.privilege.value, held.inherited_from_name or full_name)
        for assignment in client.grants.get_effective("table", full_name).privilege_assignments or []
        for held in assignment.privileges or []
        if held.privilege
    ]
    return owners + granted


def _route(own: set[str], rights: Iterable[tuple[str, str, str]]) -> str:
    """The rights by which somebody of these names reads a table; empty where one of the three is missing."""
    held = [right for right in rights if right[0] in own]
    by_need = {
        need: [f"{need} on {place} by {name}" for name, privilege, place in held if privilege in (need, _ALL)]
        for need in _NEEDED
    }
    return "; ".join(ways[0] for ways in by_need.values()) if all(by_need.values()) else ""


def _concerns(policy: PolicyInfo, own: set[str]) -> bool:
    return bool(own & set(policy.to_principals)) and not own & set(policy.except_principals or [])


def _masked(policy: PolicyInfo, tags: dict[str, dict[str, str]]) -> list[str]:
    if not _matches(policy, tags) or policy.column_mask is None:
        return []
    condition = next(m.condition for m in policy.match_columns or [] if m.alias == policy.column_mask.on_column)
    return [column for column, held in tags.items() if holds_for(str(condition), held)]


def _matches(policy: PolicyInfo, tags: dict[str, dict[str, str]]) -> bool:
    """Whether each condition of a policy holds for some column; conditions on the table itself count as holding."""
    conditions = [str(match.condition) for match in policy.match_columns or []]
    return all(any(holds_for(condition, held) for held in tags.values()) for condition in conditions)


def _closure(key: str, inside: dict[str, set[str]]) -> set[str]:
    found: set[str] = set()
    left = [key]
    while left:
        for group in inside.get(left.pop(), set()) - found:
            found.add(group)
            left.append(group)
    return found


def of_local_stack(settings: LocalSettings, table: str = "", principal: str = "") -> list[Access]:
    """Returns who reads a table of the local stack, or which of its tables a principal reads.

    Args:
        settings: The local cloud.
        table: Name of the table, with or without the stack's catalog.
        principal: A user or the application id of a service principal, where no table is asked about.
    """
    client, catalog = workspace_client(settings), str(Stack.local(settings).outputs()["catalog"])
    if principal:
        return what(client, principal, catalog)
    return who(client, table if table.count(".") == 2 else f"{catalog}.{table}")
