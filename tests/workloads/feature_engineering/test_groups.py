"""Feature groups: declared once, and everything else follows from them."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from importlib import import_module

import pytest

from churn.core.contract import file_contracts
from churn.feature_engineering import docs
from churn.feature_engineering.feature import CATEGORY, Feature, FeatureGroup
from churn.feature_engineering.groups import COLUMNS, FEATURES, GROUPS
from churn.serving.packaging import signature
from local.settings import REPOSITORY

PAGE = REPOSITORY / "docs" / "features.md"


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.name)
def test_a_group_is_declared_in_the_module_of_its_name(group: FeatureGroup) -> None:
    assert import_module(f"churn.feature_engineering.groups.{group.name}").GROUP is group
    domains = {contract.domain for contract in file_contracts()}
    assert {source.removesuffix("_versions") for source in group.sources} <= domains
    for feature in group.features:
        assert feature.type in (CATEGORY, "INT", "DOUBLE")
        assert feature.unit
        assert feature.meaning
        if suffix := re.search(r"_(\d+)d$", feature.name):
            assert feature.window_days == int(suffix[1]), "the name says the window"


def test_no_feature_is_declared_twice() -> None:
    names = [feature.name for group in GROUPS for feature in group.features]
    assert Counter(names).most_common(1)[0][1] == 1
    assert sorted(names) == sorted(COLUMNS.all)


def test_the_table_and_the_signature_follow_from_the_groups() -> None:
    assert FEATURES.column_names == ["customer_id", "observation_date", *COLUMNS.all]
    assert signature(COLUMNS).inputs.input_names() == COLUMNS.all
    types = {column.name: column.type for column in FEATURES.columns}
    assert {types[name] for name in COLUMNS.categorical} == {"STRING"}
    assert {types[name] for name in COLUMNS.numeric} == {"INT", "DOUBLE"}


def test_the_page_of_features_is_not_stale() -> None:
    assert PAGE.read_text(encoding="utf-8") == docs.page(), "renew it with the command at its head"


def test_a_new_feature_makes_the_page_stale(monkeypatch: pytest.MonkeyPatch) -> None:
    further = Feature("visits_7d", "INT", "visits", "visits to a shop", window_days=7, default=0)
    changed = replace(GROUPS[-1], features=(*GROUPS[-1].features, further))
    monkeypatch.setattr(docs, "GROUPS", (*GROUPS[:-1], changed))
    assert "| `visits_7d` | INT | visits | visits to a shop | 7 | 0 |\n" in docs.page()
