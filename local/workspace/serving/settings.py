"""Configurations of endpoints: which versions are served, and how the traffic is shared among them."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import httpx

from local.workspace.core.errors import ApiError, bad_request, not_found

if TYPE_CHECKING:
    from local.workspace.core.context import Workspace
    from local.workspace.core.store import Document


_NAME = re.compile(r"[A-Za-z0-9_-]{1,63}")


def check_name(name: str, field: str) -> None:
    """Refuses what cannot name an endpoint or a served entity.

    Raises:
        ApiError: A 400 that names the field.
    """
    if not _NAME.fullmatch(name):
        raise bad_request(f"{field}: {name!r} may have letters (A-Z, a-z), digits, _ and - only, up to 63")


def shares(config: Document) -> list[tuple[str, int]]:
    """Names of the served entities with their percentages of the traffic."""
    return [
        (route.get("served_entity_name") or route["served_model_name"], route["traffic_percentage"])
        for route in config["traffic_config"]["routes"]
    ]


def checked(here: Workspace, sent: Document, creator: str, path: str) -> Document:
    """Checks a configuration and adds what the service generates.

    Args:
        here: The workspace, whose MLflow must have the versions.
        sent: `EndpointCoreConfigInput`.
        creator: Who asks.
        path: Where it stands in the request, for messages.

    Raises:
        ApiError: A 400, 404 or 501 that names the field.
    """
    for name in ("auto_capture_config", "served_models"):
        if name in sent:
            raise ApiError(501, "NOT_IMPLEMENTED", f"{path}{name} is not part of the local workspace")
    if not sent.get("served_entities"):
        raise bad_request(f"missing field {path}served_entities")
    entities = [
        _entity(here, entity, creator, f"{path}served_entities[{index}]")
        for index, entity in enumerate(sent["served_entities"])
    ]
    names = [entity["name"] for entity in entities]
    if len(set(names)) < len(names):
        raise bad_request(f"{path}served_entities: a name is there twice in {names}")
    default_route = {"served_model_name": names[0], "served_entity_name": names[0], "traffic_percentage": 100}
    traffic = sent.get("traffic_config") or {"routes": [default_route] if len(names) == 1 else []}
    _check_traffic(traffic.get("routes", []), names, f"{path}traffic_config.routes")
    return {"served_entities": entities, "traffic_config": traffic}


def _entity(here: Workspace, entity: Document, creator: str, path: str) -> Document:
    if "external_model" in entity:
        raise ApiError(501, "NOT_IMPLEMENTED", f"{path}.external_model is not part of the local workspace")
    for name in ("entity_name", "entity_version"):
        if not entity.get(name):
            raise bad_request(f"missing field {path}.{name}")
    for name, value in entity.get("environment_vars", {}).items():
        if "{{" in value:
            message = f"{path}.environment_vars.{name}: references to secrets are not part of the local workspace"
            raise ApiError(501, "NOT_IMPLEMENTED", message)
    default = f"{entity['entity_name'].rpartition('.')[2]}-{entity['entity_version']}"
    check_name(entity.get("name", default), f"{path}.name")
    _check_version(here, entity["entity_name"], entity["entity_version"])
    stamp = {"creator": creator, "creation_timestamp": int(time.time() * 1000)}
    return {"name": default, "workload_size": "Small", "workload_type": "CPU", **entity, **stamp}


def _check_traffic(routes: list[Document], names: list[str], path: str) -> None:
    for index, route in enumerate(routes):
        name = route.get("served_entity_name") or route.get("served_model_name")
        if name not in names:
            raise bad_request(f"{path}[{index}]: no served entity is called {name!r}; there are {', '.join(names)}")
    if (total := sum(route["traffic_percentage"] for route in routes)) != 100:
        raise bad_request(f"{path}: the shares of the traffic add up to {total} percent, not to 100")


def _check_version(here: Workspace, name: str, version: str) -> None:
    try:
        answer = httpx.get(
            f"{here.settings.mlflow_url}/api/2.0/mlflow/model-versions/get",
            params={"name": name, "version": version},
            timeout=30,
        )
    except httpx.TransportError as error:
        raise ApiError(
            500, "INTERNAL_ERROR", f"MLflow at {here.settings.mlflow_url} does not answer: {error}"
        ) from error
    if answer.status_code != httpx.codes.OK:
        reason = answer.json().get("message", answer.text)
        raise not_found(f"Registered model '{name}' has no version {version} that could be served: {reason}")
