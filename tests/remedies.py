"""Comparison of a fault's remedy with the values that the fault allows."""

from __future__ import annotations

import re


def repeats(allowed: str, remedy: str) -> bool:
    """Whether a remedy says no more than the fault's `allowed`: the whole of it, or its only value before the reason.

    Args:
        allowed: What a fault allows, such as `false in prod: simulated rows must not mix with real ones`.
        remedy: What the fault proposes.
    """
    only = re.fullmatch(r"(\w+)(?:(?: in |: |, (?=since |the only )| beside ).*)?", allowed)
    return allowed in remedy or bool(only and re.search(rf"\b{re.escape(only[1])}$", remedy))
