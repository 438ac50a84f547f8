"""What a resource's new inputs change, and what of AWS becomes its inputs when it is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from local.aws.provider.values import Properties, known, same, trimmed

if TYPE_CHECKING:
    from local.aws.provider.resource import Resource


@dataclass(frozen=True)
class Change:
    """One input that differs.

    Attributes:
        name: The input.
        kind: `ADD`, `DELETE` or `UPDATE`, followed by `_REPLACE` where it means a replacement.
    """

    name: str
    kind: str

    @property
    def replaces(self) -> bool:
        """Whether it means a replacement."""
        return self.kind.endswith("_REPLACE")


def changes(resource: Resource, old: Properties, new: Properties) -> list[Change]:
    """The inputs that differ, with the defaults filled in on both sides; what is unknown differs."""
    found = []
    for name in sorted(old.keys() | new.keys()):
        if resource.differs(name, old, new) or not known(new.get(name)):
            kind = "ADD" if name not in old else "DELETE" if name not in new else "UPDATE"
            found.append(Change(name, kind + ("_REPLACE" if resource.replaces(name, old, new) else "")))
    return found


def replaces_first(resource: Resource, found: list[Change]) -> bool:
    """Whether a replacement must wait until the old resource, which has its name, is gone."""
    replaced = {change.name for change in found if change.replaces}
    return bool(replaced) and (resource.replace_first or bool(resource.name and resource.name not in replaced))


def imported_inputs(resource: Resource, state: Properties) -> Properties:
    """The inputs of a resource that no program knew: everything that is set and is no default."""
    settable = resource.inputs - {"tags", "region"}
    return {name: state[name] for name in settable & state.keys() if not same(state[name], resource.defaults.get(name))}


def inputs_as_read(resource: Resource, given: Properties, state: Properties) -> Properties:
    """The inputs that a program has set, brought up to date.

    Args:
        resource: The type.
        given: Its inputs so far.
        state: What was read.
    """
    fresh = {}
    for name, value in given.items():
        if name in ("region", "tags") or name in resource.local.split():
            fresh[name] = value
        elif name in state:
            fresh[name] = trimmed(state[name], value)
        elif same(value, None):
            fresh[name] = value
    return fresh
