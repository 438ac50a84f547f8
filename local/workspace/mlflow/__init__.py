"""MLflow behind the workspace: its proxy, its registry, and experiments as workspace objects."""
