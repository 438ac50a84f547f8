"""Every feature group, the columns that models read, and the table gold.churn_features: all follow from `GROUPS`.

A feature is added or dropped in its group's module and nowhere else; a group is added to `GROUPS`. The registered
versions go on reading the columns of their own signatures.
"""

from __future__ import annotations

from churn.core.table import Column, Table
from churn.feature_engineering.feature import CATEGORY, Columns, Feature, FeatureGroup
from churn.feature_engineering.groups import charges, marketing, payments, profile, support, usage

GROUPS: tuple[FeatureGroup, ...] = (
    profile.GROUP,
    charges.GROUP,
    payments.GROUP,
    support.GROUP,
    marketing.GROUP,
    usage.GROUP,
)
_ALL: tuple[Feature, ...] = tuple(feature for group in GROUPS for feature in group.features)
CATEGORICAL: tuple[Feature, ...] = tuple(feature for feature in _ALL if feature.type == CATEGORY)
NUMERIC: tuple[Feature, ...] = tuple(feature for feature in _ALL if feature.type != CATEGORY)
COLUMNS = Columns(tuple(feature.name for feature in CATEGORICAL), tuple(feature.name for feature in NUMERIC))

FEATURES = Table(
    "gold.churn_features",
    "One row for each customer who was active on an observation date; nothing dated or reported later is in it.",
    (
        Column("customer_id", "STRING", "customer"),
        Column("observation_date", "DATE", "day up to whose end everything is known"),
        # A feature may be NULL, so that one that is no longer declared can be left out of later rows.
        *(
            Column(feature.name, feature.type, f"{feature.meaning} ({feature.unit})", nullable=True)
            for feature in (*CATEGORICAL, *NUMERIC)
        ),
    ),
    keys=("customer_id", "observation_date"),
    part=("observation_date",),
    writer="features",
)
