"""The local cloud: what stands in for Databricks' control plane on one machine."""
