"""The served model and its place in the MLflow registry."""
