"""MSK: a cluster is a broker that takes and gives messages, and a topic is a topic of that broker."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING

import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient

from local import leftovers
from tests.local.aws.local_aws import AwsProgram

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.local.aws.local_aws import LocalAws

PROGRAM = """
zones = ["eu-west-1a", "eu-west-1b"]
vpc = aws.ec2.Vpc("vpc", cidr_block="10.0.0.0/16", opts=opts)
subnets = [
    aws.ec2.Subnet(zone, vpc_id=vpc.id, cidr_block=f"10.0.{{number}}.0/24", availability_zone=zone, opts=opts).id
    for number, zone in enumerate(zones)
]
group = aws.ec2.SecurityGroup("brokers", vpc_id=vpc.id, opts=opts)
key = aws.kms.Key("kafka", opts=opts)
configuration = aws.msk.Configuration(
    "brokers",
    name="{name}",
    kafka_versions=["{version}"],
    server_properties="auto.create.topics.enable=false\\nmin.insync.replicas=2\\ndefault.replication.factor=3\\n{extra}",
    opts=opts,
)
cluster = aws.msk.Cluster(
    "cluster",
    cluster_name="churn-test",
    kafka_version="{version}",
    number_of_broker_nodes=2,
    broker_node_group_info={{
        "instance_type": "{instance}",
        "client_subnets": subnets,
        "security_groups": [group.id],
        "storage_info": {{"ebs_storage_info": {{"volume_size": 100}}}},
    }},
    client_authentication={{"sasl": {{"iam": True}}, "unauthenticated": False}},
    configuration_info={{"arn": configuration.arn, "revision": configuration.latest_revision}},
    encryption_info={{
        "encryption_at_rest_kms_key_arn": key.arn,
        "encryption_in_transit": {{"client_broker": "TLS", "in_cluster": True}},
    }},
    enhanced_monitoring="{monitoring}",
    open_monitoring={{
        "prometheus": {{"jmx_exporter": {{"enabled_in_broker": True}}, "node_exporter": {{"enabled_in_broker": True}}}}
    }},
    opts=pulumi.ResourceOptions(
        provider=provider, ignore_changes=["brokerNodeGroupInfo.storageInfo.ebsStorageInfo.volumeSize"]
    ),
)
target = aws.appautoscaling.Target(
    "storage",
    service_namespace="kafka",
    resource_id=cluster.arn,
    scalable_dimension="kafka:broker-storage:VolumeSize",
    min_capacity=1,
    max_capacity=1000,
    opts=opts,
)
aws.appautoscaling.Policy(
    "storage",
    name="storage",
    service_namespace=target.service_namespace,
    resource_id=target.resource_id,
    scalable_dimension=target.scalable_dimension,
    policy_type="TargetTrackingScaling",
    target_tracking_scaling_policy_configuration={{
        "disable_scale_in": True,
        "predefined_metric_specification": {{"predefined_metric_type": "KafkaBrokerStorageUtilization"}},
        "target_value": 60,
    }},
    opts=opts,
)
aws.msk.Topic(
    "events",
    name="events",
    cluster_arn=cluster.arn,
    partition_count={partitions},
    replication_factor=2,
    configs=json.dumps(
        {{"retention.ms": "{retention}", "min.insync.replicas": "2", "message.timestamp.type": "LogAppendTime"}}
    ),
    opts=opts,
)
nodes = aws.msk.get_broker_nodes_output(cluster_arn=cluster.arn, opts=asked)
known = aws.msk.get_bootstrap_brokers_output(cluster_arn=cluster.arn, opts=asked)
pulumi.export("known", known.bootstrap_brokers_sasl_iam)
pulumi.export("nodes", nodes.node_info_lists.apply(lambda found: [node.broker_id for node in found]))
pulumi.export("arn", cluster.arn)
pulumi.export("bootstrap", cluster.bootstrap_brokers_sasl_iam)
pulumi.export("tls", cluster.bootstrap_brokers_tls)
"""
FIRST = {
    "name": "brokers-3-8-x",
    "version": "3.8.x",
    "instance": "kafka.m7g.large",
    "monitoring": "PER_BROKER",
    "partitions": 3,
    "retention": 3600000,
    "extra": "",
}
CHANGED = FIRST | {"instance": "kafka.m7g.xlarge", "monitoring": "PER_TOPIC_PER_BROKER", "partitions": 5}


@pytest.fixture(scope="module")
def kafka(aws: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AwsProgram]:
    """A program with a cluster that is up."""
    program = AwsProgram.of(aws, tmp_path_factory.mktemp("kafka"))
    program.write(PROGRAM.format(**FIRST))
    program.up()
    yield program
    program.run("destroy", "--yes", "--skip-preview")
    await_(lambda: not aws.brokers() and not list((aws.folder / "kafka").iterdir()))  # it goes after its process


def await_(truth: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not truth():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def passed_on(bootstrap: str) -> bytes | None:
    """What comes out of the topic of a message that was just put in."""
    message = uuid.uuid4().hex.encode()
    producer = Producer({"bootstrap.servers": bootstrap, "acks": "all"})
    producer.produce("events", message)
    assert producer.flush(30) == 0
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": uuid.uuid4().hex, "auto.offset.reset": "earliest"})
    consumer.subscribe(["events"])
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        received = consumer.poll(1)
        if received is not None and received.value() == message:
            consumer.close()
            return message
    consumer.close()
    return None


def state(aws: LocalAws, arn: str) -> str:
    found: str = aws.client("kafka").describe_cluster_v2(ClusterArn=arn)["ClusterInfo"]["State"]
    return found


@pytest.mark.shows("kafka: messages are produced and consumed", client="confluent-kafka")
def test_a_message_passes_through_the_cluster(aws: LocalAws, kafka: AwsProgram) -> None:
    outputs = kafka.outputs()
    assert outputs["bootstrap"] == outputs["tls"] == outputs["known"] == f"127.0.0.1:{aws.settings.kafka_port}"
    assert outputs["nodes"] == [1, 2]
    assert passed_on(outputs["bootstrap"])
    assert len(aws.brokers()) == 1  # for both


@pytest.mark.shows("kafka: clusters, configurations and topics as resources", client="pulumi-aws")
def test_a_second_look_shows_no_change(kafka: AwsProgram) -> None:
    kafka.preview("--expect-no-changes")
    kafka.run("refresh", "--yes", "--skip-preview", "--expect-no-changes")
    kinds = {kind.rpartition(":")[2] for kind in kafka.imports_what_it_has_made()}
    assert kinds >= {"Cluster", "Configuration", "Policy", "Target", "Topic"}


@pytest.mark.shows("kafka: the cluster's configuration is the broker's", client="confluent-kafka")
def test_a_topic_that_is_not_declared_is_not_made(kafka: AwsProgram) -> None:
    """The properties of the cluster's configuration are the broker's."""
    producer = Producer({"bootstrap.servers": kafka.outputs()["bootstrap"], "message.timeout.ms": 5000})
    failures: list[object] = []
    producer.produce("undeclared", b"x", on_delivery=lambda error, _: failures.append(error))
    producer.flush(20)
    assert failures
    assert failures[0] is not None


@pytest.mark.shows("kafka: topics outlive a crash of the broker", client="confluent-kafka")
def test_the_broker_comes_back_with_its_messages(aws: LocalAws, kafka: AwsProgram) -> None:
    outputs = kafka.outputs()
    assert passed_on(outputs["bootstrap"])
    (broker,) = aws.brokers()
    broker.kill()
    await_(lambda: aws.brokers() not in ([], [broker]))
    await_(lambda: state(aws, outputs["arn"]) == "ACTIVE")
    assert passed_on(outputs["bootstrap"])
    consumer = Consumer({"bootstrap.servers": outputs["bootstrap"], "group.id": "all"})
    topic = consumer.list_topics("events").topics["events"]
    assert len(topic.partitions) == 3
    consumer.close()


def test_the_broker_of_a_server_that_crashed_is_replaced(aws: LocalAws, kafka: AwsProgram) -> None:
    outputs = kafka.outputs()
    (left,) = aws.brokers()
    aws.kill()
    aws.start()
    await_(lambda: aws.brokers() and left not in aws.brokers())
    await_(lambda: state(aws, outputs["arn"]) == "ACTIVE")
    assert not leftovers.alive(left)
    kafka.run("refresh", "--yes", "--skip-preview", "--expect-no-changes")
    assert passed_on(outputs["bootstrap"])


@pytest.mark.shows("kafka: partitions are added to a topic", client="confluent-kafka")
@pytest.mark.shows("kafka: instance type and monitoring of a cluster are changed", client="boto3")
def test_changes_reach_cluster_and_topic(aws: LocalAws, kafka: AwsProgram) -> None:
    bootstrap = kafka.outputs()["bootstrap"]
    source = PROGRAM.format(**CHANGED | {"retention": 7200000, "extra": "log.segment.bytes=1048576\\n"})
    kafka.write(
        source.replace("max_capacity=1000", "max_capacity=2000").replace('"target_value": 60', '"target_value": 70')
    )
    preview = kafka.preview()
    assert "replace" not in preview
    kafka.up()
    kafka.preview("--expect-no-changes")
    kafka.run("refresh", "--yes", "--skip-preview", "--expect-no-changes")
    admin = AdminClient({"bootstrap.servers": bootstrap})
    assert len(admin.list_topics("events", timeout=10).topics["events"].partitions) == 5
    info = aws.client("kafka").describe_cluster(ClusterArn=kafka.outputs()["arn"])["ClusterInfo"]
    assert info["BrokerNodeGroupInfo"]["InstanceType"] == "kafka.m7g.xlarge"
    assert info["EnhancedMonitoring"] == "PER_TOPIC_PER_BROKER"
    (folder,) = (aws.folder / "kafka").iterdir()
    assert "log.segment.bytes=1048576" in (folder / "server.properties").read_text()
    assert passed_on(bootstrap)


@pytest.mark.shows("kafka: a cluster moves to a new version and its configuration", client="pulumi-aws")
def test_the_version_of_a_cluster_is_changed_with_the_name_of_its_configuration(
    aws: LocalAws, kafka: AwsProgram
) -> None:
    """A configuration that is in use cannot be deleted: under one name, the old one has to go first."""
    kafka.write(PROGRAM.format(**CHANGED | {"version": "3.9.x"}))
    assert "Configuration is in use by one or more clusters" in kafka.up(succeeds=False)
    kafka.write(PROGRAM.format(**CHANGED | {"version": "3.9.x", "name": "brokers-3-9-x"}))
    kafka.up()
    kafka.preview("--expect-no-changes")
    info = aws.client("kafka").describe_cluster(ClusterArn=kafka.outputs()["arn"])["ClusterInfo"]
    assert info["CurrentBrokerSoftwareInfo"]["KafkaVersion"] == "3.9.x"
    names = [found["Name"] for found in aws.client("kafka").list_configurations()["Configurations"]]
    assert "brokers-3-9-x" in names
    assert "brokers-3-8-x" not in names
    assert passed_on(kafka.outputs()["bootstrap"])


@pytest.mark.shows("kafka: a cluster is ACTIVE once its broker answers", client="boto3")
def test_a_broker_that_does_not_start_fails_its_cluster_until_its_configuration_is_mended(
    aws: LocalAws, program: AwsProgram
) -> None:
    source = """
    vpc = aws.ec2.Vpc("vpc", cidr_block="10.0.0.0/16", opts=opts)
    subnet = aws.ec2.Subnet("subnet", vpc_id=vpc.id, cidr_block="10.0.1.0/24", opts=opts)
    configuration = aws.msk.Configuration(
        "brokers", name="broken", server_properties="num.network.threads={threads}\\n", opts=opts
    )
    cluster = aws.msk.Cluster(
        "cluster",
        cluster_name="broken",
        kafka_version="3.9.x",
        number_of_broker_nodes=1,
        broker_node_group_info={{
            "instance_type": "kafka.m7g.large", "client_subnets": [subnet.id], "security_groups": []
        }},
        configuration_info={{"arn": configuration.arn, "revision": configuration.latest_revision}},
        opts=opts,
    )
    pulumi.export("arn", cluster.arn)
    """
    program.write(source.format(threads="many"))
    said = program.up(succeeds=False)
    assert "is FAILED, not ACTIVE: the broker does not start" in said
    assert "Invalid value many for configuration num.network.threads" in said
    program.write(source.format(threads="2"))
    program.up()
    assert state(aws, program.outputs()["arn"]) == "ACTIVE"
    program.preview("--expect-no-changes")
