"""Positions of events: without gaps, in the order of commits, never visible out of order."""

from __future__ import annotations

import asyncio
import random
from functools import partial

import pytest

from models import database as database_module
from models.database import Database, Transaction
from models.queries.events import events_behind
from tests.databases import count_rows, has_waiting_statement, migrated, new_event, until, write_events


async def numbers_and_positions(database: Database) -> list[tuple[int, int]]:
    """Return what is in the log, in order."""
    return [(event.position, event.data["number"]) for event in await events_behind(database, 0, 10_000)]


@pytest.mark.parametrize("first_ends_well", [True, False])
def test_the_second_of_two_interleaved_transactions_waits_for_the_first(
    postgresql_address: str, first_ends_well: bool
) -> None:
    async def main() -> None:
        async with migrated(postgresql_address) as database:
            has_position, may_end = asyncio.Event(), asyncio.Event()

            async def first(transaction: Transaction) -> None:
                transaction.events.append(new_event(1))
                # As is done just before a commit, to stop between the two.
                await database_module._write_events(transaction)
                transaction.events.clear()
                has_position.set()
                await may_end.wait()
                if not first_ends_well:
                    raise LookupError

            one = asyncio.create_task(database.transact(first))
            await has_position.wait()
            other = asyncio.create_task(write_events(database, 2))
            await until(lambda: has_waiting_statement(database))
            # A reader sees neither: what has the higher position is not there before the lower.
            assert await numbers_and_positions(database) == []
            may_end.set()
            await asyncio.wait((one, other))
            assert other.exception() is None
            assert isinstance(one.exception(), LookupError) is not first_ends_well
            expected = [(1, 1), (2, 2)] if first_ends_well else [(1, 2)]
            assert await numbers_and_positions(database) == expected

    asyncio.run(main())


def test_a_reader_never_meets_a_gap(database_address: str) -> None:
    async def main() -> None:
        async with migrated(database_address) as database:
            attempts = 300
            committed: list[int] = []

            async def work(transaction: Transaction, number: int) -> None:
                transaction.events.extend([new_event(number)] * random.choice([1, 1, 3]))
                await transaction.fetch("SELECT 1")
                if random.random() < 0.3:
                    raise LookupError

            async def write(number: int) -> None:
                try:
                    await database.transact(partial(work, number=number))
                except LookupError:
                    return
                committed.append(number)

            async def write_all() -> None:
                for start in range(0, attempts, 10):
                    await asyncio.gather(*(write(start + place) for place in range(10)))

            writing = asyncio.create_task(write_all())
            seen: list[int] = []
            numbers: list[int] = []
            while not writing.done() or len(seen) < await count_rows(database, "event"):
                for event in await events_behind(database, len(seen), 1000):
                    seen.append(event.position)
                    numbers.append(event.data["number"])
                # Gaps would show here: the reader goes on behind what it has, and never looks back.
                assert seen == list(range(1, len(seen) + 1))
            await writing
            assert set(numbers) == set(committed)
            assert len(committed) < attempts
            counter = await database.fetch('SELECT "position" FROM "event_position"')
            assert [row["position"] for row in counter] == [len(seen)]

    asyncio.run(main())
