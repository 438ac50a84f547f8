"""Customer churn on a Databricks lakehouse: from delivered files to scores."""
