"""Names that stand in more than one place."""

from __future__ import annotations

SCHEMAS = {
    "bronze": "Raw records per domain as they were delivered, with rescued data and origin",
    "silver": "Conformed, typed and deduplicated records, and what was quarantined with its reason",
    "gold": "Features, labels, scores and marts",
    "mlops": "Models and the records of their life: gates, row accounts, drift",
}
