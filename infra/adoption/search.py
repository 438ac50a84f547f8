"""The search for objects that the state lacks, and what becomes of each."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from infra.adoption.cloud import Cloud, Deployer, Found
from infra.adoption.deployment import Deployment, Resource, plain
from infra.adoption.engine import AdoptionError
from infra.adoption.table import TABLE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from infra.adoption.cloud import Row

READY_MINUTES = 30  # in which the making of an object has to end: a cluster of MSK takes most of them
POLL_SECONDS = 2.0


@dataclass
class Outcome:
    """What a search has found.

    Attributes:
        adopted: URNs of resources whose objects are in the state now.
        deleted: Objects that the next deployment deletes, as people read them.
        taken: Objects of others whose names the stack needs, as people read them.
    """

    adopted: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)


@dataclass
class Search:
    """A search in the clouds of one stack.

    Attributes:
        deployment: The stack's state, which gets what is found.
        deployer: By whom the stack's own objects are known.
        mine: Names of resources whose objects a person says are the stack's, where nothing else tells.
    """

    deployment: Deployment
    deployer: Deployer
    mine: frozenset[str] = frozenset()
    _clouds: dict[str, Cloud] = field(default_factory=dict)

    def adopt(self, resources: Iterable[Resource]) -> Outcome:
        """Puts the objects of resources that were never known to be made into the state.

        Args:
            resources: Resources whose creation began, or is planned.

        Raises:
            AdoptionError: One is of a type without a row.
        """
        outcome = Outcome()
        for resource in resources:
            row = TABLE.get(resource["type"])
            if row is None:
                raise AdoptionError(
                    f"{resource['type']}, of {_name(resource)}: nothing tells how one that exists is found; "
                    "remedy: add a row for it to a module of infra/adoption"
                )
            found = self._found(resource, row) if row.find else []
            own = self._own(resource, found)
            unsure = [each for each in found if each.unsure and each not in own]
            if unsure and not own:
                outcome.taken.append(_unsure(resource, unsure))
            elif own and row.kept and self.deployment.has(resource.get("parent") or resource["urn"]):
                adopted = own.pop(0)
                self.deployment.adopt(resource, adopted.id, adopted.outputs)
                outcome.adopted.append(resource["urn"])
            elif found and not own and row.unique:
                outcome.taken.append(_taken(resource, found[0]))
            self._delete(resource, own, outcome)
        return outcome

    def surplus(self, outcome: Outcome) -> None:
        """Finds second objects of what the state has, where names are not unique; the engine will delete them.

        An answer that is lost on its way makes a client ask again, and the service makes a second object.

        Args:
            outcome: What the search has found; it gets these objects.
        """
        for resource in list(self.deployment.resources):
            row = TABLE.get(resource["type"])
            if row and row.find and not row.unique and row.kept and not resource.get("delete"):
                self._delete(resource, [each for each in self._found(resource, row) if each.own], outcome)

    def _own(self, resource: Resource, found: Iterable[Found]) -> list[Found]:
        """The stack's own objects.

        One of which nothing tells whose it is counts where the engine was killed during the creation of just this
        resource and there is no other, or where a person has said so.
        """
        found = list(found)
        begun = bool(resource.get("creating")) and len(found) == 1
        vouched = begun or _name(resource) in self.mine
        return [each for each in found if each.own or (each.unsure and vouched)]

    def _delete(self, resource: Resource, objects: Iterable[Found], outcome: Outcome) -> None:
        for each in objects:
            self.deployment.delete(resource, each.id)
            outcome.deleted.append(f"{resource['type']} {each.id}")

    def _found(self, resource: Resource, row: Row) -> list[Found]:
        """Objects of a resource that the state does not have, as soon as their making has ended."""
        provider = self.deployment.provider(resource)
        if provider is None or row.find is None:
            return []
        cloud = self._clouds.setdefault(provider["urn"], Cloud(plain(provider["inputs"]), self.deployer))
        known, deadline = self.deployment.known(resource["type"]), time.monotonic() + 60 * READY_MINUTES
        while True:
            found = [each for each in row.find(cloud, plain(resource["inputs"])) if each.id not in known]
            if all(each.ready for each in found) or time.monotonic() > deadline:
                return found
            time.sleep(POLL_SECONDS)


def _name(resource: Resource) -> str:
    return str(resource["urn"]).rpartition("::")[2]


def _unsure(resource: Resource, found: list[Found]) -> str:
    name, stack = _name(resource), resource["urn"].split(":")[2]
    ids = ", ".join(each.id for each in found)
    return (
        f"{resource['type'].rpartition(':')[2]} {ids}, for {name}: received an object that may be this stack's or "
        "somebody else's, as it has neither owner nor tags; allowed: a free name, or a word of yours; "
        "remedy: rename or remove it if it is somebody else's; if this stack has made it: "
        f"platform adopt {stack} --mine {name}"
    )


def _taken(resource: Resource, found: Found) -> str:
    inputs: dict[str, Any] = plain(resource["inputs"])
    names = [inputs[key] for key in inputs if key.lower().endswith(("name", "path", "bucket", "url", "key"))]
    what = f"{resource['type'].rpartition(':')[2]} {found.id or (names or [''])[0]}"
    return (
        f"{what}, for {resource['urn'].rpartition('::')[2]}: received an object of {found.holder or 'administrators'}; "
        "allowed: a free name, or an object that this stack has made; "
        "remedy: remove or rename it, or import it yourself if it shall be the stack's: "
        f"pulumi import {resource['type']} {resource['urn'].rpartition('::')[2]} {found.id}"
    )
