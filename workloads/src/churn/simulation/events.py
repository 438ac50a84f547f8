"""Messages of the simulated stream of events, with faults in settable shares, drawn by a seed alone.

The same settings give the same messages, however fast they are sent: `due` says when each is, and the sender waits or
does not. Customers are those of the batch sources; few of them are busy, by Zipf's law. A fault is a message of its own
beside the sessions, so that these keep their order.
"""

from __future__ import annotations

import json
from bisect import bisect
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import accumulate, count
from random import Random
from typing import TYPE_CHECKING, Any

import pandas as pd

from churn.simulation.sessions import Event, Session, session, use

if TYPE_CHECKING:
    from churn.simulation.world import World

ACCEPTED, QUARANTINED, DUPLICATE = "accepted", "quarantined", "duplicate"
STEP_SECONDS = 20.0  # from one event of a session to the next, if there are customers enough
BACKGROUND_SHARE = 0.15  # uses outside of sessions
DELAY_SECONDS = 0.3  # mean, from the device to the broker
REPEATED_WITHIN = 5_000  # messages, between an event and its repeat
MINUTE, DAY = 60.0, 86_400.0
# Seconds by which an event is late, or ahead: each a day clear of the contract's limits, so that its end is certain.
LATE, TOO_LATE, AHEAD = (MINUTE, 6 * DAY), (8 * DAY, 40 * DAY), (0.5 * DAY, 366 * DAY)
FIELDS = ("event_id", "customer_id", "session_id", "kind", "event_time", "page", "feature", "enabled", "minutes")


@dataclass(frozen=True)
class Shares:
    """Shares of faults among all messages, each from 0 to 1.

    Attributes:
        duplicate: Repeats of an event.
        late: Events that come minutes to days after they happened, and count.
        too_late: Events that come after more days than the contract allows.
        wrong_clock: Events of a device whose clock is ahead by hours to a year.
        malformed: No JSON, no object, a value of another type, or no id.
        unknown_field: Events with a field that the contract does not know.
        unknown_customer: Events of customers that no file has reported.
    """

    duplicate: float = 0.01
    late: float = 0.01
    too_late: float = 0.001
    wrong_clock: float = 0.001
    malformed: float = 0.002
    unknown_field: float = 0.01
    unknown_customer: float = 0.002


OUTCOMES = {
    "duplicate": DUPLICATE,
    "late": ACCEPTED,
    "too_late": QUARANTINED,
    "wrong_clock": QUARANTINED,
    "malformed": QUARANTINED,
    "unknown_field": ACCEPTED,
    "unknown_customer": ACCEPTED,
}


@dataclass(frozen=True)
class Message:
    """A message of the topic of events.

    Attributes:
        due: Seconds after the start at which it is sent.
        key: The customer.
        value: JSON, unless it is malformed.
        fault: Name of its fault, a field of `Shares`; None if it has none.
        risky: Whether it is of a session that shows signals of rising risk.
    """

    due: float
    key: bytes
    value: bytes
    fault: str | None
    risky: bool = False

    @property
    def outcome(self) -> str:
        """What becomes of it: `accepted`, `quarantined` or `duplicate`."""
        return ACCEPTED if self.fault is None else OUTCOMES[self.fault]


@dataclass(frozen=True)
class StreamSettings:
    """Settings of the simulated stream.

    Attributes:
        start: Moment of the first message, in UTC.
        rate: Messages a second.
        seed: Of every draw.
        skew: Exponent of Zipf's law over customers; 0 makes all as busy.
        shares: Shares of faults.
    """

    start: datetime
    rate: float
    seed: int
    skew: float = 0.8
    shares: Shares = field(default_factory=Shares)


class Simulator:
    """Draws the messages of one stream."""

    def __init__(self, world: World, settings: StreamSettings) -> None:
        """Begins a stream.

        Args:
            world: Grown up to the day whose customers are active.
            settings: Of the stream.

        Raises:
            ValueError: Nobody is active, or the shares sum up to more than 1.
        """
        customers = world.customers.loc[world.customers["churn_date"].isna(), ["customer_id", "unhappiness"]]
        self._settings = settings
        drawn_by = f"{settings.seed} {settings.start.isoformat()} {settings.rate} {settings.skew}"
        self._draw = Random(drawn_by)  # noqa: S311 (fast and the same everywhere; nothing here is secret)
        self._customers = _shuffled(customers, self._draw)
        self._weights = [*accumulate((rank + 1) ** -settings.skew for rank in range(len(self._customers)))]
        self._faults = [*vars(settings.shares)]
        self._limits = [*accumulate(vars(settings.shares).values())]
        if not self._customers or self._limits[-1] > 1:
            raise ValueError(
                f"{len(self._customers)} active customers, faults in {self._limits[-1]:.0%} of the messages; allowed: "
                "1 and more, 100% at most; choose a day with customers, and smaller shares"
            )
        self._prefix = f"s-{settings.start:%Y%m%dT%H%M%S}-{settings.seed}"
        self._numbers = count()
        self._busy: set[str] = set()
        at_once = int(min(max(settings.rate * STEP_SECONDS, 1), max(len(self._customers) // 2, 1)))
        self._sessions = [self._opened() for _ in range(at_once)]
        self._last: dict[str, datetime] = {}
        self._sent: deque[tuple[bytes, bytes]] = deque(maxlen=REPEATED_WITHIN)

    def messages(self) -> Iterator[Message]:
        """Every message, without end, in the order in which they are sent."""
        for number in count():
            due = number / self._settings.rate
            moment = self._settings.start + timedelta(seconds=due)
            at = bisect(self._limits, self._draw.random())
            if at < len(self._faults) and (self._faults[at] != "duplicate" or self._sent):
                message = self._faulty(self._faults[at], due, moment)
            else:
                message = self._plain(due, moment)
            if message.outcome == ACCEPTED:
                self._sent.append((message.key, message.value))
            yield message

    def _plain(self, due: float, moment: datetime) -> Message:
        """A message without a fault: the next of a session, or a use outside of any."""
        if self._draw.random() < BACKGROUND_SHARE:
            customer, _ = self._customer()
            return Message(due, customer.encode(), self._value(customer, use(self._draw), self._device(moment)), None)
        at = self._draw.randrange(len(self._sessions))
        current = self._sessions[at]
        event = {**current.events.pop(), "session_id": current.session_id}
        happened = self._in_order(current, self._device(moment))
        value = self._value(current.customer_id, event, happened)
        if not current.events:
            self._busy.discard(current.customer_id)
            self._last.pop(current.session_id, None)
            self._sessions[at] = self._opened()
        return Message(due, current.customer_id.encode(), value, None, current.risky)

    def _faulty(self, fault: str, due: float, moment: datetime) -> Message:
        """A message with a fault."""
        if fault == "duplicate":
            key, value = self._draw.choice(self._sent)
            return Message(due, key, value, fault)
        customer, _ = self._customer()
        if fault == "unknown_customer":
            customer = f"unknown-{self._draw.randrange(10**6)}"
        shift = {"late": LATE, "too_late": TOO_LATE, "wrong_clock": AHEAD}.get(fault)
        happened = self._device(moment)
        if shift is not None:
            seconds = timedelta(seconds=shift[0] * (shift[1] / shift[0]) ** self._draw.random())
            happened += seconds if fault == "wrong_clock" else -seconds
        further = {"app_version": "7.1", "screen": {"width": 390}} if fault == "unknown_field" else {}
        value = self._value(customer, {**use(self._draw), **further}, happened)
        if fault == "malformed":
            value = self._spoilt(value)
        return Message(due, customer.encode(), value, fault)

    def _spoilt(self, value: bytes) -> bytes:
        """A value that breaks the contract, in one of several ways."""
        fields = json.loads(value)
        ways = (
            value[: len(value) // 2],
            b"\xff\xfe" + value,
            f"[{value.decode()}]".encode(),
            _json({**fields, "minutes": f"{fields['minutes']} min"}),
            _json({**fields, "event_id": None}),
            b"",
        )
        return self._draw.choice(ways)

    def _value(self, customer_id: str, event: Event, happened: datetime) -> bytes:
        fields: dict[str, Any] = dict.fromkeys(FIELDS)
        fields |= {"event_id": f"{self._prefix}-{next(self._numbers):08d}", "customer_id": customer_id, **event}
        fields["event_time"] = f"{happened:%Y-%m-%dT%H:%M:%S}.{happened.microsecond // 1000:03d}Z"
        return _json(fields)

    def _device(self, moment: datetime) -> datetime:
        """When what is sent at a moment happened."""
        return moment - timedelta(seconds=min(self._draw.expovariate(1 / DELAY_SECONDS), 10 * DELAY_SECONDS))

    def _in_order(self, current: Session, happened: datetime) -> datetime:
        """A moment after the event before of the same session."""
        after = self._last.get(current.session_id, happened) + timedelta(milliseconds=1)
        self._last[current.session_id] = max(happened, after)
        return self._last[current.session_id]

    def _opened(self) -> Session:
        """A session of a customer who has none, if one is found."""
        for _ in range(20):
            customer, unhappiness = self._customer()
            if customer not in self._busy:
                break
        self._busy.add(customer)
        return session(self._draw, customer, f"{self._prefix}-{next(self._numbers):08d}", unhappiness)

    def _customer(self) -> tuple[str, float]:
        return self._customers[bisect(self._weights, self._draw.random() * self._weights[-1])]


def _shuffled(customers: pd.DataFrame, draw: Random) -> Sequence[tuple[str, float]]:
    """Customers in the order of how busy they are, which has nothing to do with their ids."""
    rows = [*zip(customers["customer_id"].tolist(), customers["unhappiness"].tolist(), strict=True)]
    draw.shuffle(rows)
    return rows


def _json(fields: dict[str, Any]) -> bytes:
    return json.dumps(fields, separators=(",", ":")).encode()
