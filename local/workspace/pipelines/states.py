"""States of pipelines and of their updates."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from local.workspace.pipelines.documents import UpdateDocument

ACTIVE = frozenset({"CREATED", "INITIALIZING", "RUNNING", "STOPPING"})


def pipeline_state(latest: Sequence[UpdateDocument]) -> dict[str, str]:
    """Returns `state` and `health` of a pipeline, from its updates, newest first."""
    if not latest:
        return {"state": "IDLE"}
    newest = latest[0]["state"]
    state = "IDLE" if newest not in ACTIVE else "STOPPING" if newest == "STOPPING" else "RUNNING"
    return {"state": state, "health": "UNHEALTHY" if newest == "FAILED" else "HEALTHY"}
