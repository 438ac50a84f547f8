"""Connection to the online store: host, user and password by the name of its endpoint, through Databricks' API."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import psycopg
from databricks.sdk.errors import NotFound
from databricks.sdk.errors.base import DatabricksError

from churn.core.clock import moment
from churn.core.errors import FinalError, RetryableError

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

PORT = 5432  # unless the host says another
RENEW_BEFORE = timedelta(minutes=5)  # a password that lasts no longer is not used for one more connection
CONNECT_SECONDS = 10
STATEMENT_SECONDS = 120


class NoOnlineStoreError(FinalError):
    """There is no endpoint of this name, or it has no host."""


class OnlineStoreAwayError(RetryableError):
    """The online store, or the API that gives its passwords, does not answer now."""


class OnlineStoreFailedError(RetryableError):
    """The online store answers, and refuses a statement or ends it; the text has its reason."""


# Of SQLSTATE: connection exceptions, and a server that shuts down. Without any, the connection itself is gone.
AWAY = ("08", "57P")


def is_away(error: psycopg.Error) -> bool:
    """Whether an error says that the connection or the server is gone, and nothing of the statement."""
    return error.sqlstate is None or error.sqlstate.startswith(AWAY)


@dataclass
class OnlineStore:
    """The database of one Lakebase endpoint.

    Attributes:
        client: Client of the workspace, as whose principal PostgreSQL knows the task.
        endpoint: Name of the endpoint, `projects/<id>/branches/<id>/endpoints/<id>`.
        database: Name of the database.
        sslmode: As libpq names it.
    """

    client: WorkspaceClient
    endpoint: str
    database: str
    sslmode: str
    _password: str = ""
    _expires: datetime | None = field(default=None)

    def connect(self) -> psycopg.Connection[Any]:
        """Opens a connection; an open one outlives its password.

        Raises:
            NoOnlineStoreError: There is no such endpoint.
            OnlineStoreAwayError: The store or the API does not answer, or refuses the password.
        """
        try:
            host, port = self._address()
            connection = psycopg.connect(
                host=host,
                port=port,
                user=self.client.current_user.me().user_name,
                password=self._current_password(),
                dbname=self.database,
                sslmode=self.sslmode,
                connect_timeout=CONNECT_SECONDS,
                application_name="churn",
                keepalives_idle=30,
                autocommit=True,
            )
            connection.execute(f"SET statement_timeout = {STATEMENT_SECONDS * 1000}")
        except NotFound as error:
            raise NoOnlineStoreError(
                f"there is no endpoint {self.endpoint}: deploy it, or correct --endpoint"
            ) from error
        except (DatabricksError, OSError) as error:
            raise OnlineStoreAwayError(f"the API that gives passwords of {self.endpoint}: {error}") from error
        except psycopg.OperationalError as error:
            self._expires = None  # a password that was refused is not tried again
            raise OnlineStoreAwayError(f"{self.database} at {self.endpoint}: {error}") from error
        return connection

    def _address(self) -> tuple[str, str]:
        status = self.client.postgres.get_endpoint(self.endpoint).status
        host = status.hosts.host if status and status.hosts else None
        if not host:
            raise NoOnlineStoreError(f"the endpoint {self.endpoint} has no host: is it disabled?")
        name, _, port = host.partition(":")
        return name, port or str(PORT)

    def _current_password(self) -> str:
        if self._expires is None or moment() + RENEW_BEFORE >= self._expires:
            made = self.client.postgres.generate_database_credential(self.endpoint)
            if not made.token or not made.expire_time:
                raise OnlineStoreAwayError(f"the API answers no password of {self.endpoint}")
            self._password = made.token
            self._expires = datetime.fromisoformat(made.expire_time.ToJsonString())
        return self._password
