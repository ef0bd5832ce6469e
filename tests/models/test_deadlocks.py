"""What PostgreSQL ends because two wait for each other begins anew, and its caller sees nothing of it."""

from __future__ import annotations

import asyncio
from functools import partial

import asyncpg
import pytest

from models.access_token import AccessToken
from models.database import MOST_DEADLOCKS, Transaction
from tests.databases import count_rows, migrated, new_event
from tests.models.test_database import add_token


def test_two_that_wait_for_each_other_both_end_well(postgresql_address: str) -> None:
    async def main() -> None:
        async with migrated(postgresql_address) as database:
            for number in (1, 2):
                await database.transact(lambda transaction, number=number: add_token(transaction, number))  # type: ignore[misc]
            runs: list[int] = []
            both_hold = asyncio.Barrier(2)

            async def rename(transaction: Transaction, order: tuple[str, str]) -> str:
                runs.append(0)
                transaction.events.append(new_event(len(runs)))
                is_first_run = len(runs) <= 2
                await AccessToken.filter(name=order[0]).update(created_by=order[0])
                if is_first_run:
                    await both_hold.wait()
                await AccessToken.filter(name=order[1]).update(created_by=order[0])
                return order[0]

            done = await asyncio.gather(
                *(database.transact(partial(rename, order=order)) for order in (("1", "2"), ("2", "1")))
            )
            assert done == ["1", "2"]
            assert len(runs) == 3
            # The one that was ended wrote last, and its first run told of nothing.
            assert await count_rows(database, "event") == 4

    asyncio.run(main())


def test_one_that_always_waits_in_vain_fails(postgresql_address: str) -> None:
    async def main() -> None:
        async with migrated(postgresql_address) as database:
            runs: list[int] = []

            async def work(transaction: Transaction) -> None:
                runs.append(0)
                raise asyncpg.DeadlockDetectedError("deadlock detected")

            with pytest.raises(asyncpg.DeadlockDetectedError):
                await database.transact(work)
            assert len(runs) == MOST_DEADLOCKS + 1

    asyncio.run(main())
