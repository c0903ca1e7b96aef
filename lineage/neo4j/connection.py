"""The driver, in an event loop of its own thread: calls that end in time, and errors in our words.

A server that stands still sends nothing, and a driver would wait for it. So a call that takes long has the server
asked, over another connection, whether it is there: while it answers, the call goes on; if not, the call is given up
and its connection with it. The question itself stands on, for all calls: where a network is slow the connection that
it needs is there for the next one.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from neo4j import (
    AsyncDriver,
    AsyncGraphDatabase,
    AsyncManagedTransaction,
    AsyncSession,
    AsyncTransaction,
    Auth,
    Query,
    basic_auth,
)
from neo4j.auth_management import AsyncAuthManager
from neo4j.exceptions import AuthError, DriverError, Neo4jError

from lineage.errors import BadInputError
from lineage.neo4j.failures import BEYOND, as_ours, not_answering

try:
    from uvloop import Loop as FastLoop  # a small answer takes a fifth less
except ImportError:  # as on Windows
    from asyncio import SelectorEventLoop as FastLoop  # type: ignore[assignment]

_T = TypeVar("_T")

_SCHEMES = ("bolt", "bolt+s", "bolt+ssc", "neo4j", "neo4j+s", "neo4j+ssc")
_CONNECT_SECONDS = 1.2
_ASKED_FOR = 2.0
"""Seconds after which the server is asked whether it is there over yet another connection."""
_LAST_SECONDS = 0.2
"""What runs still when the connection is closed gets so long to end."""
_LATER_SECONDS = 60.0
_POOL = 200


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a call may take before the server is asked whether it is there, how long that may take before the call
    is given up, and how long the call may take in all, as a reply may be lost on one connection; seconds."""

    call: float
    ping: float
    whole: float


PROMPT = Patience(0.6, 0.6, 60.0)
"""Somebody waits for the answer, and is told within 2 s that there is none: by a pause of the server, too."""
PATIENT = Patience(3.0, 2.0, 3_600.0)


@dataclass(frozen=True, slots=True)
class Address:
    """Where the database is. ``password`` is asked for anew when the server refuses the one it gave; None means no
    authentication. Raises BadInputError for a URI that is no URI of Neo4j's."""

    uri: str
    user: str = "neo4j"
    password: Callable[[], str | None] = lambda: None
    database: str = "neo4j"

    def __post_init__(self) -> None:
        scheme, separator, rest = self.uri.partition("://")
        if scheme not in _SCHEMES or not separator or not rest.strip("/"):
            raise BadInputError(
                f'"{self.uri[:200]}" is no address of a Neo4j server.',
                hint="It looks like bolt://host:7687, or neo4j+s://host for a cluster with TLS.",
                field="neo4j_uri",
            )


class _Credentials(AsyncAuthManager):
    """What the server is told, asked for anew once it has refused that: the driver's own managers don't ask where it is
    a new connection that is refused."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._told: Auth | None = None

    async def get_auth(self) -> Auth:
        """As the driver asks for each connection."""
        if self._told is None:
            self._told = basic_auth(self._address.user, self._address.password() or "")
        return self._told

    async def handle_security_exception(self, auth: object, error: Neo4jError) -> bool:
        """As the driver tells of a connection that was open: whether it may try again at once."""
        self.forget()
        return False

    def forget(self) -> None:
        """Ask for them again."""
        self._told = None


class _Transport:
    """A transport of any loop. What is written to a closed one is lost with its connection, as the driver expects it:
    uvloop takes it for a mistake of the program's."""

    def __init__(self, transport: Any) -> None:
        self._transport = transport

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """As that of any transport. Raises ConnectionResetError where it is closed."""
        try:
            self._transport.write(data)
        except RuntimeError as error:
            raise ConnectionResetError("The connection is closed.") from error


class _Loop(FastLoop):
    """A loop that knows its connections: the driver closes them in the background, and the loop's end comes first."""

    def __init__(self) -> None:
        super().__init__()
        self._made: list[_Transport] = []

    async def create_connection(self, *told: Any, **named: Any) -> tuple[Any, Any]:
        """As that of any loop."""
        made, protocol = await super().create_connection(*told, **named)
        transport = _Transport(made)
        self._made = [*(each for each in self._made if not each.is_closing()), transport]
        return transport, protocol

    async def cut(self) -> None:
        """Close all that is open still."""
        await asyncio.sleep(0)  # what is being closed says good-bye
        for transport in self._made:
            transport.abort()
        await asyncio.sleep(0)


class Connection:
    """Runs coroutines on the driver from any thread. Nothing is connected until the first call. ``patience`` is that of
    calls that don't say theirs."""

    def __init__(self, address: Address, patience: Patience = PATIENT) -> None:
        self.address = address
        self.patience = patience
        self._credentials = _Credentials(address)
        self._bookmarks = AsyncGraphDatabase.bookmark_manager()
        self._loop = _Loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="neo4j", daemon=True)
        self._starting = threading.Lock()
        self._driver: AsyncDriver | None = None
        self._asking: asyncio.Task[None] | None = None
        self._later: set[asyncio.Task[Any]] = set()
        self._closed = False

    def call(self, work: Callable[[], Coroutine[Any, Any, _T]], patience: Patience | None = None) -> _T:
        """What ``work`` returns, run in the driver's loop. Raises UnavailableError when the server is away, refuses, or
        stands still; UnusableStoreError when it is there and can't be used."""
        future = self.submit(work, patience)
        try:
            return future.result()
        except CancelledError as error:
            raise not_answering(self.address.uri, "it was closed") from error
        except BaseException:
            future.cancel()
            raise

    def submit(self, work: Callable[[], Coroutine[Any, Any, _T]], patience: Patience | None = None) -> Future[_T]:
        """As :meth:`call`, without waiting."""
        with self._starting:
            if self._closed:
                raise not_answering(self.address.uri, "it was closed")
            if self._driver is None:
                if not self._thread.is_alive():
                    self._thread.start()
                self._driver = asyncio.run_coroutine_threadsafe(self._open(), self._loop).result()
            return asyncio.run_coroutine_threadsafe(self._guarded(work, patience or self.patience), self._loop)

    def session(self) -> AsyncSession:
        """A session that reads what earlier ones wrote, wherever in a cluster. To be used in the loop."""
        assert self._driver is not None
        return self._driver.session(database=self.address.database, bookmark_manager=self._bookmarks)

    def do_later(self, work: Coroutine[Any, Any, object]) -> None:
        """Have ``work`` done within a minute, and nobody wait for it; how it ends is nobody's concern. To be used in
        the loop."""
        task = asyncio.ensure_future(asyncio.wait_for(work, _LATER_SECONDS))
        self._later.add(task)
        task.add_done_callback(self._later.discard)
        task.add_done_callback(_forget)

    async def agent(self) -> str:
        """What the server calls itself, ``Neo4j/5.26.30``."""
        assert self._driver is not None
        return (await self._driver.get_server_info()).agent

    def close(self) -> None:
        """End all connections and the thread."""
        with self._starting:
            if self._closed:
                return
            self._closed = True
            if not self._thread.is_alive():
                self._loop.close()
                return
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _open(self) -> AsyncDriver:
        address = self.address

        try:
            return AsyncGraphDatabase.driver(
                address.uri,
                auth=None if address.password() is None else self._credentials,
                connection_timeout=_CONNECT_SECONDS,
                max_transaction_retry_time=0,  # whoever asks tries again, and knows when
                max_connection_pool_size=_POOL,
                notifications_min_severity="OFF",
                telemetry_disabled=True,
                user_agent="lineage",
            )
        except (DriverError, ValueError) as error:
            raise BadInputError(f"{address.uri} can't be used: {error}", field="neo4j_uri") from error

    async def _end(self) -> None:
        if others := self._others():
            await asyncio.wait(others, timeout=_LAST_SECONDS)  # views that were given up are being closed
        others = self._others()
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        if self._driver is not None:
            with suppress(DriverError, Neo4jError, OSError):  # the last is TimeoutError too: then connections are cut
                await asyncio.wait_for(self._driver.close(), _CONNECT_SECONDS)
        await self._loop.cut()

    @staticmethod
    def _others() -> set[asyncio.Task[Any]]:
        return {task for task in asyncio.all_tasks() if task is not asyncio.current_task()}

    async def _guarded(self, work: Callable[[], Awaitable[_T]], patience: Patience) -> _T:
        await self._credentials.get_auth()  # what that raises, the driver would lose a connection by
        task = asyncio.ensure_future(work())
        end = self._loop.time() + patience.whole
        try:
            while not (await asyncio.wait({task}, timeout=patience.call))[0]:
                await self._is_there(task, patience.ping)
                if self._loop.time() > end and not task.done():
                    raise not_answering(self.address.uri, "it took too long")
            return task.result()
        except (DriverError, Neo4jError, OSError) as error:  # TimeoutError is one of the last
            if isinstance(error, AuthError):
                self._credentials.forget()
            if isinstance(error, Neo4jError) and error.code in BEYOND:
                self._bookmarks = AsyncGraphDatabase.bookmark_manager()
            raise as_ours(error, self.address.uri) from error
        finally:
            if not task.done():
                task.add_done_callback(_forget)
                task.cancel()

    async def _is_there(self, task: asyncio.Future[Any], seconds: float) -> None:
        """Return once the server has answered, or ``task`` has ended. Raises UnavailableError where neither happens
        within ``seconds``, and what the server, or the way to it, says instead of an answer."""
        if self._asking is None or self._asking.done():
            self._asking = asyncio.ensure_future(asyncio.wait_for(self._ask(), _ASKED_FOR))
            self._asking.add_done_callback(_forget)
        asking = self._asking
        await asyncio.wait({task, asking}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return
        try:
            asking.result()  # which raises InvalidStateError where there is none
        except (asyncio.InvalidStateError, TimeoutError) as error:
            raise not_answering(self.address.uri, "it takes requests and answers none") from error

    async def _ask(self) -> None:
        assert self._driver is not None
        # Without bookmarks: a database that was restored from a backup does not come to them any more.
        async with self._driver.session(database=self.address.database) as session:
            await (await session.run("RETURN 1")).consume()


def _forget(task: asyncio.Future[Any]) -> None:
    """What a call that was given up ends with is nobody's concern."""
    if not task.cancelled():
        task.exception()


Runner = AsyncSession | AsyncTransaction | AsyncManagedTransaction


async def rows(runner: Runner, query: str, told: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
    """The rows that ``query`` returns, each a list of its values."""
    result = await runner.run(query, dict(told))
    return await result.values()


async def rows_within(
    session: AsyncSession, query: str, told: Mapping[str, Any], seconds: float
) -> Sequence[Sequence[Any]]:
    """As :func:`rows`, in a transaction that the server stops after ``seconds``."""
    result = await session.run(Query(query, timeout=seconds), dict(told))
    return await result.values()
