"""A Harbor in a process of its own, behind a relay that counts bytes, so that what it costs is not counted as ours."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection

from tests.doubles.harbor.server import HarborDouble, running_harbor

START_TIMEOUT_SECONDS = 60.0
_CHUNK_BYTES = 65536


@dataclass(frozen=True, slots=True)
class HarborTraffic:
    """What it has seen so far, or in between two moments."""

    calls: int
    administrator_calls: int
    """Those that carried the administrator's password."""

    received_bytes: int
    sent_bytes: int

    def since(self, before: HarborTraffic) -> HarborTraffic:
        """Return what was added."""
        return HarborTraffic(
            self.calls - before.calls,
            self.administrator_calls - before.administrator_calls,
            self.received_bytes - before.received_bytes,
            self.sent_bytes - before.sent_bytes,
        )


class HarborApart:
    """A Harbor with projects and repositories in it."""

    def __init__(self, url: str, username: str, password: str, connection: Connection) -> None:
        self.url = url
        self.username = username
        self.password = password
        self._connection = connection

    def traffic(self) -> HarborTraffic:
        """Return what it has seen so far."""
        self._connection.send(True)
        return HarborTraffic(*self._connection.recv())


@contextmanager
def harbor_apart(projects: int, repositories_each: int) -> Iterator[HarborApart]:
    """Run it as long as the block."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(there, projects, repositories_each), daemon=True)
    process.start()
    try:
        assert here.poll(START_TIMEOUT_SECONDS), "the Harbor did not start"
        url, username, password = here.recv()
        yield HarborApart(url, username, password, here)
    finally:
        here.send(False)
        process.join(10)


def fill(harbor: HarborDouble, projects: int, repositories_each: int) -> None:
    """Put projects into a Harbor, each with repositories of one image."""
    for project in range(projects):
        harbor.create_project(f"project-{project:05}")
        for repository in range(repositories_each):
            harbor.push(f"project-{project:05}/app-{repository:02}", "v1")


def _serve(connection: Connection, projects: int, repositories_each: int) -> None:
    with running_harbor() as harbor:
        fill(harbor, projects, repositories_each)
        with _counting_relay(harbor.port) as relay:
            connection.send((f"http://127.0.0.1:{relay.port}", *harbor.administrator))
            while connection.recv():
                administrator_calls = harbor.calls.count(credential="user")
                connection.send((harbor.calls.count(), administrator_calls, relay.received_bytes, relay.sent_bytes))


class _Relay:
    """Passes bytes on, both ways, and counts them."""

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self.port = 0
        self.received_bytes = 0
        self.sent_bytes = 0

    async def serve(self, started: threading.Event, stopping: asyncio.Event) -> None:
        server = await asyncio.start_server(self._relay, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        started.set()
        async with server:
            await stopping.wait()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, to_there = await asyncio.open_connection("127.0.0.1", self._target_port)
        with contextlib.suppress(OSError):
            await asyncio.gather(self._pump(reader, to_there, is_received=True), self._pump(there, writer))

    async def _pump(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, is_received: bool = False
    ) -> None:
        try:
            while chunk := await source.read(_CHUNK_BYTES):
                if is_received:
                    self.received_bytes += len(chunk)
                else:
                    self.sent_bytes += len(chunk)
                sink.write(chunk)
                await sink.drain()
        finally:
            sink.close()


@contextmanager
def _counting_relay(target_port: int) -> Iterator[_Relay]:
    relay = _Relay(target_port)
    started = threading.Event()
    loop, stopping = asyncio.new_event_loop(), asyncio.Event()
    thread = threading.Thread(target=loop.run_until_complete, args=(relay.serve(started, stopping),), daemon=True)
    thread.start()
    assert started.wait(START_TIMEOUT_SECONDS), "the relay did not start"
    try:
        yield relay
    finally:
        loop.call_soon_threadsafe(stopping.set)
        thread.join(10)
