"""Free ports for servers that a test starts."""

from __future__ import annotations

import random
import socket

ATTEMPTS = 100
OFFSETS = (*range(6), *range(30, 35))


def free_base_port() -> int:
    """Draws a port of 127.0.0.1 that is free together with those a local cloud with a broker and PostgreSQL needs.

    The range lies below the ports that the system gives to connections. A random port makes it unlikely that two test
    runs at once choose the same.

    Raises:
        RuntimeError: No attempt gave free ports.
    """
    for _ in range(ATTEMPTS):
        base = random.SystemRandom().randrange(20000, 32000)
        if all(_free(base + offset) for offset in OFFSETS):
            return base
    raise RuntimeError(f"no free ports on 127.0.0.1 after {ATTEMPTS} attempts")


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
