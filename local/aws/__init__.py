"""AWS on this machine: its API by moto, Kafka by a real broker, and the provider through which Pulumi uses both."""
