"""Repairs the state of a stack after an interrupted deployment, in the order in which the parts need each other."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from infra.adoption.deployment import Deployment, planned, wanted
from infra.adoption.search import Search

if TYPE_CHECKING:
    from collections.abc import Iterable

    from infra.adoption.cloud import Deployer
    from infra.adoption.engine import Engine


def adopt(engine: Engine, deployer: Deployer, mine: Iterable[str] = ()) -> list[str]:
    """Adopts what an interrupted deployment of a stack has made: after it, `pulumi up` goes on.

    Args:
        engine: The engine for the stack.
        deployer: By whom the stack's own objects are known.
        mine: Names of resources whose objects a person says are the stack's, where nothing else tells.

    Returns:
        What somebody else has, or may have, under a name that the stack needs, and what to do.

    Raises:
        AdoptionError: Somebody deploys the stack, or the engine refuses.
    """
    before = Deployment(engine.export())
    if holder := engine.unlock(before.stack):
        print(f"the lock of {holder} is taken away: the process has ended")
    if before.stack is None:
        print("nothing was deployed")
        return []
    begun = before.pending()
    creations = [r for r in begun if r["creating"] and wanted(r)]
    urns = {resource["urn"] for resource in creations}
    plan = [resource for resource in planned(engine.plan()) if resource["urn"] not in urns]
    state = engine.export()
    search = Search(Deployment(copy.deepcopy(state)), deployer, frozenset(mine))
    search.deployment.pending()  # taken out
    outcome = search.adopt([*creations, *plan])
    search.surplus(outcome)
    if search.deployment.export != state:
        engine.write(state, search.deployment.export)
    changed = {r["urn"] for r in begun if not r["creating"] and wanted(r) and search.deployment.has(r["urn"])}
    if read := sorted({*outcome.adopted} | changed):
        engine.refresh(read)
    for urn in outcome.adopted:
        print(f"adopted {urn.rpartition('$')[2]}")
    for surplus in outcome.deleted:
        print(f"{surplus} is one too many: the next deployment deletes it")
    if not outcome.adopted and not outcome.deleted and not outcome.taken:
        print("nothing to adopt")
    return outcome.taken
