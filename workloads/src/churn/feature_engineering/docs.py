"""Writes the page `docs/features.md`, which lists every feature, from the feature groups.

`python -m churn.feature_engineering.docs > docs/features.md`, with `workloads/src` on the path, renews it.
"""

from __future__ import annotations

import sys

from churn.feature_engineering.feature import Feature, FeatureGroup
from churn.feature_engineering.groups import FEATURES, GROUPS

HEAD = f"""# Features

What models know of a customer. This page is made from `workloads/src/churn/feature_engineering/groups`; renew it with
`PYTHONPATH=workloads/src .venv/bin/python -m churn.feature_engineering.docs > docs/features.md`.

`{FEATURES.name}` has one row for each active customer and observation date. It holds only what was dated and reported
by the end of that date. A window of n days ends with the observation date and includes it.
"""


def page() -> str:
    """The page as Markdown."""
    return "\n".join([HEAD, *(_section(group) for group in GROUPS)])


def _section(group: FeatureGroup) -> str:
    sources = ", ".join(f"`silver.{source}`" for source in group.sources)
    rows = "".join(_row(feature) for feature in group.features)
    return (
        f"## {group.name}\n\n{group.meaning} From {sources}.\n\n"
        "| feature | type | values or unit | meaning | window in days | where there is no row |\n"
        f"|---|---|---|---|---|---|\n{rows}"
    )


def _row(feature: Feature) -> str:
    window = "" if feature.window_days is None else feature.window_days
    default = "NULL" if feature.default is None else f"{feature.default:g}"
    return f"| `{feature.name}` | {feature.type} | {feature.unit} | {feature.meaning} | {window} | {default} |\n"


if __name__ == "__main__":
    sys.stdout.write(page())
