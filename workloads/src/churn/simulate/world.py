"""The customers of the simulated world: Telco's at the snapshot date, and what becomes of them afterwards.

Telco says of 7,043 customers who left "within the last month". Here that month is the 30 days up to the snapshot date:
at its beginning (the anchor) every customer of Telco is active with Telco's own attributes, and a label that looks 30
days ahead from there is Telco's own column `Churn`. After the snapshot date the stayers leave by a daily hazard, and
new customers come. Every draw depends on the seed and its date alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

from churn.data import telco

LEAVING_DAYS = 30  # Telco: "customers who left within the last month"
NEW_CUSTOMERS_A_DAY = 8  # about as many as leave
# Share of customers who leave within 30 days, by contract: Telco's own (42.7 %, 11.3 %, 2.8 %), a tenth of it, since
# its last month is no ordinary one: at that rate half of the month-to-month customers would be gone after five weeks.
LEAVING_IN_30_DAYS = {"Month-to-month": 0.043, "One year": 0.011, "Two year": 0.003}
FIRST_YEAR_FACTOR = 1.6  # in their first year customers leave more often; Telco: 47 % against 18 % later


@dataclass(frozen=True)
class World:
    """The customers up to a day.

    Attributes:
        customers: One row each: Telco's columns (snake_case) as of the anchor or of signing up, `signup_date`,
            `churn_date` (NaT while active), `unhappiness` (about 0, higher for those about to leave).
        anchor: Day on which Telco's customers have Telco's attributes.
    """

    customers: pd.DataFrame
    anchor: date


def grow(snapshot: date, until: date, seed: int) -> World:
    """Makes the world from Telco up to a day.

    Args:
        snapshot: Day on which Telco was taken.
        until: Last simulated day.
        seed: Of every draw.
    """
    anchor = snapshot - timedelta(days=LEAVING_DAYS)
    customers = _telco_customers(anchor, seed)
    day = snapshot + timedelta(days=1)
    while day <= until:
        draws = generator(seed, "leaving", day).random(len(customers))
        active = customers["churn_date"].isna().to_numpy()
        leaving = active & (draws < _daily_hazard(customers, day))
        customers.loc[leaving, "churn_date"] = pd.Timestamp(day)
        customers = pd.concat([customers, _new_customers(day, seed)], ignore_index=True)
        day += timedelta(days=1)
    return World(customers, anchor)


def generator(seed: int, purpose: str, day: date) -> np.random.Generator:
    """Random numbers for one purpose on one day, the same however the world was grown up to it."""
    return np.random.default_rng([seed, int.from_bytes(purpose.encode(), "big") % 2**32, day.toordinal()])


def _telco_customers(anchor: date, seed: int) -> pd.DataFrame:
    """Telco's customers: signed up so that whole months to the anchor are their tenure, leavers with a day."""
    customers = telco()
    draw = generator(seed, "telco", anchor)
    left = (customers.pop("churn") == "Yes").to_numpy()
    # up to four weeks more than the whole months, so that nobody's tenure is a day short
    extra = draw.integers(0, 28, len(customers))
    months = customers["tenure_months"].to_numpy()
    start = pd.Timestamp(anchor)
    customers["signup_date"] = [
        start - pd.DateOffset(months=int(count), days=int(days)) for count, days in zip(months, extra, strict=True)
    ]
    days = draw.integers(1, LEAVING_DAYS + 1, len(customers))
    customers["churn_date"] = (start + pd.to_timedelta(days, unit="D")).where(left)
    customers["unhappiness"] = draw.normal(0.0, 1.0, len(customers)) + 0.5 * left
    return customers


def _new_customers(day: date, seed: int) -> pd.DataFrame:
    """Customers who sign up on a day: households like Telco's newest."""
    draw = generator(seed, "new", day)
    household = telco()
    household = household[household["tenure_months"] <= 1]
    chosen = household.iloc[draw.integers(0, len(household), NEW_CUSTOMERS_A_DAY)].drop(columns="churn").copy()
    chosen["customer_id"] = [f"{day:%Y%m%d}-{number:03d}" for number in range(NEW_CUSTOMERS_A_DAY)]
    chosen["tenure_months"] = 0
    chosen["total_charges"] = np.nan
    chosen["signup_date"] = pd.Timestamp(day)
    chosen["churn_date"] = pd.NaT
    chosen["unhappiness"] = draw.normal(0.0, 1.0, len(chosen))
    return chosen


def _daily_hazard(customers: pd.DataFrame, day: date) -> np.ndarray:
    """Each customer's probability of leaving on a day."""
    monthly = customers["contract"].map(LEAVING_IN_30_DAYS).to_numpy(float)
    first_year = (pd.Timestamp(day) - customers["signup_date"]).dt.days.to_numpy() < 365
    monthly = monthly * np.where(first_year, FIRST_YEAR_FACTOR, 1.0) * np.exp(0.4 * customers["unhappiness"].to_numpy())
    return np.asarray(1.0 - (1.0 - np.clip(monthly, 0.0, 0.9)) ** (1 / 30))
