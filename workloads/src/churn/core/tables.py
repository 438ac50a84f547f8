"""How a run writes its part of a table, so that writing it again changes nothing; and what models and marts write."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


@dataclass(frozen=True)
class Table:
    """A table that runs write part by part.

    Attributes:
        name: `schema.table`.
        columns: Its columns as DDL.
        part: The column whose value names a part, usually a day; or several columns.
    """

    name: str
    columns: str
    part: str | tuple[str, ...] = "date"

    def create(self, spark: SparkSession, catalog: str) -> str:
        """Makes the table if it is missing, and returns its full name."""
        full_name = f"{catalog}.{self.name}"
        spark.sql(f"CREATE TABLE IF NOT EXISTS {full_name} ({self.columns}) USING DELTA").collect()
        return full_name

    def replace(self, rows: DataFrame, catalog: str, *values: date | str | int) -> None:
        """Replaces one part, in one transaction; other rows stay. Makes the table or a column of it if that is missing.

        Args:
            rows: All of them hold the values, else Delta refuses them. Columns that are not the table's are left out.
            catalog: Unity Catalog name.
            values: Those of the columns `part`.
        """
        full_name = self.create(rows.sparkSession, catalog)
        declared = rows.sparkSession.createDataFrame([], self.columns).columns
        writer = rows.select(*declared).write.mode("overwrite").option("mergeSchema", "true")
        writer.option("replaceWhere", self.condition(*values)).saveAsTable(full_name)

    def condition(self, *values: date | str | int) -> str:
        """What holds for the rows of one part, as SQL."""
        columns = (self.part,) if isinstance(self.part, str) else self.part
        return " AND ".join(f"{column} = {_literal(value)}" for column, value in zip(columns, values, strict=True))


def _literal(value: date | str | int) -> str:
    if isinstance(value, int):
        return str(value)
    return "'" + str(value).replace("\\", "\\\\").replace("'", "\\'") + "'"


GATE_RESULTS = Table(
    "mlops.gate_results",
    """
    run_id STRING NOT NULL COMMENT 'job run that decided',
    date DATE NOT NULL COMMENT 'logical date',
    model STRING NOT NULL COMMENT 'registered model',
    challenger_version INT NOT NULL,
    champion_version INT COMMENT 'version it was held against',
    decision STRING NOT NULL COMMENT 'of all checks: passed, failed or error',
    check_name STRING NOT NULL,
    outcome STRING NOT NULL COMMENT 'passed, failed, or error when it could not be tested',
    reason STRING NOT NULL,
    metric STRING NOT NULL COMMENT 'what was measured, empty when nothing was',
    value DOUBLE,
    threshold DOUBLE,
    diagnostics STRING NOT NULL COMMENT 'further figures, a JSON object'
    """,
    part="run_id",
)

SCORES = Table(
    "gold.churn_scores_daily",
    """
    customer_id STRING NOT NULL,
    date DATE NOT NULL COMMENT 'day of the score; it uses what is dated up to it',
    score DOUBLE NOT NULL COMMENT 'calibrated probability of leaving within the horizon',
    band STRING NOT NULL COMMENT 'high, medium or low; unrated from a bootstrap model',
    model_version INT NOT NULL COMMENT 'version of the registered model',
    run_id STRING NOT NULL COMMENT 'job run that scored'
    """,
)

OVERVIEW = Table(
    "gold.marts_churn_overview",
    """
    date DATE NOT NULL,
    active_customers BIGINT NOT NULL,
    at_risk_customers BIGINT NOT NULL COMMENT 'in the band high',
    expected_leavers DOUBLE NOT NULL COMMENT 'sum of the scores',
    mean_score DOUBLE NOT NULL,
    monthly_charges DOUBLE NOT NULL COMMENT 'of all active customers, in dollars',
    monthly_charges_at_risk DOUBLE NOT NULL COMMENT 'of those in the band high, in dollars',
    model_version INT NOT NULL,
    gate_date DATE COMMENT 'when the gate last decided',
    gate_decision STRING COMMENT 'passed, failed or error',
    gate_challenger_version INT COMMENT 'version it decided on'
    """,
)

SEGMENTS = Table(
    "gold.marts_churn_segments",
    """
    date DATE NOT NULL,
    dimension STRING NOT NULL COMMENT 'contract, tenure or internet_service',
    segment STRING NOT NULL COMMENT 'value of the dimension',
    customers BIGINT NOT NULL,
    at_risk_customers BIGINT NOT NULL COMMENT 'in the band high',
    mean_score DOUBLE NOT NULL,
    monthly_charges_at_risk DOUBLE NOT NULL COMMENT 'of those in the band high, in dollars'
    """,
)

SCORE_DISTRIBUTION = Table(
    "gold.marts_churn_score_distribution",
    """
    date DATE NOT NULL,
    score_from DOUBLE NOT NULL COMMENT 'lower bound of a tenth, included',
    customers BIGINT NOT NULL
    """,
)

GATE_CHECKS = Table(
    "gold.marts_churn_gate",
    """
    date DATE NOT NULL,
    gate_date DATE NOT NULL COMMENT 'when the gate last decided',
    decision STRING NOT NULL COMMENT 'of all checks: passed, failed or error',
    challenger_version INT NOT NULL COMMENT 'version it decided on',
    check_name STRING NOT NULL,
    outcome STRING NOT NULL COMMENT 'passed, failed, or error when it could not be tested',
    reason STRING NOT NULL
    """,
)

MARTS = (OVERVIEW, SEGMENTS, SCORE_DISTRIBUTION, GATE_CHECKS)
