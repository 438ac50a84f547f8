"""The layer of the cloud: network, keys, storage, roles, Kafka and what watches them, in AWS."""
