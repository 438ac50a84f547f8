"""Labels: whether a customer left within the label window, by customer and observation date."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as sf

from churn.core.contract import contract_of
from churn.transforms.latest import order

if TYPE_CHECKING:
    from datetime import date

    from pyspark.sql import DataFrame

    from churn.core.label_window import LabelWindow


def build(active: DataFrame, changes: DataFrame, today: date, observed: date, window: LabelWindow) -> DataFrame:
    """Labels the customers who were active on an observation date.

    The label window is (observed + lead, observed + lead + horizon], both in days. A customer who left between the
    observation date and the window has no label: they did not leave within the window, and did not stay either. If a
    customer left more than once, the first time counts, even if they came back. Of several reports of one day (`as_of`)
    the last delivered counts, as in silver.customer: a correction leaves nothing of what it corrects.

    Args:
        active: Customers active on the observation date as known on it, with `customer_id` and `churn_date`.
        changes: silver.customer_versions: every accepted report of a customer.
        today: Reports up to this day are known.
        observed: Observation date.
        window: The label window.

    Returns:
        `customer_id`, `observation_date`, `lead_days`, `horizon_days`, `churned` (0 or 1).
    """
    begin, end = window.opens(observed), window.closes(observed)
    since = changes.where((sf.col("as_of") > sf.lit(observed)) & (sf.col("as_of") <= sf.lit(today)))
    last = sf.max_by("churn_date", order(contract_of("customer")))
    of_day = since.groupBy("customer_id", "as_of").agg(last.alias("churn_date"))
    reported = of_day.groupBy("customer_id").agg(sf.min("churn_date").alias("reported"))
    leaving_date = sf.least("churn_date", "reported")  # the other one, where one of them is NULL
    within = (leaving_date > sf.lit(begin)) & (leaving_date <= sf.lit(end))
    return (
        active.select("customer_id", "churn_date")
        .join(reported, "customer_id", "left")
        .where(leaving_date.isNull() | (leaving_date > sf.lit(begin)))
        .select(
            "customer_id",
            sf.lit(observed).alias("observation_date"),
            sf.lit(window.lead_days).alias("lead_days"),
            sf.lit(window.horizon_days).alias("horizon_days"),
            sf.coalesce(within, sf.lit(False)).cast("int").alias("churned"),
        )
    )
