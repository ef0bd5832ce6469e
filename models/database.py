"""The one way to the database: reads, and transactions that survive their caller's cancellation."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from tortoise import Tortoise
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.connection import get_connection
from tortoise.transactions import in_transaction

from models.dialects import DIALECTS, Dialect
from models.enums import EventType
from models.event import Event

T = TypeVar("T")

MODEL_MODULES = [
    "models.installation",
    "models.integration",
    "models.space",
    "models.event",
    "models.access_token",
]


def apps(connection_name: str) -> dict[str, Any]:
    """Return what Tortoise wants to know of our models, for a connection."""
    return {
        "models": {
            "models": MODEL_MODULES,
            "default_connection": connection_name,
            "migrations": "models.migrations",
        }
    }


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event to be written when its transaction commits; its position comes then."""

    type: EventType
    occurred_at: datetime
    integration_id: int | None
    data: dict[str, Any]


@dataclass(slots=True)
class Transaction:
    """What the work of a transaction is given.

    Tortoise models used inside the work join the transaction by themselves. `events` are written last, under
    the lock of the position counter, which is thereby held as short as can be.
    """

    connection: BaseDBAsyncClient
    dialect: Dialect
    events: list[NewEvent] = field(default_factory=list)

    async def fetch(self, sql: str, *parameters: object) -> Sequence[Any]:
        """Return the rows of a statement, seen from within the transaction."""
        return await _fetch(self.connection, self.dialect, sql, parameters)

    async def returning(self, sql: str, *parameters: object) -> list[dict[str, Any]]:
        """Run a writing statement and return the rows that its RETURNING clause names."""
        values = [self.dialect.parameter(value) for value in parameters]
        return await self.connection.execute_query_dict(sql, values)

    async def execute(self, sql: str, *parameters: object) -> int:
        """Run a writing statement and return how many rows it touched."""
        values = [self.dialect.parameter(value) for value in parameters]
        count, _ = await self.connection.execute_query(sql, values)
        return count


class Database:
    """An open database.

    Reads go straight to it. Transactions run in tasks that the database owns: a caller that is cancelled
    leaves its transaction to end by itself, since a cancelled BEGIN would hold Tortoise's only SQLite
    connection for good, and leak a pooled one on PostgreSQL.
    """

    def __init__(self, tortoise_context: contextvars.Context, connection: BaseDBAsyncClient) -> None:
        # Tortoise finds its connections by context variables. Ours are set in this context alone, in which
        # every transaction runs, instead of making them the process's own.
        self._tortoise_context = tortoise_context
        self._connection = connection
        self._running: set[asyncio.Task[Any]] = set()
        self.dialect = DIALECTS[connection.capabilities.dialect]
        self.statement_count = 0
        """Reads and transactions so far; tests see by it that statements don't grow with rows."""
        self.on_events: Callable[[], None] = lambda: None
        """Called after each commit that wrote events: wakes who reads them."""

    @classmethod
    async def open(cls, url: str) -> Database:
        """Open the database at a Tortoise URL (`sqlite://…` or `postgres://…`).

        Raises tortoise.exceptions.DBConnectionError, or OSError, when it can't be reached.
        """
        context = contextvars.copy_context()
        connection = await asyncio.create_task(_initialise_tortoise(url), context=context)
        database = cls(context, connection)
        await database.fetch("SELECT 1")
        return database

    async def close(self) -> None:
        """Wait for the running transactions, then close every connection."""
        while self._running:
            await asyncio.wait(self._running)
        await asyncio.create_task(Tortoise.close_connections(), context=self._tortoise_context.copy())

    async def fetch(self, sql: str, *parameters: object) -> Sequence[Any]:
        """Return the rows of a reading statement; each answers `row[column]` by name or position."""
        self.statement_count += 1
        return await _fetch(self._connection, self.dialect, sql, parameters)

    async def transact(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """Run the work in one transaction and return its result once that is committed.

        Whatever the work raises rolls everything back and is raised here. When the caller is cancelled the
        transaction still ends, one way or the other, in its own task. The work must not wait for a network.
        """
        self.statement_count += 1
        task = asyncio.create_task(self._run(work), name="transaction", context=self._tortoise_context.copy())
        self._running.add(task)
        task.add_done_callback(self._forget)
        return await asyncio.shield(task)

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            # Marks the outcome as seen: the caller may have gone, and asyncio would complain of it.
            task.exception()

    async def _run(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        async with in_transaction(self._connection.connection_name) as connection:
            transaction = Transaction(connection, self.dialect)
            for statement in self.dialect.begin:
                await connection.execute_query(statement)
            result = await work(transaction)
            if transaction.events:
                await _write_events(transaction)
        if transaction.events:
            self.on_events()
        return result


async def _initialise_tortoise(url: str) -> BaseDBAsyncClient:
    # Named for the engine: Tortoise keeps prepared statements by the connection's name, for the whole process.
    name = url.partition(":")[0]
    await Tortoise.init(config={"connections": {name: url}, "apps": apps(name), "use_tz": True, "timezone": "UTC"})
    return get_connection(name)


async def _fetch(
    connection: BaseDBAsyncClient, dialect: Dialect, sql: str, parameters: Sequence[object]
) -> Sequence[Any]:
    values = [dialect.parameter(value) for value in parameters]
    _, rows = await connection.execute_query(sql, values)
    return rows


async def _write_events(transaction: Transaction) -> None:
    count = len(transaction.events)
    rows = await transaction.returning(
        f'UPDATE "event_position" SET "position" = "position" + {count} WHERE "id" = 1 RETURNING "position"'
    )
    first = rows[0]["position"] - count + 1
    await Event.bulk_create(
        [
            Event(
                position=first + offset,
                type=event.type,
                occurred_at=event.occurred_at,
                integration_id=event.integration_id,
                data=event.data,
            )
            for offset, event in enumerate(transaction.events)
        ],
        using_db=transaction.connection,
    )
