"""The simulated world after the snapshot date: its business goes on, and a model trained on any day passes the gate.

Features are computed with pandas from the rows delivered, as `feature_engineering.build` and `.labels` do with Spark;
split, model and checks are the real ones.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from churn.core.contract import file_contracts
from churn.core.label_window import LabelWindow
from churn.data import telco
from churn.feature_engineering.groups import COLUMNS
from churn.simulation.deliveries import deliveries, delivery_rows
from churn.simulation.world import LEAVING_DAYS, LOG_ODDS, LOG_ODDS_OF_TENURE, World, grow
from churn.training.dataset import OBSERVED_EVERY_DAYS, split
from churn.training.metrics import auc
from churn.training.models import fit_calibrated
from churn.validation.checks import Outcome, judge

SNAPSHOT = date(2026, 1, 31)
ANCHOR = SNAPSHOT - timedelta(days=LEAVING_DAYS)
SEED = 7
LEAD, HORIZON = 0, 30
LAST = 75  # logical day, counted from the snapshot date


@dataclass
class Known:
    """Delivered rows by domain, with the columns and dates that silver has; labelled customers by date."""

    rows: dict[str, pd.DataFrame]
    by_date: dict[date, pd.DataFrame] = field(default_factory=dict)

    def labelled(self, today: date) -> pd.DataFrame:
        """As `churn.training.dataset.labelled`: of the latest complete observation date, and each seventh before it."""
        latest = today - timedelta(days=LEAD + HORIZON)
        dates = [latest - timedelta(days=days) for days in range(0, (latest - ANCHOR).days + 1, OBSERVED_EVERY_DAYS)]
        for observed in dates:
            if observed not in self.by_date:
                self.by_date[observed] = self._observed(pd.Timestamp(observed))
        return pd.concat([self.by_date[observed] for observed in dates], ignore_index=True)

    def _observed(self, observed: pd.Timestamp) -> pd.DataFrame:
        """Features of one observation date, with `churned`."""
        versions = self.rows["customer"]
        known = versions[versions["as_of"] <= observed].sort_values("as_of").groupby("customer_id").tail(1)
        active = known[(known["signup_date"] <= observed) & ~(known["churn_date"] <= observed)]
        frame = active.set_index("customer_id").reindex(columns=COLUMNS.all)
        frame = frame.astype(dict.fromkeys(COLUMNS.numeric, float))
        reported, signed_up = (active.set_index("customer_id")[name] for name in ("as_of", "signup_date"))
        frame["tenure_months"] = _whole_months(signed_up, observed).astype(float)
        bills = self.rows["transactions"]
        since = (bills["transaction_date"] > bills["customer_id"].map(reported)) & (
            bills["transaction_date"] <= observed
        )
        billed = bills[since].groupby("customer_id")["amount"].sum()
        frame["total_charges"] = frame["total_charges"].fillna(0.0).add(billed.reindex(frame.index, fill_value=0.0))

        def count(domain: str, dated: str, days: int, column: str = "", value: str = "") -> pd.Series[float]:
            rows = self.rows[domain]
            within = (rows[dated] > observed - timedelta(days=days)) & (rows[dated] <= observed)
            met = rows[column] == value if column else True
            return rows.loc[within & met, "customer_id"].value_counts().reindex(frame.index, fill_value=0).astype(float)

        bills_90d = count("transactions", "transaction_date", 90)
        frame["late_payments_90d"] = bills_90d - count("transactions", "transaction_date", 90, "status", "paid")
        for days in (30, 90):
            frame[f"tickets_{days}d"] = count("support", "opened_date", days)
        frame["campaign_responses_90d"] = count("marketing", "touch_date", 90, "responded", "true")
        for days in (7, 30):
            frame[f"events_{days}d"] = count("usage", "event_date", days)
        events_60d = count("usage", "event_date", 60)
        frame["usage_trend"] = (frame["events_30d"] + 1) / (events_60d - frame["events_30d"] + 1)
        left = versions.dropna(subset="churn_date").set_index("customer_id")["churn_date"].reindex(frame.index)
        frame["churned"] = (left <= observed + timedelta(days=HORIZON)).astype(int)
        return frame.assign(observation_date=observed.date()).reset_index()


@pytest.fixture(scope="module")
def world() -> World:
    return grow(SNAPSHOT, SNAPSHOT + timedelta(days=LAST), SEED)


@pytest.fixture(scope="module")
def known(world: World) -> Known:
    due = deliveries(SNAPSHOT, SNAPSHOT + timedelta(days=LAST))
    rows = {}
    for contract in file_contracts():
        delivered = [delivery_rows(contract.domain, world, each, initial=each == due[0], seed=SEED) for each in due]
        named = pd.concat(delivered, ignore_index=True).rename(columns={c.source: c.name for c in contract.columns})
        dates = [column.name for column in contract.columns if column.type == "DATE"]
        rows[contract.domain] = named.assign(**{name: pd.to_datetime(named[name]) for name in dates})
    return Known(rows)


@pytest.mark.parametrize(
    ("day", "rule"), [(0, "customer"), (14, "customer"), (28, "customer"), (35, "time"), (45, "time"), (75, "time")]
)
def test_a_model_trained_on_a_day_passes_the_gate(day: int, rule: str, known: Known) -> None:
    parts = split(known.labelled(SNAPSHOT + timedelta(days=day)), LabelWindow(LEAD, HORIZON, 0))
    model = fit_calibrated("logistic_regression", parts.train, COLUMNS)
    scores = model.predict_proba(parts.holdout[COLUMNS.all])[:, 1]
    checks = judge(parts.holdout, COLUMNS, scores, champion=None)
    assert parts.rule == rule
    assert {check.name: check.reason for check in checks if check.outcome != Outcome.PASSED} == {}
    assert auc(parts.holdout["churned"].to_numpy(), scores) >= 0.80


def test_the_labels_at_the_anchor_are_telco_s_own(known: Known) -> None:
    labels = known.labelled(SNAPSHOT).set_index("customer_id")["churned"]
    own = telco().set_index("customer_id")["churn"] == "Yes"
    assert labels.to_dict() == own.astype(int).to_dict()


def test_leaving_glides_to_a_steady_rate_and_newcomers_make_up_for_it(world: World) -> None:
    days = [pd.Timestamp(ANCHOR) + timedelta(days=days) for days in range(0, LEAVING_DAYS + LAST - HORIZON + 1, 7)]
    signed_up, left = world.customers["signup_date"], world.customers["churn_date"]
    active = [(signed_up <= day) & ~(left <= day) for day in days]
    rates = [
        float((left[here] <= day + timedelta(days=HORIZON)).mean()) for day, here in zip(days, active, strict=True)
    ]
    assert rates[0] == pytest.approx(0.265, abs=0.001)
    assert np.abs(np.diff(rates)).max() < 0.05, rates
    after = [(here.sum(), rate) for day, here, rate in zip(days, active, rates, strict=True) if day.date() > SNAPSHOT]
    assert all(4_500 < count < 5_500 and 0.13 < rate < 0.20 for count, rate in after), after


def test_the_reasons_for_leaving_are_telco_s() -> None:
    customers = telco()
    inputs = pd.DataFrame({"tenure": np.log1p(customers["tenure_months"])})
    expected = [LOG_ODDS_OF_TENURE]
    for column, effects in LOG_ODDS.items():
        for value, effect in effects.items():
            inputs[value] = (customers[column] == value).astype(float)
            expected.append(effect)
    coefficients = LogisticRegression(C=1e6, max_iter=1_000).fit(inputs, customers["churn"] == "Yes").coef_[0]
    assert coefficients == pytest.approx(expected, abs=0.01)


def _whole_months(since: pd.Series[pd.Timestamp], until: pd.Timestamp) -> pd.Series[int]:
    """As Spark's `floor(months_between(until, since))`: from one end of a month to another the months are whole."""
    short = (since.dt.day > until.day) & ~(since.dt.is_month_end & until.is_month_end)
    return (until.year - since.dt.year) * 12 + until.month - since.dt.month - short
