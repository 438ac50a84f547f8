"""Continuous pipelines through the official SDK: from a real broker into Delta, whatever is stopped or killed."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from confluent_kafka import KafkaException
from databricks.sdk.service import catalog, pipelines
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from tests.local.conftest import LocalWorkspace, opened
from tests.local.job_tasks import wait_for
from tests.local.kafka import TestBroker
from tests.small_disk import fill, small_disk

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from databricks.sdk import WorkspaceClient

CREDENTIAL = "streams-kafka"
FILE = "/Workspace/Shared/continuous.py"
READ = """
from pyspark import pipelines as dp
from pyspark.sql import functions as F

def messages():
    options = {
        "kafka.bootstrap.servers": spark.conf.get("test.servers"),
        "databricks.serviceCredential": "streams-kafka",
        "subscribe": spark.conf.get("test.topic"),
        "startingOffsets": "earliest",
    }
    return spark.readStream.format("kafka").options(**options).load()
"""
SOURCE = (
    READ
    + """
@dp.table(name="continuous.bronze.arrived")
def arrived():
    return messages().select(
        F.col("value").cast("string").alias("value"), "partition", "offset", F.current_timestamp().alias("read_at")
    )

@dp.temporary_view
def parsed():
    return spark.readStream.table("arrived").select("*", F.get_json_object("value", "$.id").cast("int").alias("id"))

@dp.table
@dp.expect_or_drop("small", "id < 1000000")
def accepted():
    rows = spark.readStream.table("parsed").withWatermark("read_at", "1 day")
    return rows.dropDuplicatesWithinWatermark(["id"]).select("id", "partition", "offset")

@dp.materialized_view
def counted():
    return spark.read.table("accepted").groupBy("partition").agg(F.count("*").alias("rows"))
"""
)
MORE = """

@dp.table
def doubled():
    return spark.readStream.table("accepted").select((F.col("id") * 2).alias("twice"))
"""
ABSENT = (
    READ
    + """
@dp.table(name="continuous.bronze.of_absent")
def of_absent():
    return messages()
"""
)
BROKEN = """

@dp.table
def broken():
    failing = F.raise_error(F.lit("no such luck")).cast("int")
    return spark.readStream.table("arrived").select(F.when(F.col("offset") < 0, 1).otherwise(failing).alias("never"))
"""


class Continuous:
    """A continuous pipeline over a topic of its own, in a cloud whose processes the test kills."""

    def __init__(self, cloud: LocalWorkspace, broker: TestBroker) -> None:
        self.cloud, self.broker = cloud, broker
        self.sent = 0
        self.topic = broker.topic(3)
        self.text(SOURCE)
        self.id = self.api.pipelines.create(**self.settings()).pipeline_id or ""

    @property
    def api(self) -> WorkspaceClient:
        return self.cloud.client()

    def settings(self) -> dict[str, Any]:
        return {
            "name": "stream",
            "catalog": "continuous",
            "schema": "bronze",
            "serverless": True,
            "continuous": True,
            "libraries": [pipelines.PipelineLibrary(file=pipelines.FileLibrary(path=FILE))],
            "configuration": {
                "test.servers": self.broker.address,
                "test.topic": self.topic,
                "pipelines.trigger.interval": "1 second",
            },
        }

    def text(self, source: str) -> None:
        path = self.cloud.settings.workspace_files / FILE.removeprefix("/Workspace/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)

    def send(self, count: int) -> None:
        """Sends new messages, each tenth of them twice."""
        numbers = range(self.sent, self.sent + count)
        self.broker.produce(self.topic, [{"id": number} for number in numbers])
        self.broker.produce(self.topic, [{"id": number} for number in numbers if number % 10 == 0])
        self.sent += count

    def state(self) -> pipelines.PipelineState | None:
        return self.api.pipelines.get(self.id).state

    def latest(self) -> pipelines.UpdateStateInfo:
        return (self.api.pipelines.get(self.id).latest_updates or [])[0]

    def updates(self) -> list[pipelines.UpdateInfo]:
        return self.api.pipelines.list_updates(self.id).updates or []

    def wait_running(self) -> str:
        """Waits until the newest update runs, and returns its id."""
        running = pipelines.UpdateStateInfoState.RUNNING
        wait_for(lambda: self.latest().state is running, 240)
        return str(self.latest().update_id)

    def rows(self, table: str) -> list[Any]:
        """The rows of a table; none while Spark or the table is away."""
        try:
            session = SparkSession.builder.remote(self.cloud.settings.spark_remote).create()
        except PySparkException:
            return []
        try:
            return session.table(f"continuous.bronze.{table}").collect()
        except PySparkException:
            return []
        finally:
            session.client.close()

    def wait_complete(self, seconds: float = 180) -> None:
        """Waits until each message has come once, and none twice."""
        messages = self.sent + len(range(0, self.sent, 10))
        wait_for(lambda: len(self.rows("arrived")) >= messages and len(self.rows("accepted")) >= self.sent, seconds)
        assert sorted(row.id for row in self.rows("accepted")) == list(range(self.sent))
        places = [(row.partition, row.offset) for row in self.rows("arrived")]
        assert len(places) == len(set(places)) == messages

    def runner(self) -> psutil.Process:
        """The process of the update that runs."""
        found: psutil.Process = wait_for(lambda: next(iter(self.runners()), None), 120)
        return found

    def runners(self) -> list[psutil.Process]:
        mark = str(self.cloud.settings.home / "pipelines")
        found = psutil.process_iter(["cmdline"])
        return [
            process
            for process in found
            if "local.spark.pipeline_runner" in (process.info["cmdline"] or [])
            and any(mark in word for word in process.info["cmdline"])
        ]

    def figures(self, flow: str) -> tuple[int, int]:
        """Rows written and rows dropped by a flow, as the event log has them."""
        params = {"filter": "level = 'METRICS'", "max_results": "100"}
        events: list[dict[str, Any]] = []
        while True:
            answer = self.cloud.http().get(f"/api/2.0/pipelines/{self.id}/events", params=params).json()
            events += answer.get("events", [])
            if "next_page_token" not in answer:
                break
            params["page_token"] = answer["next_page_token"]
        progress = [event["details"]["flow_progress"] for event in events if event["origin"]["flow_name"] == flow]
        written = sum(item["metrics"]["num_output_rows"] for item in progress)
        return written, sum(item.get("data_quality", {}).get("dropped_records", 0) for item in progress)


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalWorkspace]:
    """A cloud of its own, as its services are killed."""
    with opened(tmp_path_factory.mktemp("continuous"), "spark") as made:
        made.catalog("continuous")
        made.client().schemas.create("bronze", "continuous")
        role = catalog.AwsIamRole(role_arn="arn:aws:iam::123456789012:role/streams")
        purpose = catalog.CredentialPurpose.SERVICE
        made.client().credentials.create_credential(CREDENTIAL, aws_iam_role=role, purpose=purpose)
        yield made


@pytest.fixture(scope="module")
def stream(cloud: LocalWorkspace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Continuous]:
    broker = TestBroker(tmp_path_factory.mktemp("broker"), cloud.settings.kafka_port)
    broker.start()
    yield Continuous(cloud, broker)
    broker.stop()


@pytest.mark.shows("pipelines: continuous, from creation until stopped, restarted by an edit", client="databricks-sdk")
def test_a_continuous_pipeline_runs_from_creation_until_it_is_stopped(stream: Continuous) -> None:
    first = stream.wait_running()
    stream.send(50)
    stream.wait_complete()
    stream.send(50)
    stream.wait_complete()
    assert stream.latest().update_id == first, "all of it was one update"
    events = list(stream.api.pipelines.list_pipeline_events(stream.id))
    flows = {event.message for event in events if event.event_type == "flow_progress"}
    assert any("accepted is RUNNING" in text for text in flows)
    assert not any("COMPLETED" in (event.message or "") for event in events)
    assert stream.figures("accepted") == (100, 0), "duplicates are no rows of the flow"

    stream.text(SOURCE + MORE)
    stream.api.pipelines.update(stream.id, **stream.settings())
    wait_for(lambda: stream.latest().update_id != first, 60)
    stream.wait_running()
    wait_for(lambda: len(stream.rows("doubled")) == 100, 120)

    stream.api.pipelines.stop_and_wait(stream.id)
    assert stream.latest().state is pipelines.UpdateStateInfoState.CANCELED
    stream.send(10)
    time.sleep(3)
    assert stream.state() is pipelines.PipelineState.IDLE
    assert len(stream.rows("accepted")) == 100, "what was stopped left no stream behind"
    stream.api.pipelines.start_update(stream.id)
    stream.wait_complete()


@pytest.mark.shows("pipelines: continuous, restarted after failures with growing pauses", client="databricks-sdk")
def test_a_fault_of_a_flow_ends_the_update_and_it_starts_again(stream: Continuous) -> None:
    stream.text(SOURCE + BROKEN)
    known = {item.update_id for item in stream.updates()}
    stream.api.pipelines.update(stream.id, **stream.settings())
    stream.send(10)
    pauses = _pauses(stream, known, 3)
    assert all(pause >= least for pause, least in zip(pauses, (1, 2, 4), strict=True)), pauses
    assert all("no such luck" in text for text in _failures(stream)[:3]), _failures(stream)
    assert stream.state() is pipelines.PipelineState.RUNNING, "the next try is on its way"
    stream.text(SOURCE)
    stream.api.pipelines.update(stream.id, **stream.settings())
    stream.send(10)
    stream.wait_complete()


def _pauses(stream: Continuous, known: Collection[str | None], count: int) -> list[float]:
    """Seconds from each retry's creation, when the update before it failed, until it begins; of the first retries."""
    begun: dict[int, float] = {}

    def watch() -> bool:
        updates = stream.updates()
        now = time.time() * 1000  # after they were asked for: a pause is never taken for shorter than it was
        for update in updates:
            retried = update.cause is pipelines.UpdateInfoCause.RETRY_ON_FAILURE and update.update_id not in known
            if retried and update.state is not pipelines.UpdateInfoState.CREATED and update.creation_time:
                begun.setdefault(update.creation_time, (now - update.creation_time) / 1000)
        return len(begun) >= count

    wait_for(watch, 300)
    return [begun[created] for created in sorted(begun)][:count]


def _failures(stream: Continuous, pipeline_id: str = "") -> list[str]:
    events = stream.api.pipelines.list_pipeline_events(pipeline_id or stream.id, filter="level = 'ERROR'")
    return [event.message or "" for event in events if event.event_type == "update_progress"]


@pytest.mark.shows("pipelines: continuous, nothing lost or twice over kills of all parts", client="databricks-sdk")
def test_kills_in_the_middle_lose_nothing_and_repeat_nothing(stream: Continuous, kills: int) -> None:
    """Each kill comes while the pipeline has taken some new messages, and others are on their way."""
    chance = random.Random(7)  # noqa: S311 (moments of kills, no secrets)
    killed: list[Callable[[Continuous], None]] = [_kill_broker, _kill_runner, _kill_spark, _kill_workspace]
    for number in range(max(kills, len(killed))):
        stream.wait_running()
        before = len(stream.rows("arrived"))
        stream.send(300)
        wait_for(lambda: len(stream.rows("arrived")) > before, 120)  # noqa: B023 (called at once)
        stream.send(300)
        time.sleep(chance.uniform(0, 1))
        killed[number % len(killed)](stream)
        stream.send(100)
    stream.wait_running()
    stream.wait_complete(300)


def _kill_runner(stream: Continuous) -> None:
    stream.runner().kill()


def _kill_spark(stream: Continuous) -> None:
    stream.cloud.kill("spark")
    stream.cloud.start_spark()


def _kill_workspace(stream: Continuous) -> None:
    stream.cloud.kill("workspace")
    stream.cloud.start()


def _kill_broker(stream: Continuous) -> None:
    stream.broker.kill()
    stream.broker.start()


def test_a_broker_that_is_away_is_said_and_nothing_is_lost(stream: Continuous, request: pytest.FixtureRequest) -> None:
    if not request.config.getoption("--soak"):
        pytest.skip("a client of Kafka gives up after minutes: only with --soak")
    stream.wait_running()
    stream.send(100)
    stream.wait_complete()
    before = len(_failures(stream))
    stream.broker.kill()
    wait_for(lambda: len(_failures(stream)) > before, 900)
    stream.broker.start()
    stream.send(100)
    stream.wait_complete(600)


def test_a_topic_that_is_absent_is_said_until_it_is_there(stream: Continuous) -> None:
    """By a pipeline of its own, which nobody starts again by hand. Kafka's client does not name the topic."""
    path = stream.cloud.settings.workspace_files / "Shared" / "absent.py"
    path.write_text(ABSENT)
    topic = f"absent-{time.monotonic_ns()}"
    settings = {**stream.settings(), "name": "absent"}
    settings["libraries"] = [pipelines.PipelineLibrary(file=pipelines.FileLibrary(path="/Workspace/Shared/absent.py"))]
    settings["configuration"] = {**settings["configuration"], "test.topic": topic}
    made = stream.api.pipelines.create(**settings).pipeline_id or ""
    try:
        wait_for(lambda: len(_failures(stream, made)) >= 2, 300)
        said = "This server does not host this topic-partition"
        assert all(said in text for text in _failures(stream, made)), "\n".join(_failures(stream, made))
        stream.broker.topic(1, topic)
        stream.broker.produce(topic, [{"id": 1}])
        wait_for(lambda: len(stream.rows("of_absent")) == 1, 240)
    finally:
        stream.api.pipelines.delete(made)


def _soaked(request: pytest.FixtureRequest) -> None:
    if not request.config.getoption("--soak"):
        pytest.skip("it takes minutes: only with --soak")


def test_a_full_disk_of_checkpoints_is_said_and_nothing_is_lost(
    stream: Continuous, request: pytest.FixtureRequest
) -> None:
    _soaked(request)
    folder = stream.cloud.settings.home / "pipelines"
    stream.wait_running()
    stream.send(10)
    stream.wait_complete()
    stream.api.pipelines.stop_and_wait(stream.id)
    with small_disk(folder, 16):
        stream.api.pipelines.start_update(stream.id)
        stream.wait_running()
        stream.send(10)
        stream.wait_complete()
        before = len(_failures(stream))
        filler = fill(folder)
        stream.send(100)
        wait_for(lambda: len(_failures(stream)) >= before + 2, 240)
        assert any("No space left on device" in text for text in _failures(stream)[: -before or None])
        filler.unlink()
        stream.wait_complete(300)
        stream.api.pipelines.stop_and_wait(stream.id)
    stream.api.pipelines.start_update(stream.id)


def test_a_broker_whose_disk_is_full_takes_nothing_and_loses_nothing(
    stream: Continuous, request: pytest.FixtureRequest
) -> None:
    """What it did not take is an error of the sender; what it had taken before comes, once there is room."""
    _soaked(request)
    stream.wait_running()
    nobodys = stream.broker.topic(1)
    stream.broker.stop()
    with small_disk(stream.broker.folder, 64):
        stream.broker.start()
        stream.send(100)
        stream.wait_complete(600)
        filler = fill(stream.broker.folder)
        with pytest.raises(KafkaException, match="are not delivered"):
            _send_for_ever(stream, nobodys)
        filler.unlink()
        stream.broker.kill()
        stream.broker.start()
        stream.send(100)
        stream.wait_complete(600)
        stream.broker.stop()
    stream.broker.start()
    stream.send(10)
    stream.wait_complete(600)


def _send_for_ever(stream: Continuous, topic: str) -> None:
    while True:
        stream.broker.produce(topic, [{"id": 1, "text": "x" * 100_000}] * 100)


def test_a_deleted_continuous_pipeline_leaves_nothing_that_runs(stream: Continuous) -> None:
    stream.wait_running()
    stream.api.pipelines.delete(stream.id)
    assert stream.runners() == []
