"""The table of roles in docs/security.md says what is deployed in dev and in prod, privilege by privilege."""

from __future__ import annotations

import os
from collections import defaultdict
from typing import TYPE_CHECKING

from infra.access.permissions import ObjectKind
from infra.written.paths import REPOSITORY
from tests.golden import REWRITE
from tests.infra.program import RUNNER, SERVER, kind_of

if TYPE_CHECKING:
    from tests.infra.program import Program

PAGE = REPOSITORY / "docs" / "security.md"
HEAD = "| who | may | on | where |\n|---|---|---|---|\n"
STACKS = ("dev", "prod")
PASSAGE = {"USE_CATALOG", "USE_SCHEMA"}  # follow from the rest
OWNER = "churn-platform"
WORDS = {kind: f"each {kind.name.lower().replace('_', ' ')}" for kind in ObjectKind}


def grants(program: Program) -> set[tuple[str, str, str]]:
    """Principal, privilege and place of each grant in Unity Catalog, passage left out."""
    catalog, prefix = program.outputs["catalog"], f"churn-{program.stack}-"
    found = set()
    for made in program.of("Grants").values():
        (kind, name), *_ = ((k, v) for k, v in made.inputs.items() if k != "grants")
        place = "the catalog" if kind == "catalog" else name.removeprefix(f"{catalog}.").removeprefix(prefix)
        place = place if kind in ("catalog", "schema", "table", "volume", "model") else f"{place} (cloud)"
        for held in made.inputs["grants"]:
            found |= {(held["principal"], what, place) for what in set(held["privileges"]) - PASSAGE}
    return found


def permissions(program: Program) -> set[tuple[str, str, str]]:
    """Principal, level and kind of object of each permission in the workspace, secret scopes among them."""
    found = set()
    for made in program.of("Permissions").values():
        kind = kind_of(made)
        for control in made.inputs["accessControls"]:
            who = control.get("groupName", control.get("servicePrincipalName"))
            found.add((who, control["permissionLevel"], WORDS[kind]))
    for name, acl in program.of("SecretAcl").items():
        found.add((acl.inputs["principal"], acl.inputs["permission"], f"scope of {name.partition('-')[0]}"))
    return found


def table(programs: dict[str, Program]) -> str:
    """The table in Markdown: rows of dev and prod together, one for each principal and set of rights."""
    where: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for stack in STACKS:
        for right in grants(programs[stack]) | permissions(programs[stack]):
            where[right].append(stack)
    names = {RUNNER: "runner", SERVER: "server"}
    by_place: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for (who, what, place), stacks in where.items():
        short = names.get(who, who.removeprefix("churn-"))
        if not (who == OWNER and what == "MANAGE" and not place.startswith("scope")):
            by_place[short, place, ", ".join(sorted(stacks))].append(what)
    rows: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for (who, place, stacks), privileges in by_place.items():
        rows[who, ", ".join(f"`{what}`" for what in sorted(privileges)), stacks].append(place)
    lines = [
        f"| {who} | {what} | {', '.join(sorted(places))} | {'both' if ',' in stacks else stacks} |"
        for (who, what, stacks), places in sorted(rows.items())
    ]
    return HEAD + "\n".join(lines) + "\n"


def test_the_table_of_roles_says_what_is_deployed(programs: dict[str, Program]) -> None:
    text, expected = PAGE.read_text(encoding="utf-8"), table(programs)
    begin = text.index(HEAD)
    end = text.index("\n\n", begin) + 1
    if os.environ.get(REWRITE):
        PAGE.write_text(text[:begin] + expected + text[end:], encoding="utf-8")
        return
    assert text[begin:end] == expected, f"run the test with {REWRITE}=yes, read the change, and commit it"


def test_nobody_else_manages(programs: dict[str, Program]) -> None:
    for stack in STACKS:
        managing = {who for who, what, _ in grants(programs[stack]) if what == "MANAGE"}
        assert managing == {OWNER}
