"""The null durable server, against which ingest is measured: ``python bench/null_server.py FILE``.

Bare ASGI on uvloop and httptools: orjson reads the body, SHA-256 hashes it, a thread appends what waits to one file
with one fdatasync, and then all that waited is answered 201. Prints its URL once it answers, as the real server does.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from hashlib import sha256
from typing import Any

import orjson
import uvicorn

Waiting = list[tuple[bytes, asyncio.Future[None]]]


class NullServer:
    """ASGI: acknowledges bodies that are JSON and durable, and remembers nothing."""

    def __init__(self, file: int) -> None:
        self._file = file
        self._waiting: Waiting = []
        self._writing: asyncio.Task[None] | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        body = b""
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        orjson.loads(body)
        digest = sha256(body).hexdigest()
        await self._durable(body)
        answer = orjson.dumps({"eventHash": digest})
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(answer))]
        await send({"type": "http.response.start", "status": 201, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    async def _durable(self, body: bytes) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((body, future))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
        await future

    async def _write(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting, []
            await asyncio.to_thread(self._append, b"\n".join(body for body, _ in group))
            for _, future in group:
                future.set_result(None)
        self._writing = None

    def _append(self, data: bytes) -> None:
        os.write(self._file, data)
        os.fdatasync(self._file)


def main() -> None:
    """Serve until told to stop."""
    file = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(2048)
        print(f"ready at http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
        config = uvicorn.Config(
            NullServer(file), http="httptools", loop="uvloop", lifespan="off", access_log=False, log_config=None
        )
        uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
