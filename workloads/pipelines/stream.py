"""The stream: messages of Kafka to bronze, events once by id to silver, the others to quarantine and dead letters.

Uses come by the stream and by files; both meet in silver.events. Bronze keeps every message, so that silver can be
built anew from it after the topic has forgotten it.
"""

from pyspark import pipelines as dp
from pyspark.sql import DataFrame, SparkSession

from churn.core.contract import contract_of
from churn.streaming import events
from churn.streaming.dead_letters import dead_letters
from churn.streaming.kafka import Kafka
from churn.streaming.messages import arrived, was_erased

spark = SparkSession.active()
CATALOG = spark.conf.get("churn.catalog")
KAFKA = Kafka.of(spark.conf.get)
CONTRACT = contract_of("events")
BRONZE, SILVER, QUARANTINE = (
    f"{CATALOG}.{name}" for name in ("bronze.events", "silver.events", "silver.quarantine_events")
)
KEPT = {"pipelines.reset.allowed": "false"}  # the topic forgets what bronze has read
FEED = {"delta.enableChangeDataFeed": "true"}  # which the task `activity` reads


def streamed(table: str) -> DataFrame:
    """New rows of a table; one that somebody deletes or changes would end the stream for good."""
    return spark.readStream.option("skipChangeCommits", "true").table(table)


def conformed() -> DataFrame:
    """Messages with silver's names and types, without places of which an erasure has left nothing else."""
    return events.conform(streamed(BRONZE).where(~was_erased()), CONTRACT)


@dp.table(name=BRONZE, comment="One row per message of the topic of events, as it came.", table_properties=KEPT)
def messages() -> DataFrame:
    """Every message that the topic has."""
    return arrived(spark.readStream.format("kafka").options(**KAFKA.source).load())


@dp.table(
    name=SILVER,
    comment=f"{CONTRACT.description} Each once by its id, from the stream or from files.",
    cluster_by=["event_date"],
    table_properties=FEED,
)
def accepted() -> DataFrame:
    """Events that keep the contract, whichever way they came first."""
    uses = events.of_files(streamed(f"{CATALOG}.silver.usage_versions"), CONTRACT)
    return events.once(events.accepted(conformed(), CONTRACT).unionByName(uses), CONTRACT)


@dp.table(name=QUARANTINE, comment="Messages that break a rule, and which.")
def quarantine() -> DataFrame:
    """Every other message."""
    return events.quarantined(conformed(), CONTRACT)


dp.create_sink("dead_letters", "kafka", KAFKA.sink)


@dp.append_flow(target="dead_letters", name="to_dead_letters")
def letters() -> DataFrame:
    """Quarantined messages, for whoever sends them."""
    return dead_letters(streamed(QUARANTINE))
