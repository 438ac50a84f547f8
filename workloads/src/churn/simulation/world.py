"""Customers of the simulated world: Telco's at the snapshot date, and those who leave or sign up afterwards.

Telco says of 7,043 customers who left "within the last month". In this world that month is the 30 days up to the
snapshot date: at its beginning (the anchor) every customer of Telco is active with Telco's own attributes, and a label
that looks 30 days ahead from there is Telco's own column `Churn`. After the snapshot date the stayers leave by a daily
hazard, and new customers come. Every draw depends on the seed and its date alone.

After the snapshot date customers are at risk for the reasons that Telco shows, so a model of one month holds in the
next. Nothing sets a month's rate. It falls from Telco's 26.5 % to 16 %, since those at risk leave first, and stays
about there, since newcomers, at risk like Telco's newest, take their place. About 5,000 customers are active.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from churn.data import telco
from churn.simulation.people import with_people

if TYPE_CHECKING:
    import numpy.typing as npt

LEAVING_DAYS = 30  # Telco: "customers who left within the last month"
NEW_CUSTOMERS_A_DAY = 38  # about as many as leave

# Log-odds of leaving within 30 days, from a logistic regression on Telco (AUC 0.84); values not listed have 0.
# Tenure counts as the logarithm of its months plus one: of Telco's customers of one month 62 % left, of a year 32 %.
BASE_LOG_ODDS = 0.50  # the regression gives 0.42; raised so that, with STEEPNESS, as many customers leave
LOG_ODDS = {
    "contract": {"One year": -0.77, "Two year": -1.81},
    "internet_service": {"Fiber optic": 1.15, "No": -1.02},
    "payment_method": {"Electronic check": 0.48},
}
LOG_ODDS_OF_TENURE = -0.62
# Steeper than Telco by this factor: those who stayed are more alike than all of Telco's customers, and at Telco's own
# odds a perfect model would rank them with an AUC of 0.85 only. At these it is 0.87.
STEEPNESS = 1.15
UNHAPPIER = 0.5  # difference of the means of unhappiness between leavers and stayers; both have a deviation of 1


@dataclass(frozen=True)
class World:
    """The customers up to a day.

    Attributes:
        customers: One row each: Telco's columns (snake_case) as of the anchor or of signing up, who they are and where
            they live (`churn.simulation.people`), `signup_date`, `churn_date` (NaT while active), `unhappiness` (about
            0, higher for those about to leave).
        anchor: Day on which Telco's customers have Telco's attributes.
    """

    customers: pd.DataFrame
    anchor: date


def grow(snapshot: date, until: date, seed: int) -> World:
    """Simulates the world from Telco up to a day.

    Args:
        snapshot: Day on which Telco was taken.
        until: Last simulated day.
        seed: Of every draw.
    """
    anchor = snapshot - timedelta(days=LEAVING_DAYS)
    customers = _telco_customers(anchor, seed)
    households = telco().query("tenure_months <= 1").drop(columns="churn")
    day = snapshot + timedelta(days=1)
    while day <= until:
        draws = generator(seed, "leaving", day).random(len(customers))
        active = customers["churn_date"].isna().to_numpy()
        leaving = active & (draws < _daily_hazard(customers, day))
        customers.loc[leaving, "churn_date"] = pd.Timestamp(day)
        customers = pd.concat([customers, _new_customers(households, day, seed)], ignore_index=True)
        day += timedelta(days=1)
    return World(customers, anchor)


def generator(seed: int, purpose: str, day: date) -> np.random.Generator:
    """Random numbers for one purpose on one day, the same however the world was grown up to it."""
    return np.random.default_rng([seed, int.from_bytes(purpose.encode(), "big") % 2**32, day.toordinal()])


def _telco_customers(anchor: date, seed: int) -> pd.DataFrame:
    """Telco's customers: signed up so that whole months to the anchor are their tenure, leavers with a day."""
    customers = telco()
    draw = generator(seed, "telco", anchor)
    has_left = (customers.pop("churn") == "Yes").to_numpy()
    # up to four weeks more than the whole months, so that nobody's tenure is a day short
    extra = draw.integers(0, 28, len(customers))
    months = customers["tenure_months"].to_numpy()
    start = pd.Timestamp(anchor)
    customers["signup_date"] = [
        start - pd.DateOffset(months=int(count), days=int(days)) for count, days in zip(months, extra, strict=True)
    ]
    days = draw.integers(1, LEAVING_DAYS + 1, len(customers))
    customers["churn_date"] = (start + pd.to_timedelta(days, unit="D")).where(has_left)
    customers["unhappiness"] = draw.normal(0.0, 1.0, len(customers)) + UNHAPPIER * has_left
    return with_people(customers, anchor, generator(seed, "people", anchor))


def _new_customers(households: pd.DataFrame, day: date, seed: int) -> pd.DataFrame:
    """Customers who sign up on a day: households like Telco's newest."""
    draw = generator(seed, "new", day)
    chosen = households.iloc[draw.integers(0, len(households), NEW_CUSTOMERS_A_DAY)].copy()
    chosen["customer_id"] = [f"{day:%Y%m%d}-{number:03d}" for number in range(NEW_CUSTOMERS_A_DAY)]
    chosen["tenure_months"] = 0
    chosen["total_charges"] = np.nan
    chosen["signup_date"] = pd.Timestamp(day)
    chosen["churn_date"] = pd.NaT
    chosen["unhappiness"] = draw.normal(0.0, 1.0, len(chosen))
    return with_people(chosen, day, generator(seed, "people", day))


def _daily_hazard(customers: pd.DataFrame, day: date) -> npt.NDArray[np.float64]:
    """Each customer's probability of leaving on a day: so high that 30 such days have the log-odds above."""
    months = (pd.Timestamp(day) - customers["signup_date"]).dt.days.to_numpy() / 30.4
    log_odds = BASE_LOG_ODDS + LOG_ODDS_OF_TENURE * np.log1p(months)
    for column, effects in LOG_ODDS.items():
        log_odds += customers[column].map(effects).fillna(0.0).to_numpy()
    # log-odds of unhappiness u by Bayes's theorem, for leavers and stayers with deviation 1 and means that lie d apart
    unhappy = UNHAPPIER * customers["unhappiness"].to_numpy() - UNHAPPIER**2 / 2
    odds = np.exp(STEEPNESS * log_odds + unhappy)
    return np.asarray(1.0 - (1.0 + odds) ** (-1 / LEAVING_DAYS))
