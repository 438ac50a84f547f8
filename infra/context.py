"""What the areas of the platform share: what people wrote, and what follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pulumi_databricks as databricks

    from infra.access.plan import Plan
    from infra.written.contracts import TableContract
    from infra.written.requests import WorkspaceArea
    from infra.written.settings.platform import Platform
    from infra.written.settings.stack import Settings


@dataclass(frozen=True)
class Context:
    """What the areas of the platform share.

    Attributes:
        settings: All settings of the stack.
        platform: Their section `platform`.
        contracts: Of all tables.
        requests: Workspace areas that teams have requested for this stack.
        plan: Merged grants of roles, contracts and requests.
        wheel: The built wheel of the workloads.
        workspace: Provider of the workspace.
    """

    settings: Settings
    platform: Platform
    contracts: Sequence[TableContract]
    requests: Sequence[WorkspaceArea]
    plan: Plan
    wheel: Path
    workspace: databricks.Provider

    def after(self, *resources: pulumi.Resource) -> pulumi.ResourceOptions:
        """Makes the options of a component in the workspace that waits for others."""
        return pulumi.ResourceOptions(providers=[self.workspace], depends_on=[*resources])
