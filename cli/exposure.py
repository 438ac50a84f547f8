"""Tables that people may read, with what protects them: compared after each interruption with what the end has."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from databricks.sdk.errors import NotFound

from cli.errors import CommandError

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

LAYERS = ("bronze", "silver", "gold")


@dataclass
class Exposure:
    """What people could read at some moments of a deployment.

    Attributes:
        client: Client of the workspace.
        catalog: The catalog that is deployed.
        reader: Group whose rights on tables are looked at.
    """

    client: WorkspaceClient
    catalog: str
    reader: str
    _seen: list[dict[str, frozenset[str]]] = field(default_factory=list)

    def look(self) -> None:
        """Takes down the tables that the group may read now, each with tags of its columns and policies."""
        self._seen.append(self._now())

    def expect_no_less_than_at_the_end(self) -> int:
        """Expects that each table which could be read was protected by then as it is at the end.

        Returns:
            How often a table could be read at one of the moments.

        Raises:
            CommandError: One lacked a tag or a policy.
        """
        end = self._now()
        lacking = [
            f"{table}: {', '.join(sorted(end.get(table, frozenset()) - protected))}"
            for moment in self._seen
            for table, protected in moment.items()
            if end.get(table, frozenset()) - protected
        ]
        if lacking:
            raise CommandError("tables could be read before they were protected: " + "; ".join(lacking))
        return sum(len(moment) for moment in self._seen)

    def _now(self) -> dict[str, frozenset[str]]:
        try:
            policies = {
                f"policy {policy.name}" for policy in self.client.policies.list_policies("CATALOG", self.catalog)
            }
            return {
                table: frozenset({*policies, *self._tags(table)})
                for schema in LAYERS
                for table in self._tables(schema)
                if self._readable(table)
            }
        except NotFound:
            return {}  # there is no catalog yet

    def _tables(self, schema: str) -> list[str]:
        try:
            return [str(table.full_name) for table in self.client.tables.list(self.catalog, schema)]
        except NotFound:
            return []

    def _readable(self, table: str) -> bool:
        held = self.client.grants.get_effective("table", table, principal=self.reader).privilege_assignments or []
        return any(
            each.privilege and each.privilege.value == "SELECT"
            for assignment in held
            for each in assignment.privileges or []
        )

    def _tags(self, table: str) -> set[str]:
        return {
            f"tag {tag.tag_key}={tag.tag_value} of {column.name}"
            for column in self.client.tables.get(table).columns or []
            for tag in self.client.entity_tag_assignments.list("columns", f"{table}.{column.name}")
        }
