"""The server, and a bare sender of the same bytes, each in a process of its own."""

from __future__ import annotations

import asyncio
import gc
import logging
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import structlog
import uvloop
from starlette.types import ASGIApp, Receive, Scope, Send

from models.database import NewEvent, Transaction
from models.enums import EventType, HealthStatus, Role
from schema.schema import build_schema
from server import garbage_collection
from server.application import build_application
from server.assembly import running_services
from server.graphql.limits import Limits
from server.metrics import Metrics
from server.open_files import raise_open_files_limit
from server.serving import Server, uvicorn_config
from server.settings import Settings, read_settings
from services.services import Services
from tests.seeding import seed_integrations

ANSWER_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process has used so far."""

    resident_bytes: int
    subscriptions: int
    answers: int
    """How many have been given to subscribers."""


class ServerApart:
    """A server in another process, told what to do over a pipe."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.port: int
        self.tokens: list[str]
        self.port, self.tokens = self._received()

    def tell(self, size_characters: int = 16) -> float:
        """Have one message sent to all, and return when that began, on the clock of `time.perf_counter`."""
        self._connection.send(("tell", size_characters))
        began_at: float = self._received()
        return began_at

    def usage(self) -> Usage:
        """Return what it has used so far, garbage collected."""
        self._connection.send(("usage", 0))
        usage: Usage = self._received()
        return usage

    def cpu_seconds(self) -> float:
        """Return the processor time that it has used so far."""
        self._connection.send(("cpu", 0))
        used: float = self._received()
        return used

    def _received(self) -> Any:
        assert self._connection.poll(ANSWER_SECONDS), "the server does not answer"
        return self._connection.recv()


@contextmanager
def product_apart(viewers: int) -> Iterator[ServerApart]:
    """Run the product as long as the block; each viewer has a token."""
    with tempfile.TemporaryDirectory() as folder, _apart(_run_product, folder, viewers) as server:
        yield server


@contextmanager
def bare_sender_apart() -> Iterator[ServerApart]:
    """Run, as long as the block, an ASGI application that accepts sockets and sends all of them the same."""
    with _apart(_run_bare_sender) as server:
        yield server


@contextmanager
def _apart(run: Callable[..., None], *arguments: object) -> Iterator[ServerApart]:
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=run, args=(there, *arguments), daemon=True)
    process.start()
    try:
        yield ServerApart(here)
    finally:
        here.send(("stop", 0))
        process.join(30)


def _run_product(connection: Connection, folder: str, viewers: int) -> None:
    _run(_serve_product(connection, Path(folder), viewers))


async def _serve_product(connection: Connection, folder: Path, viewers: int) -> None:
    settings = read_settings({}, data=folder, port=0, probe_interval_seconds=3600, console=False)
    schema = await asyncio.to_thread(build_schema)
    metrics, shutdown, limits = Metrics(), asyncio.Event(), Limits()
    async with running_services(settings, observer=metrics) as services:
        [integration_id] = await seed_integrations(
            services.database,
            ["http://127.0.0.1:1/r0"],
            status=HealthStatus.HEALTHY,
            first_probe_in=timedelta(minutes=50),
        )
        tokens = [await _token(services, number) for number in range(viewers)]

        async def tell(size_characters: int) -> None:
            await _happen(services, integration_id, "r" * size_characters)

        def counts() -> tuple[int, int]:
            return int(metrics.subscriptions_open._value.get()), int(metrics.subscription_answers._value.get())

        app = build_application(settings, services, schema, limits, shutdown, metrics)
        await _serve(app, settings, limits, shutdown, connection, tokens, tell, counts)


async def _token(services: Services, number: int) -> str:
    expires_at = datetime.now(UTC) + timedelta(days=1)
    return (await services.access_tokens.create(f"viewer {number}", Role.PLATFORM_ADMIN, expires_at, "benchmark"))[1]


async def _happen(services: Services, integration_id: int, name: str) -> None:
    async def work(transaction: Transaction) -> None:
        data = {"integration_name": name, "by": "benchmark"}
        transaction.events.append(NewEvent(EventType.INTEGRATION_UPDATED, datetime.now(UTC), integration_id, data))

    await services.database.transact(work)


def _run_bare_sender(connection: Connection) -> None:
    _run(_serve_bare_sender(connection))


async def _serve_bare_sender(connection: Connection) -> None:
    shutdown, limits = asyncio.Event(), Limits()
    sender = _BareSender()
    settings = read_settings({}, port=0)
    await _serve(
        sender, settings, limits, shutdown, connection, [], sender.tell, lambda: (len(sender.sends), 0), is_bare=True
    )


class _BareSender:
    """Takes what clients of graphql-transport-ws say for said, and sends all the same message."""

    def __init__(self) -> None:
        self.sends: list[Send] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one socket."""
        assert (await receive())["type"] == "websocket.connect"
        await send({"type": "websocket.accept", "subprotocol": "graphql-transport-ws"})
        await receive()
        await send({"type": "websocket.send", "text": '{"type":"connection_ack"}'})
        await receive()
        self.sends.append(send)
        while (await receive())["type"] != "websocket.disconnect":
            pass
        self.sends.remove(send)

    async def tell(self, size_characters: int) -> None:
        """Send it to all, one after the other."""
        text = (
            '{"type":"next","id":"1","payload":{"data":{"events":{"type":"INTEGRATION_UPDATED",'
            f'"occurredAt":"2026-01-01T00:00:00.000000+00:00","integrationName":"{"r" * size_characters}"}}}}}}}}'
        )
        for send in self.sends:
            await send({"type": "websocket.send", "text": text})


def _run(serving: Any) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    raise_open_files_limit()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serving)


async def _serve(
    app: ASGIApp,
    settings: Settings,
    limits: Limits,
    shutdown: asyncio.Event,
    connection: Connection,
    tokens: Sequence[str],
    tell: Callable[[int], Awaitable[None]],
    counts: Callable[[], tuple[int, int]],
    *,
    is_bare: bool = False,
) -> None:
    loop = asyncio.get_running_loop()
    config = uvicorn_config(app, settings, limits)  # type: ignore[arg-type]
    if is_bare:
        config.ws = "websockets-sansio"
    server = Server(
        config,
        lambda port: connection.send((port, tokens)),
        shutdown,
    )
    telling: set[asyncio.Task[None]] = set()

    async def timed(size_characters: int) -> None:
        connection.send(time.perf_counter())
        await tell(size_characters)

    def obey() -> None:
        what, size_characters = connection.recv()
        if what == "tell":
            telling.add(task := loop.create_task(timed(size_characters)))
            task.add_done_callback(telling.discard)
        elif what == "usage":
            gc.collect()
            connection.send(Usage(_resident_bytes(), *counts()))
        elif what == "cpu":
            connection.send(time.process_time())
        else:
            server.stop()

    loop.add_reader(connection.fileno(), obey)
    garbage_collection.settle()
    await server.serve()


def _resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()
