"""Databricks' workspace API on one machine."""
