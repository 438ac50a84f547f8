"""The page `docs/parity.md`: every capability that the local cloud claims, with what shows it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from local.aws.provider.functions import FUNCTIONS
from local.aws.provider.types import TYPES
from local.settings import REPOSITORY
from local.stand_ins import STAND_INS, StandIn
from tests.parity.areas import AREAS, Area, area_of, routes, source_of
from tests.parity.marks import CLIENTS, Shown, shown
from tests.parity.refusals import Api, Refused, apis, refused, refused_inputs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PAGE = REPOSITORY / "docs" / "parity.md"
HEAD = """# Parity with Databricks and AWS

What the local cloud claims of both, and what shows it. This page is made from the marks `shows` of tests, from
`local/stand_ins.py` and from the sources that refuse; renew it with `make parity`.

| | meaning |
|---|---|
| 🟢 | The named test shows it through a client of others, unmodified. |
| 🟠 | It stands in: the row says how it differs from the real one, or that only calls of our own show it. |
| 🔴 | It is refused by an error that names it, a 501 where it is a request. |

A green row says that the client works as it does with the real product, as far as its test goes. The orange rows of its
area say what differs behind it. What has no row is refused too: a path without a route answers 501 and names itself.
"""


@dataclass(frozen=True)
class Claims:
    """Everything that the page says.

    Attributes:
        shown: Capabilities that tests show.
        stand_ins: Parts that stand in.
        refused: What is refused by name.
        routes: Numbers of routes of the local workspace by key of the area.
        apis: Classes of databricks-sdk, compared with the routes.
    """

    shown: Sequence[Shown]
    stand_ins: Sequence[StandIn]
    refused: Sequence[Refused]
    routes: Counter[str]
    apis: Sequence[Api]

    @classmethod
    def of_the_repository(cls) -> Claims:
        """What the sources and tests say now."""
        found = routes()
        counts = Counter(area_of(source_of(route)).key for route in found)
        return cls(shown(), STAND_INS, [*refused(), *refused_inputs()], counts, apis(found))

    def is_green(self, mark: Shown) -> bool:
        """Whether the client of a mark is one of others, unmodified."""
        return not CLIENTS[mark.client].stands_in

    def strange_stand_ins(self) -> list[str]:
        """Stand-ins of an area that does not exist, which no section would show."""
        keys = {area.key for area in AREAS}
        return [f"{one.part}: {one.area}" for one in self.stand_ins if one.area not in keys]

    def unproved(self) -> list[str]:
        """Keys of the areas that claim something and have no green row."""
        green = {mark.area for mark in self.shown if self.is_green(mark)}
        claiming = {area for area, number in self.routes.items() if number} | {mark.area for mark in self.shown}
        return sorted(claiming - green)


def page(claims: Claims) -> str:
    """The page as Markdown.

    Args:
        claims: What it says.
    """
    sections = [_section(claims, area) for area in AREAS]
    green, orange, red = ("".join(sections).count(f"| {state} |") for state in "🟢🟠🔴")
    summary = f"{green} rows are green, {orange} orange, {red} red.\n"
    return "\n".join([HEAD, summary, *sections, _without_route(claims.apis)])


def _section(claims: Claims, area: Area) -> str:
    rows = [*_shown_rows(claims, area), *_stand_in_rows(claims, area), *_refused_rows(claims, area)]
    head = "| | capability | here | shown or refused in |\n|---|---|---|---|\n"
    return f"## {area.title}\n\n{_summary(claims, area)}{head}{''.join(rows)}"


def _summary(claims: Claims, area: Area) -> str:
    if area.key == "aws":
        return (
            f"The provider has {len(TYPES)} types and {len(FUNCTIONS)} functions; another one is refused by name.\n\n"
        )
    number = claims.routes[area.key]
    answered = [
        f"`{api.name}` {len(calls)} of {len(api.answered) + len(api.missing)}"
        for api in claims.apis
        if (calls := [call for call, key in api.answered.items() if key == area.key])
    ]
    compared = f" Calls of databricks-sdk that they answer: {', '.join(answered)}." if answered else ""
    return f"{number} routes.{compared}\n\n" if number else ""


def _shown_rows(claims: Claims, area: Area) -> Iterator[str]:
    marks = [mark for mark in claims.shown if mark.area == area.key]
    order = {mark.capability: number for number, mark in reversed([*enumerate(marks)])}
    marks.sort(key=lambda mark: (not claims.is_green(mark), order[mark.capability]))
    for (capability, green), same in groupby(marks, lambda mark: (mark.capability, claims.is_green(mark))):
        found = list(same)
        clients = ", ".join(dict.fromkeys(mark.client for mark in found))
        here = clients if green else CLIENTS[found[0].client].stands_in
        tests = ", ".join(f"[{mark.test}](../{mark.path})" for mark in found)
        yield _row("🟢" if green else "🟠", capability, here, tests)


def _stand_in_rows(claims: Claims, area: Area) -> Iterator[str]:
    for part in claims.stand_ins:
        if part.area == area.key:
            yield _row("🟠", part.part, part.differs, "")


def _refused_rows(claims: Claims, area: Area) -> Iterator[str]:
    for one in claims.refused:
        if one.area == area.key:
            yield _row("🔴", one.what, "refused by name", f"[{one.path.removeprefix('local/')}](../{one.path})")
    for api in claims.apis:
        if api.missing and area.key in api.answered.values():
            calls = ", ".join(f"`{call}`" for call in api.missing)
            yield _row("🔴", f"`{api.name}`: {calls}", "no route: 501", "")


def _row(state: str, *cells: str) -> str:
    return f"| {state} | {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n"


def _without_route(compared: Sequence[Api]) -> str:
    names = ", ".join(f"`{api.name}`" for api in compared if not api.answered)
    return f"## APIs of databricks-sdk without a route\n\nEach call of them answers 501 and names itself: {names}.\n"
