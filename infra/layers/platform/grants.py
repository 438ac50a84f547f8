"""Makes the grants in Unity Catalog that the plan of `infra.access.plan` has; nothing else makes any."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pulumi
import pulumi_databricks as databricks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.access.plan import Plan
    from infra.access.securables import Securable
    from infra.once.classified_tables import ClassifiedTables


@dataclass(frozen=True)
class CatalogGrantsArgs:
    """Inputs of `CatalogGrants`.

    Attributes:
        plan: Merged grants.
        application_ids: Application ids of service principals by name: Unity Catalog does not know their names.
        classified: Tables whose grants go before what is classified in them changes.
    """

    plan: Plan
    application_ids: Mapping[str, pulumi.Input[str]]
    classified: ClassifiedTables | None = None


class CatalogGrants(pulumi.ComponentResource):
    """Owns all grants on the securables of its plan, authoritatively; each securable stands in one plan only."""

    def __init__(self, name: str, args: CatalogGrantsArgs, opts: pulumi.ResourceOptions) -> None:
        """Declares one `Grants` for each securable."""
        super().__init__("churn:platform:CatalogGrants", name, None, opts)
        for securable, holders in args.plan.items():
            target: dict[str, Any] = {securable.kind.value: _name(securable, args.classified)}
            databricks.Grants(
                f"{name}-{securable.name}",
                **target,
                grants=[
                    databricks.GrantsGrantArgs(
                        principal=args.application_ids.get(principal, principal), privileges=list(privileges)
                    )
                    for principal, privileges in holders.items()
                ],
                opts=pulumi.ResourceOptions(parent=self),
            )
        self.register_outputs({})


def _name(securable: Securable, classified: ClassifiedTables | None) -> pulumi.Input[str]:
    """The securable's name; that of a classified table comes from the list, and goes with it."""
    listed = classified is not None and securable.name in classified.names
    return classified.table(securable.name) if classified and listed else securable.name
