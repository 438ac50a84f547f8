"""The workspace's own session on the Spark Connect server, and the end of sessions that programs left."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import quote

from local.workspace.core.errors import ApiError

if TYPE_CHECKING:
    from pyspark.sql.connect.session import SparkSession


class SparkSessions:
    """The workspace's own session, opened when first needed."""

    def __init__(self, remote: str) -> None:
        self._remote = remote
        self._lock = threading.Lock()
        self._session: SparkSession | None = None

    def session(self) -> SparkSession:
        """Returns a session that works; after a restart of the server that is a new one.

        Raises:
            ApiError: The Spark Connect server does not answer.
        """
        from pyspark.errors import PySparkException
        from pyspark.sql.connect.session import SparkSession

        with self._lock:
            self._check_port()
            if self._session is not None:
                try:
                    # A setting that the client does not cache, so that the server has to answer: a restarted one
                    # knows no earlier session.
                    self._session.conf.get("spark.sql.session.timeZone")
                except PySparkException:
                    self._session.client.close()
                    self._session = None
            if self._session is None:
                try:
                    session = SparkSession.builder.remote(self._remote).create()
                    session.conf.get("spark.sql.session.timeZone")  # the builder alone does not connect
                except PySparkException as error:
                    raise self._unavailable(error) from error
                self._session = session
            return self._session

    def stop(self) -> None:
        """Closes the session, if there is one."""
        with self._lock:
            if self._session is not None:
                self._session.client.close()
                self._session = None

    def end(self, principal: str, session_id: str) -> None:
        """Ends a session whose program was killed, with the streams that it runs; without a server there are none."""
        from pyspark.sql.connect.session import SparkSession

        with suppress(ApiError):
            self._check_port()
            remote = f"{self._remote}/;user_id={quote(principal)};session_id={session_id}"
            SparkSession.builder.remote(remote).create().stop()

    def _check_port(self) -> None:
        """Raises ApiError where nothing listens: Spark's client would retry for minutes."""
        host, _, port = self._remote.removeprefix("sc://").partition(":")
        try:
            socket.create_connection((host, int(port)), timeout=5).close()
        except OSError as error:
            raise self._unavailable(error) from error

    def _unavailable(self, error: Exception) -> ApiError:
        message = f"Spark Connect at {self._remote} does not answer; is it running? ({error})"
        return ApiError(503, "TEMPORARILY_UNAVAILABLE", message)
