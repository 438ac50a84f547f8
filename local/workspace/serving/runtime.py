"""Endpoints: which scoring servers run, and the switch from one configuration to the next."""

from __future__ import annotations

import random
import threading
import time
from typing import TYPE_CHECKING

from local.workspace.core.errors import ApiError, not_found

from .servers import POLL_SECONDS, ScoringServer
from .settings import shares

if TYPE_CHECKING:
    from local.workspace.core.context import Workspace
    from local.workspace.core.store import Document


class Endpoints:
    """The endpoints of one workspace. What lives in the store is by id, what runs by name."""

    def __init__(self, here: Workspace) -> None:
        self._here = here
        self._lock = threading.Lock()
        self._serving: dict[str, dict[str, ScoringServer]] = {}
        self._pending: dict[str, dict[str, ScoringServer]] = {}
        self._routes: dict[str, list[tuple[str, int]]] = {}

    def open(self) -> None:
        """Brings all endpoints back, with the configuration that they had."""
        for _, endpoint in self._here.store.items("serving_endpoints"):
            if "config" in endpoint:
                self._serving[endpoint["name"]] = self._servers(endpoint, endpoint["config"], {})
                self._routes[endpoint["name"]] = shares(endpoint["config"])
            if "pending_config" in endpoint and endpoint["state"]["config_update"] == "IN_PROGRESS":
                self._deploy(endpoint)

    def close(self) -> None:
        with self._lock:
            servers = [
                server for group in (*self._serving.values(), *self._pending.values()) for server in group.values()
            ]
        stoppers = [threading.Thread(target=server.stop) for server in servers]
        for thread in stoppers:
            thread.start()
        for thread in stoppers:
            thread.join()

    def find(self, name: str) -> Document:
        """An endpoint as stored.

        Raises:
            ApiError: There is none of that name.
        """
        for _, endpoint in self._here.store.items("serving_endpoints"):
            if endpoint["name"] == name:
                return endpoint
        raise not_found(f"The endpoint with name '{name}' does not exist.")

    def save(self, endpoint: Document) -> None:
        endpoint["last_updated_timestamp"] = int(time.time() * 1000)
        self._here.store.put("serving_endpoints", endpoint["id"], endpoint)

    def _end_update(self, endpoint: Document, new: Document, without: str = "") -> None:
        """Writes how an update ended, as long as that takes: until then the endpoint takes no other."""
        self._here.store.insist(lambda: self._change(endpoint["id"], new, without))

    def _change(self, identifier: str, new: Document, without: str = "") -> None:
        """Changes an endpoint in the store, where other fields may have changed since it was read."""
        with self._here.store.transaction():
            endpoint = self._here.store.get("serving_endpoints", identifier)
            if endpoint is not None:
                endpoint.pop(without, None)
                self.save(endpoint | new)

    def update(self, endpoint: Document, config: Document) -> None:
        """Starts the servers of a new configuration; the endpoint switches to it when all are ready."""
        version = endpoint.get("config", {}).get("config_version", 0) + 1
        endpoint["pending_config"] = {**config, "config_version": version, "start_time": int(time.time() * 1000)}
        endpoint["state"] = {"config_update": "IN_PROGRESS"}
        self.save(endpoint)
        self._deploy(endpoint)

    def delete(self, name: str) -> None:
        endpoint = self.find(name)
        self._here.store.delete("serving_endpoints", endpoint["id"])
        with self._lock:
            servers = {**self._pending.pop(name, {})}
            kept = self._serving.pop(name, {})
            self._routes.pop(name, None)
        for server in {*servers.values(), *kept.values()}:
            server.stop()

    def ready(self, name: str) -> bool:
        servers = self._serving.get(name)
        return bool(servers) and all(server.ready.is_set() for server in (servers or {}).values())

    def states(self, name: str) -> dict[str, Document]:
        """By served entity of the pending, else of the active configuration: how far it is, and why."""
        servers = self._pending.get(name) or self._serving.get(name) or {}
        return {key: server.state for key, server in servers.items()}

    def pick(self, name: str) -> ScoringServer:
        """The server that answers the next request, by the shares of the traffic.

        Raises:
            ApiError: There is no such endpoint, or it is not ready.
        """
        servers, routes = self._serving.get(name), self._routes.get(name)
        if servers is None or routes is None:
            self.find(name)
            raise ApiError(
                503, "TEMPORARILY_UNAVAILABLE", f"Endpoint '{name}' is not ready: no version is deployed yet."
            )
        served = random.choices([entity for entity, _ in routes], [share for _, share in routes])[0]  # noqa: S311
        server = servers[served]
        if not server.ready.is_set():
            raise ApiError(503, "TEMPORARILY_UNAVAILABLE", f"Endpoint '{name}' is not ready: {server.message}")
        return server

    def _servers(
        self, endpoint: Document, config: Document, running: dict[str, ScoringServer]
    ) -> dict[str, ScoringServer]:
        """A server for each entity: one that runs already, if it serves just that, else a new one."""
        same = {_identity(server.entity): server for server in running.values() if not server.failed.is_set()}
        return {
            entity["name"]: same.get(_identity(entity)) or ScoringServer(self._here, endpoint["name"], entity)
            for entity in config["served_entities"]
        }

    def _deploy(self, endpoint: Document) -> None:
        name = endpoint["name"]
        with self._lock:
            left = self._pending.pop(name, {})
            running = self._serving.get(name, {})
            self._pending[name] = self._servers(endpoint, endpoint["pending_config"], running)
        self._stop(left, running)
        threading.Thread(target=self._switch, args=[endpoint, self._pending[name]], daemon=True).start()

    def _switch(self, endpoint: Document, servers: dict[str, ScoringServer]) -> None:
        """Waits for the servers of the pending configuration, then gives them the traffic and stops the old ones."""
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
        """Stops servers, without those that serve a configuration that goes on."""
        for server in servers.values():
            if server not in kept.values():
                server.stop()


def _identity(entity: Document) -> tuple[str, str, str]:
    return entity["entity_name"], entity["entity_version"], repr(sorted(entity.get("environment_vars", {}).items()))
