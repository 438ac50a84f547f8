"""Makes the grants in Unity Catalog that the plan of `infra.access.plan` has; nothing else makes any."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pulumi
import pulumi_databricks as databricks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.access.plan import Plan


@dataclass(frozen=True)
class CatalogGrantsArgs:
    """Inputs of `CatalogGrants`.

    Attributes:
        plan: Merged grants.
        application_ids: Application ids of service principals by name: Unity Catalog does not know their names.
    """

    plan: Plan
    application_ids: Mapping[str, pulumi.Input[str]]


class CatalogGrants(pulumi.ComponentResource):
    """Owns all grants on the securables of its plan, authoritatively; each securable stands in one plan only."""

    def __init__(self, name: str, args: CatalogGrantsArgs, opts: pulumi.ResourceOptions) -> None:
        """Declares one `Grants` for each securable."""
        super().__init__("churn:platform:CatalogGrants", name, None, opts)
        for securable, holders in args.plan.items():
            target: dict[str, Any] = {securable.kind.value: securable.name}
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
