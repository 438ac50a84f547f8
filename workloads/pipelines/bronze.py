"""Bronze: the rows of every admitted file, as delivered.

What the schema has no place for, such as a value of an unknown column, is kept in `_rescued_data`, and a record that is
broken, too long or too short in `_corrupt_record`, unless Auto Loader rescues that too. Text files are read as strings:
silver examines their types. So are Parquet files of a domain that text files are delivered to as well.
"""

from pyspark import pipelines as dp
from pyspark.sql import DataFrame, SparkSession

from churn.core.contract import Contract, file_contracts
from churn.transforms.delivered import bronze_rows, options, schema

spark = SparkSession.active()
ADMITTED = spark.conf.get("churn.admitted")
# A full refresh would lose the rows of files that are gone, and silver would take over all others once more.
KEPT = {"pipelines.reset.allowed": "false"}


def deliveries(contract: Contract) -> None:
    """Declares the streaming table of one domain's files, with a flow for each format that they may have."""

    @dp.table(
        name=contract.domain,
        comment=f"{contract.description} As delivered.",
        table_properties=KEPT,
    )
    def rows() -> DataFrame:
        return read(contract, contract.formats[0])

    for format_ in contract.formats[1:]:
        further(contract, format_)


def further(contract: Contract, format_: str) -> None:
    """Declares the flow of one more format."""

    @dp.append_flow(target=contract.domain, name=f"{contract.domain}_{format_}")
    def rows() -> DataFrame:
        return read(contract, format_)


def read(contract: Contract, format_: str) -> DataFrame:
    """Rows of the files of one format."""
    files = spark.readStream.format("cloudFiles").options(**options(contract, format_))
    read = files.schema(schema(contract, format_)).load(f"{ADMITTED}/{contract.domain}")
    return bronze_rows(read, contract, format_)


for each in file_contracts():
    deliveries(each)
