"""Errors of the workloads: final ones, and ones after which trying again may help.

A task does not catch these errors and does not exit by itself: the text of the exception that leaves `main` is what the
job's run shows as its error, on Databricks and elsewhere.
"""

from __future__ import annotations


class ChurnError(Exception):
    """Base of all errors of the workloads. The text is written for people: what is wrong, and the remedy."""


class FinalError(ChurnError):
    """An error that stays until somebody changes an input or a setting: trying again does not help."""


class RetryableError(ChurnError):
    """An error of another service or of the moment: trying again may help."""


class OptionError(FinalError):
    """The command line of a task lacks an option, or has one that it cannot read."""
