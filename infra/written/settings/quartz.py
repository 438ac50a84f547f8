"""Quartz expressions, which Databricks takes as schedules of jobs."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

from infra.written.sections import wrong_value

MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
# Fields of a Quartz expression: lowest and highest number, names, and what else may stand there, in capitals.
QUARTZ_FIELDS: dict[str, tuple[int, int, tuple[str, ...], str]] = {
    "seconds": (0, 59, (), ""),
    "minutes": (0, 59, (), ""),
    "hours": (0, 23, (), ""),
    "day of month": (1, 31, (), r"\?|L(-([12]?\d|30))?W?|([1-9]|[12]\d|3[01])W"),
    "month": (1, 12, MONTHS, ""),
    "day of week": (1, 7, WEEKDAYS, rf"\?|L|([1-7]|{'|'.join(WEEKDAYS)})(L|#[1-5])"),
    "year": (1970, 2099, (), ""),
}


def _quartz(expression: str) -> str:
    """Refuses what Quartz cannot read."""
    if not re.fullmatch(r"[\w*?/,#-]+( [\w*?/,#-]+){5,6}", expression, re.ASCII):
        raise wrong_value("six or seven fields of letters, digits and *?/,#- with one blank between them")
    fields = expression.upper().split(" ")
    for (name, (low, high, names, special)), field in zip(QUARTZ_FIELDS.items(), fields, strict=False):
        known = {*names, *(form for n in range(low, high + 1) for form in (str(n), f"{n:02}"))}
        for part in [] if re.fullmatch(special, field) else field.split(","):
            span, slash, step = part.partition("/")
            steps = not slash or (step.isdecimal() and 1 <= int(step) <= high)
            if not steps or (span != "*" and not known.issuperset(span.split("-", 1))):
                also = f" or {names[0]} to {names[-1]}" if names else ""
                raise wrong_value(f"for {name} numbers from {low} to {high}{also}, * for all, not {part!r}")
    if (fields[3] == "?") == (fields[5] == "?"):
        raise wrong_value("? for exactly one of day of month and day of week, as in 0 0 5 * * ?")
    return expression


QuartzExpression = Annotated[str, AfterValidator(_quartz)]
