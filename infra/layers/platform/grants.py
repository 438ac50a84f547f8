"""The one place that makes grants in Unity Catalog, from the plan of `infra.access.plan`."""

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
    """Attributes:
    plan: Merged grants.
    principals: Ids of the principals that Unity Catalog does not know by their name, such as application ids.
    """

    plan: Plan
    principals: Mapping[str, pulumi.Input[str]]


class CatalogGrants(pulumi.ComponentResource):
    """Owns all grants on the securables of its plan, authoritatively; each securable stands in one plan only."""

    def __init__(self, name: str, args: CatalogGrantsArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("churn:grants:CatalogGrants", name, None, opts)
        for securable, holders in args.plan.items():
            on: dict[str, Any] = {securable.kind: securable.name}
            databricks.Grants(
                f"{name}-{securable.name}",
                **on,
                grants=[
                    databricks.GrantsGrantArgs(
                        principal=args.principals.get(principal, principal), privileges=list(privileges)
                    )
                    for principal, privileges in holders.items()
                ],
                opts=pulumi.ResourceOptions(parent=self),
            )
        self.register_outputs({})
