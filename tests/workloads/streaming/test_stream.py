"""The stream on its whole way: simulated customers, a real broker, the pipeline, its account, a replay."""

from __future__ import annotations

import io
import json
import os
import subprocess
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

import pytest
from confluent_kafka import Producer

from churn import tasks
from churn.core.entry import Run
from churn.core.erased import Erased, hashed
from churn.core.tables import DELIVERIES, STREAM_FRESHNESS
from churn.simulation.events import Message, Shares, Simulator, StreamSettings
from churn.simulation.stream_events import NotSentError, Sender
from churn.simulation.world import grow
from churn.streaming import messages, removal, streams
from churn.streaming.dead_letters import listing, replay, replayed
from local.settings import REPOSITORY
from tests.conftest import SERVER_PYTHON
from tests.local.kafka import TestBroker
from tests.ports import free_base_port
from tests.small_data import SMALL_DATA
from tests.workloads.streaming import stream_rows

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pyspark.sql import SparkSession

    from local.settings import LocalSettings

CATALOG = "churn_stream"
DAY = date(2026, 1, 31)
NUMBER = 300
SHARES = Shares(0.1, 0.05, 0.03, 0.03, 0.05, 0.05, 0.02)
ARGUMENTS = [f"--catalog={CATALOG}", f"--date={DAY}", "--run_id=1"]
AHEAD = "of a producer that is ahead"
USES = "event_id STRING, customer_id STRING, event_date DATE, event_type STRING, minutes DOUBLE, _file STRING"


class Stream:
    """A topic, its simulated senders, and the pipeline that reads it."""

    def __init__(self, spark: SparkSession, home: LocalSettings, broker: TestBroker, folder: Path) -> None:
        self.spark, self.broker, self._home, self._folder = spark, broker, home, folder
        self.topic, self.letters = broker.topic(2), broker.topic(1)
        start = datetime.now(UTC) - timedelta(minutes=1)
        world = grow(DAY, DAY, 7)
        self._messages = Simulator(world, StreamSettings(start, 1000, 7, shares=SHARES)).messages()
        self.sent: list[Message] = []
        self.options = [f"--bootstrap_servers={broker.address}", "--service_credential=", f"--topic={self.topic}"]
        spark.sql(f"CREATE SCHEMA IF NOT EXISTS catalogs.{CATALOG}")
        for schema in ("bronze", "silver", "mlops"):
            spark.sql(f"CREATE SCHEMA IF NOT EXISTS {CATALOG}.{schema}")
        spark.sql(f"CREATE TABLE {CATALOG}.silver.usage_versions ({USES}) USING DELTA")
        known = [(each,) for each in world.customers["customer_id"]]
        spark.createDataFrame(known, "customer_id STRING").write.saveAsTable(f"{CATALOG}.silver.customer")
        DELIVERIES.create(spark, CATALOG)

    def send(self) -> dict[str, Any]:
        """Sends the next messages; returns the sender's last report."""
        report = io.StringIO()
        batch = [*islice(self._messages, NUMBER)]
        self.sent += batch
        Sender(self.broker.address, self.topic, report).send(batch, paced=False)
        last: dict[str, Any] = json.loads(report.getvalue().splitlines()[-1])
        return last

    def send_ahead(self) -> None:
        """Sends an event by a producer whose clock, as that of the device, is a year ahead."""
        ahead = datetime.now(UTC) + timedelta(days=365)
        event = stream_rows.value(event_id=AHEAD, event_time=f"{ahead:%Y-%m-%dT%H:%M:%SZ}")
        producer = Producer({"bootstrap.servers": self.broker.address})
        producer.produce(self.topic, event, b"a", timestamp=int(ahead.timestamp() * 1000))
        assert producer.flush(30) == 0
        self.sent.append(Message(0.0, b"a", event, "wrong_clock"))

    def update(self) -> None:
        """Runs the pipeline until nothing is left to read."""
        source = REPOSITORY / "workloads" / "pipelines" / "stream.py"
        command = [SERVER_PYTHON, "-m", "local.spark.pipeline_runner", str(source), "--catalog", CATALOG]
        command += ["--schema", "silver", "--remote", self._home.spark_remote, "--storage", str(self._folder)]
        configuration = {
            **SMALL_DATA,
            "churn.catalog": CATALOG,
            "churn.kafka.bootstrap_servers": self.broker.address,
            "churn.kafka.service_credential": "",
            "churn.kafka.topic": self.topic,
            "churn.kafka.dead_letters": self.letters,
            "churn.kafka.max_offsets_per_trigger": str(NUMBER),
        }
        for key, value in configuration.items():
            command += ["--configuration", f"{key}={value}"]
        environment = os.environ | {
            "PLATFORM_HOME": str(self._home.home),
            "PLATFORM_PORT": str(self._home.port),
            "PYTHONPATH": str(REPOSITORY / "workloads" / "src"),
        }
        update = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert update.returncode == 0, update.stdout[-3000:] + update.stderr[-3000:]

    def use(self, event_id: str, file: str) -> None:
        """Lets a file deliver a use."""
        row = f"('{event_id}', 'a', DATE'2026-01-31', 'call', 1.0, '/v/{file}')"
        self.spark.sql(f"INSERT INTO {CATALOG}.silver.usage_versions VALUES {row}")
        ledger = f"('usage/{file}', 'usage', '0', 1, 1, 'admitted', NULL, '/v/{file}', DATE'{DAY}', '1')"
        self.spark.sql(f"INSERT INTO {CATALOG}.{DELIVERIES.name} VALUES {ledger}")

    def bring_online(self) -> None:
        """Lets the online store have all events, as the job that keeps it measures."""
        hop = [(datetime.now(UTC), "silver_online", 1, 1, 1.0, 1.0, 1.0)]
        STREAM_FRESHNESS.create(self.spark, CATALOG)
        measured = self.spark.createDataFrame(hop, STREAM_FRESHNESS.schema)
        measured.write.mode("append").saveAsTable(f"{CATALOG}.{STREAM_FRESHNESS.name}")

    def count(self, table: str, condition: str = "true") -> int:
        return self.spark.table(f"{CATALOG}.{table}").where(condition).count()

    def sent_as(self, outcome: str) -> int:
        return sum(message.outcome == outcome for message in self.sent)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestBroker]:
    """A broker of its own, which asks for no credential."""
    made = TestBroker(tmp_path_factory.mktemp("broker"), free_base_port())
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def stream(
    spark: SparkSession, spark_home: LocalSettings, broker: TestBroker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stream]:
    """The stream after its first messages, one of them by a wrong clock, and a file with a use."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPARK_REMOTE", spark_home.spark_remote)
        made = Stream(spark, spark_home, broker, tmp_path_factory.mktemp("stream"))
        report = made.send()
        assert report["produced"] == sum(report["faults"].values()) == NUMBER
        made.send_ahead()
        made.use("of a file", "1.parquet")
        made.update()
        yield made


def test_produced_is_silver_and_quarantine_and_duplicates(stream: Stream) -> None:
    assert stream.count("bronze.events") == len(stream.sent)
    assert stream.count("silver.events", "_source = 'stream'") == stream.sent_as("accepted")
    assert stream.count("silver.quarantine_events") == stream.sent_as("quarantined")
    assert stream.sent_as("duplicate") > 0
    assert stream.count("silver.events", "_source = 'files'") == 1
    fields = stream.count("silver.events", "_rescued_data LIKE '%app_version%'")
    assert fields == sum(message.fault == "unknown_field" for message in stream.sent)


def test_a_producer_whose_clock_is_ahead_has_its_events_judged_by_the_broker(stream: Stream) -> None:
    quarantine = stream.spark.table(f"{CATALOG}.silver.quarantine_events").where(f"event_id = '{AHEAD}'")
    [row] = quarantine.selectExpr("_reasons", "abs(timestampdiff(MINUTE, _broker_time, _read_at)) AS minutes").collect()
    assert row._reasons == ["clock_is_right"]
    assert row.minutes < 60, "the broker's time is its own"


def test_dead_letters_have_their_reasons(stream: Stream) -> None:
    letters = stream.broker.consume(stream.letters, stream.sent_as("quarantined"))
    poison = {message.value for message in stream.sent if message.outcome == "quarantined"}
    assert {letter.value() or b"" for letter in letters} == poison
    reasons = [dict(letter.headers())["reasons"].decode() for letter in letters]
    assert {"event_is_not_late", "clock_is_right"} <= set(reasons)


def test_the_second_update_reads_on_and_a_repair_is_replayed_once(stream: Stream) -> None:
    quarantined = stream.spark.table(f"{CATALOG}.silver.quarantine_events").where("'clock_is_right' IN (_reasons[0])")
    (line, *_) = [row.line for row in listing(quarantined).collect()]
    poison = json.loads(line)
    event = {**json.loads(poison["value"]), "event_time": poison["first_broker_time"]}
    repaired = json.dumps({**poison, "value": json.dumps(event)})
    known = {(poison["partition"], poison["offset"]): poison["value"]}
    (message,) = replay([repaired], known, set())
    producer = Producer({"bootstrap.servers": stream.broker.address})
    producer.produce(stream.topic, message.value, message.key, headers=list(message.headers))
    assert producer.flush(30) == 0
    stream.send()
    stream.use("of another file", "2.parquet")
    stream.update()
    assert stream.count("bronze.events") == len(stream.sent) + 1
    assert stream.count("silver.events", "_source = 'stream'") == stream.sent_as("accepted") + 1
    assert stream.count("silver.quarantine_events") == stream.sent_as("quarantined")
    assert stream.count("silver.events", f"event_id = '{event['event_id']}'") == 1
    done = [tuple(row) for row in replayed(stream.spark.table(f"{CATALOG}.bronze.events")).collect()]
    assert done == [(poison["partition"], poison["offset"])]


def test_the_task_accounts_for_every_message(stream: Stream, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [*ARGUMENTS, *stream.options, "--wait_minutes=0", "--maximum_lag_minutes=0"]
    with pytest.raises(streams.StreamTooOldError, match=r"the online store lacks events .* the job churn_activity"):
        streams.main(arguments)
    stream.bring_online()
    streams.main(arguments)
    assert "every message is read" in capsys.readouterr().out
    streams.Accounting(stream.spark, Run(CATALOG, DAY, "1")).check(0, settle_minutes=0)
    rows = stream.spark.table(f"{CATALOG}.mlops.stream_accounting").collect()
    totals = {name: sum(row[name] for row in rows) for name in ("produced", "accepted", "quarantined", "duplicates")}
    assert totals == {
        "produced": len(stream.sent) + 1,
        "accepted": stream.sent_as("accepted") + 1,
        "quarantined": stream.sent_as("quarantined"),
        "duplicates": stream.sent_as("duplicate"),
    }
    strangers = [m for m in stream.sent if m.fault == "unknown_customer"]
    assert sum(row.unknown_customers for row in rows) == len(strangers)


def test_messages_of_an_erased_customer_leave_their_places_and_seem_not_lost(stream: Stream) -> None:
    run, spark = Run(CATALOG, DAY, "erased"), stream.spark
    events = spark.table(f"{CATALOG}.silver.events").where("_source = 'stream'").groupBy("customer_id").count()
    [(customer, accepted)] = events.orderBy("count", ascending=False).limit(1).collect()
    sent = [message for message in stream.sent if customer.encode() in (message.key or b"")]
    letters = stream.count("silver.quarantine_events")
    removal.remove_customer(spark, run, customer, "the hash", "the request")
    assert stream.count("silver.events", f"customer_id = '{customer}'") == 0
    assert spark.table(f"{CATALOG}.bronze.events").where(messages.was_erased()).count() >= len(sent) >= accepted
    assert stream.count("bronze.events") == len(stream.sent) + 1, "every place is kept"
    streams.Accounting(spark, Run(CATALOG, DAY, "1")).check(0, settle_minutes=0)
    rows = spark.table(f"{CATALOG}.mlops.stream_accounting").collect()
    assert sum(row.erased for row in rows) >= len(sent)
    assert sum(row.lost for row in rows) == 0
    producer = Producer({"bootstrap.servers": stream.broker.address})
    [plain, *_] = [message for message in sent if message.outcome == "accepted"]
    late = json.dumps({**json.loads(plain.value), "event_id": "late"}).encode()
    producer.produce(stream.topic, late, customer.encode())
    assert producer.flush(30) == 0
    stream.update()
    assert stream.count("silver.quarantine_events") <= letters, "an empty place is no message"
    key = b"of the tests"
    erased = Erased({"scope/key": frozenset([hashed(key, customer)])}, {"scope/key": key})
    assert streams.Accounting(spark, run).returned(erased) == [customer]
    removal.remove_customer(spark, run, customer, "the hash", run.run_id)
    assert stream.count("silver.events", f"customer_id = '{customer}'") == 0


def test_lost_and_doubled_rows_fail_the_task(stream: Stream) -> None:
    run = Run(CATALOG, DAY, "1")
    events = f"{CATALOG}.silver.events"
    (row,) = stream.spark.table(events).where("_source = 'stream' AND _offset = 0").limit(1).collect()
    place = f"_partition = {row._partition} AND _offset = {row._offset}"
    stream.spark.table(events).where(place).write.mode("append").saveAsTable(events)
    with pytest.raises(streams.EventsTwiceError, match=f"1 of partition {row._partition}") as twice:
        streams.Accounting(stream.spark, run).check(0, settle_minutes=0)
    assert f"silver.events has events twice, such as {row.event_id}" in str(twice.value)
    stream.spark.sql(f"DELETE FROM {events} WHERE event_id = '{row.event_id}'")
    with pytest.raises(streams.EventsLostError, match=rf"of partition {row._partition}"):
        streams.Accounting(stream.spark, run).check(0, settle_minutes=0)
    stream.spark.sql(f"DELETE FROM {CATALOG}.bronze.events WHERE partition = 1 AND offset = 5")
    with pytest.raises(streams.EventsLostError, match=r"1 messages are not in bronze\.events, by partition: 1: 5 to 5"):
        streams.Accounting(stream.spark, run).check(0, settle_minutes=0)


def test_a_stream_that_stands_still_fails_the_task(stream: Stream) -> None:
    stream.use("of a file that nobody reads", "3.parquet")
    with pytest.raises(streams.StreamTooOldError, match="lacks 1 uses of the run's files after 0 minutes"):
        streams.main([*ARGUMENTS, *stream.options, "--wait_minutes=0", "--maximum_lag_minutes=0"])
    stream.spark.sql(f"DELETE FROM {CATALOG}.{DELIVERIES.name} WHERE stored = '/v/3.parquet'")
    stream.send()
    with pytest.raises(streams.StreamTooOldError, match="has not read for 0 minutes; allowed: 0"):
        streams.main([*ARGUMENTS, *stream.options, "--wait_minutes=0", "--maximum_lag_minutes=0"])


def test_a_partition_of_which_bronze_has_nothing_is_asked_too(stream: Stream) -> None:
    brokers, _, topic = (option.partition("=")[2] for option in stream.options)
    options = tasks.StreamsOptions(brokers, "", topic, 0, 0)
    (row,) = stream.spark.sql(
        f"SELECT min(broker_time) AS at FROM {CATALOG}.bronze.events WHERE partition = 0"
    ).collect()
    stream.spark.sql(f"DELETE FROM {CATALOG}.bronze.events WHERE partition = 0")
    waited = (datetime.now() - row.at).total_seconds()  # noqa: DTZ005 (Spark gives local time)
    assert streams.age_of_oldest_unread(stream.spark, Run(CATALOG, DAY, "1"), options) >= waited


def test_a_topic_that_does_not_exist_is_said(stream: Stream) -> None:
    sender = Sender(stream.broker.address, "nowhere", io.StringIO())
    with pytest.raises(NotSentError, match=r"messages to nowhere were not confirmed: 1 times .*Unknown topic"):
        sender.send(stream.sent[:1], paced=False)
    assert sender.confirmed.total() == 0
