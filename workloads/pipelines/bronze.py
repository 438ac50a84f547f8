"""Bronze: the rows of every admitted file, as delivered.

What the schema has no place for, such as a value of an unknown column, is kept in `_rescued_data`. Text files are read
as strings: silver examines their types.
"""

from pyspark import pipelines as dp
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as sf

from churn.core.contract import Contract, file_contracts

spark = SparkSession.active()
ADMITTED = spark.conf.get("churn.admitted")
# A full refresh would lose the rows of files that are gone, and silver would take over all others once more.
KEPT = {"pipelines.reset.allowed": "false"}


def deliveries(contract: Contract) -> None:
    """Declares the streaming table of one domain's files."""

    @dp.table(
        name=contract.domain,
        comment=f"{contract.description} As delivered.",
        table_properties=KEPT,
    )
    def rows() -> DataFrame:
        return (
            spark.readStream.format("cloudFiles")
            .option("cloudFiles.format", contract.format)
            .option("cloudFiles.schemaEvolutionMode", "rescue")
            .option("rescuedDataColumn", "_rescued_data")
            .option("header", "true")
            .option("escape", '"')  # a quote within quotes is doubled: the default is a backslash
            .option("multiLine", "true")  # a quoted value may hold a line feed: admission counts such a record once
            .schema(contract.delivered_schema)
            .load(f"{ADMITTED}/{contract.domain}")
            .select(
                *(f"`{source}`" for source in contract.sources),
                "_rescued_data",
                sf.col("_metadata.file_path").alias("_file"),
                sf.col("_metadata.file_modification_time").alias("_delivered_at"),
            )
        )


for each in file_contracts():
    deliveries(each)
