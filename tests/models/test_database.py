"""The one way to the database holds, whoever is cancelled and whatever fails."""

from __future__ import annotations

import asyncio
import gc
import random
import sqlite3
import threading
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tortoise.exceptions import DBConnectionError, OperationalError

from models.access_token import AccessToken
from models.database import Database, DatabaseClosed, Transaction
from models.enums import Role
from tests.databases import (
    DEADLINE_SECONDS,
    NOON,
    cancel_at_random,
    count_rows,
    migrated,
    new_event,
    opened,
    until,
    write_events,
)

CANCELLATIONS = 1000
SIDE_BY_SIDE = 20
POOL_SIZE = 3


def with_pool(address: str) -> str:
    """Return the address, with a small pool where there is one."""
    return f"{address}&maxsize={POOL_SIZE}" if "?" in address else address


async def add_token(transaction: Transaction, number: int) -> None:
    """Write a token and an event: both, or neither."""
    await AccessToken.create(
        name=str(number),
        role=Role.WORKSPACE_MEMBER,
        token_hash=f"hash {number}",
        created_by="test",
        created_at=NOON,
        expires_at=NOON,
    )
    transaction.events.append(new_event(number))


async def require_whole_pool(database: Database) -> None:
    """Fail unless as many transactions run side by side as the pool has connections."""
    count = 1 if database.dialect.name == "sqlite" else POOL_SIZE
    barrier = asyncio.Barrier(count)

    async def work(transaction: Transaction) -> None:
        await transaction.fetch("SELECT 1")
        # Within the work, since that goes on when who waits for it has given up.
        async with asyncio.timeout(DEADLINE_SECONDS):
            await barrier.wait()

    async with asyncio.timeout(DEADLINE_SECONDS):
        await asyncio.gather(*(database.transact(work) for _ in range(count)))


def test_a_thousand_cancelled_transactions_leave_nothing_half_written(database_address: str) -> None:
    async def main() -> None:
        async with migrated(with_pool(database_address)) as database:

            async def one(number: int) -> bool:
                return await cancel_at_random(
                    lambda: database.transact(lambda transaction: add_token(transaction, number)), 0.03
                )

            cancelled = 0
            for start in range(0, CANCELLATIONS, SIDE_BY_SIDE):
                cancelled += sum(await asyncio.gather(*(one(start + place) for place in range(SIDE_BY_SIDE))))
            assert cancelled > CANCELLATIONS / 10
            await require_whole_pool(database)

            async def none_runs() -> bool:
                return not database._running

            await until(none_runs)
            # A caller that is cancelled before its transaction began has written nothing: the others, all of it.
            tokens = {row["name"] for row in await database.fetch('SELECT "name" FROM "access_token"')}
            rows = await database.fetch('SELECT "position", "data" FROM "event" ORDER BY "position"')
            assert {str(database.dialect.json(row["data"])["number"]) for row in rows} == tokens
            assert [row["position"] for row in rows] == list(range(1, len(tokens) + 1))
            assert len(tokens) >= CANCELLATIONS - cancelled

    asyncio.run(main())


def test_a_thousand_cancelled_reads_harm_nothing(database_address: str) -> None:
    async def main() -> None:
        async with migrated(with_pool(database_address)) as database:
            await write_events(database, *range(2000))
            cancelled = 0
            for _ in range(0, CANCELLATIONS, SIDE_BY_SIDE):
                reads = [
                    cancel_at_random(lambda: database.fetch('SELECT * FROM "event"'), 0.05) for _ in range(SIDE_BY_SIDE)
                ]
                cancelled += sum(await asyncio.gather(*reads))
            assert cancelled > CANCELLATIONS / 10
            await require_whole_pool(database)
            assert await count_rows(database, "event") == 2000

    asyncio.run(main())


def test_a_failing_transaction_takes_everything_back(database_address: str) -> None:
    async def main() -> None:
        async with migrated(database_address) as database:
            told: list[str] = []
            database.on_events = lambda: told.append("events")

            async def work(transaction: Transaction) -> None:
                await add_token(transaction, 1)
                raise LookupError("the work's own")

            with pytest.raises(LookupError, match="the work's own"):
                await database.transact(work)
            assert (await count_rows(database, "access_token"), await count_rows(database, "event")) == (0, 0)
            assert told == []
            await database.transact(lambda transaction: add_token(transaction, 2))
            assert told == ["events"]
            # The position of the one that was taken back is given again.
            assert [row["position"] for row in await database.fetch('SELECT "position" FROM "event"')] == [1]

    asyncio.run(main())


def test_a_failure_after_the_caller_has_gone_is_no_unretrieved_exception(database_address: str) -> None:
    async def main() -> None:
        complaints: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
        async with migrated(database_address) as database:
            has_begun, may_fail = asyncio.Event(), asyncio.Event()

            async def work(_: Transaction) -> None:
                has_begun.set()
                await may_fail.wait()
                raise LookupError

            caller = asyncio.create_task(database.transact(work))
            await has_begun.wait()
            caller.cancel()
            await asyncio.wait((caller,))
            assert caller.cancelled()
            del caller  # its traceback holds the transaction's task
            may_fail.set()
        gc.collect()
        assert complaints == []

    asyncio.run(main())


def test_a_transaction_ends_though_its_caller_has_gone(database_address: str) -> None:
    async def main() -> None:
        async with migrated(database_address) as database:
            has_begun, may_end = asyncio.Event(), asyncio.Event()

            async def work(transaction: Transaction) -> None:
                has_begun.set()
                await may_end.wait()
                await add_token(transaction, 1)

            caller = asyncio.create_task(database.transact(work))
            await has_begun.wait()
            caller.cancel()
            await asyncio.wait((caller,))
            assert caller.cancelled()
            may_end.set()

            async def is_written() -> bool:
                return await count_rows(database, "access_token") == 1

            await until(is_written)
            assert await count_rows(database, "event") == 1

    asyncio.run(main())


def test_closing_waits_for_transactions_and_takes_nothing_more(database_address: str) -> None:
    async def main() -> None:
        async with migrated(database_address) as database:
            has_begun, may_end = asyncio.Event(), asyncio.Event()

            async def work(transaction: Transaction) -> None:
                has_begun.set()
                await may_end.wait()
                await add_token(transaction, 1)

            caller = asyncio.create_task(database.transact(work))
            await has_begun.wait()
            closing = asyncio.create_task(database.close())
            await asyncio.sleep(0)
            with pytest.raises(DatabaseClosed):
                await database.fetch("SELECT 1")
            with pytest.raises(DatabaseClosed):
                await database.transact(work)
            assert not closing.done()
            may_end.set()
            await closing
            await caller
        async with opened(database_address) as again:
            assert await count_rows(again, "access_token") == 1

    asyncio.run(main())


def test_what_would_wait_for_itself_fails_instead(database_address: str) -> None:
    async def main() -> None:
        async with migrated(database_address) as database:

            async def reads(_: Transaction) -> None:
                await database.fetch("SELECT 1")

            async def transacts(_: Transaction) -> None:
                await database.transact(reads)

            for work in (reads, transacts):
                with pytest.raises(RuntimeError, match="Within a transaction"):
                    await database.transact(work)

    asyncio.run(main())


def test_connections_that_the_server_ends_are_replaced(postgresql_address: str) -> None:
    async def main() -> None:
        async with migrated(with_pool(postgresql_address)) as database, opened(postgresql_address) as other:
            for number in range(2 * POOL_SIZE):
                await require_whole_pool(database)
                await other.fetch(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
                try:
                    # The very next one may meet the dead connection: it fails, and is not half-written.
                    await database.transact(partial(add_token, number=number))
                except Exception as error:
                    assert not isinstance(error, TimeoutError)  # noqa: PT017
                await until(lambda: _answers(database))
            await require_whole_pool(database)
            assert await count_rows(database, "access_token") == await count_rows(database, "event")

    asyncio.run(main())


async def _answers(database: Database) -> bool:
    try:
        await asyncio.gather(*(database.fetch("SELECT 1") for _ in range(POOL_SIZE)))
    except Exception:
        return False
    return True


def test_a_begin_that_fails_gives_the_connection_back(database_address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with migrated(with_pool(database_address)) as database:
            context = type(database._connection._in_transaction())
            original = context.__aenter__

            async def fails(self: Any) -> Any:
                client = await original(self)
                await client.rollback()
                raise OperationalError("no BEGIN today")

            monkeypatch.setattr(context, "__aenter__", fails)
            for number in range(2 * POOL_SIZE):
                async with asyncio.timeout(DEADLINE_SECONDS):
                    with pytest.raises(OperationalError, match="no BEGIN today"):
                        await database.transact(partial(add_token, number=number))
            monkeypatch.undo()
            await require_whole_pool(database)
            assert await count_rows(database, "access_token") == 0

    asyncio.run(main())


def test_a_commit_that_fails_is_not_made_good_by_the_next(
    database_address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        async with migrated(database_address) as database:

            async def fails(_: Any) -> None:
                raise OperationalError("the disk is full")

            async def work(transaction: Transaction) -> None:
                await add_token(transaction, 1)
                monkeypatch.setattr(type(transaction.connection), "commit", fails)

            with pytest.raises(OperationalError, match="the disk is full"):
                await database.transact(work)
            monkeypatch.undo()
            await database.transact(lambda transaction: add_token(transaction, 2))
            rows = await database.fetch('SELECT "name" FROM "access_token"')
            assert [row["name"] for row in rows] == ["2"]

    asyncio.run(main())


def test_a_transaction_that_reads_first_keeps_other_writers_out(tmp_path: Path) -> None:
    """Begun deferred, it would fail when another process writes between its read and its write."""

    async def main() -> None:
        file = tmp_path / "file.sqlite3"
        async with migrated(f"sqlite://{file}") as database:
            with sqlite3.connect(file, timeout=0, isolation_level=None) as other:

                async def work(transaction: Transaction) -> None:
                    await transaction.fetch('SELECT COUNT(*) FROM "access_token"')
                    with pytest.raises(sqlite3.OperationalError, match="database is locked"):
                        other.execute("BEGIN IMMEDIATE")
                    await add_token(transaction, 1)

                await database.transact(work)
            other.close()
            assert await count_rows(database, "access_token") == 1

    asyncio.run(main())


def test_two_processes_write_by_turns(tmp_path: Path) -> None:
    async def main() -> None:
        file = tmp_path / "file.sqlite3"
        async with migrated(f"sqlite://{file}") as database:
            is_over = threading.Event()
            written = 0

            def write() -> None:
                nonlocal written
                with sqlite3.connect(file, timeout=DEADLINE_SECONDS, isolation_level=None) as other:
                    while not is_over.is_set():
                        other.execute("BEGIN IMMEDIATE")
                        other.execute('UPDATE "event_position" SET "position" = "position" WHERE "id" = 1')
                        other.execute("COMMIT")
                        written += 1
                other.close()

            # SQLite locks by connection: to it a second one is as foreign as a second process.
            writer = asyncio.create_task(asyncio.to_thread(write))
            for number in range(100):
                await database.transact(partial(add_token, number=number))
            is_over.set()
            await writer
            assert written
            assert await count_rows(database, "access_token") == 100

    asyncio.run(main())


def test_what_is_no_database_is_said_and_leaves_no_thread(tmp_path: Path) -> None:
    file = tmp_path / "file.sqlite3"
    content = random.randbytes(10_000)
    file.write_bytes(content)
    before = set(threading.enumerate())
    with pytest.raises(DBConnectionError, match="file is not a database"):
        asyncio.run(Database.open(f"sqlite://{file}"))
    for thread in set(threading.enumerate()) - before:
        # It ends by itself once it was told to; one that was not would keep the process from ending.
        thread.join(DEADLINE_SECONDS)
        assert not thread.is_alive()
    assert file.read_bytes() == content
    assert list(tmp_path.iterdir()) == [file]


def test_an_unknown_database_is_said_without_its_password(postgresql_address: str) -> None:
    address = postgresql_address.replace("/test_", "/absent_").replace("unused", "planted-password")
    with pytest.raises(DBConnectionError) as caught:
        asyncio.run(Database.open(address))
    assert "absent_" in str(caught.value)
    assert "planted-password" not in str(caught.value)
