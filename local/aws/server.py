"""AWS on this machine: moto's server, with MSK by real brokers, and a memory that outlives the process."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import shutil
import signal
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

# Read by moto when its modules are loaded: thousands of machine images that nobody asks for.
os.environ.setdefault("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

from local.aws import s3
from local.aws.kafka.keeper import Keeper, Wanted
from local.aws.msk import api, clusters
from local.aws.state import State
from local.aws.throttling import throttled
from local.faults import HANG_SECONDS, LATENCY_SECONDS, Fault, Faults

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from local.settings import LocalSettings

ACCOUNT_AS_KEY = re.compile(r"Credential=(\d{12})/")
"""An access key that is an account's id stands for that account; any other for moto's own."""


class Server:
    """The server with its state and its brokers.

    Args:
        settings: The local cloud.
        jars: Folder of Kafka's jars.
    """

    def __init__(self, settings: LocalSettings, jars: Path) -> None:
        logging.getLogger("werkzeug").setLevel(logging.ERROR)  # not each request
        api.serve()
        s3.serve()
        clusters.Cluster.first_port = settings.kafka_port
        self._lock = threading.RLock()  # one request at a time: what is saved is whole
        self._state = State(settings.aws)
        self._buckets = settings.s3
        self._state.restore()
        clusters.doubt()
        self._faults = Faults(settings)
        self._keeper = Keeper(settings.aws / "kafka", jars, self._wanted, self._report)
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._http = make_server(
            "127.0.0.1", settings.aws_port, self._answer, threaded=True, request_handler=MotoRequestHandler
        )

    def run(self) -> None:
        """Serves until SIGTERM or SIGINT."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: threading.Thread(target=self._http.shutdown).start())
        self._keeper.start()
        self._http.serve_forever()
        self._keeper.stop()

    def _answer(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answers a request; what it changed is on disk before the client hears of it."""
        fault = self._faults.draw()
        if fault is Fault.BUSY:
            status, headers, body = throttled(environ)
            start_response(status, headers)
            return [body]
        if fault is Fault.UNAVAILABLE:
            start_response("503 Service Unavailable", [("Content-Length", "0")])
            return []
        if fault is Fault.HANG:
            time.sleep(HANG_SECONDS)
        if fault in (Fault.HANG, Fault.LOST_REQUEST):
            return _dropped(environ)
        if fault is Fault.SLOW:
            time.sleep(LATENCY_SECONDS)
        if named := ACCOUNT_AS_KEY.search(environ.get("HTTP_AUTHORIZATION", "")):
            environ["HTTP_X_MOTO_ACCOUNT_ID"] = named[1]
        statuses: list[str] = []

        def started(status: str, headers: Any, *more: Any) -> Any:
            statuses.append(status)
            return start_response(status, headers, *more)

        with self._lock:
            answer: Iterable[bytes] = list(self._moto(environ, started))
            self._state.save()
        if statuses and statuses[-1].startswith("204") and (bucket := _deleted_bucket(environ)):
            shutil.rmtree(self._buckets / bucket, ignore_errors=True)
        return _dropped(environ) if fault is Fault.LOST_ANSWER else answer

    def _wanted(self) -> list[Wanted]:
        with self._lock:
            return clusters.wanted()

    def _report(self, wanted: Wanted, state: str, message: str) -> None:
        with self._lock:
            if clusters.report(wanted, state, message):
                self._state.save()


def _deleted_bucket(environ: dict[str, Any]) -> str | None:
    """The bucket that a request deletes, whose content the workspace keeps in a folder; None for any other request."""
    path = re.fullmatch(r"/([a-z0-9.-]+)/?", environ.get("PATH_INFO", ""))
    deletes = environ.get("REQUEST_METHOD") == "DELETE" and not environ.get("QUERY_STRING")
    return path[1] if path and deletes else None


def _dropped(environ: dict[str, Any]) -> Iterable[bytes]:
    """Ends the connection of a request, so that whatever is answered does not arrive."""
    with contextlib.suppress(OSError):  # the client has gone already
        environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    return []
