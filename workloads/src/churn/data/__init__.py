"""IBM's Telco data set: 7,043 customers, 26.5 % of whom left within the last month."""

from __future__ import annotations

import re
from importlib.resources import files

import pandas as pd

SNAKE_CASE = {"customerID": "customer_id", "tenure": "tenure_months"}  # those that do not follow from their name


def snake_case(column: str) -> str:
    """Our name of a Telco column: `StreamingTV` is `streaming_tv`, `tenure` is `tenure_months`."""
    return SNAKE_CASE.get(column) or re.sub(r"(?<=[a-z])(?=[A-Z])", "_", column).lower()


def telco_raw() -> pd.DataFrame:
    """The file as delivered: Telco's own column names, every value a string (11 blank TotalCharges)."""
    with files(__name__).joinpath("telco_customer_churn.csv").open(encoding="utf-8") as file:
        return pd.read_csv(file, dtype=str, keep_default_na=False)


def telco() -> pd.DataFrame:
    """The data set with snake_case names and types.

    Returns:
        One row per customer, in the file's order: `senior_citizen` (0 or 1) and `tenure_months` are int64,
        `monthly_charges` and `total_charges` float64 in dollars (`total_charges` is NaN for the 11 customers who were
        never billed: their tenure is 0), all else strings; `churn` is "Yes" or "No".
    """
    frame = telco_raw().rename(columns=snake_case)
    for column in ("senior_citizen", "tenure_months"):
        frame[column] = frame[column].astype("int64")
    for column in ("monthly_charges", "total_charges"):
        frame[column] = pd.to_numeric(frame[column].str.strip().replace("", None))
    return frame
