"""Kafka in Spark: reads, streams and sinks over Connect, and who may use the brokers of MSK's stand-in."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from databricks.sdk.service import catalog, pipelines
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from tests.local import job_tasks
from tests.local.kafka import TestBroker
from tests.ports import free_base_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.local.conftest import LocalWorkspace

ROLE = "arn:aws:iam::123456789012:role/reads-kafka"


@pytest.fixture(scope="module")
def broker(lakehouse: LocalWorkspace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestBroker]:
    """A broker at an address of MSK's stand-in."""
    made = TestBroker(tmp_path_factory.mktemp("broker"), lakehouse.settings.kafka_port)
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def session(lakehouse: LocalWorkspace) -> Iterator[SparkSession]:
    """A session of the administrator."""
    opened = SparkSession.builder.remote(lakehouse.settings.spark_remote_of("admin@churn.local")).create()
    yield opened
    opened.stop()


@pytest.fixture(scope="module")
def credential(lakehouse: LocalWorkspace) -> Iterator[str]:
    """A service credential of the administrator."""
    credentials = lakehouse.client().credentials
    role = catalog.AwsIamRole(role_arn=ROLE)
    credentials.create_credential("reads-kafka", aws_iam_role=role, purpose=catalog.CredentialPurpose.SERVICE)
    yield "reads-kafka"
    credentials.delete_credential("reads-kafka", force=True)


def options(broker: TestBroker, topic: str, **more: str) -> dict[str, str]:
    return {"kafka.bootstrap.servers": broker.address, "subscribe": topic, "startingOffsets": "earliest", **more}


@pytest.mark.shows("spark: Kafka as batch source, streaming source and sink", client="Spark Connect")
@pytest.mark.shows("spark: RocksDB as the state store of a stream", client="Spark Connect")
def test_kafka_is_read_streamed_and_written(
    lakehouse: LocalWorkspace, session: SparkSession, broker: TestBroker, credential: str, tmp_path: Path
) -> None:
    source, target = broker.topic(3), broker.topic(1)
    broker.produce(source, [{"id": number % 7} for number in range(20)])
    allowed = {"databricks.serviceCredential": credential}
    given = options(broker, source, includeHeaders="true", **allowed)
    rows = session.read.format("kafka").options(**given).load()
    assert rows.count() == 20
    first = rows.orderBy("partition", "offset").first()
    assert (first.topic, first.offset, bytes(first.headers[0].value)) == (source, 0, b"test")

    stream = session.readStream.format("kafka").options(**given).load().select("value").dropDuplicates(["value"])
    written = {"kafka.bootstrap.servers": broker.address, "topic": target, **allowed}
    checkpoint = str(tmp_path / "checkpoint")
    query = (
        stream.writeStream.format("kafka")
        .options(**written)
        .option("checkpointLocation", checkpoint)
        .trigger(availableNow=True)
        .start()
    )
    query.awaitTermination()
    assert len(broker.consume(target, 7)) == 7
    assert list((tmp_path / "checkpoint" / "state").rglob("*.zip")), "RocksDB keeps its snapshots in archives"
    session.range(2).selectExpr("CAST(id AS STRING) AS value").write.format("kafka").options(**written).save()
    assert len(broker.consume(target, 9)) == 9


@pytest.mark.shows("unity catalog: ACCESS on a service credential is needed to use it", client="Spark Connect")
def test_a_service_credential_is_needed_and_access_on_it(
    lakehouse: LocalWorkspace, broker: TestBroker, credential: str
) -> None:
    client, topic = lakehouse.client(), broker.topic()
    robot = job_tasks.robot(lakehouse, "reads kafka").application_id
    remote = lakehouse.settings.spark_remote_of(robot)
    session = SparkSession.builder.remote(remote).create()
    location = lakehouse.storage().removeprefix("s3://")  # a storage credential of that name exists

    def fault(**more: str) -> str:
        with pytest.raises(PySparkException) as caught:
            session.read.format("kafka").options(**options(broker, topic), **more).load().count()
        return str(caught.value)

    def with_credential(name: str) -> dict[str, str]:
        return {"databricks.serviceCredential": name}

    assert "lets in by IAM alone" in fault()
    assert "does not exist" in fault(**with_credential("nothing"))
    assert "has purpose STORAGE" in fault(**with_credential(location))
    refused = f"User '{robot}' does not have ACCESS on Service Credential '{credential}'"
    assert refused in fault(**with_credential(credential))
    with pytest.raises(PySparkException, match="does not have ACCESS"):
        session.range(1).selectExpr("'x' AS value").write.format("kafka").options(
            **options(broker, topic), topic=topic, **with_credential(credential)
        ).save()
    stream = session.readStream.format("kafka").options(**options(broker, topic), **with_credential(credential))
    with pytest.raises(PySparkException, match="does not have ACCESS"):
        assert stream.load().schema is None

    granted = catalog.PermissionsChange(principal=robot, add=[catalog.Privilege.ACCESS])
    client.grants.update("credential", credential, changes=[granted])
    given: dict[str, Any] = options(broker, topic) | with_credential(credential)
    assert session.read.format("kafka").options(**given).load().count() == 0
    text = fault(**with_credential(credential), **{"kafka.security.protocol": "SASL_SSL"})
    assert "leave out kafka.security.protocol" in text
    session.stop()


def test_a_broker_beside_msk_is_open_without_a_credential(session: SparkSession, tmp_path: Path) -> None:
    broker = TestBroker(tmp_path, free_base_port())
    broker.start()
    try:
        topic = broker.topic()
        broker.produce(topic, [{"id": 1}])
        assert session.read.format("kafka").options(**options(broker, topic)).load().count() == 1
    finally:
        broker.stop()


SOURCE = """
from pyspark import pipelines as dp
from pyspark.sql import functions as F

KAFKA = {"kafka.bootstrap.servers": spark.conf.get("test.servers"), "databricks.serviceCredential": "reads-kafka"}

@dp.table
def arrived():
    options = KAFKA | {"subscribe": spark.conf.get("test.topic"), "startingOffsets": "earliest"}
    rows = spark.readStream.format("kafka").options(**options).load()
    return rows.select(F.col("value").cast("string").alias("value"), "partition", "offset")

dp.create_sink("letters", "kafka", KAFKA | {"topic": spark.conf.get("test.letters")})

@dp.append_flow(target="letters")
def odd():
    number = F.get_json_object("value", "$.id").cast("int")
    return spark.readStream.table("arrived").where(number % 2 == 1).select("value")
"""


@pytest.mark.shows("pipelines: Kafka as source of a streaming table and as sink", client="databricks-sdk")
def test_a_pipeline_reads_kafka_and_writes_to_a_sink(
    lakehouse: LocalWorkspace, broker: TestBroker, credential: str
) -> None:
    client, source, letters = lakehouse.client(), broker.topic(), broker.topic(1)
    file = lakehouse.settings.workspace_files / "Shared" / "kafka.py"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(SOURCE)
    lakehouse.catalog("streams")
    client.schemas.create("bronze", "streams")
    robot = job_tasks.robot(lakehouse, "streams").application_id
    configuration = {"test.servers": broker.address, "test.topic": source, "test.letters": letters}
    pipeline_id = client.pipelines.create(
        name="streams",
        catalog="streams",
        schema="bronze",
        serverless=True,
        libraries=[pipelines.PipelineLibrary(file=pipelines.FileLibrary(path="/Workspace/Shared/kafka.py"))],
        configuration={**configuration, "pipelines.numUpdateRetryAttempts": "0"},
        run_as=pipelines.RunAs(service_principal_name=robot),
    ).pipeline_id
    assert pipeline_id

    def update() -> tuple[str, str]:
        started = client.pipelines.start_update(pipeline_id)
        client.pipelines.wait_get_pipeline_idle(pipeline_id, job_tasks.MINUTE)
        events = client.pipelines.list_pipeline_events(pipeline_id)
        text = "\n".join(event.message or "" for event in events if event.origin.update_id == started.update_id)
        return client.pipelines.get_update(pipeline_id, started.update_id).update.state.value, text

    broker.produce(source, [{"id": number} for number in range(10)])
    state, text = update()
    assert state == "FAILED"
    assert f"User '{robot}' does not have ACCESS on Service Credential" in text
    granted = catalog.PermissionsChange(principal=robot, add=[catalog.Privilege.ACCESS])
    client.grants.update("credential", credential, changes=[granted])
    state, text = update()
    assert state == "COMPLETED", text
    broker.produce(source, [{"id": number} for number in range(10, 14)])
    state, text = update()
    assert state == "COMPLETED", text
    found = broker.consume(letters, 7)
    assert sorted(json.loads(message.value())["id"] for message in found) == [1, 3, 5, 7, 9, 11, 13]
    client.pipelines.delete(pipeline_id)
    client.catalogs.delete("streams", force=True)
    file.unlink()
