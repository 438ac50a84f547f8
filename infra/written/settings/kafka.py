"""Sections `ground.aws.kafka` and `ground.aws.adopted_kafka`: a cluster of Amazon MSK."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from infra.written.sections import Section

TopicName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,248}$")]


class Topic(Section):
    """A topic."""

    name: TopicName = Field(description="name of the topic")
    partitions: int = Field(ge=1, le=1000, description="number of partitions, which can grow and never shrink")
    retention_hours: int = Field(
        ge=1, le=720, description="hours that records are kept; a month at most, since no single one can be erased"
    )


class Kafka(Section):
    """A provisioned cluster with a broker in each zone."""

    version: str = Field(
        pattern=r"^(3\.([6-9]|\d\d)|[4-9]\.\d+)\.(x|\d+)(\.kraft)?$",
        description="version of Kafka as MSK names it, such as 3.9.x; AWS makes topics from 3.6 on",
    )
    broker_type: str = Field(
        pattern=r"^kafka\.[a-z0-9]+\.[a-z0-9]+$", description="instance type of a broker, such as kafka.m7g.large"
    )
    storage_gib: int = Field(ge=10, le=16384, description="disk of a broker on the first day; it grows by itself")
    maximum_storage_gib: int = Field(ge=10, le=16384, description="disk of a broker to which it grows")
    serverless_link: bool = Field(
        description="true lets Databricks' serverless compute reach the brokers by private link, which costs a load "
        "balancer a broker"
    )
    topics: tuple[Topic, ...] = Field(
        default=(), description="topics; one that is not here is not made by writing to it"
    )


class AdoptedKafka(Section):
    """A cluster that exists, which this stack leaves as it is."""

    cluster_arn: str = Field(
        pattern=r"^arn:aws:kafka:[\w-]+:\d{12}:cluster/[\w.-]+/[\w-]+$", description="ARN of the cluster"
    )
    topics: tuple[TopicName, ...] = Field(
        min_length=1,
        description="names of the topics that pipelines read; that of events needs "
        "message.timestamp.type=LogAppendTime, or the senders' clocks stand for the brokers'",
    )
