"""Kafka in the ground, and what watches it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.infra.ground import run_ground

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.infra.program import Program


def test_the_cluster_speaks_tls_and_iam_alone(ground: Program) -> None:
    cluster = ground.of("Cluster")["cluster"].inputs
    assert cluster["clientAuthentication"] == {"sasl": {"iam": True}, "unauthenticated": False}
    assert cluster["encryptionInfo"] == {
        "encryptionAtRestKmsKeyArn": ground.outputs["key_arns"]["kafka"],
        "encryptionInTransit": {"clientBroker": "TLS", "inCluster": True},
    }
    assert "connectivityInfo" not in cluster["brokerNodeGroupInfo"], "no public access"


def test_a_broker_stands_in_each_zone(ground: Program) -> None:
    cluster = ground.of("Cluster")["cluster"].inputs
    assert cluster["numberOfBrokerNodes"] == 3
    assert cluster["brokerNodeGroupInfo"]["clientSubnets"] == ground.outputs["subnet_ids"]
    assert cluster["configurationInfo"]["revision"] == 1
    properties = ground.of("Configuration")["brokers-configuration"].inputs["serverProperties"].splitlines()
    assert "auto.create.topics.enable=false" in properties
    assert "min.insync.replicas=2" in properties
    assert "unclean.leader.election.enable=false" in properties


def test_a_configuration_has_its_version_in_its_name() -> None:
    """AWS changes no versions of one, and deletes none that is in use."""
    for version, name in (("3.8.x", "churn-prod-brokers-3-8-x"), ("3.9.x", "churn-prod-brokers-3-9-x")):
        configuration = run_ground("prod", {"kafka.version": version}).of("Configuration")["brokers-configuration"]
        assert (configuration.inputs["name"], configuration.inputs["kafkaVersions"]) == (name, [version])


def test_brokers_are_logged_and_measured(ground: Program) -> None:
    cluster = ground.of("Cluster")["cluster"].inputs
    logs = cluster["loggingInfo"]["brokerLogs"]["cloudwatchLogs"]
    assert logs == {"enabled": True, "logGroup": ground.of("LogGroup")["broker-logs"].inputs["name"]}
    assert cluster["openMonitoring"]["prometheus"] == {
        "jmxExporter": {"enabledInBroker": True},
        "nodeExporter": {"enabledInBroker": True},
    }
    assert ground.of("LogGroup")["broker-logs"].inputs["kmsKeyId"] == ground.outputs["key_arns"]["watch"]


def test_disks_grow_to_the_setting_and_never_shrink(grounds: Mapping[str, Program]) -> None:
    target = grounds["prod"].of("Target")["storage-target"].inputs
    assert (target["maxCapacity"], target["scalableDimension"]) == (1000, "kafka:broker-storage:VolumeSize")
    growth = grounds["prod"].of("Policy")["storage-growth"].inputs["targetTrackingScalingPolicyConfiguration"]
    assert growth["disableScaleIn"] is True


def test_topics_are_those_of_the_settings() -> None:
    topics = [
        {"name": "events", "partitions": 12, "retention_hours": 168},
        {"name": "dead-letters", "partitions": 1, "retention_hours": 24},
    ]
    program = run_ground("prod", {"kafka.topics": topics})
    made = {t.inputs["name"]: t.inputs for t in program.of("Topic").values() if "partitionCount" in t.inputs}
    assert {name: topic["partitionCount"] for name, topic in made.items()} == {"events": 12, "dead-letters": 1}
    assert {topic["replicationFactor"] for topic in made.values()} == {3}
    configs = {"retention.ms": "86400000", "message.timestamp.type": "LogAppendTime"}
    assert json.loads(made["dead-letters"]["configs"]) == configs
    assert program.outputs["kafka_topics"] == ["events", "dead-letters"]


def test_serverless_compute_gets_a_way_to_each_broker(grounds: Mapping[str, Program]) -> None:
    program = grounds["dev"]
    addresses = {a.inputs["targetId"] for a in program.of("TargetGroupAttachment").values()}
    assert addresses == {"10.20.0.1", "10.20.0.2", "10.20.0.3"}
    assert [service["domain"] for service in program.outputs["kafka_services"]] == [
        "b-1.example",
        "b-2.example",
        "b-3.example",
    ]
    for balancer in program.of("LoadBalancer").values():
        assert balancer.inputs["internal"] is True
        assert len(balancer.inputs["name"]) <= 32
    for service in program.of("VpcEndpointService").values():
        assert service.inputs["acceptanceRequired"] is True, "every customer of Databricks acts by the same role"
        (principal,) = service.inputs["allowedPrincipals"]
        assert principal.endswith(":role/private-connectivity-role-eu-west-1")
    into = program.of("SecurityGroupIngressRule")["brokers-from-link"].inputs
    assert (into["securityGroupId"], into["referencedSecurityGroupId"]) == ("brokers-id", "link-id")


def test_without_the_setting_there_is_no_way_from_outside(grounds: Mapping[str, Program]) -> None:
    assert grounds["prod"].of("VpcEndpointService") == {}
    assert "kafka_services" not in grounds["prod"].outputs


def test_each_alarm_notifies_people(ground: Program) -> None:
    topic = ground.of("TopicPolicy")["alarms-policy"].inputs["arn"]
    alarms = ground.of("MetricAlarm")
    assert {a.inputs["metricName"] for a in alarms.values()} == {
        "ActiveControllerCount",
        "KafkaDataLogsDiskUsed",
        "OfflinePartitionsCount",
    }
    for alarm in alarms.values():
        assert alarm.inputs["alarmActions"] == [topic]
        assert alarm.inputs["dimensions"]["Cluster Name"] == ground.of("Cluster")["cluster"].inputs["clusterName"]
    subscribed = [s.inputs for s in ground.of("TopicSubscription").values()]
    assert all((s["topic"], s["protocol"]) == (topic, "email") for s in subscribed)
    assert subscribed


def test_the_budget_counts_the_stack_and_notifies_before_it_is_spent(ground: Program) -> None:
    budget = ground.of("Budget")["budget"].inputs
    assert budget["limitAmount"] == {"dev": "500", "prod": "5000"}[ground.stack]
    assert budget["costFilters"] == [{"name": "TagKeyValue", "values": [f"user:stack${ground.stack}"]}]
    notified = {(n["notificationType"], n["threshold"]) for n in budget["notifications"]}
    assert notified == {("ACTUAL", 80), ("FORECASTED", 100)}


def test_no_kafka_without_the_setting() -> None:
    program = run_ground("prod", {"kafka": None})
    assert not any("msk" in r.type or "brokers" in r.name for r in program.resources)
    assert "kafka_client" not in program.of("Role")
    assert "kafka_bootstrap_brokers" not in program.outputs
