"""All who follow the same are told the same, made once; nobody misses anything, or is told anything twice."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager

import pytest
from websockets import Subprotocol
from websockets.asyncio.client import ClientConnection, connect

from models.database import NewEvent, Transaction
from models.enums import EventType
from resolvers.context import RequestContext
from server.authentication import ViewerSession
from tests.api.live import Subscribed, over_event_stream, over_websocket
from tests.api.surface import Surface
from tests.serving import RunningServer
from tests.workspaces import member_token

QUERY = """
subscription ($after: Cursor) {
  events(after: $after) { cursor ... on IntegrationUpdated { integrationName } }
}"""
MOST_TRIES = 50
COMERS, VISITS = 6, 8


@pytest.fixture
def executions(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The requests for which an event was answered, one for each time."""
    made: list[str] = []
    new_shared_context = ViewerSession.new_shared_context

    def counted(session: ViewerSession, request_id: str) -> RequestContext:
        made.append(request_id)
        return new_shared_context(session, request_id)

    monkeypatch.setattr(ViewerSession, "new_shared_context", counted)
    return made


async def happen(server: RunningServer, *names: str) -> None:
    """Have integrations of these names updated, in one transaction."""

    async def work(transaction: Transaction) -> None:
        for name in names:
            data = {"integration_name": name, "by": "the test"}
            transaction.events.append(NewEvent(EventType.INTEGRATION_UPDATED, server.services.clock(), None, data))

    await server.services.database.transact(work)


def told(subscribed: Subscribed) -> str:
    """Return the name that a subscriber is told next."""
    name: str = subscribed.next()["data"]["events"]["integrationName"]
    return name


def until_shared(server: RunningServer, subscribed: list[Subscribed], executions: list[str], count: int) -> None:
    """Have things happen until one makes no more executions than it has to."""
    for number in range(MOST_TRIES):
        executions.clear()
        server.run(happen(server, f"try {number}"))
        assert {told(each) for each in subscribed} == {f"try {number}"}
        if len(executions) == count:
            return
    pytest.fail(f"{len(executions)} executions for {len(subscribed)} subscribers")


def test_an_event_is_answered_once_for_all_who_ask_the_same(surface: Surface, executions: list[str]) -> None:
    server = surface.server
    with ExitStack() as resources:
        subscribed: list[Subscribed] = [
            *(resources.enter_context(over_websocket(server, QUERY, {})) for _ in range(10)),
            *(resources.enter_context(over_event_stream(server, QUERY, {"after": None})) for _ in range(3)),
        ]
        until_shared(server, subscribed, executions, 1)
        # Whoever comes with a cursor is among them, once it has what it missed.
        cursor = server.graphql("{ events(first: 1) { nodes { cursor } } }")["events"]["nodes"][0]
        server.run(happen(server, "missed"))
        assert {told(each) for each in subscribed} == {"missed"}
        late = resources.enter_context(over_websocket(server, QUERY, {"after": cursor["cursor"]}))
        assert told(late) == "missed"
        until_shared(server, [*subscribed, late], executions, 1)

        executions.clear()
        server.run(happen(server, *(str(number) for number in range(20))))
        for each in [*subscribed, late]:
            assert [told(each) for _ in range(20)] == [str(number) for number in range(20)]
        assert len(executions) == 20


def test_another_document_other_variables_and_another_scope_are_not_shared(
    surface: Surface, executions: list[str]
) -> None:
    server, token = surface.server, member_token(surface.server)
    conditional = QUERY.replace("$after: Cursor", "$after: Cursor, $is: Boolean!").replace(
        "cursor ...", "cursor @include(if: $is) ..."
    )
    with ExitStack() as resources:
        with_cursor, without = (
            resources.enter_context(over_websocket(server, conditional, {"is": shown})) for shown in (True, False)
        )
        subscribed: list[Subscribed] = [
            *(resources.enter_context(over_websocket(server, QUERY, {})) for _ in range(3)),
            *(resources.enter_context(over_websocket(server, QUERY, {}, token)) for _ in range(3)),
            resources.enter_context(over_websocket(server, QUERY + " # another", {})),
            with_cursor,
            without,
        ]
        until_shared(server, subscribed, executions, 5)
        server.run(happen(server, "last"))
        assert set(with_cursor.next()["data"]["events"]) == {"cursor", "integrationName"}
        assert set(without.next()["data"]["events"]) == {"integrationName"}


@pytest.mark.parametrize("seed", range(4))
def test_who_comes_and_goes_in_a_storm_gets_everything_once(surface: Surface, seed: int) -> None:
    server, chance = surface.server, random.Random(seed)
    server.run(happen(server, "before"))
    start = server.graphql("{ events(first: 1) { nodes { cursor } } }")["events"]["nodes"][0]["cursor"]
    cursors: list[tuple[str | None, int | None]] = [(start, -1)]

    async def come_and_go() -> None:
        for _ in range(VISITS):
            after, last = chance.choice([(None, None), chance.choice(cursors)])
            async with _subscribed(server, after) as socket:
                for _ in range(chance.choice([0, 1, 5, 50])):
                    cursor, last = await _next(socket, last)
                    cursors.append((cursor, last))

    async def stay(total: asyncio.Future[int]) -> None:
        async with _subscribed(server, start) as socket:
            last = -1
            while not total.done() or last < total.result() - 1:
                _, last = await _next(socket, last)

    async def main() -> None:
        total = asyncio.get_running_loop().create_future()
        async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
            comers = {tasks.create_task(come_and_go()) for _ in range(COMERS)}
            for _ in range(COMERS):
                tasks.create_task(stay(total))
            count = 0
            while not all(task.done() for task in comers):
                size = chance.choice([1, 1, 2, 7, 40])
                names = [str(count + number) for number in range(size)]
                await asyncio.to_thread(server.run, happen(server, *names))
                count += size
                await asyncio.sleep(chance.choice([0, 0, 0.001, 0.01]))
            total.set_result(count + 1)
            # Those who stay may wait already, and have to be told that this is the last.
            await asyncio.to_thread(server.run, happen(server, str(count)))

    asyncio.run(main())


def test_nothing_is_left_of_those_who_have_gone(surface: Surface) -> None:
    server = surface.server

    async def tasks() -> int:
        return len(asyncio.all_tasks())

    before = server.run(tasks())
    with ExitStack() as resources:
        for _ in range(5):
            subscribed = resources.enter_context(over_websocket(server, QUERY, {}))
        server.run(happen(server, "one"))
        assert told(subscribed) == "one"
        assert server.run(tasks()) > before
    surface.wait_until(lambda: server.run(tasks()) <= before, "every task of theirs has ended")


@asynccontextmanager
async def _subscribed(server: RunningServer, after: str | None) -> AsyncIterator[ClientConnection]:
    async with connect(
        f"ws://127.0.0.1:{server.port}/graphql",
        subprotocols=[Subprotocol("graphql-transport-ws")],
        compression=None,
        close_timeout=0.5,
    ) as socket:
        authorization = f"Bearer {server.admin_token}"
        await socket.send(json.dumps({"type": "connection_init", "payload": {"Authorization": authorization}}))
        assert json.loads(await socket.recv()) == {"type": "connection_ack"}
        payload = {"query": QUERY, "variables": {"after": after}}
        await socket.send(json.dumps({"type": "subscribe", "id": "1", "payload": payload}))
        yield socket


async def _next(socket: ClientConnection, last: int | None) -> tuple[str, int]:
    """Return the cursor and the number of what comes next, which must follow the last one."""
    message = json.loads(await socket.recv())
    assert message["type"] == "next", message
    event = message["payload"]["data"]["events"]
    number = int(event["integrationName"])
    assert last is None or number == last + 1
    return event["cursor"], number
