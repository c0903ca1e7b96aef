"""The proxy that does harm, before an echo and before a peer that speaks Bolt."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress

import pytest

from tests.bolt_messages import MAGIC, MANIFEST
from tests.free_port import free_port
from tests.tcp_proxy import Fault, Kind, Phase, TcpProxy

PATIENCE = 30.0
A_WHILE = 0.2
HELLO, RUN, PULL, BEGIN, COMMIT = Kind.HELLO, Kind.RUN, Kind.PULL, Kind.BEGIN, Kind.COMMIT


class Peer:
    """A server that gives each connection to ``serve``, in a thread of its own."""

    def __init__(self, serve: Callable[[socket.socket], None]) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.broken = threading.Event()
        self.threads = [threading.Thread(target=self._listen, args=(serve,))]
        self.threads[0].start()

    def _listen(self, serve: Callable[[socket.socket], None]) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                connection.settimeout(PATIENCE)
                thread = threading.Thread(target=self._serve, args=(serve, connection))
                self.threads.append(thread)
                thread.start()

    def _serve(self, serve: Callable[[socket.socket], None], connection: socket.socket) -> None:
        with connection:
            try:
                serve(connection)
            except OSError:
                self.broken.set()

    def close(self) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for thread in self.threads:
            thread.join(PATIENCE)


def echo(connection: socket.socket) -> None:
    while data := connection.recv(1 << 16):
        connection.sendall(data)
    connection.sendall(b"bye")


@pytest.fixture
def proxy() -> Iterator[TcpProxy]:
    with closing(Peer(echo)) as peer, TcpProxy(peer.port) as proxy:
        yield proxy


def connected(proxy: TcpProxy) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", proxy.port), PATIENCE)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def send_all(connection: socket.socket, data: bytes) -> None:
    connection.sendall(data)
    connection.shutdown(socket.SHUT_WR)


def read(connection: socket.socket, count: int) -> bytes:
    """So many bytes, or those until the end."""
    found = b""
    while len(found) < count and (data := connection.recv(count - len(found))):
        found += data
    return found


def hears_nothing(connection: socket.socket) -> bool:
    """Whether nothing comes for a while, not even an end."""
    connection.settimeout(A_WHILE)
    try:
        connection.recv(1)
    except TimeoutError:
        return True
    finally:
        connection.settimeout(PATIENCE)
    return False


def assert_reset(connection: socket.socket) -> None:
    with pytest.raises(ConnectionResetError):
        connection.recv(1)


def test_bytes_pass_unchanged_and_each_side_may_end_before_the_other(proxy: TcpProxy) -> None:
    sent = bytes(range(256)) * 20_000
    with connected(proxy) as client:
        sender = threading.Thread(target=send_all, args=(client, sent))
        sender.start()
        assert read(client, len(sent) + 10) == sent + b"bye"
        sender.join(PATIENCE)
    assert (proxy.bytes_to_server, proxy.bytes_to_client) == (len(sent), len(sent) + 3)
    assert (proxy.connections, proxy.resets) == (1, 0)


def test_refused_connections_leave_open_ones_alone(proxy: TcpProxy) -> None:
    with connected(proxy) as client:
        client.sendall(b"a")
        assert read(client, 1) == b"a"
        proxy.refuse()
        with pytest.raises(ConnectionRefusedError):
            connected(proxy)
        client.sendall(b"b")
        assert read(client, 1) == b"b"
        proxy.accept()
        proxy.accept()
        with connected(proxy) as other:
            other.sendall(b"c")
            assert read(other, 1) == b"c"


def test_a_reset_reaches_both_sides() -> None:
    with closing(Peer(echo)) as peer, TcpProxy(peer.port) as proxy, connected(proxy) as client:
        client.sendall(b"a")
        assert read(client, 1) == b"a"
        assert proxy.open == 1
        assert proxy.reset() == 1
        assert_reset(client)
        assert peer.broken.wait(PATIENCE)
        assert (proxy.open, proxy.resets, proxy.reset()) == (0, 1, 0)


def test_what_comes_in_a_stall_passes_after_it(proxy: TcpProxy) -> None:
    with connected(proxy) as client:
        client.sendall(b"a")
        assert read(client, 1) == b"a"
        proxy.stall()
        client.sendall(b"bcd")
        with connected(proxy) as late:
            late.sendall(b"e")
            assert hears_nothing(client)
            assert hears_nothing(late)
            assert proxy.bytes_to_server == 1
            proxy.resume()
            assert read(client, 3) == b"bcd"
            assert read(late, 1) == b"e"


def test_a_delay_counts_in_each_direction(proxy: TcpProxy) -> None:
    proxy.delay(0.1)
    with connected(proxy) as client:
        begun = time.monotonic()
        for number in range(5):
            client.sendall(b"%d" % number)
        assert read(client, 5) == b"01234"
        assert time.monotonic() - begun >= 0.2


def test_a_server_that_is_away_is_a_connection_that_is_reset() -> None:
    with TcpProxy(free_port()) as proxy:
        with pytest.raises(ConnectionResetError), connected(proxy) as client:
            client.recv(1)
        assert proxy.resets == 1


class BoltPeer(Peer):
    """Answers each message with SUCCESS, and PULL with two records a while before it; notes what it got."""

    def __init__(self, *, manifest: bool) -> None:
        self.manifest = manifest
        self.got: list[tuple[int, bytes]] = []
        self.answered: list[int] = []
        super().__init__(self._converse)

    def _converse(self, connection: socket.socket) -> None:
        assert read(connection, 20)[:4] == MAGIC
        connection.sendall(MANIFEST + b"\x01\0\0\x08\x05\x00" if self.manifest else b"\0\0\x04\x05")
        if self.manifest:
            assert read(connection, 5) == b"\0\0\x08\x05\0"
        while payload := self._message(connection):
            self.got.append((payload[1], payload[2:]))
            if payload[1] == PULL:
                connection.sendall(message(Kind.RECORD) * 2)
                time.sleep(A_WHILE / 4)
            self.answered.append(payload[1])
            connection.sendall(message(Kind.SUCCESS, payload[2:]))

    def _message(self, connection: socket.socket) -> bytes:
        payload = b""
        while size := int.from_bytes(read(connection, 2), "big"):
            payload += read(connection, size)
        return payload


def message(kind: int, body: bytes = b"") -> bytes:
    """A message in chunks of three bytes."""
    payload = bytes([0xB1, kind]) + body
    chunks = [payload[at : at + 3] for at in range(0, len(payload), 3)]
    return b"".join(len(chunk).to_bytes(2, "big") + chunk for chunk in chunks) + b"\0\0"


@pytest.fixture(params=["version", "manifest"])
def peer(request: pytest.FixtureRequest) -> Iterator[BoltPeer]:
    with closing(BoltPeer(manifest=request.param == "manifest")) as peer:
        yield peer


@pytest.fixture
def bolt(peer: BoltPeer) -> Iterator[TcpProxy]:
    with TcpProxy(peer.port) as proxy:
        yield proxy


def greeted(proxy: TcpProxy) -> socket.socket:
    """A connection after the handshake."""
    client = connected(proxy)
    client.sendall(MAGIC + MANIFEST + bytes(12))
    if read(client, 4) == MANIFEST:
        assert read(client, 6) == b"\x01\0\0\x08\x05\x00"
        client.sendall(b"\0\0\x08\x05\0")
    return client


TRANSACTION = message(BEGIN, b"b") + message(RUN, b"CREATE") + message(PULL) + message(COMMIT, b"c")
ANSWERS = message(Kind.SUCCESS, b"b") + message(Kind.SUCCESS, b"CREATE") + message(Kind.RECORD) * 2
ANSWERS_TO_ALL = ANSWERS + message(Kind.SUCCESS) + message(Kind.SUCCESS, b"c")


def test_a_conversation_passes_whole_and_is_counted(bolt: TcpProxy, peer: BoltPeer) -> None:
    with greeted(bolt) as client:
        for byte in TRANSACTION:
            client.sendall(bytes([byte]))
        assert read(client, len(ANSWERS_TO_ALL)) == ANSWERS_TO_ALL
    assert peer.got == [(BEGIN, b"b"), (RUN, b"CREATE"), (PULL, b""), (COMMIT, b"c")]
    assert bolt.messages == {BEGIN: 1, RUN: 1, PULL: 1, COMMIT: 1}
    assert bolt.replies == {Kind.SUCCESS: 4, Kind.RECORD: 2}


def test_a_reset_before_a_message_lets_the_server_see_those_before_it(bolt: TcpProxy, peer: BoltPeer) -> None:
    fault = bolt.reset_at(COMMIT, Phase.BEFORE)
    with greeted(bolt) as client:
        client.sendall(TRANSACTION)
        fault.wait()
        with suppress(ConnectionResetError):
            assert len(read(client, 1000)) <= len(ANSWERS)
    assert peer.broken.wait(PATIENCE)
    assert COMMIT not in dict(peer.got)
    assert bolt.messages == {BEGIN: 1, RUN: 1, PULL: 1}
    assert bolt.resets == 1


def test_a_reset_after_a_message_comes_at_once(bolt: TcpProxy) -> None:
    fault = bolt.reset_at(RUN, Phase.SENT)
    with greeted(bolt) as client:
        client.sendall(TRANSACTION)
        fault.wait()
        with suppress(ConnectionResetError):
            assert len(read(client, 1000)) <= len(ANSWERS)
    assert bolt.messages == {BEGIN: 1, RUN: 1}


def test_a_reset_after_the_answer_loses_that_answer_only(bolt: TcpProxy, peer: BoltPeer) -> None:
    fault = bolt.reset_at(PULL, Phase.ANSWERED)
    with greeted(bolt) as client:
        client.sendall(message(BEGIN, b"b") + message(RUN, b"x") + message(PULL))
        before = message(Kind.SUCCESS, b"b") + message(Kind.SUCCESS, b"x")
        assert read(client, len(before)) == before
        assert_reset(client)
    fault.wait()
    assert peer.answered == [BEGIN, RUN, PULL]
    assert fault.happened == 1
    assert Kind.RECORD not in bolt.replies


def test_after_a_lost_reply_the_connection_stays_open_and_silent(bolt: TcpProxy, peer: BoltPeer) -> None:
    fault = bolt.drop_replies_after(COMMIT)
    with greeted(bolt) as client:
        client.sendall(TRANSACTION)
        before = ANSWERS + message(Kind.SUCCESS)
        assert read(client, len(before)) == before
        fault.wait()
        client.sendall(message(Kind.RESET))
        assert hears_nothing(client)
        assert bolt.open == 1
        assert bolt.messages[Kind.RESET] == 1
    assert dict(peer.got)[COMMIT] == b"c"
    with greeted(bolt) as other:
        other.sendall(message(COMMIT, b"d"))
        assert read(other, len(message(Kind.SUCCESS, b"d"))) == message(Kind.SUCCESS, b"d")


def outcomes(proxy: TcpProxy, fault: Fault, bodies: list[bytes]) -> list[bool]:
    """For each RUN with such a body, on a connection of its own: whether it was answered."""
    found = []
    for body in bodies:
        with greeted(proxy) as client:
            client.sendall(message(RUN, body))
            answer = message(Kind.SUCCESS, body)
            with suppress(ConnectionResetError):
                found.append(read(client, len(answer)) == answer)
                continue
            found.append(False)
    assert fault.happened == found.count(False)
    return found


def test_a_fault_strikes_from_the_nth_message_on_so_many_times(bolt: TcpProxy) -> None:
    fault = bolt.reset_at(RUN, Phase.BEFORE, nth=2, times=2)
    assert outcomes(bolt, fault, [b"a"] * 5) == [True, False, False, True, True]


def test_messages_are_chosen_by_what_they_contain_or_by_a_predicate(bolt: TcpProxy) -> None:
    by_bytes = bolt.reset_at(b"MERGE", Phase.ANSWERED)
    assert outcomes(bolt, by_bytes, [b"MATCH (n)", b"MERGE (n)", b"MERGE (n)"]) == [True, False, True]
    by_predicate = bolt.reset_at(lambda sent: len(sent.payload or b"") > 10, Phase.BEFORE)
    assert outcomes(bolt, by_predicate, [b"short", b"x" * 20]) == [True, False]


def test_faults_that_were_cleared_do_not_come(bolt: TcpProxy) -> None:
    fault = bolt.reset_at(RUN, Phase.BEFORE)
    bolt.stall()
    bolt.refuse()
    bolt.clear()
    assert outcomes(bolt, fault, [b"a"]) == [True]
    with pytest.raises(AssertionError, match="No fault happened"):
        fault.wait(0.01)


def test_what_a_predicate_raises_is_raised_in_the_end(peer: BoltPeer) -> None:
    def broken(_: object) -> bool:
        raise ValueError("This predicate is broken.")

    proxy = TcpProxy(peer.port).start()
    proxy.reset_at(broken, Phase.BEFORE)
    with greeted(proxy) as client:
        client.sendall(message(RUN))
        assert_reset(client)
    with pytest.raises(ExceptionGroup, match="TaskGroup") as caught:
        proxy.close()
    assert caught.group_contains(ValueError, match="This predicate")
    proxy.close()
