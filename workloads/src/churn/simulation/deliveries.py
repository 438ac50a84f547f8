"""Deliveries of the simulated source systems: one table per domain and delivery, rows dated within it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

from churn.core.contract import Contract, contract_of
from churn.simulation.world import LEAVING_DAYS, World, generator

HISTORY_DAYS = LEAVING_DAYS + 90  # the longest window of a feature before the first observation date
MONTH = timedelta(days=30)
DAY = timedelta(days=1)
CATEGORIES = {"billing": 0.35, "technical": 0.45, "cancellation": 0.05, "other": 0.15}  # of tickets


@dataclass(frozen=True)
class Delivery:
    """Files that are delivered together.

    Attributes:
        first: First day whose rows they hold.
        last: Last day whose rows they hold, and the day of the delivery.
    """

    first: date
    last: date

    @property
    def days(self) -> list[date]:
        """The days whose rows they hold."""
        return [self.first + timedelta(days=number) for number in range((self.last - self.first).days + 1)]


def deliveries(snapshot: date, until: date) -> list[Delivery]:
    """Every delivery up to a day: monthly before the snapshot date, daily from it on."""
    planned = []
    first = snapshot - timedelta(days=HISTORY_DAYS)
    while first < snapshot:
        last = min(first + MONTH - DAY, snapshot - DAY)
        planned.append(Delivery(first, last))
        first = last + DAY
    while first <= until:
        planned.append(Delivery(first, first))
        first += DAY
    return [delivery for delivery in planned if delivery.last <= until]


def delivery_rows(domain: str, world: World, delivery: Delivery, *, initial: bool, seed: int) -> pd.DataFrame:
    """The rows of one domain in one delivery, in the columns that its contract's files have.

    Args:
        domain: Name of the contract.
        world: Grown up to the delivery's last day or later.
        delivery: Which one.
        initial: Whether it is the first, which reports every customer there is.
        seed: Of every draw.
    """
    if domain == "customer":
        rows = _customers(world, delivery, initial=initial)
    else:
        daily = [_DAILY[domain](world, day, seed) for day in delivery.days]
        rows = pd.concat(daily, ignore_index=True)
    contract = contract_of(domain)
    return _as_delivered(rows, contract)


def _customers(world: World, delivery: Delivery, *, initial: bool) -> pd.DataFrame:
    """A report of each customer who signed up or left, dated on that day; the first delivery reports all customers."""
    customers = world.customers
    first, last = pd.Timestamp(delivery.first), pd.Timestamp(delivery.last)
    newcomers = customers[(customers["signup_date"] <= last) & (initial | (customers["signup_date"] >= first))].copy()
    newcomers["as_of"] = newcomers["signup_date"].where(newcomers["signup_date"] > first, first)
    newcomers["churn_date"] = pd.NaT
    leavers = customers[(customers["churn_date"] >= first) & (customers["churn_date"] <= last)].copy()
    leavers["as_of"] = leavers["churn_date"]
    reported = pd.concat([newcomers.assign(status="active"), leavers.assign(status="left")])
    reported["tenure_months"] = _whole_months(reported["signup_date"], reported["as_of"])
    # Telco's totals are those of the anchor, so a report before it lacks the bills between the two
    months = ((pd.Timestamp(world.anchor) - reported["as_of"]).dt.days / 30.4).round()
    known = (reported["total_charges"] - reported["monthly_charges"] * months).clip(lower=0)
    total = known.fillna(reported["monthly_charges"] * reported["tenure_months"]).round(2)
    reported["total_charges"] = total.mask(reported["tenure_months"] == 0)  # never billed
    return reported


def _transactions(world: World, day: date, seed: int) -> pd.DataFrame:
    """Bills of a day: each customer has one a month, on the day on which they signed up; the unhappy pay later."""
    active = _active(world, day)
    due = active[(active["signup_date"].dt.day.clip(upper=28) == min(day.day, 28)) & (day.day <= 28)]
    draw = generator(seed, "transactions", day)
    late = 1 / (1 + np.exp(2.6 - 0.8 * due["unhappiness"].to_numpy()))
    luck = draw.random(len(due))
    status = np.where(luck < late / 6, "failed", np.where(luck < late, "late", "paid"))
    return _dated("t", due, day, transaction_date=day, amount=due["monthly_charges"].to_numpy(), status=status)


def _support(world: World, day: date, seed: int) -> pd.DataFrame:
    """Tickets of a day: about one per customer in a hundred days; the unhappy have more."""
    active = _active(world, day)
    draw = generator(seed, "support", day)
    asking = active[draw.random(len(active)) < 0.008 * np.exp(0.8 * active["unhappiness"].to_numpy())]
    hours = draw.gamma(2.0, 12.0, len(asking)).round(1)
    return _dated(
        "s",
        asking,
        day,
        opened_date=day,
        category=draw.choice(list(CATEGORIES), len(asking), p=list(CATEGORIES.values())),
        priority=draw.choice(["low", "normal", "high"], len(asking), p=[0.3, 0.55, 0.15]),
        resolution_hours=pd.Series(hours).where(pd.Series(draw.random(len(asking)) > 0.05)).to_numpy(),
    )


def _marketing(world: World, day: date, seed: int) -> pd.DataFrame:
    """Contacts of a day: one customer in fifty; the unhappy respond less."""
    active = _active(world, day)
    draw = generator(seed, "marketing", day)
    touched = active[draw.random(len(active)) < 0.02]
    responding = draw.random(len(touched)) < 0.15 * np.exp(-0.3 * touched["unhappiness"].to_numpy())
    return _dated(
        "m",
        touched,
        day,
        touch_date=day,
        campaign=np.full(len(touched), f"offer-{day:%Y-%m}"),
        channel=draw.choice(["email", "sms", "phone"], len(touched), p=[0.6, 0.3, 0.1]),
        responded=np.where(responding, "true", "false"),
    )


def _usage(world: World, day: date, seed: int) -> pd.DataFrame:
    """Uses of a day: about one customer in six; the unhappy use less."""
    active = _active(world, day)
    draw = generator(seed, "usage", day)
    using = active[draw.random(len(active)) < 0.15 * np.exp(-0.4 * active["unhappiness"].to_numpy())]
    minutes = draw.gamma(2.0, 15.0, len(using)).round(1).clip(0, 1440)
    return _dated(
        "e", using, day, event_date=day, event_type=draw.choice(["call", "data", "stream"], len(using)), minutes=minutes
    )


_DAILY: dict[str, Callable[[World, date, int], pd.DataFrame]] = {
    "transactions": _transactions,
    "support": _support,
    "marketing": _marketing,
    "usage": _usage,
}
_KEYS = {"t": "transaction_id", "s": "ticket_id", "m": "touch_id", "e": "event_id"}


def _active(world: World, day: date) -> pd.DataFrame:
    """The customers of a day, with what their behaviour depends on."""
    today = np.datetime64(day)
    customers = world.customers
    has_left = customers["churn_date"].to_numpy() <= today
    active = (customers["signup_date"].to_numpy() <= today) & ~has_left
    return customers.loc[active, ["customer_id", "signup_date", "monthly_charges", "unhappiness"]]


def _dated(kind: str, customers: pd.DataFrame, day: date, **columns: object) -> pd.DataFrame:
    """Rows of a day, one per customer, with a key made of kind, day and customer."""
    ids = customers["customer_id"].to_numpy()
    keys = [f"{kind}-{day:%Y%m%d}-{customer}" for customer in ids]
    return pd.DataFrame({_KEYS[kind]: keys, "customer_id": ids, **columns})


def _as_delivered(rows: pd.DataFrame, contract: Contract) -> pd.DataFrame:
    renamed = rows.rename(columns={column.name: column.source for column in contract.columns})
    return renamed[contract.sources].sort_values(contract.sources[0], ignore_index=True, kind="stable")


def _whole_months(since: pd.Series[pd.Timestamp], until: pd.Series[pd.Timestamp]) -> pd.Series[int]:
    months = (until.dt.year - since.dt.year) * 12 + until.dt.month - since.dt.month - (since.dt.day > until.dt.day)
    return months.clip(lower=0)
