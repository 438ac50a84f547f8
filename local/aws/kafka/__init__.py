"""The broker that stands for Amazon MSK: Apache Kafka itself, from its jars."""
