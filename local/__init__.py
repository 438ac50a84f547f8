"""The local cloud: the services that replace Databricks' control plane on one machine."""
