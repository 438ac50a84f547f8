"""Bands of risk, by the score of a customer. Each version of the model keeps the bands it was registered with."""

from __future__ import annotations

HIGH = "high"  # customers at risk, whom the marts count
# Lowest score of each band; a score is a calibrated probability. A choice, not a fit: in `high` a customer is more
# likely to leave than to stay, and `medium` begins a little above the 0.265 of all of Telco's customers.
BANDS = {HIGH: 0.6, "medium": 0.3, "low": 0.0}
NO_BANDS: dict[str, float] = {}  # of a model that gives every customer the same score: it rates none
