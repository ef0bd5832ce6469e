"""What is taken away is not told any more, also to whoever has been listening since before."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractContextManager, aclosing
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from models.binding import Binding
from models.database import Transaction
from models.enums import EventType, Visibility
from models.queries.events import EventConditions, log_span
from models.queries.sight import EVERYTHING, Sight
from models.records import EventRecord
from models.space import Space
from services.access_writing import lock_access
from services.event_making import workspace_event
from services.streams import EventStream, Step
from tests.api.live import ANSWER_SECONDS, OverWebSocket, Subscribed, over_event_stream, over_websocket
from tests.databases import DEADLINE_SECONDS
from tests.serving import RunningServer
from tests.tenants import BOUND_TO_A, CLOSED, OPEN, SHARED, Tenants, clear_tenants, store_tenants

Transport = Callable[..., AbstractContextManager[Subscribed]]
TRANSPORTS = pytest.mark.parametrize("over", [over_websocket, over_event_stream], ids=["websocket", "sse"])
EVENTS = """subscription ($after: Cursor) {
  events(after: $after, filter: { types: [IMAGE_PUSHED] }) { type ... on ImagePushed { spaceName } } }"""


@pytest.fixture
def tenants(quiet_server: RunningServer) -> Tenants:
    clear_tenants(quiet_server)
    return store_tenants(quiet_server)


def push_to(tenants: Tenants, *spaces: str) -> None:
    """Have an image pushed to each of the spaces."""
    tenants.write_events(*(tenants.space_event(space, tenants.server.services.clock()) for space in spaces))


def pushed(subscribed: Subscribed) -> str:
    """Return the space to which the next push is told."""
    event: dict[str, Any] = subscribed.next()["data"]["events"]
    assert event["type"] == "IMAGE_PUSHED"
    name: str = event["spaceName"]
    return name


def change(tenants: Tenants, work: Callable[[], Any]) -> None:
    """Change rows, without a word."""

    async def in_transaction(_: Transaction) -> None:
        await work()

    tenants.server.run(tenants.server.services.database.transact(in_transaction))


@TRANSPORTS
def test_a_binding_that_goes_takes_the_events_of_its_space_along(tenants: Tenants, over: Transport) -> None:
    from_now_on = {"after": tenants.cursor()}
    with (
        over(tenants.server, EVENTS, from_now_on, tenants.tokens["member of A"]) as of_a,
        over(tenants.server, EVENTS, from_now_on, tenants.tokens["member of B"]) as of_b,
        over(tenants.server, EVENTS, from_now_on) as of_all,
    ):
        push_to(tenants, BOUND_TO_A, SHARED, CLOSED, OPEN)
        assert [pushed(of_a) for _ in range(3)] == [BOUND_TO_A, SHARED, OPEN]
        assert [pushed(of_b) for _ in range(2)] == [SHARED, OPEN]

        change(tenants, lambda: Binding.filter(workspace_id=tenants.workspaces["A"]).delete())

        push_to(tenants, BOUND_TO_A, SHARED, CLOSED, OPEN)
        assert pushed(of_a) == OPEN
        assert [pushed(of_b) for _ in range(2)] == [SHARED, OPEN]

        # What is given is told of from then on.
        space_id, workspace_id, now = tenants.spaces[CLOSED], tenants.workspaces["A"], tenants.server.services.clock()
        binding: dict[str, Any] = {"bound_by": "the test", "bound_at": now, "granted_version": 1, "version": 1}
        change(tenants, lambda: Binding.create(space_id=space_id, workspace_id=workspace_id, **binding))
        push_to(tenants, BOUND_TO_A, CLOSED)
        assert pushed(of_a) == CLOSED
        told_to_all = [pushed(of_all) for _ in range(10)]
        assert told_to_all == [BOUND_TO_A, SHARED, CLOSED, OPEN] * 2 + [BOUND_TO_A, CLOSED]


def test_a_space_that_is_closed_is_not_told_of(tenants: Tenants) -> None:
    from_now_on = {"after": tenants.cursor()}
    with over_websocket(tenants.server, EVENTS, from_now_on, tenants.tokens["member of nothing"]) as subscribed:
        push_to(tenants, CLOSED, OPEN)
        assert pushed(subscribed) == OPEN

        opened, closed = tenants.spaces[CLOSED], tenants.spaces[OPEN]
        change(tenants, lambda: Space.filter(id=closed).update(visibility=Visibility.PRIVATE))
        change(tenants, lambda: Space.filter(id=opened).update(visibility=Visibility.PUBLIC))

        push_to(tenants, OPEN, CLOSED)
        assert pushed(subscribed) == CLOSED


@TRANSPORTS
def test_a_workspace_that_is_deleted_ends_what_its_viewers_follow(tenants: Tenants, over: Transport) -> None:
    services, workspace_id = tenants.server.services, tenants.workspaces["A"]

    async def delete(transaction: Transaction) -> None:
        await lock_access(transaction)
        await services.access_tokens.revoke_all_of(transaction, workspace_id, "the test")

    from_now_on = {"after": tenants.cursor()}
    with (
        over(tenants.server, EVENTS, from_now_on, tenants.tokens["admin of A"]) as of_admin,
        over(tenants.server, EVENTS, from_now_on, tenants.tokens["member of A"]) as of_member,
        over(tenants.server, EVENTS, from_now_on, tenants.tokens["member of B"]) as of_another,
    ):
        push_to(tenants, OPEN)
        assert [pushed(subscribed) for subscribed in (of_admin, of_member, of_another)] == [OPEN] * 3
        tenants.server.run(services.database.transact(delete))
        for subscribed in (of_admin, of_member):
            _require_over(subscribed)
        push_to(tenants, SHARED)
        assert pushed(of_another) == SHARED
    for name in ("admin of A", "member of A"):
        errors = tenants.server.post("{ viewer { name } }", token=tenants.tokens[name])["errors"]
        assert [error["extensions"]["code"] for error in errors] == ["UNAUTHENTICATED"]


def test_what_waits_for_a_slow_reader_is_looked_at_again(tenants: Tenants) -> None:
    """Of a batch of which a part is told: what is taken away meanwhile is not told with the rest."""
    services, sight = tenants.server.services, Sight((tenants.workspaces["A"],))

    before, now = tenants.cursor(), services.clock()

    async def main() -> None:
        async def push(transaction: Transaction) -> None:
            transaction.events += [tenants.space_event(BOUND_TO_A, now), tenants.space_event(OPEN, now)] * 2

        async def take_away(transaction: Transaction) -> None:
            await Binding.filter(workspace_id=tenants.workspaces["A"]).delete()
            transaction.events.append(
                workspace_event(EventType.WORKSPACE_UPDATED, now, tenants.workspaces["B"], "B", "the test")
            )

        await services.database.transact(push)
        pushes = EventConditions((EventType.IMAGE_PUSHED,), sight=sight)
        stream = EventStream(services.database, services.events, pushes).behind(
            await services.events.position_of(before)
        )
        async with asyncio.timeout(DEADLINE_SECONDS), aclosing(stream):
            assert await _space(tenants, stream) == BOUND_TO_A
            position = services.events.position
            await services.database.transact(take_away)
            while services.events.position == position:  # noqa: ASYNC110 (nothing tells of it)
                await asyncio.sleep(0.005)
            assert [await _space(tenants, stream) for _ in range(2)] == [OPEN, OPEN]

    tenants.server.run(main())


@pytest.mark.parametrize(("workspaces", "statements"), [(None, 0), (("A",), 1)])
def test_a_batch_is_looked_at_with_one_statement_or_none(
    tenants: Tenants, monkeypatch: pytest.MonkeyPatch, workspaces: tuple[str, ...] | None, statements: int
) -> None:
    services = tenants.server.services
    sight = EVERYTHING if workspaces is None else Sight(tuple(tenants.workspaces[name] for name in workspaces))
    before = tenants.cursor()
    push_to(tenants, *[OPEN, BOUND_TO_A] * 20)
    looked: list[Any] = []

    async def main() -> None:
        end = (await log_span(services.database)).last
        while services.events.position < end:  # noqa: ASYNC110 (nothing tells of it)
            await asyncio.sleep(0.005)
        fetch = services.database.fetch

        async def counted(sql: str, *parameters: object) -> Any:
            looked.extend([sql] if '"space" s' in sql else [])
            return await fetch(sql, *parameters)

        monkeypatch.setattr(services.database, "fetch", counted)
        pushes = EventConditions((EventType.IMAGE_PUSHED,), sight=sight)
        stream = EventStream(services.database, services.events, pushes).behind(
            await services.events.position_of(before)
        )
        async with asyncio.timeout(DEADLINE_SECONDS), aclosing(stream):
            assert [await _space(tenants, stream) for _ in range(40)] == [OPEN, BOUND_TO_A] * 20

    tenants.server.run(main())
    assert len(looked) == statements


async def _space(tenants: Tenants, stream: AsyncGenerator[Step[EventRecord], None]) -> str:
    event = None
    while event is None:
        _, event = await anext(stream)
    space_id = event.space_id
    return next(name for name, key in tenants.spaces.items() if key == space_id)


def _require_over(subscribed: Subscribed) -> None:
    if isinstance(subscribed, OverWebSocket):
        with pytest.raises(ConnectionClosed) as closed:
            subscribed.connection.recv(ANSWER_SECONDS)
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4403, "The access token was revoked.")
        return
    assert [error["extensions"]["code"] for error in subscribed.end()] == ["UNAUTHENTICATED"]
