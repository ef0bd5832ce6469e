"""Whose turn it is to read a log: nobody reads twice, and no claim lasts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from models.change_feed import ChangeFeed
from models.database import Transaction
from registry_clients.refusals import FeedLoss, FeedLost
from services.feed_claims import IDLE_INTERVAL, LEASE, LONG_AGO, LOST_INTERVAL, WATCHED_INTERVAL, FeedClaims
from tests.databases import migrated
from tests.seeding import seed_integrations

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


class Replica:
    """Claims with a clock of their own."""

    def __init__(self) -> None:
        self.now = NOON


@asynccontextmanager
async def replicas(
    address: str, position: int | None = 7
) -> AsyncIterator[tuple[FeedClaims, FeedClaims, Replica, Replica]]:
    """Open two replicas' claims on one log that was last read at noon, and their clocks."""
    async with migrated(address) as database:
        (integration_id,) = await seed_integrations(database, ["http://registry.example"])

        async def work(_: Transaction) -> None:
            await ChangeFeed.create(integration_id=integration_id, position=position, read_at=NOON)

        await database.transact(work)
        mine, theirs = Replica(), Replica()
        yield FeedClaims(database, lambda: mine.now), FeedClaims(database, lambda: theirs.now), mine, theirs


def test_it_is_due_by_whether_somebody_watches(database_address: str) -> None:
    async def scenario() -> None:
        async with replicas(database_address) as (claims, _, mine, _theirs):
            mine.now = NOON + WATCHED_INTERVAL
            assert await claims.take_due(9, is_watched=False) == []
            (taken,) = await claims.take_due(9, is_watched=True)
            assert (taken.position, taken.lease_until) == (7, mine.now + LEASE)
            # Something just changed: read soon again, though nobody watches.
            assert await claims.finish(taken, {"position": 8, "changed_at": mine.now})
            mine.now += WATCHED_INTERVAL
            (again,) = await claims.take_due(9, is_watched=False)
            assert again.position == 8
            assert await claims.finish(again, {})
            mine.now += timedelta(minutes=1)
            assert len(await claims.take_due(9, is_watched=False)) == 1

    asyncio.run(scenario())


def test_a_claim_keeps_others_away_though_their_clock_is_behind(database_address: str) -> None:
    async def scenario() -> None:
        async with replicas(database_address) as (mine, theirs, my_clock, their_clock):
            my_clock.now = NOON + IDLE_INTERVAL + SECOND
            their_clock.now = NOON + IDLE_INTERVAL
            (taken,) = await mine.take_due(9, is_watched=False)
            assert await theirs.take_due(9, is_watched=True) == []
            # Over, it is theirs, and what is written under the old one counts no more.
            their_clock.now = taken.lease_until
            (retaken,) = await theirs.take_due(9, is_watched=False)
            assert not await mine.finish(taken, {"position": 99})
            await mine.give_back([taken])
            assert await theirs.finish(retaken, {"position": 8})

    asyncio.run(scenario())


def test_a_clock_that_went_back_keeps_nothing_from_being_read(database_address: str) -> None:
    async def scenario() -> None:
        async with replicas(database_address) as (claims, _, mine, _theirs):
            mine.now = NOON + LONG_AGO
            assert len(await claims.take_due(9, is_watched=False)) == 1
            mine.now = NOON - LONG_AGO
            assert len(await claims.take_due(9, is_watched=False)) == 1

    asyncio.run(scenario())


def test_a_lost_one_is_looked_for_rarely_unless_it_is_kept(database_address: str) -> None:
    async def scenario() -> None:
        async with replicas(database_address) as (claims, _, mine, _theirs):
            integration_id = 1
            off = FeedLost(FeedLoss.SWITCHED_OFF, "It is off.")
            assert await claims.lose(integration_id, off)
            assert not await claims.lose(integration_id, off)
            mine.now = NOON + LOST_INTERVAL - SECOND
            assert await claims.take_due(9, is_watched=True) == []
            mine.now = NOON + LOST_INTERVAL
            (taken,) = await claims.take_due(9, is_watched=True)
            assert taken.position is None
            assert await claims.finish(taken, {"position": 3})
            assert await claims.lose(integration_id, FeedLost(FeedLoss.PURGED, "It was purged."))
            assert len(await claims.take_due(9, is_watched=False)) == 1

    asyncio.run(scenario())
