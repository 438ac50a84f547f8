"""Shared inputs of the platform's areas: the settings, the sources, and what follows from both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi

if TYPE_CHECKING:
    import pulumi_databricks as databricks

    from infra.check import PlatformSources
    from infra.written.settings.platform import Platform
    from infra.written.settings.stack import Settings


@dataclass(frozen=True)
class Context:
    """Shared inputs of the platform's areas.

    Attributes:
        settings: All settings of the stack.
        sources: What the platform is made from: its section of the settings, contracts, requests, plan and wheel.
        workspace: Provider of the workspace.
    """

    settings: Settings
    sources: PlatformSources
    workspace: databricks.Provider

    @property
    def platform(self) -> Platform:
        """The stack's section `platform`."""
        return self.sources.settings

    @property
    def domains(self) -> list[str]:
        """Domains whose files are delivered, each with a contract."""
        return [contract.domain for contract in self.sources.contracts if contract.topic is None]

    def after(self, *resources: pulumi.Resource) -> pulumi.ResourceOptions:
        """Makes the options of a component in the workspace that waits for others."""
        return pulumi.ResourceOptions(providers=[self.workspace], depends_on=[*resources])
