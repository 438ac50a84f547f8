"""The layer of the ground: network, keys, buckets, roles and Kafka in AWS, and what watches them."""
