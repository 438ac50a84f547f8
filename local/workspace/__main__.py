"""The command `python -m local.workspace`: serves the workspace until it is stopped."""

from __future__ import annotations

import socket
import sys

import uvicorn

from local.errors import SettingsError
from local.faults import Faults
from local.settings import LocalSettings
from local.workspace.app import create_app
from local.workspace.core.faulty import FaultyApp


def main() -> None:
    """Serves the workspace; exits with a message where its settings are wrong or its port is in use."""
    try:
        settings = LocalSettings.load()
    except SettingsError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", settings.port))
    except OSError as error:
        sys.exit(f"cannot serve on 127.0.0.1:{settings.port}: {error.strerror}; stop what uses it or set PLATFORM_PORT")
    app = FaultyApp(create_app(settings), Faults(settings))
    config = uvicorn.Config(app, log_level="info", access_log=False, timeout_graceful_shutdown=5)
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
