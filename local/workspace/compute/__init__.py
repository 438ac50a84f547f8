"""Clusters, cluster policies and SQL warehouses: names for the one Spark server."""
