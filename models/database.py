"""The one way to the database: reads, and transactions that survive their caller's cancellation."""

from __future__ import annotations

import asyncio
import contextvars
import sqlite3
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

import asyncpg
import structlog
from tortoise import Tortoise
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.backends.base.config_generator import expand_db_url
from tortoise.backends.sqlite.client import SqliteClient
from tortoise.connection import get_connection
from tortoise.exceptions import DBConnectionError

from models.batched_look import BatchedLook
from models.dialects import DIALECTS, Dialect
from models.enums import EventType
from models.event import Event
from models.notices import listen
from models.transactions import open_transaction
from models.versions import CommitWatch, Versions, note_writes

log = structlog.get_logger("database")

T = TypeVar("T")

MODEL_MODULES = [
    "models.installation",
    "models.workspace",
    "models.integration",
    "models.space",
    "models.image_name",
    "models.usage",
    "models.measured_content",
    "models.binding",
    "models.reader_credential",
    "models.change_feed",
    "models.hook",
    "models.event",
    "models.access_token",
    "models.table_version",
]


COMMAND_TIMEOUT_SECONDS = 300.0
"""How long PostgreSQL may take for one statement. Long enough for a migration, or for waiting until another replica
has done it; without a limit, a network that swallows packets would hold a connection for good."""

MOST_ROWS_AT_ONCE = 2_000
"""Rows of parameters that are handed to the driver at once: more would keep the loop from turning."""

MOST_DEADLOCKS = 3
"""How often a transaction begins anew that the database has ended because it and another waited for each other."""

_is_inside: contextvars.ContextVar[bool] = contextvars.ContextVar("is_inside_transaction", default=False)
"""Whether the code that runs is the work of a transaction."""


class DatabaseClosed(Exception):
    """The database was closed, or is being closed, and takes no further work."""


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
    workspace_id: int | None = None
    space_id: int | None = None


@dataclass(slots=True)
class Transaction:
    """What the work of a transaction is given.

    Tortoise models used inside the work join the transaction by themselves. `events` are written last, under
    the lock of the position counter, which is thereby held as short as can be.
    """

    connection: BaseDBAsyncClient
    dialect: Dialect
    events: list[NewEvent] = field(default_factory=list)
    written: set[str] = field(default_factory=set)
    """The tables that were written so far."""

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

    async def execute_many(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        """Run a writing statement once for each row of parameters: one exchange with the driver for very many."""
        remaining = iter(rows)
        while part := list(islice(remaining, MOST_ROWS_AT_ONCE)):
            values = [[self.dialect.parameter(value) for value in row] for row in part]
            await self.connection.execute_many(sql, values)


class Database:
    """An open database.

    Reads go straight to it; on SQLite over a connection of their own, so that none waits for a transaction, and
    what is no read fails. Transactions run in tasks that the database owns: a caller that is cancelled
    leaves its transaction to end by itself, since a cancelled BEGIN would hold Tortoise's only writing SQLite
    connection for good, and leak a pooled one on PostgreSQL.
    """

    def __init__(
        self, tortoise_context: contextvars.Context, connection: BaseDBAsyncClient, reading: BaseDBAsyncClient
    ) -> None:
        # Tortoise finds its connections by context variables. Ours are set in this context alone, in which
        # every transaction runs, instead of making them the process's own.
        self._tortoise_context = tortoise_context
        self._connection = connection
        self._reading = reading
        self._running: set[asyncio.Task[Any]] = set()
        self._is_closed = False
        self.dialect = DIALECTS[connection.capabilities.dialect]
        self._commits: CommitWatch | None = None
        self._versions: Versions | None = None
        self._looks = 0
        self._batched_look = BatchedLook(self._look_at_versions)
        self.statement_count = 0
        """Reads and transactions so far; tests see by it that statements don't grow with rows."""
        self.on_events: Callable[[], None] = lambda: None
        """Called after each commit that wrote events: wakes who reads them."""

    @classmethod
    async def open(cls, url: str) -> Database:
        """Open the database at a Tortoise URL (`sqlite://…` or `asyncpg://…`).

        Raises tortoise.exceptions.DBConnectionError, or OSError, when it can't be reached or is no database.
        """
        context = contextvars.copy_context()
        connection, reading = await asyncio.create_task(_initialise_tortoise(url), context=context)
        database = cls(context, connection, reading)
        try:
            await database.fetch("SELECT 1")
            if isinstance(connection, SqliteClient):
                database._commits = CommitWatch(connection.filename)
        except BaseException as error:
            # SQLite's connections have a thread each, which would keep the process from ending.
            await database.close()
            if isinstance(error, sqlite3.Error | asyncpg.PostgresError | asyncpg.InterfaceError):
                raise DBConnectionError(f"The database can't be opened: {error}") from error
            raise
        return database

    async def close(self) -> None:
        """Take no further work, wait for the running transactions, then close every connection."""
        self._is_closed = True
        while self._running:
            await asyncio.wait(self._running)
        if self._commits is not None:
            self._commits.close()
        if self._reading is not self._connection:
            # The last one to close takes SQLite's log of writes away, which one for reading may not.
            await self._reading.close()
        await asyncio.create_task(Tortoise.close_connections(), context=self._tortoise_context.copy())

    async def fetch(self, sql: str, *parameters: object) -> Sequence[Any]:
        """Return the rows of a reading statement; each answers `row[column]` by name or position.

        It sees what was committed before, and nothing of a transaction under way. Raises DatabaseClosed.
        """
        self._require_use()
        self.statement_count += 1
        return await _fetch(self._reading, self.dialect, sql, parameters)

    async def versions(self) -> Versions:
        """Return the version of each table. What is read afterwards is at least as new.

        On SQLite this costs a few microseconds while nothing is written. Raises DatabaseClosed.
        """
        self._require_use()
        if self._commits is None or self._commits.has_changed():
            self._versions = None
            self._looks += 1
        if self._versions is not None:
            return self._versions
        return await self._batched_look()

    async def _look_at_versions(self) -> Versions:
        look = self._looks
        rows = await _fetch(self._reading, self.dialect, 'SELECT "name", "version" FROM "table_version"', ())
        versions = {row["name"]: row["version"] for row in rows}
        if look == self._looks:
            # Else something was written meanwhile, and another look has seen that already.
            self._versions = versions
        return versions

    async def transact(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """Run the work in one transaction and return its result once that is committed.

        Whatever the work raises rolls everything back and is raised here. When the caller is cancelled the
        transaction still ends, one way or the other, in its own task. The work must not wait for a network, and
        leaves traces in the transaction alone: it runs again when the database has ended it because it and another
        waited for each other. Raises DatabaseClosed.
        """
        return await self._own(self._run_to_its_end(work))

    async def migrate(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """Run work that changes tables, in one transaction. Raises what `transact` does.

        Nothing else should run meanwhile: on SQLite, references are checked at the end instead of all along.
        """
        return await self._own(self._run_migration(work))

    async def _own(self, run: Coroutine[Any, Any, T]) -> T:
        try:
            self._require_use()
        except BaseException:
            run.close()
            raise
        self.statement_count += 1
        context = self._tortoise_context.copy()
        # What is logged in there belongs to the caller's request.
        context.run(structlog.contextvars.bind_contextvars, **structlog.contextvars.get_contextvars())
        task = asyncio.create_task(run, name="transaction", context=context)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        try:
            # Unlike `asyncio.shield`, waiting leaves the outcome to be looked at here, or below.
            await asyncio.wait((task,))
        except asyncio.CancelledError:
            task.add_done_callback(_tell_nobody)
            raise
        return task.result()

    @property
    def tells_of_events(self) -> bool:
        """Whether the database tells one process of the events that another has written."""
        return self.dialect.event_channel is not None

    async def listen(self, notice: Callable[[], None]) -> None:
        """Call `notice` when another process has written events, over a connection of its own; never returns.

        It is called once at the beginning too. Raises NoticesLost when the connection is lost or not to be had.
        """
        if self.dialect.event_channel is None:
            raise RuntimeError("This database tells nothing: see `tells_of_events`.")
        await listen(self._connection, self.dialect.event_channel, notice)

    def _require_use(self) -> None:
        if self._is_closed:
            # Tortoise would open it again, and nobody would close that.
            raise DatabaseClosed("The database is closed.")
        if _is_inside.get():
            # On SQLite a transaction would wait for itself, and a read would not see what it has written.
            raise RuntimeError("Within a transaction, use what it was given.")

    async def _run_to_its_end(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        for _ in range(MOST_DEADLOCKS):
            try:
                return await self._run(work, self.dialect.begin, end=_move_versions)
            except asyncpg.DeadlockDetectedError:
                # Nothing of it was written, and the other goes on. Rare: locks are taken in one order, but for
                # those that the database takes itself, where rows refer to others and go with them.
                log.info("a transaction begins anew: it and another waited for each other")
        return await self._run(work, self.dialect.begin, end=_move_versions)

    async def _run_migration(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        try:
            return await self._run(work, (*self.dialect.begin, *self.dialect.begin_migration))
        finally:
            for statement in self.dialect.end_migration:
                await self._connection.execute_query(statement)

    async def _run(
        self,
        work: Callable[[Transaction], Awaitable[T]],
        begin: Sequence[str],
        end: Callable[[Transaction], Awaitable[None]] | None = None,
    ) -> T:
        _is_inside.set(True)
        async with open_transaction(self._connection) as connection:
            transaction = Transaction(connection, self.dialect)
            note_writes(connection, transaction.written)
            for statement in begin:
                await connection.execute_query(statement)
            result = await work(transaction)
            if transaction.events:
                await _write_events(transaction)
            if end is not None:
                await end(transaction)
        if transaction.events:
            self.on_events()
        return result


def _tell_nobody(task: asyncio.Task[Any]) -> None:
    # The caller has gone. What it would have been told goes to the log, without the text: it may quote input.
    error = None if task.cancelled() else task.exception()
    if error is not None:
        log.info("a transaction failed after its caller had gone", error=type(error).__name__)


async def _initialise_tortoise(url: str) -> tuple[BaseDBAsyncClient, BaseDBAsyncClient]:
    """Return the connection for transactions, and the one for reads; a pool is both."""
    # Named for the engine: Tortoise keeps prepared statements by the connection's name, for the whole process.
    name = url.partition(":")[0]
    connection = expand_db_url(url)
    if connection["engine"] == "tortoise.backends.asyncpg":
        connection["credentials"].setdefault("command_timeout", COMMAND_TIMEOUT_SECONDS)
        connection["credentials"]["reset"] = _leave_as_it_is
    connections = {name: connection}
    reading_name = name
    if name == "sqlite":
        # In WAL mode a second connection reads while the first writes; the pragma makes sure that it never writes.
        reading_name = "sqlite-reading"
        connections[reading_name] = {**connection, "credentials": {**connection["credentials"], "query_only": "ON"}}
    await Tortoise.init(config={"connections": connections, "apps": apps(name), "use_tz": True, "timezone": "UTC"})
    return get_connection(name), get_connection(reading_name)


async def _leave_as_it_is(_: object) -> None:
    """Have a pooled connection keep its session; the pool has rolled back what was left open.

    Nothing of ours changes a session but for the length of a transaction, and asyncpg's own reset is a statement to
    the database after each read.
    """


async def _fetch(
    connection: BaseDBAsyncClient, dialect: Dialect, sql: str, parameters: Sequence[object]
) -> Sequence[Any]:
    values = [dialect.parameter(value) for value in parameters]
    _, rows = await connection.execute_query(sql, values)
    return rows


async def _move_versions(transaction: Transaction) -> None:
    # Last of all: others who write the same tables wait from here to the commit.
    if transaction.written:
        await transaction.execute(
            transaction.dialect.move_versions, transaction.dialect.list_parameter(sorted(transaction.written))
        )


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
                workspace_id=event.workspace_id,
                space_id=event.space_id,
                data=event.data,
            )
            for offset, event in enumerate(transaction.events)
        ],
        using_db=transaction.connection,
    )
    if transaction.dialect.event_channel is not None:
        # Sent by the database at commit, and not at all when that fails.
        await transaction.connection.execute_query(f"NOTIFY {transaction.dialect.event_channel}")
