"""A program that ends with this process, and the sign that a Bolt server answers."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

_LAUNCH = """
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGKILL)
if os.getppid() == int(sys.argv[1]):
    os.execvp(sys.argv[2], sys.argv[2:])
"""
_HANDSHAKE = bytes.fromhex("6060b017") + bytes([0, 0, 4, 5]) + bytes(12)
_starter = ThreadPoolExecutor(1, "starter")


def launch(command: list[str], console: Path) -> subprocess.Popen[bytes]:
    """Start ``command``, which says what it says in ``console``. The kernel ends it (SIGKILL) when this process ends.

    With PR_SET_PDEATHSIG the kernel looks at the thread that started the process: here one that lives as long as this
    process does, whichever thread calls.
    """
    return _starter.submit(_launch, command, console).result()


def _launch(command: list[str], console: Path) -> subprocess.Popen[bytes]:
    launched = [sys.executable, "-I", "-S", "-c", _LAUNCH, str(os.getpid()), *command]
    with console.open("ab") as said:
        return subprocess.Popen(launched, stdin=subprocess.DEVNULL, stdout=said, stderr=said)


def answers_bolt(port: int, *, tls: bool) -> bool:
    """Whether a server on this port of 127.0.0.1 answers a Bolt handshake within 5 seconds."""
    try:
        with socket.create_connection(("127.0.0.1", port), 5) as plain, _secured(plain, tls) as connection:
            connection.sendall(_HANDSHAKE)
            return len(connection.recv(4)) == 4
    except OSError:
        return False


def _secured(plain: socket.socket, tls: bool) -> contextlib.AbstractContextManager[socket.socket]:
    if not tls:
        return contextlib.nullcontext(plain)
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    return trusting.wrap_socket(plain)
