"""The workspace with the faults of `local/faults.py`: a layer around the application."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse

from local.faults import LATENCY_SECONDS, RETRY_AFTER_SECONDS, Fault, Faults

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send


class FaultyApp:
    """An application whose requests with a token may fail; checks of its health and its pages have none.

    Args:
        app: The application.
        faults: What to draw from.
    """

    def __init__(self, app: ASGIApp, faults: Faults) -> None:
        self._app = app
        self._faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request, or lets it fail."""
        named = scope["type"] == "http" and any(name == b"authorization" for name, _ in scope["headers"])
        fault = self._faults.draw() if named else None
        if fault is Fault.BUSY:
            await _refusal(429, "REQUEST_LIMIT_EXCEEDED")(scope, receive, send)
        elif fault is Fault.UNAVAILABLE:
            await _refusal(503, "TEMPORARILY_UNAVAILABLE")(scope, receive, send)
        elif fault is Fault.LOST_REQUEST:
            await _drop(send)
        elif fault is Fault.HANG:
            while (await receive())["type"] != "http.disconnect":
                pass
        elif fault is Fault.LOST_ANSWER:
            await self._app(scope, receive, _Lost(send))
        else:
            if fault is Fault.SLOW:
                await asyncio.sleep(LATENCY_SECONDS)
            await self._app(scope, receive, send)


class _Lost:
    """A way to answer that ends the connection at the first word of an answer."""

    def __init__(self, send: Send) -> None:
        self._send: Send | None = send

    async def __call__(self, message: Message) -> None:
        if self._send and message["type"] == "http.response.start":
            await _drop(self._send)
            self._send = None


async def _drop(send: Any) -> None:
    """Ends the connection, for which ASGI has no word; the `send` of uvicorn is a method of what has the transport."""
    send.__self__.transport.abort()
    await asyncio.sleep(0)  # in which uvicorn learns of it, and gives up the request


def _refusal(status: int, code: str) -> JSONResponse:
    text = f"a fault that faults.json asked for: {status}"
    headers = {"retry-after": str(RETRY_AFTER_SECONDS)} if status == 429 else {}
    return JSONResponse({"error_code": code, "message": text}, status, headers)
