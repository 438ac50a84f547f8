"""Names, contacts and homes of simulated customers: nobody's.

Names are drawn from lists, towns are invented. The numbers are those that are kept for films and books, 555-0100 to
555-0199 (https://nationalnanpa.com/numbers/555.html), and addresses of e-mail lie in the domains that are kept for
examples (RFC 2606, https://www.rfc-editor.org/rfc/rfc2606).
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    import numpy.typing as npt

FEMALE = ("Ada", "Bela", "Cora", "Dina", "Edda", "Flora", "Greta", "Hanna", "Ilona", "Juna", "Kira", "Lena", "Mara")
MALE = ("Anton", "Bruno", "Carl", "David", "Emil", "Felix", "Gustav", "Henri", "Ivo", "Jonas", "Karel", "Levin", "Milo")
FAMILY = (
    *("Aldermoor", "Birkwell", "Castelbrook", "Dunmarsh", "Elmgard", "Fernholt", "Glenrow", "Harrowick", "Islewood"),
    *("Juniperly", "Kestrelby", "Larkhurst", "Merrivale", "Northolm", "Oakenshaw", "Pinehollow", "Quillstone"),
    *("Rowanfield", "Silverbeck", "Thornquist", "Underhay", "Vantermeer", "Willowmere", "Yarrowgate", "Zelderloft"),
)
# Invented towns, each with the beginning of its postcodes, by region.
TOWNS = {
    "North": (("Frosthaven", "01"), ("Norvik Bay", "02"), ("Highmoor", "03")),
    "East": (("Eastmere", "21"), ("Sunrise Falls", "22"), ("Amberlea", "23")),
    "South": (("Port Solace", "41"), ("Southwold Heath", "42"), ("Vinedale", "43")),
    "West": (("Westering", "61"), ("Gullcliff", "62"), ("Saltmarsh", "63")),
}
STREETS = ("Alder Lane", "Beacon Road", "Canal Street", "Depot Way", "Elm Street", "Foundry Row", "Garden Close")
DOMAINS = ("example.com", "example.net", "example.org")
AREAS = ("201", "415", "512", "617")  # beginnings of numbers
PLANS = (("Basic", 0.0), ("Plus", 35.0), ("Premium", 75.0))  # with the monthly charges from which they are sold
ADULT, SENIOR, OLDEST = 18, 65, 90  # years


def with_people(customers: pd.DataFrame, day: date, draw: np.random.Generator) -> pd.DataFrame:
    """Adds to customers who they are and where they live.

    Args:
        customers: One row each, with `customer_id`, `gender`, `senior_citizen`, `tenure_months`, `monthly_charges`.
        day: Day on which they have these attributes.
        draw: Of their own; the same draws give the same people.

    Returns:
        The customers with `full_name`, `email`, `phone`, `birth_date`, `street`, `city`, `region`, `postcode`, `plan`.
    """
    count = len(customers)
    given = np.where(customers["gender"] == "Female", draw.choice(FEMALE, count), draw.choice(MALE, count))
    family = draw.choice(FAMILY, count)
    towns = [(region, *town) for region, there in TOWNS.items() for town in there]
    regions, cities, codes = zip(*(towns[index] for index in draw.integers(0, len(towns), count)), strict=True)
    numbers, domains = draw.integers(1, 1_000, count), draw.choice(DOMAINS, count)
    lines = draw.integers(100, 200, count)
    return customers.assign(
        full_name=[f"{first} {last}" for first, last in zip(given, family, strict=True)],
        email=[
            f"{first}.{last}{number}@{domain}".lower()
            for first, last, number, domain in zip(given, family, numbers, domains, strict=True)
        ],
        phone=[f"+1 {area} 555-0{line}" for area, line in zip(draw.choice(AREAS, count), lines, strict=True)],
        birth_date=_births(customers, day, draw),
        street=[
            f"{number} {street}"
            for number, street in zip(draw.integers(1, 200, count), draw.choice(STREETS, count), strict=True)
        ],
        city=list(cities),
        region=list(regions),
        postcode=[f"{code}{rest:03d}" for code, rest in zip(codes, draw.integers(0, 1_000, count), strict=True)],
        plan=_plans(customers["monthly_charges"]),
    )


def _births(customers: pd.DataFrame, day: date, draw: np.random.Generator) -> npt.NDArray[np.datetime64]:
    """Days of birth: seniors are 65 or older on the day, the others younger; all were adults when they signed up."""
    senior = customers["senior_citizen"].to_numpy() == 1
    youngest = np.where(senior, SENIOR, ADULT + np.ceil(customers["tenure_months"].to_numpy() / 12) + 1)
    oldest = np.where(senior, OLDEST, SENIOR)
    days = (youngest + draw.random(len(customers)) * (oldest - youngest)) * 365.25 + np.where(senior, 1, -1)
    return np.asarray(np.datetime64(day, "s") - days.astype("timedelta64[D]"))


def _plans(charges: pd.Series[float]) -> list[str]:
    """The plan that is sold at each of monthly charges."""
    return [next(name for name, floor in reversed(PLANS) if charge >= floor) for charge in charges]
