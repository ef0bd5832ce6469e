"""However many requests come, memory does not grow: nothing is kept of one but what a cache has room for.

The short form counts what there is in this process, with a server in it, before and after as many requests of each
kind. The long form reads what a server's own process takes, over a million of them.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import math
import os
import random
import re
import statistics
import sys
import tracemalloc
import weakref
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson
import pytest
import uvloop

from server.application import build_application
from server.assembly import running_services
from server.data_folder import ADMIN_TOKEN_FILE
from server.graphql.documents import Document
from server.graphql.kept_answers import ENTRY_BYTES
from server.graphql.limits import Limits
from server.metrics import Metrics
from server.request_heads import BoundedHeadsProtocol
from server.serving import Server, uvicorn_config
from server.settings import DATABASE_FILE, read_settings
from services import event_log
from tests.databases import until
from tests.server.processes import running_process
from tests.servers.fake_registries import running_fake_registries
from tests.serving import shared_schema
from tests.templates import copy_migrated_sqlite

CLIENTS = 8
DEADLINE_SECONDS = 60.0

FEW = Limits(max_cached_documents=50, max_kept_answers_bytes=50 * ENTRY_BYTES)
"""Caches that sixty documents, and as many answers, fill."""

ROUND_THOUSANDS = 2
ROUNDS = 3
"""What comes up for the first time, such as an outcome to be counted, is kept in one of them. What leaks is in each."""
MOST_NEW_OBJECTS = 25
"""Of a type, in a round: there are 30 requests of the rarest kind. What happens to be going on is 10."""
MOST_NEW_BLOCKS = 80
"""Of memory: they are for texts and numbers too, which the garbage collector knows nothing of. There are 100 requests
or more of most kinds, and some 60 new blocks where nothing is kept."""
BLOCKS = "blocks of memory"

SOAK_REQUESTS = int(os.environ.get("SOAK_REQUESTS", "1000000"))
SOAK_LOOKS = 50
MOST_BYTES_PER_REQUEST = 20.0
"""One small object for each request would be 100."""
TREE_BYTES = 200
"""For each byte of a cached document's text: see `Limits.max_cached_document_bytes`."""

INTEGRATE = """mutation ($url: URL!) { integrateRegistry(
  input: { name: "registry", kind: DOCKER_REGISTRY, url: $url, imageHost: "registry.example" }
) { errors { code } } }"""
CHANGE = """mutation ($value: String!) { upsertWorkspace(
  input: { externalId: "busy", name: "busy", labels: [{ key: "number", value: $value }] }
) { workspace { id } errors { code } } }"""
BAD_CURSOR = "INVALID_CURSOR"


@dataclass(frozen=True, slots=True)
class Client:
    """Asks over a connection that is kept."""

    port: int
    token: str
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def ask(self, query: str, code: str | None, token: str | None = None, **variables: str) -> None:
        """Send an operation and take its answer, which must tell just this error, at whatever level, or none."""
        self.writer.write(request(token or self.token, query, variables))
        head = (await self.reader.readuntil(b"\r\n\r\n")).lower()
        body = await self.reader.readexactly(int(head.partition(b"\r\ncontent-length: ")[2].partition(b"\r\n")[0]))
        assert set(re.findall(r'"code":"(\w+)"', body.decode())) == ({code} if code else set()), body
        assert head.startswith(b"http/1.1 401 " if code == "UNAUTHENTICATED" else b"http/1.1 200 "), head


def request(token: str, query: str, variables: Mapping[str, str], accept: str = "application/json") -> bytes:
    """Return the bytes of a request."""
    body = orjson.dumps({"query": query, "variables": variables})
    return (
        f"POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\nAccept: {accept}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


Kind = Callable[[Client, int], Awaitable[None]]
"""Sends a request of one kind; each has a number of its own."""


def asking(*queries: str, code: str | None = None, **given: str) -> Kind:
    """Return what sends one of these, in turn, each # replaced by the number, and must get this error or none."""

    async def ask(client: Client, number: int) -> None:
        digits = f"{number:09}"
        variables = {name: value.replace("#", digits) for name, value in given.items()}
        await client.ask(queries[number % len(queries)].replace("#", digits), code, **variables)

    return ask


known = asking(
    "{ viewer { name role expiresAt } }",
    "{ serverInfo { version } registryKinds { kind } }",
    "{ integrations(first: 5) { totalCount nodes { id name url health { status reason } labels } } }",
    "{ spaces(first: 5) { totalCount nodes { id name integration { name } } } }",
    "{ workspaces(first: 5) { nodes { id name labels { key value } namespaces(first: 5) { nodes { name } } } } }",
    "{ events(first: 5) { nodes { type occurredAt } pageInfo { hasNextPage } } }",
)
varied = asking("query ($name: String!) { integration(name: $name) { id } }", name="name #")
unseen = asking("query Q# { viewer { n#: name } }")
unparsable = asking("{ viewer { n#: name }", code="GRAPHQL_PARSE_FAILED")
invalid = asking("{ viewer { name n# } }", code="GRAPHQL_VALIDATION_FAILED")
too_much = asking(
    f"query Q# {{ {' '.join(f'a{place}: __typename' for place in range(101))} }}",
    f"query Q# {{ {'viewer { name } ' * 51} }}",
    f"query Q# {{ {'a { ' * 20} a {'} ' * 21}",
    "{ n#: integrations(first: 100) { nodes { spaces(first: 100) { nodes { bindings(first: 100) { nodes { id }}}}}}}",
    code="LIMIT_EXCEEDED",
)
wrong_token = asking("{ viewer { name } }", token="irat_#", code="UNAUTHENTICATED")
failing = asking("query ($a: Cursor) { viewer { name } accessTokens(after: $a) { totalCount }}", a="#", code=BAD_CURSOR)
changing = asking(CHANGE, value="#")


async def leaving(client: Client, number: int) -> None:
    """Leave before the answer, or in the middle of the request."""
    whole = request(client.token, "{ workspaces(first: 5) { nodes { name } } }", {})
    _, writer = await asyncio.open_connection("127.0.0.1", client.port)
    writer.write(whole[:-10] if number % 2 else whole)
    # The loop sends it when it turns.
    await asyncio.sleep(0)
    writer.transport.abort()


async def over_stream(client: Client, _: int) -> None:
    """Follow something over an event stream, and leave after what is told first."""
    reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
    writer.write(request(client.token, "subscription { integrationHealth { cursor } }", {}, "text/event-stream"))
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
    await reader.readuntil(b'"cursor"')
    writer.transport.abort()


async def over_socket(client: Client, number: int) -> None:
    """Follow something over a WebSocket until it happens, and end the subscription or leave at once."""
    reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
    writer.write(
        b"GET /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        b"Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
    )
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")

    def send(type_: str, **further: object) -> None:
        # Each is a frame of 150 bytes, masked with nothing (RFC 6455, 5.2).
        writer.write(b"\x81\xfe\0\x96\0\0\0\0" + orjson.dumps({"type": type_, **further}).ljust(150))

    send("connection_init", payload={"Authorization": f"Bearer {client.token}"})
    send("subscribe", id="1", payload={"query": "subscription { events { type } }"})
    # Messages are taken in turn: once this one is answered, the subscription has begun.
    send("ping")
    await reader.readuntil(b'"pong"')
    await changing(client, number)
    await reader.readuntil(b'"WORKSPACE_UPDATED"')
    if number % 2:
        send("complete", id="1")
        send("ping")
        await reader.readuntil(b'"pong"')
    writer.transport.abort()


PER_THOUSAND: Final[Mapping[Kind, int]] = {
    known: 420,
    varied: 200,
    unseen: 60,
    unparsable: 50,
    invalid: 50,
    too_much: 40,
    wrong_token: 60,
    failing: 50,
    changing: 20,
    leaving: 20,
    over_stream: 15,
    over_socket: 15,
}
"""How many of a thousand requests are of which kind."""


class Traffic:
    """Clients that send requests, several at a time."""

    def __init__(self, port: int, token: str) -> None:
        self._port = port
        self._token = token
        self._numbers = itertools.count()
        self._random = random.Random(20)

    async def furnish(self, registry: str) -> None:
        """Have something to ask for, and every kind several times in a row: known documents are known from then on."""
        await self.send([asking(INTEGRATE, url=registry), changing], clients=1)
        await self.send([kind for kind in PER_THOUSAND for _ in range(12)], clients=1)

    async def send(self, kinds: Iterable[Kind], clients: int = CLIENTS) -> None:
        """Send requests of these kinds."""
        coming = zip(kinds, self._numbers, strict=False)

        async def work() -> None:
            client = Client(self._port, self._token, *await asyncio.open_connection("127.0.0.1", self._port))
            try:
                for kind, number in coming:
                    async with asyncio.timeout(DEADLINE_SECONDS):
                        await kind(client, number)
            finally:
                client.writer.close()

        async with asyncio.TaskGroup() as tasks:
            for _ in range(clients):
                tasks.create_task(work())

    def mixed(self, thousands: int, kinds: Iterable[Kind] = tuple(PER_THOUSAND)) -> Iterator[Kind]:
        """Return the kinds of so many thousand requests in random order, or those of them that are wanted."""
        for _ in range(thousands):
            of_one = [kind for kind in kinds for _ in range(PER_THOUSAND[kind])]
            self._random.shuffle(of_one)
            yield from of_one


@dataclass(frozen=True, slots=True)
class Served:
    """A server in this process and loop."""

    traffic: Traffic
    server: Server

    async def look(self) -> Counter[object]:
        """Return how many objects of each type there are, and blocks of memory, with the same in caches each time."""
        for kind in (unseen, varied):
            await self.traffic.send([kind] * 60, clients=1)
        await until(self._is_idle)
        for each in gc.get_objects():
            if type(each) is BoundedHeadsProtocol and each.timeout_keep_alive_task is not None:
                # Of a client that left with an error, uvicorn awaits the next request all the same: for five seconds.
                each.timeout_keep_alive_task.cancel()
        gc.collect()
        gc.collect()
        blocks, objects = sys.getallocatedblocks(), gc.get_objects()
        counts: Counter[object] = Counter(map(type, objects))
        # sqlite3 keeps references to cursors that are gone, and throws them away after 200.
        gone = sum(type(each) is weakref.ReferenceType and each() is None for each in objects)
        counts[weakref.ReferenceType] -= gone
        counts[BLOCKS] = blocks - gone
        return counts

    async def _is_idle(self) -> bool:
        return not self.server.server_state.connections and not self.server.server_state.tasks


@asynccontextmanager
async def served(data: Path, limits: Limits, **database_settings: Any) -> AsyncIterator[Served]:
    """Run a server that leaves its registry alone."""
    intervals = {"probe_interval_seconds": 3600, "synchronization_interval_seconds": 3600, "usage_interval_seconds": 0}
    settings = read_settings({}, data=data, port=0, console=False, **intervals, **database_settings)
    listening: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    shutdown, metrics = asyncio.Event(), Metrics()
    async with running_services(settings, observer=metrics) as services:
        application = build_application(settings, services, shared_schema(), limits, shutdown, metrics)
        server = Server(uvicorn_config(application, settings, limits), listening.set_result, shutdown)
        serving = asyncio.create_task(server.serve())
        try:
            yield Served(Traffic(await listening, (data / ADMIN_TOKEN_FILE).read_text().strip()), server)
        finally:
            server.stop()
            await serving


@pytest.fixture
def registry() -> Iterator[str]:
    """The address of a registry that holds a little."""
    with running_fake_registries() as registries:
        registries.repositories["registry"] = [f"team-{number}/app" for number in range(5)]
        yield registries.url("registry")


def test_nothing_is_kept_of_requests(
    tmp_path: Path, database_settings: dict[str, Any], registry: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_log, "RECENT_EVENTS", 16)
    if database_settings:
        # Each connection remembers its statements: one has soon seen them all.
        database_settings["database_url"] += "&minsize=1&maxsize=1"
    else:
        copy_migrated_sqlite(tmp_path / DATABASE_FILE)

    async def work() -> None:
        async with served(tmp_path, FEW, **database_settings) as here:
            await here.traffic.furnish(registry)
            await here.traffic.send(here.traffic.mixed(1))
            earlier = await here.look()
            # Again, now that there is a look.
            earlier = await here.look()
            for _ in range(ROUNDS):
                await here.traffic.send(here.traffic.mixed(ROUND_THOUSANDS))
                later = await here.look()
                most = {**dict.fromkeys(later, MOST_NEW_OBJECTS), BLOCKS: MOST_NEW_BLOCKS}
                too_many = {what: new for what, new in (later - earlier).items() if new > most[what]}
                if not too_many:
                    return
                earlier = later
            raise AssertionError(f"{ROUND_THOUSANDS},000 requests have left behind: {too_many}")

    run_in_loop(work())


def test_caches_take_the_room_that_they_are_given(tmp_path: Path, registry: str) -> None:
    limits = Limits(max_cached_documents=50, max_cached_document_bytes=2_500, max_kept_answers_bytes=150 * ENTRY_BYTES)
    copy_migrated_sqlite(tmp_path / DATABASE_FILE)

    async def work() -> None:
        async with served(tmp_path, limits) as here:
            await here.traffic.furnish(registry)
            await here.look()
            tracemalloc.start()
            try:
                await here.traffic.send(here.traffic.mixed(1, (varied, unseen)))
                look, (taken_bytes, _) = await here.look(), tracemalloc.get_traced_memory()
            finally:
                tracemalloc.stop()
            assert look[Document] <= limits.max_cached_documents
            assert taken_bytes <= room_bytes(limits)

    run_in_loop(work())


@pytest.mark.soak
def test_a_million_requests_take_no_more_than_the_first(
    tmp_path: Path, database_settings: dict[str, Any], registry: str
) -> None:
    limits, thousands = Limits(), SOAK_REQUESTS // 1_000 // SOAK_LOOKS
    settings = {name.upper(): value for name, value in database_settings.items()} | {"CONSOLE": "false"}
    with running_process(tmp_path, settings=settings) as server:
        traffic = Traffic(server.port, server.admin_token)
        run_in_loop(traffic.furnish(registry))
        empty_bytes = private_bytes(server.process.pid)
        # Until all is kept that may be: as many answers as there can be room for, then as many events.
        answers, kept = limits.max_kept_answers_bytes / ENTRY_BYTES, (varied, unseen)
        run_in_loop(traffic.send(traffic.mixed(thousands_with(answers, kept), kept)))
        run_in_loop(traffic.send(traffic.mixed(thousands_with(event_log.RECENT_EVENTS, (changing, over_socket)))))
        taken_bytes = []
        for _ in range(SOAK_LOOKS):
            run_in_loop(traffic.send(traffic.mixed(thousands)))
            taken_bytes.append(private_bytes(server.process.pid) - empty_bytes)
    # Of the second half: where pools and tables have room left, that settles slowly.
    settled = taken_bytes[SOAK_LOOKS // 2 :]
    growth = statistics.linear_regression(range(len(settled)), settled).slope / (1_000 * thousands)
    print(f"{taken_bytes[0]:,} bytes, later {taken_bytes[-1]:,}, {growth:.1f} for each request")  # noqa: T201
    assert growth < MOST_BYTES_PER_REQUEST
    assert max(taken_bytes) <= room_bytes(limits)


def thousands_with(count: float, kinds: Iterable[Kind]) -> int:
    """Return how many thousand requests have so many of some kinds."""
    return math.ceil(count / sum(PER_THOUSAND[kind] for kind in kinds))


def run_in_loop(work: Coroutine[Any, Any, None]) -> None:
    """Run it in a loop such as the server's."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work)


def room_bytes(limits: Limits) -> int:
    """Return what caches may take by what the limits say of themselves."""
    return limits.max_kept_answers_bytes + TREE_BYTES * limits.max_cached_document_bytes


def private_bytes(process_id: int) -> int:
    """Return what a process has of memory for itself; pages of files come and go with what else the machine does."""
    _, _, amount = Path(f"/proc/{process_id}/status").read_text().partition("RssAnon:")
    return 1024 * int(amount.split()[0])
