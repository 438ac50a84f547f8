"""Customer churn on a Databricks lakehouse: from raw drops to scores."""
