"""Thousands of WebSocket clients in a process of their own, as lean as Python allows: what is timed is the server."""

from __future__ import annotations

import json
import multiprocessing
import select
import socket
import struct
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection

from server.open_files import raise_open_files_limit

SMALL_BUFFER_BYTES = 4096
WAIT_SECONDS = 60.0
READ_BYTES = 65_536
SETTING_UP_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Subscription:
    """What each client does: open a socket, say who it is, subscribe."""

    port: int
    tokens: Sequence[str]
    """One for each client."""
    query: str
    deaf: int = 0
    """How many of the clients, spread among the others, never read anything once they are subscribed."""


class RawSubscribers:
    """The clients of one server, told what to do over a pipe."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def wait_until_subscribed(self) -> None:
        """Return when each has sent its `subscribe`."""
        assert self._connection.recv() == "subscribed"

    def expect(self, messages: int = 1) -> None:
        """Have them count: each is to get so many messages."""
        self._connection.send(messages)
        assert self._connection.recv() == "waiting"

    def last_had_it_at(self) -> float:
        """Return when the last one had all that was expected, on the clock of `time.perf_counter`."""
        assert self._connection.poll(WAIT_SECONDS), "not every message came"
        at = self._connection.recv()
        assert isinstance(at, float), at
        return at


@contextmanager
def raw_subscribers(subscription: Subscription) -> Iterator[RawSubscribers]:
    """Run them as long as the block."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_subscribe_all, args=(there, subscription), daemon=True)
    process.start()
    try:
        yield RawSubscribers(here)
    finally:
        here.send(None)
        process.join(20)


def _subscribe_all(connection: Connection, subscription: Subscription) -> None:
    raise_open_files_limit()
    count = len(subscription.tokens)
    spacing = count // subscription.deaf if subscription.deaf else count + 1
    clients: list[_Client] = []
    for begin in range(0, count, SETTING_UP_AT_ONCE):
        some = [
            _Client(subscription.port, subscription.tokens[number], is_deaf=number % spacing == spacing - 1)
            for number in range(begin, min(count, begin + SETTING_UP_AT_ONCE))
        ]
        for client in some:
            client.finish_handshake()
        for client in some:
            client.subscribe(subscription.query)
        clients += some
    poll = select.epoll()
    by_descriptor = {client.socket.fileno(): client for client in clients if not client.is_deaf}
    for descriptor in (connection.fileno(), *by_descriptor):
        poll.register(descriptor, select.EPOLLIN)
    connection.send("subscribed")
    due, is_awaited = 0, False
    # Read all the time, so that pings are answered.
    while True:
        for descriptor, _ in poll.poll():
            if descriptor != connection.fileno():
                due -= by_descriptor[descriptor].read()
                continue
            messages = connection.recv()
            if messages is None:
                return
            due, is_awaited = due + len(by_descriptor) * messages, True
            connection.send("waiting")
        if is_awaited and due <= 0:
            connection.send(time.perf_counter() if due == 0 else f"{-due} messages too many")
            is_awaited = False


class _Client:
    """One socket, read as a stream of frames that are counted and dropped."""

    __slots__ = ("_rest", "_token", "is_deaf", "socket")

    def __init__(self, port: int, token: str, *, is_deaf: bool) -> None:
        self._rest = b""
        self._token = token
        self.is_deaf = is_deaf
        self.socket = socket.socket()
        if is_deaf:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER_BYTES)
        self.socket.connect(("127.0.0.1", port))
        self.socket.sendall(
            b"GET /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
        )

    def finish_handshake(self) -> None:
        """Read the answer to the upgrade, say who it is and read that it is taken."""
        received = b""
        while b"\r\n\r\n" not in received:
            received += self.socket.recv(READ_BYTES)
        assert received.startswith(b"HTTP/1.1 101"), received
        payload = {"Authorization": f"Bearer {self._token}"}
        self._send({"type": "connection_init", "payload": payload})
        assert b"connection_ack" in self.socket.recv(READ_BYTES)

    def subscribe(self, query: str) -> None:
        """Begin; from here on nothing is waited for."""
        self._send({"id": "1", "type": "subscribe", "payload": {"query": query}})
        self.socket.setblocking(False)

    def read(self) -> int:
        """Return how many messages have come since."""
        data = self.socket.recv(READ_BYTES)
        assert data, "the server has closed"
        if self._rest:
            data = self._rest + data
        place, messages, end = 0, 0, len(data)
        while place + 2 <= end:
            kind, length = data[place] & 15, data[place + 1]
            start = place + (2 if length < 126 else 4 if length == 126 else 10)
            if start > end:
                break
            if length == 126:
                (length,) = struct.unpack_from("!H", data, place + 2)
            elif length == 127:
                (length,) = struct.unpack_from("!Q", data, place + 2)
            if start + length > end:
                break
            if kind == 1:
                messages += 1
            elif kind == 9:
                self._send_frame(10, data[start : start + length])
            place = start + length
        self._rest = data[place:]
        return messages

    def _send(self, message: dict[str, object]) -> None:
        self._send_frame(1, json.dumps(message).encode())

    def _send_frame(self, kind: int, payload: bytes) -> None:
        # A client masks what it sends; a mask of zeros leaves it as it is.
        length = len(payload)
        size = bytes((0x80 | length,)) if length < 126 else bytes((0x80 | 126,)) + struct.pack("!H", length)
        self.socket.sendall(bytes((0x80 | kind,)) + size + bytes(4) + payload)
