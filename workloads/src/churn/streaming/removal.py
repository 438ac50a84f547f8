"""Messages and events that are removed on purpose: of a message bronze keeps the place alone, so that none seems lost.

The broker forgets messages and dead letters by the retention of their topics. One that comes after its customer was
erased is removed by the next day's task `streams`, before anything of gold reads it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as sf

from churn.core.blanks import trimmed
from churn.core.erased import Removed, record
from churn.streaming.messages import ERASED
from churn.transforms.removal import delete_same, mentions

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from churn.core.entry import Run

BRONZE, SILVER, QUARANTINE = "bronze.events", "silver.events", "silver.quarantine_events"
TEXT = "concat_ws(' ', key, value)"
PLACE = ("partition", "offset")
# What is left of a message: its place, and the header by which the account knows that nothing was lost.
FORGET = """
MERGE INTO {table} AS there USING {view} AS gone
ON there.partition = gone.partition AND there.offset = gone.offset
WHEN MATCHED THEN UPDATE SET key = NULL, value = NULL, undecoded = NULL,
  headers = array(named_struct('key', '{header}', 'value', CAST('' AS BINARY)))
"""


def of_customer(messages: DataFrame, customer: str) -> DataFrame:
    """The messages of a customer: whose key or field says so, or, where no field does, that name the id anywhere.

    Args:
        messages: bronze.events.
        customer: Id of the customer, without blanks around it.
    """
    field = trimmed(sf.get_json_object("value", "$.customer_id"))
    named = messages.where(sf.expr(TEXT).contains(sf.lit(customer))).withColumn("_text", sf.expr(TEXT))
    theirs = (trimmed("key") == customer) | (field == customer) | (field.isNull() & mentions("_text", customer))
    return named.where(sf.coalesce(theirs, sf.lit(False)))


def remove_customer(spark: SparkSession, run: Run, customer: str, cause: str, origin: str) -> None:
    """Removes a customer's messages and events.

    Args:
        spark: A session.
        run: The run.
        customer: Id of the customer.
        cause: Hash of the id.
        origin: The request or run that removes them.
    """
    bronze, silver, quarantine = (spark.table(run.table(name)) for name in (BRONZE, SILVER, QUARANTINE))
    messages = of_customer(bronze, customer).select(*PLACE)
    events = silver.where(trimmed("customer_id") == customer)
    known = (trimmed("customer_id") == customer) | (trimmed("_key") == customer)
    faulty = quarantine.where(
        sf.coalesce(known, sf.lit(False)) | sf.coalesce(mentions("_raw", customer), sf.lit(False))
    )
    counts = {SILVER: events.count(), QUARANTINE: faulty.count(), BRONZE: messages.count()}
    record(spark, run, [Removed(cause, place, origin, rows) for place, rows in counts.items()])
    if counts[SILVER]:
        there = {"customer_id": "there.customer_id"}
        delete_same(spark, run.table(SILVER), events.select("customer_id").distinct(), there)
    if counts[QUARANTINE]:
        there = {name: f"there.{name}" for name in ("_partition", "_offset")}
        delete_same(spark, run.table(QUARANTINE), faulty.select(*there).distinct(), there)
    if counts[BRONZE]:
        forget(spark, run, messages)


def forget(spark: SparkSession, run: Run, messages: DataFrame) -> None:
    """Leaves of messages of bronze.events their places alone, `partition` and `offset`."""
    messages.select(*PLACE).distinct().createOrReplaceTempView("forgotten_messages")
    statement = FORGET.format(table=run.table(BRONZE), view="forgotten_messages", header=ERASED)
    spark.sql(statement).collect()
    spark.catalog.dropTempView("forgotten_messages")
