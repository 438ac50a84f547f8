"""A PostgreSQL server for each project that there is, kept running, and the check of the passwords it is given."""

from __future__ import annotations

import hashlib
import logging
import os
import secrets
import signal
import sqlite3
import subprocess
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import psycopg

from local.errors import DatabaseError
from local.postgres.radius import RadiusServer
from local.postgres.server import Server
from local.workspace.core.clock import now_ms
from local.workspace.core.errors import ApiError, bad_request
from local.workspace.identity.kinds import GROUPS
from local.workspace.lakebase import sql
from local.workspace.lakebase.documents import (
    BRANCH,
    CREDENTIALS,
    ENDPOINT,
    ENDPOINTS,
    PROJECTS,
    ROLES,
    ProjectDocument,
)
from local.workspace.programs.runner import Program

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.workspace.core.context import Workspace

_LOG = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
STOP_SECONDS = 15
PORTS = 5  # projects that a local cloud can have
TRIES = 5  # of starts one after the other that never answered


class _Running:
    """The server of one project, with its process and how its starts went."""

    def __init__(self, server: Server, radius: RadiusServer) -> None:
        self.server, self.radius = server, radius
        self.program: Program | None = None
        self.ready = False
        self.failures = 0
        self.error = ""


class Lakebase:
    """Looks twice a second whether the servers that run are those of the projects.

    Args:
        workspace: The workspace.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._folder = workspace.settings.home / "postgres"
        self._secret = secrets.token_hex(16)
        self._running: dict[str, _Running] = {}
        self._ending, self._wake = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._watch, name="lakebase", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ends all servers; what they kept stays."""
        self._ending.set()
        self._wake.set()
        self._thread.join()
        for running in self._running.values():
            _end(running)

    def wake(self) -> None:
        """Looks at once."""
        self._wake.set()

    def ready(self, project: ProjectDocument) -> bool:
        """Whether a project's server answers and has its first roles."""
        running = self._running.get(project["uid"])
        return running is not None and running.ready

    def error(self, project: ProjectDocument) -> str:
        """Why a project's server does not start; empty where it does."""
        running = self._running.get(project["uid"])
        return running.error if running else ""

    def free_port(self) -> int:
        """A port for one more server.

        Raises:
            ApiError: All are taken.
        """
        taken = {document["port"] for _, document in self._workspace.store.items(PROJECTS)}
        first = self._workspace.settings.postgres_port
        for port in range(first, first + PORTS):
            if port not in taken:
                return port
        raise bad_request(f"there are {PORTS} projects, the most of this workspace: purge one", "QUOTA_EXCEEDED")

    @contextmanager
    def connection(
        self, project: ProjectDocument, database: str = "postgres"
    ) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
        """A connection of the cloud's administrator.

        Args:
            project: The project.
            database: Name of the database.

        Raises:
            ApiError: The server does not answer, or refuses what is done.
        """
        running = self._running.get(project["uid"])
        if running is None or not running.ready:
            raise ApiError(503, "TEMPORARILY_UNAVAILABLE", f"the compute of {project['name']} does not answer yet")
        try:
            with running.server.administrator(database) as connection:
                yield connection
        except psycopg.OperationalError as error:
            raise ApiError(503, "TEMPORARILY_UNAVAILABLE", f"PostgreSQL does not answer: {error}") from error
        except psycopg.Error as error:
            raise bad_request(f"PostgreSQL refuses it: {error}") from error

    def _watch(self) -> None:
        while not self._ending.is_set():
            try:
                self._look()
            except (psycopg.Error, OSError, sqlite3.Error):
                _LOG.exception("the servers of projects could not be looked at; they are looked at again")
            self._wake.wait(LOOK_SECONDS)
            self._wake.clear()

    def _look(self) -> None:
        projects = {document["uid"]: document for _, document in self._workspace.store.items(PROJECTS)}
        for uid in [uid for uid in self._running if uid not in projects]:
            running = self._running.pop(uid)
            _end(running)
            running.server.remove()
        for uid, project in projects.items():
            if self._wanted(project):
                self._see_to(uid, project)
            elif uid in self._running:
                _end(self._running.pop(uid))

    def _wanted(self, project: ProjectDocument) -> bool:
        endpoint = self._workspace.store.get(ENDPOINTS, f"{project['name']}/branches/{BRANCH}/endpoints/{ENDPOINT}")
        return "delete_time" not in project and endpoint is not None and not endpoint["status"].get("disabled")

    def _see_to(self, uid: str, project: ProjectDocument) -> None:
        """Starts, starts again, or makes ready the server of a project."""
        running = self._running.get(uid)
        if running is None:
            server = Server(self._folder / uid, project["port"], self._secret, uid)
            running = self._running[uid] = _Running(server, RadiusServer(project["port"], self._secret, self._right))
        if running.program is None or not running.program.running():
            self._start(uid, running)
        elif not running.ready and running.server.answers():
            with running.server.administrator() as connection:
                sql.create_built_in(connection, project["creator"])
            running.ready, running.failures, running.error = True, 0, ""

    def _start(self, uid: str, running: _Running) -> None:
        if running.program is not None:
            running.program.wait()
            running.failures = 0 if running.ready else running.failures + 1
            running.ready = False
            if running.failures >= TRIES:
                running.error = f"PostgreSQL does not start: see {running.program.log}"
                self._ending.wait(LOOK_SECONDS * 10)
        try:
            running.server.prepare()
        except (DatabaseError, OSError) as error:
            running.error = str(error)
            return
        inherited = {name: os.environ[name] for name in ("PATH", "SUPERVISOR_SERVER_URL") if name in os.environ}
        running.program = Program(
            self._workspace, f"postgres {uid}", running.server.command(), env=inherited, folder=running.server.folder
        )

    def _right(self, user: str, password: str, uid: str) -> bool:
        """Whether a password is a credential of this project, of a principal that the role stands for."""
        credential = self._workspace.store.get(CREDENTIALS, hashlib.sha256(password.encode()).hexdigest())
        project = next((each for _, each in self._workspace.store.items(PROJECTS) if each["uid"] == uid), None)
        if credential is None or project is None or credential["project"] != uid or credential["expires"] <= now_ms():
            return False
        try:
            principal = self._workspace.principal(credential["principal"])
        except ApiError:
            return False
        if user == principal.name and user == project["creator"]:
            return True
        for _, role in self._workspace.store.items(ROLES, f"{project['name']}/"):
            status = role["status"]
            if status["postgres_role"] == user and status["auth_method"] == "LAKEBASE_OAUTH_V1":
                if status["identity_type"] == "GROUP":
                    return user in self._workspace.groups_of(principal.id)
                return user == principal.name
        return False


def check_identity(workspace: Workspace, kind: str, name: str) -> None:
    """Refuses a role of a Databricks identity that there is not.

    Args:
        workspace: The workspace.
        kind: `USER`, `SERVICE_PRINCIPAL` or `GROUP`.
        name: User name, application id, or name of the group.
    """
    if kind == "GROUP":
        known = GROUPS.seen(workspace, name) is not None
    else:
        try:
            known = workspace.principal(name).kind == kind.lower()
        except ApiError:
            known = False
    if not known:
        raise bad_request(f"postgres_role is {name!r}; there is no {kind.lower().replace('_', ' ')} of that name")


def _end(running: _Running) -> None:
    """Ends a server: connections are closed, and what was committed is on disk."""
    running.radius.stop()
    program, running.ready = running.program, False
    if program is not None:
        if program.running():
            with suppress(ProcessLookupError, subprocess.TimeoutExpired):
                os.kill(program.pid, signal.SIGINT)
                program.wait(STOP_SECONDS)
                return
        program.stop()
