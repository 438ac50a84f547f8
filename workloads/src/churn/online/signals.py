"""Signals of rising risk in a session, as data: which events count, how many, and why they matter.

The pages, the features and the numbers are choices, not a fit: each stands for a step that customers take before they
leave. A signal is scored once in a session; the score that follows it is the model's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from churn.online.event import Event

CORE_FEATURES = ("call", "data", "stream")


@dataclass(frozen=True)
class Signal:
    """One signal.

    Attributes:
        name: Its name.
        reason: Why it raises the risk, a sentence for people; kept with each score.
        kind: Kind of the events that count.
        values: Pages, or features, that count.
        at_least: How many such events a session needs.
    """

    name: str
    reason: str
    kind: str
    values: tuple[str, ...]
    at_least: int = 1

    def counts(self, event: Event) -> bool:
        """Whether an event is one of those that it counts."""
        if event.kind != self.kind:
            return False
        if self.kind == "feature_toggle":
            return event.feature in self.values and event.enabled is False
        return event.page in self.values


SIGNALS = (
    Signal("cancel_page", "The customer looks at how to cancel.", "page_view", ("cancel",)),
    Signal("contract_page", "The customer looks at the terms of the contract.", "page_view", ("contract",)),
    Signal("core_feature_off", "The customer turned a core feature off.", "feature_toggle", CORE_FEATURES),
    Signal("support_pages", "The customer looks for help again and again.", "page_view", ("support",), at_least=3),
)
