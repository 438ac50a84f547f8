"""Which customers a model learns from, and which are kept back."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from churn.dataset import DatasetError, fingerprint, split

JANUARY, FEBRUARY, MARCH = date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 10)


def customers(*days: date, count: int = 500) -> pd.DataFrame:
    rows = [(f"C{number:04}", day, int(number % 4 == 0)) for day in days for number in range(count)]
    return pd.DataFrame(rows, columns=["customer_id", "observation_date", "churned"])


def test_newest_date_is_kept_back_and_its_past_alone_is_learned_from() -> None:
    parts = split(customers(JANUARY, FEBRUARY, MARCH), lead_days=7, horizon_days=30)
    assert parts.rule == "time"
    assert set(parts.holdout["observation_date"]) == {MARCH}
    # labels of 1 February were complete on 10 March, that is 37 days later; with a day more they were not
    assert set(parts.train["observation_date"]) == {JANUARY, FEBRUARY}
    assert set(split(customers(JANUARY, FEBRUARY, MARCH), 8, 30).train["observation_date"]) == {JANUARY}


def test_customers_are_kept_back_where_no_earlier_label_was_complete() -> None:
    one = split(customers(FEBRUARY), 7, 30)
    two = split(customers(JANUARY, FEBRUARY), 7, 30)
    assert one.rule == two.rule == "customer"
    assert set(two.train["customer_id"]).isdisjoint(two.holdout["customer_id"])
    assert set(one.holdout["customer_id"]) == set(two.holdout["customer_id"]), "who is kept back must not change"
    assert set(two.holdout["observation_date"]) == {FEBRUARY}
    assert 0.15 < len(one.holdout) / 500 < 0.25


def test_no_labels_is_an_error_that_names_the_settings() -> None:
    with pytest.raises(DatasetError, match=r"lead_days=7 and horizon_days=30 .* run `features`"):
        split(customers(), 7, 30)


def test_one_outcome_is_an_error_that_names_the_part() -> None:
    with pytest.raises(DatasetError, match=r"training part .* only one outcome"):
        split(customers(JANUARY).assign(churned=0), 7, 30)


def test_fingerprint_is_that_of_the_rows_in_any_order() -> None:
    frame = customers(JANUARY, FEBRUARY)
    assert fingerprint(frame) == fingerprint(frame.sample(frac=1, random_state=1))
    assert fingerprint(frame) != fingerprint(frame.assign(churned=frame["churned"].where(frame.index != 3, 1)))
