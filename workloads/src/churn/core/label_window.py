"""Label window: the days in which a customer must leave to be labelled as churned."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import date, timedelta

from churn.core.task import days, option


@dataclass(frozen=True)
class LabelWindow:
    """The days after an observation date that its label is about: (observed + lead, observed + lead + horizon].

    Attributes:
        lead_days: Days between the observation date and the window: time to act.
        horizon_days: Length of the window in days.
        settle_days: Days that a report of leaving may be late.
    """

    lead_days: int = field(metadata=option("days between observation and label window", days))
    horizon_days: int = field(metadata=option("length of the label window in days", days))
    settle_days: int = field(metadata=option("days that a report of leaving may be late", days))

    @property
    def days(self) -> int:
        """Days from an observation date until its label is complete."""
        return self.lead_days + self.horizon_days + self.settle_days

    @property
    def parameters(self) -> dict[str, str]:
        """The three numbers as text, by name: for a command line, or for the tags of a model."""
        return {name: str(number) for name, number in asdict(self).items()}

    def opens(self, observed: date) -> date:
        """Last day before the window of an observation date."""
        return observed + timedelta(days=self.lead_days)

    def closes(self, observed: date) -> date:
        """Last day in the window of an observation date."""
        return self.opens(observed) + timedelta(days=self.horizon_days)

    def labelled_date(self, today: date) -> date:
        """Latest observation date whose label is complete by the end of a day."""
        return today - timedelta(days=self.days)
