"""Sessions of simulated customers: what happens in an app, in a plausible order; some show rising risk."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

Event = dict[str, Any]  # fields of a message but for ids and time

PAGES = {"home": 0.3, "usage": 0.25, "bill": 0.2, "offers": 0.15, "settings": 0.07, "support": 0.03}
SIGNAL_PAGES = ("contract", "cancel")
SERVICES = ("call", "data", "stream")
SWITCHES = ("roaming", "paperless_bill", "notifications")
STEPS_MEAN = 6.0  # views, uses and switches of a session
STEP_SHARES = {"page_view": 0.7, "core_feature_use": 0.25, "feature_toggle": 0.05}
LOGIN_SHARE = 0.7
ENDED_SHARE = 0.9  # the others break off without an end
UNHAPPY = 1.0  # from this on; about one customer in six
RISK_SHARE = 0.3  # of the sessions of unhappy customers


@dataclass(frozen=True)
class Session:
    """A session of a customer.

    Attributes:
        customer_id: The customer.
        session_id: Its id.
        events: What is still to happen in it, in reverse.
        risky: Whether it shows signals of rising risk.
    """

    customer_id: str
    session_id: str
    events: list[Event]
    risky: bool


def session(draw: Random, customer_id: str, session_id: str, unhappiness: float) -> Session:
    """Plans a session.

    Args:
        draw: Random numbers.
        customer_id: The customer.
        session_id: Its id.
        unhappiness: Of the customer, as the simulated world has it.
    """
    risky = unhappiness > UNHAPPY and draw.random() < RISK_SHARE
    steps = 1 + int(draw.expovariate(1 / STEPS_MEAN))
    middle = [_step(draw) for _ in range(steps)]
    if risky:
        at = (len(middle) + 1) // 2
        middle[at:at] = _signals(draw)
    login: list[Event] = [{"kind": "login"}] if draw.random() < LOGIN_SHARE else []
    end: list[Event] = [{"kind": "session_end"}] if draw.random() < ENDED_SHARE else []
    events = [{"kind": "session_start"}, *login, *middle, *end]
    return Session(customer_id, session_id, events[::-1], risky)


def use(draw: Random) -> Event:
    """A use of a service."""
    minutes = round(min(draw.expovariate(1 / 20), 1440.0), 1)
    return {"kind": "core_feature_use", "feature": draw.choice(SERVICES), "minutes": minutes}


def _step(draw: Random) -> Event:
    kind = draw.choices([*STEP_SHARES], [*STEP_SHARES.values()])[0]
    if kind == "page_view":
        return _view(draw.choices([*PAGES], [*PAGES.values()])[0])
    if kind == "core_feature_use":
        return use(draw)
    return {"kind": kind, "feature": draw.choice(SWITCHES), "enabled": draw.random() < 0.6}


def _signals(draw: Random) -> list[Event]:
    """What unhappy customers do before they leave: they look for help and for the way out, or switch a service off."""
    found = [_view("support") for _ in range(draw.randint(1, 3))]
    found.append(_view(draw.choice(SIGNAL_PAGES)))
    if draw.random() < 0.5:
        found.append({"kind": "feature_toggle", "feature": draw.choice(SERVICES), "enabled": False})
    return found


def _view(page: str) -> Event:
    return {"kind": "page_view", "page": page}
