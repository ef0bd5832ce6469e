"""Reads go beside transactions: they wait for none, and see what was committed."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tortoise.exceptions import OperationalError

from models.database import Transaction
from server.settings import read_settings
from tests.databases import DEADLINE_SECONDS, count_rows, migrated, new_event


def test_a_read_waits_for_no_transaction_and_sees_nothing_of_it(database_address: str) -> None:
    async def main() -> None:
        async with migrated(database_address) as database:
            has_written, may_end = asyncio.Event(), asyncio.Event()

            async def work(transaction: Transaction) -> None:
                await transaction.execute('UPDATE "event_position" SET "position" = 7')
                has_written.set()
                # Within the work, since that goes on when who waits for it has given up.
                async with asyncio.timeout(DEADLINE_SECONDS):
                    await may_end.wait()

            async def position() -> int:
                rows = await database.fetch('SELECT "position" FROM "event_position"')
                return int(rows[0]["position"])

            writing = asyncio.create_task(database.transact(work))
            async with asyncio.timeout(DEADLINE_SECONDS / 2):
                await has_written.wait()
                assert await position() == 0
            may_end.set()
            await writing
            assert await position() == 7

    asyncio.run(main())


def test_what_was_committed_is_read_at_once(database_address: str) -> None:
    async def main() -> None:
        async with migrated(database_address) as database:
            for number in range(100):

                async def work(transaction: Transaction, number: int = number) -> None:
                    transaction.events.append(new_event(number))

                await database.transact(work)
                assert await count_rows(database, "event") == number + 1

    asyncio.run(main())


def test_what_is_no_read_fails(tmp_path: Path) -> None:
    async def main() -> None:
        async with migrated(read_settings({}, data=tmp_path).tortoise_url) as database:
            with pytest.raises(OperationalError, match="readonly"):
                await database.fetch('UPDATE "event_position" SET "position" = 7')
            rows = await database.fetch('SELECT "position" FROM "event_position"')
            assert rows[0]["position"] == 0

    asyncio.run(main())
