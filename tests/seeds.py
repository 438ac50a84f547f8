"""Seeds of the local cloud's faults, chosen for a test."""

from __future__ import annotations

import random


def first_only(rate: float) -> int:
    """A seed by which the first request fails and the next two do not."""
    for seed in range(1000):
        draw = random.Random(seed)  # noqa: S311 (a sequence to repeat, no secret)
        spoiled = draw.random() < rate
        draw.choice([0])
        if spoiled and draw.random() >= rate and draw.random() >= rate:
            return seed
    raise AssertionError("no such seed")
