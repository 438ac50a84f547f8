"""Silver: rows that meet their contract, and the others, quarantined with the rules they break.

Three tables a domain: `<domain>_versions`, every accepted row; `<domain>`, the latest accepted row of each natural key;
and `quarantine_<domain>`, every other row.
"""

from collections.abc import Callable

from pyspark import pipelines as dp
from pyspark.sql import DataFrame, SparkSession

from churn.core.contract import Contract, file_contracts
from churn.transforms import conform
from churn.transforms.latest import latest

spark = SparkSession.active()
Query = Callable[[], DataFrame]
CATALOG = spark.conf.get("churn.catalog")
STREAMED = spark.conf.get("churn.stream", "false") == "true"
KEPT = {"pipelines.reset.allowed": "false"}  # silver.events has its uses, and would take those of long ago again


def expected(contract: Contract) -> Callable[[Query], Query]:
    """Decorator of a table's function: the contract's rules, each with what becomes of rows that break it."""

    def declare(rows: Query) -> Query:
        if contract.warnings:
            rows = dp.expect_all(contract.warnings)(rows)
        if contract.stops:
            rows = dp.expect_all_or_fail(contract.stops)(rows)
        return dp.expect_all_or_drop(contract.rules)(rows)

    return declare


def domain(contract: Contract) -> None:
    """Declares the three tables of one domain."""

    def conformed() -> DataFrame:
        bronze = spark.readStream.option("skipChangeCommits", "true")  # a DELETE there would end the stream for good
        return conform.conform(bronze.table(f"{CATALOG}.bronze.{contract.domain}"), contract)

    kept = KEPT if STREAMED and contract.domain == "usage" else None

    @dp.table(
        name=f"{contract.domain}_versions",
        comment=f"{contract.description} Every accepted report of it.",
        table_properties=kept,
    )
    @expected(contract)
    def versions() -> DataFrame:
        return conform.accepted(conformed(), contract)

    @dp.table(name=f"quarantine_{contract.domain}", comment=f"Rows of {contract.domain} that break a rule, and which.")
    def quarantine() -> DataFrame:
        return conform.quarantined(conformed(), contract)

    @dp.materialized_view(name=contract.domain, comment=contract.description)
    def latest_reports() -> DataFrame:
        return latest(spark.read.table(f"{contract.domain}_versions"), contract)


for each in file_contracts():
    domain(each)
