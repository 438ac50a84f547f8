"""Ingestion: delivered files are examined, then admitted or quarantined."""
