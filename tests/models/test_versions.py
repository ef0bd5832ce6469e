"""Versions of tables: every write moves those that it touches, and reads name what they read."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from models.database import Database, Transaction
from models.dialects.sqlite_image_names import PARTS_TABLE
from models.enums import SpaceState, Visibility
from models.integration import Integration
from models.space import Space
from models.versions import are_unchanged, read_tables, written_tables
from tests.databases import NOON, add_integration, migrated, write_events


async def moved(database: Database, work: Callable[[], Awaitable[object]]) -> set[str]:
    """Return the tables whose version is another one after some work."""
    before = await database.versions()
    await work()
    after = await database.versions()
    return {table for table in after if before.get(table) != after[table]}


def test_each_write_moves_what_it_touches(database_address: str) -> None:
    async def main() -> None:
        async with migrated(database_address) as database:
            assert {"integration", "integration_health", "image_host"} <= await moved(
                database, lambda: add_integration(database, "One")
            )
            [integration] = await database.fetch('SELECT "id" FROM "integration"')

            async def make_space(_: Transaction) -> None:
                await Space.create(
                    integration_id=integration["id"],
                    external_id="1",
                    name="library",
                    visibility=Visibility.PRIVATE,
                    state=SpaceState.PRESENT,
                    created_at=NOON,
                )

            assert await moved(database, lambda: database.transact(make_space)) == {"space"}
            assert await moved(database, lambda: write_events(database, 1, 2)) == {"event", "event_position"}

            async def read(transaction: Transaction) -> None:
                await transaction.fetch('SELECT "name" FROM "space"')
                assert await Space.all().count() == 1

            assert await moved(database, lambda: database.transact(read)) == set()

            async def rename(_: Transaction) -> None:
                await Space.filter(name="library").update(name="images")

            assert await moved(database, lambda: database.transact(rename)) == {"space"}

            async def fail(transaction: Transaction) -> None:
                await rename(transaction)
                raise RuntimeError("taken back")

            async def failing() -> None:
                with pytest.raises(RuntimeError):
                    await database.transact(fail)

            assert await moved(database, failing) == set()

    asyncio.run(main())


def test_what_goes_with_a_deleted_row_moves_too(database_address: str) -> None:
    async def main() -> None:
        async with migrated(database_address) as database:
            await add_integration(database, "One")

            async def delete(_: Transaction) -> None:
                await Integration.all().delete()

            gone = await moved(database, lambda: database.transact(delete))
            assert gone >= {"integration", "integration_health", "image_host", "space", "repository", "binding"}
            assert "workspace" not in gone
            assert "access_token" not in gone

    asyncio.run(main())


def test_what_another_process_writes_is_seen(database_address: str) -> None:
    async def main() -> None:
        async with migrated(database_address) as here, Opened(database_address) as there:
            before = await here.versions()
            assert await here.versions() == before
            await write_events(there, 1)
            after = await here.versions()
            assert not are_unchanged(["event"], before, after)
            assert are_unchanged(["space", "integration"], before, after)

    asyncio.run(main())


class Opened:
    """A database, opened once more."""

    def __init__(self, address: str) -> None:
        self._address = address

    async def __aenter__(self) -> Database:
        self._database = await Database.open(self._address)
        return self._database

    async def __aexit__(self, *_: object) -> None:
        await self._database.close()


def test_many_looks_at_once_and_a_write_in_between(database_address: str) -> None:
    """Who looks after a commit never gets what was before it."""

    async def main() -> None:
        async with migrated(database_address) as database:
            await write_events(database, 1)
            for _ in range(30):
                looks = [asyncio.create_task(database.versions()) for _ in range(3)]
                await write_events(database, 1)
                seen = [asyncio.create_task(database.versions()) for _ in range(3)]
                positions = await database.fetch('SELECT "version" FROM "table_version" WHERE "name" = \'event\'')
                for look in looks:
                    assert (await look)["event"] <= positions[0]["version"]
                for look in seen:
                    assert (await look)["event"] == positions[0]["version"]
                assert (await database.versions())["event"] == positions[0]["version"]

    asyncio.run(main())


@pytest.mark.parametrize(
    ("sql", "tables"),
    [
        ('INSERT INTO "event" ("a") VALUES (1)', {"event"}),
        ('insert or ignore into "event" SELECT 1 FROM "space"', {"event"}),
        ('UPDATE "integration" SET "name" = 1 WHERE "id" IN (SELECT "id" FROM "space")', {"integration"}),
        ('SELECT 1 FROM "space" FOR UPDATE', set()),
        ('SELECT "update" FROM "space"', set()),
        ('INSERT INTO "a_b" ("x") VALUES (1) ON CONFLICT ("x") DO UPDATE SET "x" = 2', {"a_b"}),
        ('WITH old AS (SELECT 1) UPDATE "image_host" SET "host" = 1', {"image_host"}),
        ("BEGIN IMMEDIATE", set()),
    ],
)
def test_what_a_statement_writes(sql: str, tables: set[str]) -> None:
    assert written_tables(sql) == tables


def test_reads_name_every_table_that_the_database_reads() -> None:
    """SQLite itself says what a statement reads: for those of the surface see tests/api/test_kept_answers.py."""
    connection = sqlite3.connect(":memory:")
    connection.execute('CREATE TABLE "space" ("id", "integration_id")')
    connection.execute('CREATE TABLE "integration" ("id")')
    sql = (
        'SELECT s."id" FROM "space" s LEFT JOIN "integration" i ON i."id" = s."integration_id"'
        ' WHERE EXISTS (SELECT 1 FROM "space" o WHERE o."id" = 2)'
    )
    assert tables_by_sqlite(connection, sql) == read_tables(sql) == {"space", "integration"}


def tables_by_sqlite(connection: sqlite3.Connection, sql: str, *parameters: Any) -> set[str]:
    """Return the tables that SQLite reads for a statement, by its own account."""
    read: set[str] = set()

    def authorize(action: int, table: str | None, *_: object) -> int:
        if action == sqlite3.SQLITE_READ and table:
            read.add(table)
        return sqlite3.SQLITE_OK

    connection.set_authorizer(authorize)
    try:
        # Explained, not run: it is asked when a statement is prepared, and null can't be looked for everywhere.
        connection.execute(f"EXPLAIN {sql}", parameters)
    finally:
        connection.set_authorizer(None)
    # Its own ways to read arrays, its catalogue, and how it keeps an index of texts are no tables of ours.
    return {table for table in read - {"json_each", "sqlite_master"} if not table.startswith(f"{PARTS_TABLE}_")}
