"""Streams of health: the present first, then each change, once, whatever the clocks of replicas say."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime, timedelta
from typing import Any

from models.database import Database, NewEvent, Transaction
from models.enums import EventType, HealthStatus
from models.integration import IntegrationHealth
from models.queries.sight import EVERYTHING
from schema.roots.subscription import Told
from services.event_log import EventLog
from services.streams import HealthChange, HealthStream
from tests.databases import DEADLINE_SECONDS, NOON, add_integration, migrated

EPOCH = "0ddba11"


def health(status: HealthStatus, checked_at: datetime) -> dict[str, Any]:
    """Return a health as events keep it."""
    return {
        "status": status.value,
        "reason": None,
        "message": None,
        "registry_message": None,
        "since": checked_at.isoformat(),
        "checked_at": checked_at.isoformat(),
        "latency_milliseconds": None,
    }


async def change(
    database: Database, integration_id: int, before: HealthStatus, after: HealthStatus, moment: datetime
) -> None:
    """Write a change of health as a probe does: state and event in one transaction."""

    async def work(transaction: Transaction) -> None:
        await IntegrationHealth.filter(integration_id=integration_id).update(
            status=after, since=moment, checked_at=moment
        )
        data = {"previous": health(before, moment), "current": health(after, moment)}
        transaction.events.append(NewEvent(EventType.HEALTH_CHANGED, moment, integration_id, data))

    await database.transact(work)


def told(stream: HealthStream, after: str | None = None) -> AsyncGenerator[HealthChange, None]:
    """Return what a subscriber is told."""
    return aiter(Told(stream, after, lambda change: change))


async def following(stream: AsyncGenerator[HealthChange, None]) -> tuple[int, HealthStatus | None, HealthStatus]:
    """Return what comes next: of which, what it was, what it is."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        change_ = await anext(stream)
    return change_.integration_id, None if change_.previous is None else change_.previous.status, change_.current.status


def test_the_present_then_each_change_once(database_address: str) -> None:
    unknown, healthy, unhealthy = HealthStatus.UNKNOWN, HealthStatus.HEALTHY, HealthStatus.UNHEALTHY

    async def main() -> None:
        async with migrated(database_address) as database:
            log = EventLog(database, EPOCH)
            database.on_events = log.wake
            await log.start()
            reading = asyncio.create_task(log.run())
            b, a = await add_integration(database, "b"), await add_integration(database, "a")
            async with (
                aclosing(told(HealthStream(database, log, lambda: NOON, EVERYTHING, None))) as everything,
                aclosing(told(HealthStream(database, log, lambda: NOON, EVERYTHING, (b,)))) as of_b,
                aclosing(told(HealthStream(database, log, lambda: NOON, EVERYTHING, ()))) as of_none,
            ):
                silent = asyncio.create_task(following(of_none))
                # Before the stream begins, by a replica whose clock is ahead.
                await change(database, a, unknown, healthy, NOON + timedelta(minutes=5))
                assert [await following(everything), await following(everything)] == [
                    (a, None, healthy),
                    (b, None, unknown),
                ]
                assert await following(of_b) == (b, None, unknown)
                # After it, by one whose clock is right: later all the same, and the last word.
                await change(database, a, healthy, unhealthy, NOON + timedelta(minutes=1))
                assert await following(everything) == (a, healthy, unhealthy)
                await change(database, b, unknown, healthy, NOON + timedelta(minutes=2))
                assert await following(everything) == (b, unknown, healthy)
                # Nothing of `a`, and what was in the present state isn't told again.
                assert await following(of_b) == (b, unknown, healthy)
                assert not silent.done()
                silent.cancel()
                await asyncio.wait((silent,))
            # From a cursor on: what was missed, without the present first.
            async with aclosing(
                told(HealthStream(database, log, lambda: NOON, EVERYTHING, None), log.cursor(1))
            ) as resumed:
                assert await following(resumed) == (a, healthy, unhealthy)
                assert await following(resumed) == (b, unknown, healthy)
            reading.cancel()
            await asyncio.wait((reading,))

    asyncio.run(main())
