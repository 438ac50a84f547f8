"""Registered version of the model, with its training as its tags describe it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date
from enum import StrEnum

from churn.core.errors import FinalError
from churn.core.label_window import LabelWindow


class UntaggedVersionError(FinalError):
    """A version lacks a tag that is needed; the text names version, tag and remedy."""


class SplitRule(StrEnum):
    """Rule by which labelled customers were split into a training part and a holdout."""

    TIME = "time"
    CUSTOMER = "customer"


@dataclass(frozen=True)
class Version:
    """A registered version of the model.

    Attributes:
        model: Registered model's full name.
        number: Version, from 1.
        tags: Tags that training wrote.
    """

    model: str
    number: int
    tags: dict[str, str]

    @property
    def uri(self) -> str:
        """Address under which MLflow loads it."""
        return f"models:/{self.model}/{self.number}"

    def tag(self, name: str) -> str:
        """Value of a tag, as text.

        Raises:
            UntaggedVersionError: It has no such tag, since it was registered by hand.
        """
        if name not in self.tags:
            raise UntaggedVersionError(
                f"version {self.number} of {self.model} has no tag {name!r}, which `train` and `bootstrap` write: "
                "set it, or give the alias to another version"
            )
        return self.tags[name]

    @property
    def registered_on(self) -> date:
        """Logical date of the run that registered it."""
        return date.fromisoformat(self.tag("date"))

    @property
    def window(self) -> LabelWindow:
        """Label window of the labels it learned from."""
        lead, horizon, settle = (int(self.tag(item.name)) for item in fields(LabelWindow))
        return LabelWindow(lead, horizon, settle)

    @property
    def split(self) -> SplitRule:
        """Rule by which its holdout was chosen."""
        return SplitRule(self.tag("split"))

    @property
    def holdout_date(self) -> date:
        """Observation date of its holdout."""
        return date.fromisoformat(self.tag("holdout_date"))

    @property
    def learned_until(self) -> date:
        """Last day of which it may have learned who left."""
        return self.registered_on if self.split is SplitRule.CUSTOMER else self.holdout_date

    @property
    def bootstrap(self) -> bool:
        """Whether it is the base-rate model, which serves until a first model has passed the gate."""
        return self.tags.get("bootstrap") == "true"
