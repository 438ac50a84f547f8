"""What every route works with: the workspace's state, its Spark sessions, and who is calling."""

import secrets
import socket
import threading
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import Depends, Request

from .errors import ApiError, not_found
from .store import Document, Store

if TYPE_CHECKING:
    from pyspark.sql.connect.session import SparkSession

    from local.settings import LocalSettings

ADMIN = "admin@churn.local"
ADMINS = "admins"
# The account that the workspace belongs to: in the names of rule sets, and where clients look for it. One for all
# local clouds, so that it is known before a workspace runs.
ACCOUNT_ID = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True)
class Principal:
    """Who calls.

    Attributes:
        name: User name, or a service principal's application id.
        id: Its id in the directory.
        kind: `user` or `service_principal`.
        admin: Whether it is a member of the group `admins`.
    """

    name: str
    id: str
    kind: Literal["user", "service_principal"]
    admin: bool


class SparkSessions:
    """The workspace's own session on the Spark Connect server, opened when first asked for."""

    def __init__(self, remote: str) -> None:
        self._remote = remote
        self._lock = threading.Lock()
        self._session: SparkSession | None = None

    def session(self) -> "SparkSession":
        """A session that answers; a server that was restarted gets a new one.

        Raises:
            ApiError: The Spark Connect server does not answer.
        """
        from pyspark.errors import PySparkException
        from pyspark.sql.connect.session import SparkSession

        with self._lock:
            self._check_port()
            if self._session is not None:
                try:
                    # A question that the client has no answer to in store: a restarted server knows no old session.
                    self._session.conf.get("spark.sql.session.timeZone")
                except PySparkException:
                    self._session.client.close()
                    self._session = None
            if self._session is None:
                try:
                    session = SparkSession.builder.remote(self._remote).create()
                    session.conf.get("spark.sql.session.timeZone")  # the builder alone does not connect
                except PySparkException as error:
                    message = f"Spark Connect at {self._remote} does not answer; is it running? ({error})"
                    raise ApiError(503, "TEMPORARILY_UNAVAILABLE", message) from error
                self._session = session
            return self._session

    def _check_port(self) -> None:
        """Raises ApiError where nothing listens: Spark's client would try again for minutes."""
        host, _, port = self._remote.removeprefix("sc://").partition(":")
        try:
            socket.create_connection((host, int(port)), timeout=5).close()
        except OSError as error:
            message = f"Spark Connect at {self._remote} does not answer; is it running? ({error})"
            raise ApiError(503, "TEMPORARILY_UNAVAILABLE", message) from error

    def stop(self) -> None:
        with self._lock:
            if self._session is not None:
                self._session.client.close()
                self._session = None


@dataclass
class Workspace:
    """One workspace: settings, state, Spark, and by its class what an area keeps running."""

    settings: "LocalSettings"
    store: Store
    spark: SparkSessions = field(init=False)
    running: dict[type, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.spark = SparkSessions(self.settings.spark_remote)

    @property
    def workspace_id(self) -> int:
        """Number of this workspace, given at its first start."""
        return int(self._identity()["workspace_id"])

    @property
    def metastore_id(self) -> str:
        """Id of its Unity Catalog metastore, given at its first start."""
        return str(self._identity()["metastore_id"])

    def _identity(self) -> Document:
        with self.store.transaction():
            document = self.store.get("workspace", "identity")
            if document is None:
                document = {"workspace_id": self.store.next_id("workspace"), "metastore_id": str(uuid.uuid4())}
                self.store.put("workspace", "identity", document)
            return document

    def principal(self, name: str) -> Principal:
        """Finds a user by name or a service principal by application id.

        Raises:
            ApiError: There is none of that name, or it is not active.
        """
        for kind, documents, key in (
            ("user", "users", "userName"),
            ("service_principal", "service_principals", "applicationId"),
        ):
            for identifier, document in self.store.items(documents):
                if document[key] == name and document.get("active", True):
                    return Principal(name, identifier, kind, ADMINS in self.groups_of(identifier))  # type: ignore[arg-type]
        raise not_found(f"no active user or service principal {name!r}")

    def groups_of(self, identifier: str) -> set[str]:
        """Names of the groups that a user or service principal is in, through other groups too, and `users`."""
        groups = self.store.items("groups")
        found, names = {identifier}, {"users"}
        grown = True
        while grown:
            grown = False
            for key, group in groups:
                if key not in found and any(member["value"] in found for member in group.get("members", [])):
                    found.add(key)
                    names.add(group["displayName"])
                    grown = True
        return names

    def token_for(self, name: str) -> str:
        """The bearer token of a user (by name) or a service principal (by application id), made when first asked for.

        Raises:
            ApiError: There is no such principal.
        """
        self.principal(name)
        with self.store.transaction():
            for token, document in self.store.items("tokens"):
                if document["principal"] == name:
                    return token
            token = "dapi" + secrets.token_hex(16)
            self.store.put("tokens", token, {"principal": name})
            return token


def workspace(request: Request) -> Workspace:
    """The workspace, as a FastAPI dependency."""
    found: Workspace = request.app.state.workspace
    return found


def principal(request: Request) -> Principal:
    """The authenticated caller, as a FastAPI dependency.

    Raises:
        ApiError: The bearer token is missing or unknown.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    here = workspace(request)
    document = here.store.get("tokens", token) if scheme.lower() == "bearer" else None
    if document is None:
        message = f"no valid bearer token; the administrator's stands in {here.settings.admin_token}"
        raise ApiError(401, "UNAUTHENTICATED", message)
    try:
        return here.principal(document["principal"])
    except ApiError as error:
        raise ApiError(401, "UNAUTHENTICATED", error.message) from error


Here = Annotated[Workspace, Depends(workspace)]
Caller = Annotated[Principal, Depends(principal)]
