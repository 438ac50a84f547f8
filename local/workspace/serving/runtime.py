"""Endpoints: their scoring servers, and the switch from one configuration to the next."""

from __future__ import annotations

import random
import threading
import time
from typing import TYPE_CHECKING

from local.workspace.core.clock import now_ms
from local.workspace.core.errors import ApiError, not_found
from local.workspace.serving.documents import ENDPOINTS
from local.workspace.serving.servers import POLL_SECONDS, ScoringServer
from local.workspace.serving.settings import shares

if TYPE_CHECKING:
    from local.workspace.core.context import Workspace
    from local.workspace.core.store import Document
    from local.workspace.serving.documents import EndpointDocument


class Endpoints:
    """The endpoints of one workspace. The store has them by id; their servers are kept by name."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._lock = threading.Lock()
        self._serving: dict[str, dict[str, ScoringServer]] = {}
        self._pending: dict[str, dict[str, ScoringServer]] = {}
        self._routes: dict[str, list[tuple[str, int]]] = {}

    def open(self) -> None:
        """Starts all endpoints again, with the configurations that they had."""
        for _, endpoint in self._workspace.store.items(ENDPOINTS):
            if "config" in endpoint:
                self._serving[endpoint["name"]] = self._servers(endpoint, endpoint["config"], {})
                self._routes[endpoint["name"]] = shares(endpoint["config"])
            if "pending_config" in endpoint and endpoint["state"]["config_update"] == "IN_PROGRESS":
                self._deploy(endpoint)

    def close(self) -> None:
        """Stops all servers, and waits until they have ended."""
        with self._lock:
            servers = [
                server for group in (*self._serving.values(), *self._pending.values()) for server in group.values()
            ]
        stoppers = [threading.Thread(target=server.stop) for server in servers]
        for thread in stoppers:
            thread.start()
        for thread in stoppers:
            thread.join()

    def find(self, name: str) -> EndpointDocument:
        """Returns an endpoint as stored.

        Raises:
            ApiError: No endpoint has that name.
        """
        for _, endpoint in self._workspace.store.items(ENDPOINTS):
            if endpoint["name"] == name:
                return endpoint
        raise not_found(f"The endpoint with name '{name}' does not exist.")

    def save(self, endpoint: EndpointDocument) -> None:
        """Writes an endpoint with the time of its change."""
        endpoint["last_updated_timestamp"] = now_ms()
        self._workspace.store.put(ENDPOINTS, endpoint["id"], endpoint)

    def _end_update(self, endpoint: EndpointDocument, new: Document, without: str = "") -> None:
        """Writes the end of an update, however long that takes: until then the endpoint accepts no other update."""
        self._workspace.store.retry_until_closed(lambda: self._change(endpoint["id"], new, without))

    def _change(self, identifier: str, new: Document, without: str) -> None:
        """Changes an endpoint in the store, where other fields may have changed since it was read."""
        with self._workspace.store.transaction():
            endpoint = self._workspace.store.get(ENDPOINTS, identifier)
            if endpoint is not None:
                kept = {key: value for key, value in endpoint.items() if key != without}
                self.save(ENDPOINTS.document(kept | new))

    def update(self, endpoint: EndpointDocument, config: Document) -> None:
        """Starts the servers of a new configuration; the endpoint switches to it when all are ready."""
        version = endpoint.get("config", {}).get("config_version", 0) + 1
        endpoint["pending_config"] = {**config, "config_version": version, "start_time": now_ms()}
        endpoint["state"] = {"config_update": "IN_PROGRESS"}
        self.save(endpoint)
        self._deploy(endpoint)

    def delete(self, name: str) -> None:
        """Deletes an endpoint, and stops its servers."""
        endpoint = self.find(name)
        self._workspace.store.delete(ENDPOINTS, endpoint["id"])
        with self._lock:
            servers = {**self._pending.pop(name, {})}
            kept = self._serving.pop(name, {})
            self._routes.pop(name, None)
        for server in {*servers.values(), *kept.values()}:
            server.stop()

    def ready(self, name: str) -> bool:
        """Whether an endpoint answers requests."""
        servers = self._serving.get(name)
        return bool(servers) and all(server.ready.is_set() for server in (servers or {}).values())

    def states(self, name: str) -> dict[str, Document]:
        """Returns the states of the entities of the pending, else of the active configuration, by name."""
        servers = self._pending.get(name) or self._serving.get(name) or {}
        return {key: server.state for key, server in servers.items()}

    def pick(self, name: str) -> ScoringServer:
        """Returns the server for the next request, drawn by the shares of the traffic.

        Raises:
            ApiError: There is no such endpoint, or it is not ready.
        """
        servers, routes = self._serving.get(name), self._routes.get(name)
        if servers is None or routes is None:
            self.find(name)
            raise ApiError(
                503, "TEMPORARILY_UNAVAILABLE", f"Endpoint '{name}' is not ready: no version is deployed yet."
            )
        served = random.choices([entity for entity, _ in routes], [share for _, share in routes])[0]  # noqa: S311 (shares of traffic, no secret)
        server = servers[served]
        if not server.ready.is_set():
            raise ApiError(503, "TEMPORARILY_UNAVAILABLE", f"Endpoint '{name}' is not ready: {server.message}")
        return server

    def _servers(
        self, endpoint: EndpointDocument, config: Document, running: dict[str, ScoringServer]
    ) -> dict[str, ScoringServer]:
        """A server for each entity: a running one that serves the same version and settings, else a new one."""
        same = {_identity(server.entity): server for server in running.values() if not server.failed.is_set()}
        return {
            entity["name"]: same.get(_identity(entity)) or ScoringServer(self._workspace, endpoint["name"], entity)
            for entity in config["served_entities"]
        }

    def _deploy(self, endpoint: EndpointDocument) -> None:
        name = endpoint["name"]
        with self._lock:
            replaced = self._pending.pop(name, {})
            running = self._serving.get(name, {})
            self._pending[name] = self._servers(endpoint, endpoint["pending_config"], running)
        self._stop(replaced, running)
        threading.Thread(target=self._switch, args=[endpoint, self._pending[name]], daemon=True).start()

    def _switch(self, endpoint: EndpointDocument, servers: dict[str, ScoringServer]) -> None:
        """Waits for the servers of the pending configuration, switches the traffic to them, and stops the old ones."""
        name = endpoint["name"]
        while not all(server.ready.is_set() for server in servers.values()):
            with self._lock:
                if self._pending.get(name) is not servers:
                    return
            if any(server.failed.is_set() for server in servers.values()):
                self._stop(servers, self._serving.get(name, {}))
                self._end_update(endpoint, {"state": {"config_update": "UPDATE_FAILED"}})
                return
            time.sleep(POLL_SECONDS)
        with self._lock:
            if self._pending.get(name) is not servers:  # deleted meanwhile
                return
            del self._pending[name]
            old = self._serving.get(name, {})
            config = {key: value for key, value in endpoint["pending_config"].items() if key != "start_time"}
            self._serving[name], self._routes[name] = servers, shares(config)
        self._end_update(endpoint, {"config": config, "state": {"config_update": "NOT_UPDATING"}}, "pending_config")
        self._stop(old, servers)

    @staticmethod
    def _stop(servers: dict[str, ScoringServer], kept: dict[str, ScoringServer]) -> None:
        """Stops the servers that are not among those to keep."""
        for server in servers.values():
            if server not in kept.values():
                server.stop()


def _identity(entity: Document) -> tuple[str, str, str]:
    return entity["entity_name"], entity["entity_version"], repr(sorted(entity.get("environment_vars", {}).items()))
