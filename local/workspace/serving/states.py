"""States of endpoints and of the servers of their entities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.workspace.core.store import Document
    from local.workspace.serving.documents import EndpointDocument

Deployment = Literal["CREATING", "READY", "FAILED", "ABORTED"]


def deployment_state(deployment: Deployment, message: str) -> Document:
    """Returns the state of an entity's server."""
    return {"deployment": f"DEPLOYMENT_{deployment}", "deployment_state_message": message}


def with_states(endpoint: EndpointDocument, entities: Mapping[str, Document], ready: bool) -> Document:
    """Returns an endpoint with its present states.

    Args:
        endpoint: The endpoint as stored.
        entities: States of the entities of the pending, else of the active configuration, by name.
        ready: Whether the endpoint answers requests.
    """
    shown: Document = {**endpoint}
    for part in ("config", "pending_config"):
        if part in shown:
            served = [
                {**entity, "state": entities.get(entity["name"], deployment_state("CREATING", ""))}
                for entity in shown[part]["served_entities"]
            ]
            shown[part] = {**shown[part], "served_entities": served}
    return {**shown, "state": {**endpoint["state"], "ready": "READY" if ready else "NOT_READY"}}
