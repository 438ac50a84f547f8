"""All settings of one stack: the layers that it has."""

from __future__ import annotations

from pydantic import Field

from infra.written.sections import Section
from infra.written.settings.account import Account
from infra.written.settings.ground import Ground
from infra.written.settings.platform import Platform

PRODUCTION = "prod"


class Layers(Section):
    """Settings of the layers of a stack; each is None if the stack does not have it."""

    account: Account | None = Field(
        default=None, alias="churn:account", description="the layer of the account, deployed once for all workspaces"
    )
    ground: Ground | None = Field(
        default=None, alias="churn:ground", description="the layer of the cloud that the platform stands on"
    )
    platform: Platform | None = Field(
        default=None, alias="churn:platform", description="the layer of the platform in one workspace"
    )


class Settings(Layers):
    """All settings of one stack. `stack` is the stack's name, which its file does not repeat."""

    stack: str

    @classmethod
    def of(cls, stack: str, layers: Layers) -> Settings:
        """The settings of a stack with layers that are valid by themselves."""
        return cls.model_construct(stack=stack, **dict(layers))

    @property
    def production(self) -> bool:
        """Whether real customers are scored by this stack: `prod`, or one for a part of it such as `prod_eu`."""
        return self.stack.split("_")[0] == PRODUCTION

    @property
    def tags(self) -> dict[str, str]:
        """Tags of everything that costs money, in the cloud and in the workspace."""
        aws = self.ground.aws if self.ground else None
        return {"project": "churn", "stack": self.stack} | (aws.tags.model_dump() if aws else {})

    @property
    def catalog(self) -> str:
        """`churn` in prod, `churn_<stack>` elsewhere."""
        return "churn" if self.stack == PRODUCTION else f"churn_{self.stack}"

    @property
    def prefix(self) -> str:
        """Beginning of the names of objects in a workspace, such as `churn-dev`."""
        return f"churn-{self.stack}"
