"""A port of loopback that stays one's own while nobody listens on it."""

from __future__ import annotations

import random
import socket
from pathlib import Path

LOWEST = 10_240
_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")


def free_port() -> int:
    """A TCP port of 127.0.0.1 on which nothing listens now, below those that the system gives to outgoing connections.

    A port of that range may be taken while a server is away, even by a client that tries to reach it and so connects to
    itself. Two processes may get the same number in the same moment: whoever comes second must ask again.
    """
    first_outgoing = int(_RANGE.read_text().split()[0]) if _RANGE.exists() else 32_768
    for _ in range(1000):
        port = random.SystemRandom().randrange(LOWEST, max(first_outgoing, LOWEST + 1000))
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
                probe.listen()
            except OSError:
                continue
            return port
    raise AssertionError("There is no free port on 127.0.0.1.")
