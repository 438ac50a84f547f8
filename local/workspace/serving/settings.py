"""Configurations of endpoints: the served versions, and their shares of the traffic."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from local.workspace.core.clock import now_ms
from local.workspace.core.errors import ApiError, bad_request, not_built, not_found
from local.workspace.unity_catalog import model_store
from local.workspace.unity_catalog.access import check_privilege

if TYPE_CHECKING:
    from local.workspace.core.context import Principal, Workspace
    from local.workspace.core.store import Document


_NAME = re.compile(r"[A-Za-z0-9_-]{1,63}")


def check_name(name: str, field: str) -> None:
    """Checks the name of an endpoint or a served entity.

    Raises:
        ApiError: A 400 that names the field.
    """
    if not _NAME.fullmatch(name):
        raise bad_request(f"{field}: {name!r} may have letters (A-Z, a-z), digits, _ and - only, up to 63")


def shares(config: Document) -> list[tuple[str, int]]:
    """Returns the names of the served entities with their percentages of the traffic."""
    return [
        (route.get("served_entity_name") or route["served_model_name"], route["traffic_percentage"])
        for route in config["traffic_config"]["routes"]
    ]


def checked(workspace: Workspace, request: Document, creator: Principal, path: str) -> Document:
    """Checks a configuration and adds what the service generates.

    Args:
        workspace: The workspace, which must have the versions.
        request: The configuration, as the SDK's `EndpointCoreConfigInput`.
        creator: Who made the endpoint, and reads the models for it.
        path: Place of the configuration in the request, for messages.

    Returns:
        The configuration with names, defaults and shares of the traffic.

    Raises:
        ApiError: A 400, 403, 404 or 501 that names the field.
    """
    for name in ("auto_capture_config", "served_models"):
        if name in request:
            raise not_built(f"{path}{name}")
    if not request.get("served_entities"):
        raise bad_request(f"missing field {path}served_entities")
    entities = [
        _entity(workspace, entity, creator, f"{path}served_entities[{index}]")
        for index, entity in enumerate(request["served_entities"])
    ]
    names = [entity["name"] for entity in entities]
    if len(set(names)) < len(names):
        raise bad_request(f"{path}served_entities: a name appears twice in {names}")
    default_route = {"served_model_name": names[0], "served_entity_name": names[0], "traffic_percentage": 100}
    traffic = request.get("traffic_config") or {"routes": [default_route] if len(names) == 1 else []}
    _check_traffic(traffic.get("routes", []), names, f"{path}traffic_config.routes")
    return {"served_entities": entities, "traffic_config": traffic}


def _entity(workspace: Workspace, entity: Document, creator: Principal, path: str) -> Document:
    if "external_model" in entity:
        raise not_built(f"{path}.external_model")
    for name in ("entity_name", "entity_version"):
        if not entity.get(name):
            raise bad_request(f"missing field {path}.{name}")
    if entity["entity_name"].count(".") != 2:
        raise not_built(f"{path}.entity_name: a model outside of Unity Catalog")
    for name, value in entity.get("environment_vars", {}).items():
        if "{{" in value:
            raise not_built(f"{path}.environment_vars.{name}: a reference to a secret")
    default = f"{entity['entity_name'].rpartition('.')[2]}-{entity['entity_version']}"
    check_name(entity.get("name", default), f"{path}.name")
    _check_version(workspace, entity["entity_name"], entity["entity_version"])
    model = model_store.find(workspace, entity["entity_name"])
    check_privilege(workspace, creator, "function", model["full_name"], "EXECUTE")
    stamp = {"creator": creator.name, "creation_timestamp": now_ms()}
    return {"name": default, "workload_size": "Small", "workload_type": "CPU", **entity, **stamp}


def _check_traffic(routes: list[Document], names: list[str], path: str) -> None:
    for index, route in enumerate(routes):
        name = route.get("served_entity_name") or route.get("served_model_name")
        if name not in names:
            raise bad_request(f"{path}[{index}]: no served entity is called {name!r}; there are {', '.join(names)}")
    if (total := sum(route["traffic_percentage"] for route in routes)) != 100:
        raise bad_request(f"{path}: the shares of the traffic add up to {total} percent, not to 100")


def _check_version(workspace: Workspace, name: str, version: str) -> None:
    try:
        status = model_store.find_version(workspace, name, version)["status"]
    except ApiError as error:
        reason = f"Registered model '{name}' has no version {version} that could be served: {error.message}"
        raise not_found(reason) from error
    if status != model_store.READY:
        raise bad_request(f"version {version} of '{name}' cannot be served: its status is {status}")
