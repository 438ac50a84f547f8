"""Faults in hand-written files, for modules that do not import them from `churn.core.faults` yet."""

from churn.core.faults import Fault, FaultsError, choices

__all__ = ["Fault", "FaultsError", "choices"]
