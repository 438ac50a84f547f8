"""Free ports for servers that a test starts."""

from __future__ import annotations

import random
import socket

ATTEMPTS = 100


def free_base_port() -> int:
    """A port of 127.0.0.1 that is free now, and so are the five after it, as a local cloud with one broker needs them.

    It is drawn below the range from which the system gives ports to connections, so that two test runs at once hardly
    meet.

    Raises:
        RuntimeError: No such port was found.
    """
    for _ in range(ATTEMPTS):
        base = random.SystemRandom().randrange(20000, 32000)
        if all(_free(base + offset) for offset in range(6)):
            return base
    raise RuntimeError(f"no six free ports in a row on 127.0.0.1 after {ATTEMPTS} attempts")


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
