"""A server of RADIUS (RFC 2865), which PostgreSQL asks whether a password is right."""

from __future__ import annotations

import hashlib
import hmac
import socketserver
import struct
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

ACCESS_REQUEST, ACCESS_ACCEPT, ACCESS_REJECT = 1, 2, 3
USER_NAME, USER_PASSWORD, NAS_IDENTIFIER, MESSAGE_AUTHENTICATOR = 1, 2, 32, 80
HEADER_BYTES = 20
MOST_PASSWORD_BYTES = 128


class RadiusServer:
    """Answers on one UDP port of 127.0.0.1, in a thread of its own.

    Args:
        port: Number of the port.
        secret: Secret that it shares with PostgreSQL.
        right: Tells from a user, a password and the name of the server whether the password is right.

    Raises:
        OSError: The port is in use.
    """

    def __init__(self, port: int, secret: str, right: Callable[[str, str, str], bool]) -> None:
        key = secret.encode()

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                packet, connection = self.request
                answer = _answer(packet, key, right)
                if answer:
                    connection.sendto(answer, self.client_address)

        self._server = socketserver.UDPServer(("127.0.0.1", port), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True).start()

    def stop(self) -> None:
        """Answers no more."""
        self._server.shutdown()
        self._server.server_close()


def _answer(packet: bytes, key: bytes, right: Callable[[str, str, str], bool]) -> bytes:
    """The answer to a packet; none where it is no request for access."""
    if len(packet) < HEADER_BYTES or packet[0] != ACCESS_REQUEST:
        return b""
    identifier, authenticator = packet[1], packet[4:HEADER_BYTES]
    said = _attributes(packet[HEADER_BYTES:])
    password = _clear(said.get(USER_PASSWORD, b""), key, authenticator)
    try:
        accepted = right(said[USER_NAME].decode(), password.decode(), said.get(NAS_IDENTIFIER, b"").decode())
    except (KeyError, UnicodeDecodeError):
        accepted = False
    code = ACCESS_ACCEPT if accepted else ACCESS_REJECT
    # RFC 3579: the digest is computed over the answer with the request's authenticator and zeros in its own place
    head, zeros = struct.pack("!BBH", code, identifier, HEADER_BYTES + 18), bytes([MESSAGE_AUTHENTICATOR, 18])
    digest = hmac.new(key, head + authenticator + zeros + bytes(16), hashlib.md5).digest()
    attributes = zeros + digest
    own = hashlib.md5(head + authenticator + attributes + key).digest()  # noqa: S324 (the protocol's)
    return head + own + attributes


def _attributes(rest: bytes) -> dict[int, bytes]:
    found: dict[int, Any] = {}
    while len(rest) >= 2 and 2 <= rest[1] <= len(rest):
        found[rest[0]] = rest[2 : rest[1]]
        rest = rest[rest[1] :]
    return found


def _clear(hidden: bytes, key: bytes, authenticator: bytes) -> bytes:
    """A password, of which 16 bytes at a time are hidden by a digest of the 16 before."""
    clear, before = b"", authenticator
    for start in range(0, min(len(hidden), MOST_PASSWORD_BYTES), 16):
        block = hidden[start : start + 16]
        digest = hashlib.md5(key + before).digest()  # noqa: S324 (the protocol's)
        clear += bytes(left ^ right for left, right in zip(block, digest, strict=False))
        before = block
    return clear.rstrip(b"\0")
