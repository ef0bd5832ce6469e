"""The event log: whoever reads it misses nothing, or is told so."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import pytest

from models.database import Database
from models.queries.events import events_behind
from models.records import EventRecord
from services import event_log as event_log_module
from services.event_log import BATCH_EVENTS, RECENT_EVENTS, CursorExpired, EventLog, InvalidCursor
from services.event_notices import EventNotices
from services.purge import Purger, Retention
from tests.databases import DEADLINE_SECONDS, NOON, migrated, opened, until, write_events

EPOCH = "0ddba11"


@asynccontextmanager
async def running(database: Database, *, with_notices: bool = False) -> AsyncIterator[EventLog]:
    """Run the event log of one replica."""
    log = EventLog(database, EPOCH)
    database.on_events = log.wake
    await log.start()
    tasks = [asyncio.create_task(log.run())]
    if with_notices:
        tasks.append(asyncio.create_task(EventNotices(database, log.wake).run()))
    try:
        yield log
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task


async def read(log: EventLog, position: int, last: int) -> list[int]:
    """Read behind a position until one is reached, and return the positions in the order that they came."""
    seen = []
    async with asyncio.timeout(DEADLINE_SECONDS):
        while position < last:
            for event in await log.behind(position):
                position = event.position
                seen.append(position)
    return seen


async def purge_before(database: Database, days_after_noon: int) -> None:
    """Purge the events of the days before one."""
    moment = NOON + timedelta(days=days_after_noon)
    await Purger(database, lambda: moment, Retention(events=timedelta(0))).purge()


def test_many_readers_see_every_event_in_order(database_address: str) -> None:
    async def main() -> None:
        async with migrated(database_address) as database, running(database) as log:
            observed: list[EventRecord] = []
            log.observe(observed.append)
            readers = [asyncio.create_task(read(log, 0, 300)) for _ in range(200)]
            for number in range(100):
                await write_events(database, number, number, number)
            assert await asyncio.gather(*readers) == [list(range(1, 301))] * 200
            assert [event.position for event in observed] == list(range(1, 301))

    asyncio.run(main())


def test_a_slow_reader_reads_on_from_the_database(database_address: str) -> None:
    async def main() -> None:
        async with migrated(database_address) as database, running(database) as log:
            count = RECENT_EVENTS + 2 * BATCH_EVENTS
            await write_events(database, *range(count))
            await read(log, count - 1, count)
            assert log._recent[0].position > 1
            assert await read(log, 0, count) == list(range(1, count + 1))

    asyncio.run(main())


def test_who_is_behind_what_was_purged_is_told(database_address: str) -> None:
    async def main() -> None:
        async with migrated(database_address) as database:
            for day in range(4):
                await write_events(database, *range(10), occurred_at=NOON + timedelta(days=day))
            async with running(database) as log:
                await purge_before(database, 2)
                assert await read(log, 20, 40) == list(range(21, 41))
                for position in (0, 19):
                    with pytest.raises(CursorExpired):
                        await log.behind(position)
                    with pytest.raises(CursorExpired):
                        await log.position_of(log.cursor(position))
                assert await log.position_of(log.cursor(20)) == 20
                assert await log.position_of(log.cursor(40)) == 40
                with pytest.raises(CursorExpired):
                    await log.position_of(log.cursor(41))
                # All of it gone: only who has read everything goes on.
                await purge_before(database, 10)
                with pytest.raises(CursorExpired):
                    await log.behind(39)
                with pytest.raises(CursorExpired):
                    await log.position_of(log.cursor(39))
                assert await log.position_of(log.cursor(40)) == 40
                await write_events(database, 0)
                assert await read(log, 40, 41) == [41]

    asyncio.run(main())


def test_a_purge_while_a_reader_reads_is_no_hole(database_address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with migrated(database_address) as database:
            for day in range(4):
                await write_events(database, *range(10), occurred_at=NOON + timedelta(days=day))
            async with running(database) as log:
                original = events_behind

                async def purged_meanwhile(database: Database, position: int, limit: int) -> list[EventRecord]:
                    await purge_before(database, 2)
                    return await original(database, position, limit)

                monkeypatch.setattr(event_log_module, "events_behind", purged_meanwhile)
                with pytest.raises(CursorExpired):
                    await log.behind(5)

    asyncio.run(main())


def test_cursors_that_are_none(database_address: str) -> None:
    async def main() -> None:
        async with migrated(database_address) as database:
            log = EventLog(database, EPOCH)
            await log.start()
            other = EventLog(database, "another")
            await write_events(database, 1)
            with pytest.raises(CursorExpired):
                await log.position_of(other.cursor(1))
            for text in ("", "x", "é", "ZTox", "====", "A" * 101, log.cursor(-1), log.cursor(1)[:-2]):
                with pytest.raises((InvalidCursor, CursorExpired)):
                    await log.position_of(text)

    asyncio.run(main())


def test_another_replica_hears_of_events_at_once(postgresql_address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # Without the net below, so that only notices can wake it.
    monkeypatch.setattr(event_log_module, "POLL_SECONDS", 1000.0)

    async def main() -> None:
        async with (
            migrated(postgresql_address) as writer,
            opened(postgresql_address) as reader,
            running(reader, with_notices=True) as log,
        ):
            await until(lambda: _listens(writer, 1))
            delays = []
            for number in range(20):
                reading = asyncio.create_task(read(log, number, number + 1))
                await write_events(writer, number)
                committed = time.perf_counter()
                assert await reading == [number + 1]
                delays.append(time.perf_counter() - committed)
            # Usual are milliseconds. A generous bound, since the machine may be busy: it says that nobody polled.
            assert sorted(delays)[10] < 0.5, delays

    asyncio.run(main())


def test_listening_begins_again_when_its_connection_is_lost(
    postgresql_address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_log_module, "POLL_SECONDS", 1000.0)
    monkeypatch.setattr("services.event_notices.PAUSE_SECONDS", 0.01)

    async def main() -> None:
        async with migrated(postgresql_address) as writer, opened(postgresql_address) as reader:
            async with running(reader, with_notices=True) as log:
                await until(lambda: _listens(writer, 1))
                await writer.fetch(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND query LIKE 'LISTEN%'"
                )
                # Written while nobody listens, or just after: found all the same.
                await write_events(writer, 1)
                assert await read(log, 0, 1) == [1]
                await until(lambda: _listens(writer, 1))
                await write_events(writer, 2)
                assert await read(log, 1, 2) == [2]
            await until(lambda: _listens(writer, 0))

    asyncio.run(main())


def test_without_notices_polling_finds_what_another_process_wrote(
    database_address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_log_module, "POLL_SECONDS", 0.05)

    async def main() -> None:
        async with migrated(database_address) as writer, opened(database_address) as reader, running(reader) as log:
            await write_events(writer, 1)
            assert await read(log, 0, 1) == [1]

    asyncio.run(main())


async def _listens(database: Database, count: int) -> bool:
    rows = await database.fetch(
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'"
    )
    return len(rows) == count


def test_a_failed_transaction_tells_nobody(postgresql_address: str) -> None:
    async def main() -> None:
        async with migrated(postgresql_address) as database, opened(postgresql_address) as reader:
            told: list[str] = []
            notice: Callable[[], None] = lambda: told.append("notice")  # noqa: E731
            listening = asyncio.create_task(reader.listen(notice))
            await until(lambda: _has(told, 1))  # the one at the beginning
            with pytest.raises(LookupError):
                await database.transact(_fails)
            await write_events(database, 1)
            await until(lambda: _has(told, 2))
            listening.cancel()
            await asyncio.wait((listening,))
            assert told == ["notice", "notice"]

    asyncio.run(main())


async def _has(told: list[str], count: int) -> bool:
    return len(told) >= count


async def _fails(transaction: object) -> None:
    raise LookupError
