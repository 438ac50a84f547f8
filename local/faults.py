"""Faults that a cloud has now and then, put into the answers of the local one at random, and only when asked for.

The file `faults.json` in the home folder asks for them: `{"rate": 0.05, "seed": 1}` spoils one request in twenty. It is
read with each request, and each writing begins the sequence of its seed anew. `kinds` lists the faults that there are;
without it there are all but `hang`, which costs a client its whole time limit.
"""

from __future__ import annotations

import json
import random
import threading
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from local.settings import LocalSettings

LATENCY_SECONDS = 2.0
HANG_SECONDS = 300.0  # longer than any client waits
RETRY_AFTER_SECONDS = 1  # what an answer 429 asks for


class Fault(StrEnum):
    """What happens to a request in place of its answer."""

    BUSY = "busy"  # refused as one of too many requests
    UNAVAILABLE = "unavailable"  # refused by 503
    SLOW = "slow"  # answered, but late
    HANG = "hang"  # never answered, nor done
    LOST_REQUEST = "lost_request"  # the connection ends before the work
    LOST_ANSWER = "lost_answer"  # the work is done, and the connection ends before the answer


UNASKED = [kind for kind in Fault if kind is not Fault.HANG]


class Faults:
    """The faults of one server.

    Args:
        settings: The local cloud, whose home may have `faults.json`.
    """

    def __init__(self, settings: LocalSettings) -> None:
        self._file: Path = settings.faults
        self._lock = threading.Lock()
        self._written = 0
        self._random = random.Random()  # noqa: S311 (a sequence to repeat, no secret)

    def draw(self) -> Fault | None:
        """Draws what happens to the next request; None leaves it alone.

        Raises:
            ValueError: The file has a rate, seed or kind that is none.
        """
        try:
            written, text = self._file.stat().st_mtime_ns, self._file.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        asked = json.loads(text)
        kinds = [Fault(kind) for kind in asked.get("kinds", UNASKED)]
        with self._lock:
            if written != self._written:
                self._written, self._random = written, random.Random(int(asked["seed"]))  # noqa: S311 (see above)
            if self._random.random() >= float(asked["rate"]):
                return None
            return self._random.choice(kinds)
