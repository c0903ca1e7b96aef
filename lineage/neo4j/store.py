"""The graph store on a Neo4j database: one projector writes, any number of servers read."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future, wait
from contextlib import contextmanager, suppress
from functools import partial

from neo4j import AsyncManagedTransaction

from lineage.errors import LineageError, UnavailableError, UnusableStoreError
from lineage.memory import MemoryStore
from lineage.model import Changes
from lineage.neo4j import gate, schema
from lineage.neo4j.connection import PATIENT, PROMPT, Address, Connection, rows
from lineage.neo4j.failures import not_answering
from lineage.neo4j.reader import Neo4jReader
from lineage.neo4j.view import View
from lineage.neo4j.writer import ChangeList, Known
from lineage.store import GraphReader

_ROW_SECONDS = 0.002
"""A commit may take so much longer for each row."""
_WRITING_SECONDS = 0.2
"""A view waits so long for the list that is being written."""
_LAST_SECONDS = 2.0
"""So long does the end of a store."""

_MARK_CLEARING = "MATCH (p:LineageState {gate: 'open'}) SET p.watermark = 0, p.clearing = true"
_CLEAR = "MATCH (n:%s) WITH n LIMIT 5000 DETACH DELETE n RETURN count(*)"
_CLEARED = """
MATCH (p:LineageState {gate: 'open'})
SET p.watermark = 0, p.layout = $layout REMOVE p.weakKinds, p.replacedKinds, p.clearing"""
_OUTDATE = "MATCH (p:LineageState {gate: 'open'}) SET p.watermark = 0"


class Neo4jStore:
    """A :class:`~lineage.store.GraphStore` in a Neo4j database, for the graph of one ``ledger``.

    :meth:`apply` returns while the list is being written, so that the next is folded meanwhile: views of this process
    give it a moment to be there, and :meth:`settle` waits for it.

    Nothing is connected until it is used, so that a server can start while the database is away. Whoever writes, or
    asks for the watermark, takes the next epoch first: from then on nobody who took an earlier one can write. With
    ``read_only`` nothing is written. With ``adopt`` a database may hold somebody else's data too, which is left alone,
    and the graph of another ledger, which is replaced. With ``prompt`` whoever asks is told within 2 s that there is no
    answer. Raises BadInputError for an address that is none.
    """

    def __init__(
        self, address: Address, *, ledger: str, read_only: bool = False, adopt: bool = False, prompt: bool = False
    ) -> None:
        self._connection = Connection(address, PROMPT if prompt else PATIENT)
        self._ledger = ledger
        self._read_only = read_only
        self._adopt = adopt
        self._preparing = threading.Lock()
        self._emptying = threading.Lock()
        self._unclean = False
        self._epoch: int | None = None
        self._ready = asyncio.Event()
        self._ready.set()
        self._made = False
        self._known = Known()
        self._reached: int | None = None
        self._before: int | None = None
        self._lost: UnavailableError | None = None
        self._writing: Future[None] | None = None
        self._careful = True

    def check(self) -> None:
        """Find out whether the database can be used, and write nothing. Raises UnavailableError where the server is
        away, or this store takes long to make it ready; UnusableStoreError where it is there and can't be used."""
        self._look()

    def _look(self) -> bool:
        """Whether there is a graph, be it another ledger's. Raises as :meth:`check`."""
        patience = self._connection.patience

        async def look() -> bool:
            schema.check_version(await self._connection.agent())
            try:
                await asyncio.wait_for(self._ready.wait(), patience.call + patience.ping)
            except TimeoutError as error:
                raise self._not_ready() from error
            async with self._connection.session() as session:
                return schema.is_made(await schema.check_contents(session, self._ledger, adopt=self._adopt))

        self._made = made = self._connection.call(look)
        return made

    def watermark(self) -> int:
        """How many ledger entries the store reflects; 0 if new."""
        if isinstance(self._lost, gate.GraphGoneError):
            self._epoch, self._made = None, False  # and so what the database needs is made
        if not self._read_only:
            self._writer()
        elif not self._look():
            return 0
        if (writing := self._writing) is not None:
            wait([writing])  # whether it failed is for the one who writes to hear

        async def read() -> int:
            async with self._connection.session() as session:
                return await gate.watermark(session, self._ledger, self._epoch)

        try:
            found = self._connection.call(read, PATIENT)
        except UnavailableError as error:
            self._failed(error)
            raise
        if found != self._reached:
            self._known.forget()
        if self._reached is None or self._lost is not None:
            self._reached, self._lost = found, None
        return found

    def apply(self, changes: Changes, watermark: int) -> None:
        """Write all changes and the watermark; see :meth:`lineage.store.GraphStore.apply`. After an error that says
        nothing about the list it is raised again, until somebody has asked for the watermark."""
        epoch = self._writer()
        told = ChangeList(changes, watermark, self._known)
        self.settle()
        if self._lost is not None:
            raise self._lost
        self._known.learn(told)
        claim = gate.Claim(self._ledger, epoch, self._reached)
        longest = gate.LONGEST_COMMIT + told.size * _ROW_SECONDS
        self._before, self._reached = self._reached, watermark
        self._writing = self._connection.submit(
            lambda: gate.commit(self._connection, claim, told.write, longest), PATIENT
        )
        if self._careful:
            self._written()
            self._careful = False

    def settle(self) -> None:
        """Return once what :meth:`apply` took is written. Raises UnavailableError where that failed, whatever the
        reason; if it was the list, the next ``apply`` says so."""
        try:
            self._written()
        except UnavailableError:
            raise
        except LineageError as error:
            raise UnavailableError(f"The last changes could not be written: {error.message}") from error

    def _written(self) -> None:
        """Wait for the list that is being written; raises what that raised, once, and is careful from then on."""
        writing, self._writing = self._writing, None
        if writing is None:
            return
        try:
            writing.result()
        except BaseException as error:
            self._careful = True
            if isinstance(error, CancelledError):
                error = not_answering(self._connection.address.uri, "it was closed")
            self._failed(error)
            raise error

    @contextmanager
    def reader(self) -> Iterator[GraphReader]:
        """A consistent view; see :meth:`lineage.store.GraphStore.reader`. While it is open nothing is committed, and
        while something is being committed it waits. Before the graph has been made it is of nothing, and holds nothing:
        what is asked while a constraint is being made can be refused, or wait for ever."""
        if (writing := self._writing) is not None:
            wait([writing], _WRITING_SECONDS)
        if self._epoch is None and not self._made and not self._look():
            with MemoryStore().reader() as nothing:
                yield nothing
            return
        view = self._connection.call(lambda: View.enter(self._connection))
        try:
            self._check_state(view.state)
            yield Neo4jReader(self._connection, view.transaction, view.state, view.ends, missing=view.missing)
        except BaseException:
            self._leave(view)
            raise
        try:
            self._connection.call(view.end)
        except LineageError as error:
            raise UnavailableError(
                "The view of the graph in Neo4j was lost while it was read.", hint="Ask again."
            ) from error

    def _leave(self, view: View) -> None:
        """Give up a view; who waits has waited enough."""
        with suppress(LineageError):
            self._connection.submit(view.leave)

    def outdate(self) -> bool:
        """Say that the graph reflects nothing, and leave it to be brought up to date by difference."""
        self._commit(_OUTDATE, self._writer())
        return True

    def clear(self) -> None:
        """Remove everything of ours, watermark included, and leave what is not ours. Meanwhile no view opens."""
        epoch = self._prepare()
        with self._emptying:
            self._unclean = True
            self._empty(epoch)

    def close(self) -> None:
        """End all connections; a view that is still open raises UnavailableError then. What is being written gets a
        moment to be done; if it is not, the next projection does it again."""
        if (writing := self._writing) is not None:
            wait([writing], _LAST_SECONDS)
        self._connection.close()

    def _failed(self, error: BaseException) -> None:
        """The last list was refused, or it is not known whether it was written."""
        self._known.forget()
        if isinstance(error, UnavailableError):
            self._lost = error
        else:
            self._reached = self._before

    def _commit(self, statement: str, epoch: int) -> None:
        """Run a statement that sets the watermark to 0."""
        self.settle()
        told, claim = {"layout": schema.LAYOUT}, gate.Claim(self._ledger, epoch)
        try:
            self._connection.call(
                lambda: gate.commit(self._connection, claim, lambda transaction: rows(transaction, statement, told)),
                PATIENT,
            )
        except UnavailableError as error:
            self._failed(error)
            raise
        self._known.forget()
        self._reached = 0

    def _empty(self, epoch: int) -> None:
        """Remove everything of ours; if it is broken off, it is done before the next write."""
        self._commit(_MARK_CLEARING, epoch)
        claim = gate.Claim(self._ledger, epoch)
        for label in schema.GRAPH:
            remove = partial(gate.commit, self._connection, claim, partial(_remove_some, label))
            while self._connection.call(remove, PATIENT):
                pass
        self._commit(_CLEARED, epoch)
        self._unclean = False

    def _not_ready(self) -> UnavailableError:
        return not_answering(self._connection.address.uri, "it takes long to be made ready")

    def _check_state(self, state: schema.State) -> None:
        """Raises UnavailableError or UnusableStoreError for a graph that can't be read as this ledger's."""
        if state.ledger is None:
            self._made = False
            raise gate.GraphGoneError
        if state.ledger != self._ledger:
            raise UnusableStoreError(f"This database holds the graph of another ledger ({state.ledger}) now.")
        if state.layout != schema.LAYOUT:
            raise UnavailableError(
                "Another release of Lineage wrote the graph in Neo4j.", hint="It is made anew by the one that writes."
            )

    def _writer(self) -> int:
        """The epoch of the one who writes, with nothing in the way of it."""
        epoch = self._prepare()
        with self._emptying:
            if self._unclean:
                self._empty(epoch)
        return epoch

    def _prepare(self) -> int:
        """Make what the database needs, become the one who writes, once; the epoch."""
        if not self._preparing.acquire(timeout=PATIENT.call + PATIENT.ping):
            raise self._not_ready()
        try:
            if self._epoch is not None:
                return self._epoch
            if self._read_only:
                raise UnavailableError("This graph was opened to be read.", hint="Open it to be written.")

            async def prepare() -> tuple[int, bool]:
                schema.check_version(await self._connection.agent())
                self._ready.clear()
                try:
                    async with self._connection.session() as session:
                        await schema.check_contents(session, self._ledger, adopt=self._adopt)
                        await schema.migrate(session, self._ledger)
                finally:
                    self._ready.set()
                return await gate.take(self._connection, self._ledger, adopt=self._adopt)

            self._epoch, self._unclean = self._connection.call(prepare, PATIENT)
            return self._epoch
        finally:
            self._preparing.release()


async def _remove_some(label: str, transaction: AsyncManagedTransaction) -> int:
    """Remove some nodes with this label; how many."""
    ((removed,),) = await rows(transaction, _CLEAR % label, {})
    return int(removed)
