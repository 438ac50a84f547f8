"""MLflow behind the workspace: its client, its proxy, and experiments as workspace objects."""
