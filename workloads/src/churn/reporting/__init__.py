"""Marts that the dashboard reads."""
