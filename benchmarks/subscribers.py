"""One event to a thousand WebSockets, against one event to one."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path

from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from benchmarks.report import Finding, compared
from models.database import NewEvent, Transaction
from models.enums import EventType, HealthStatus, Role
from tests.seeding import seed_integrations
from tests.serving import RunningServer, running_server

SOCKETS_EACH = 50
"""As many as one viewer may have."""

VIEWERS = 20
EVENTS = 10
QUERY = "subscription { events { type occurredAt ... on IntegrationUpdated { integrationName } } }"


async def run() -> list[Finding]:
    """Return how long it takes until the last of them has it."""
    with tempfile.TemporaryDirectory() as folder, running_server(Path(folder), probe_interval_seconds=3600) as server:
        tokens = [_token(server, number) for number in range(VIEWERS)]
        [integration_id] = server.run(
            seed_integrations(
                server.services.database,
                ["http://127.0.0.1:1/r0"],
                status=HealthStatus.HEALTHY,
                first_probe_in=timedelta(minutes=50),
            )
        )
        one = await asyncio.to_thread(_delivery_seconds, server, tokens[:1], 1, integration_id)
        many = await asyncio.to_thread(_delivery_seconds, server, tokens, SOCKETS_EACH, integration_id)
    count = VIEWERS * SOCKETS_EACH
    return [
        compared(f"An event to {count:,} WebSockets, until the last has it", many, "to one", one),
        Finding("That is", f"{count / many:,.0f} messages/s"),
    ]


def _delivery_seconds(server: RunningServer, tokens: Sequence[str], sockets_each: int, integration_id: int) -> float:
    """Return the mean time from commit until every subscriber has it."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    clients = context.Process(target=_listen, args=(there, server.port, list(tokens), sockets_each), daemon=True)
    clients.start()
    try:
        assert here.recv() == "listening"
        total = 0.0
        for _ in range(EVENTS):
            started = time.perf_counter()
            server.run(_cause_event(server, integration_id))
            assert here.recv() == "all have it"
            total += time.perf_counter() - started
        return total / EVENTS
    finally:
        here.send("enough")
        clients.join(20)


async def _cause_event(server: RunningServer, integration_id: int) -> None:
    async def work(transaction: Transaction) -> None:
        data = {"integration_name": "registry-00000", "by": "benchmark"}
        transaction.events.append(NewEvent(EventType.INTEGRATION_UPDATED, datetime.now(UTC), integration_id, data))

    await server.services.database.transact(work)


def _token(server: RunningServer, number: int) -> str:
    expires_at = datetime.now(UTC) + timedelta(days=1)
    tokens = server.services.access_tokens
    return server.run(tokens.create(f"viewer {number}", Role.PLATFORM_ADMIN, expires_at, "benchmark"))[1]


def _listen(connection: Connection, port: int, tokens: list[str], sockets_each: int) -> None:
    asyncio.run(_listen_all(connection, port, tokens, sockets_each))


async def _listen_all(connection: Connection, port: int, tokens: list[str], sockets_each: int) -> None:
    sockets: list[ClientConnection] = []
    for token in tokens:
        sockets += await asyncio.gather(*(_subscribed(port, token) for _ in range(sockets_each)))
    connection.send("listening")
    for _ in range(EVENTS):
        for message in await asyncio.gather(*(socket.recv() for socket in sockets)):
            assert json.loads(message)["type"] == "next"
        connection.send("all have it")
    await asyncio.to_thread(connection.recv)
    await asyncio.gather(*(socket.close() for socket in sockets))


async def _subscribed(port: int, token: str) -> ClientConnection:
    socket = await connect(
        f"ws://127.0.0.1:{port}/graphql",
        subprotocols=[Subprotocol("graphql-transport-ws")],
        compression=None,
        ping_interval=None,
    )
    await socket.send(json.dumps({"type": "connection_init", "payload": {"Authorization": f"Bearer {token}"}}))
    assert json.loads(await socket.recv())["type"] == "connection_ack"
    await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": {"query": QUERY}}))
    return socket
