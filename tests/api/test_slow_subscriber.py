"""A subscriber that stops reading costs the server little, and misses nothing when it reads on."""

from __future__ import annotations

import gc
import json
from contextlib import ExitStack
from pathlib import Path

from models.database import NewEvent, Transaction
from models.enums import EventType
from tests.api.live import ANSWER_SECONDS, over_websocket
from tests.api.surface import Surface

EVENTS = 5_000
EVENTS_AT_ONCE = 250
EVENT_CHARACTERS = 4_000
SLOW_SUBSCRIBERS = 5
"""Together these would be owed 100 MB, if it were kept for them."""

MOST_BYTES = 40_000_000
"""What is kept instead: the latest events, once for all, and a little for each connection."""

QUERY = "subscription { events { cursor ... on SpaceVanished { spaceName } } }"


def test_a_slow_one_costs_little_and_gets_everything(surface: Surface) -> None:
    with ExitStack() as resources:
        slow = [
            resources.enter_context(over_websocket(surface.server, QUERY, {}, is_slow=True))
            for _ in range(SLOW_SUBSCRIBERS)
        ]
        surface.server.run(_happen(surface, "first", 1))
        for subscriber in slow:
            told = subscriber.next()
            assert told["data"]["events"]["spaceName"].startswith("first 0 ")
        gc.collect()
        before = _resident_bytes()

        for begin in range(0, EVENTS, EVENTS_AT_ONCE):
            surface.server.run(_happen(surface, f"batch {begin}", EVENTS_AT_ONCE))
        log = surface.server.services.events
        surface.wait_until(lambda: log.position >= _newest(surface), "the log was read to its end")
        # Others are served as ever.
        assert surface.server.graphql("{ viewer { name } }") == {"viewer": {"name": "admin"}}
        gc.collect()
        grown = _resident_bytes() - before

        expected = [
            f"batch {begin} {number} " for begin in range(0, EVENTS, EVENTS_AT_ONCE) for number in range(EVENTS_AT_ONCE)
        ]
        received = [json.loads(slow[0].connection.recv(ANSWER_SECONDS)) for _ in range(EVENTS)]

    names = [message["payload"]["data"]["events"]["spaceName"].rstrip("x") for message in received]
    assert names == expected
    assert grown < MOST_BYTES


async def _happen(surface: Surface, what: str, count: int) -> None:
    """Write events in one transaction, as work does."""
    services = surface.server.services

    async def work(transaction: Transaction) -> None:
        for number in range(count):
            name = f"{what} {number} ".ljust(EVENT_CHARACTERS, "x")
            data = {"integration_name": "a registry", "space_name": name}
            transaction.events.append(NewEvent(EventType.SPACE_VANISHED, services.clock(), None, data))

    await services.database.transact(work)


def _newest(surface: Surface) -> int:
    ((position,),) = surface.rows('SELECT "position" FROM "event_position"')
    return int(position)


def _resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096
