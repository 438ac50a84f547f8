"""Scores of every active customer."""
