"""Databases for tests, below the server: opened, migrated, filled and looked at."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from models.database import Database, NewEvent, Transaction
from models.enums import EventType, HealthStatus, IntegrationOrigin, RegistryKind, SpaceState, Visibility
from models.installation import EventPosition
from models.integration import ImageHost, Integration, IntegrationHealth
from models.migrate import migrate
from models.names import fold_name
from models.space import Space

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DEADLINE_SECONDS = 20.0


@asynccontextmanager
async def opened(address: str) -> AsyncIterator[Database]:
    """Open a database as it is and close it at the end of the block."""
    database = await Database.open(address)
    try:
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def migrated(address: str) -> AsyncIterator[Database]:
    """Open a database, with its tables and the counter of event positions."""
    async with opened(address) as database:
        await migrate(database)

        async def work(_: Transaction) -> None:
            await EventPosition.get_or_create(id=1, defaults={"position": 0})

        await database.transact(work)
        yield database


async def empty(address: str) -> None:
    """Take away all that a database holds, tables as well."""
    if address.startswith("sqlite"):
        file = Path(address.removeprefix("sqlite://"))
        for found in file.parent.glob(f"{file.name}*"):
            found.unlink()
        return
    async with opened(address) as database:
        for statement in ("DROP SCHEMA public CASCADE", "CREATE SCHEMA public"):
            await database.fetch(statement)


async def every_row(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Return all that is stored, by table; not how often, so that two of these are equal when nothing has changed."""
    found = {}
    for table in sorted(row["name"] for row in await database.fetch(database.dialect.table_names)):
        if table.startswith("sqlite_") or table == "table_version":
            continue
        rows = await database.fetch(f'SELECT * FROM "{table}"')
        found[table] = sorted((tuple(row) for row in rows), key=repr)
    return found


async def count_rows(database: Database, table: str) -> int:
    """Return how many rows a table holds."""
    rows = await database.fetch(f'SELECT COUNT(*) AS count FROM "{table}"')
    return int(rows[0]["count"])


async def add_integration(database: Database, name: str, created_at: datetime = NOON) -> int:
    """Store an integration, whole, and return its id."""

    async def work(_: Transaction) -> int:
        integration = await Integration.create(
            name=name,
            name_key=fold_name(name),
            kind=RegistryKind.DOCKER_REGISTRY,
            origin=IntegrationOrigin.INTEGRATED,
            url=f"https://{name.encode().hex()}.example",
            next_synchronization_at=created_at + timedelta(days=3650),
            created_by="test",
            created_at=created_at,
            updated_at=created_at,
        )
        await ImageHost.create(host=f"{name.encode().hex()}.example", integration=integration, is_primary=True)
        await IntegrationHealth.create(
            integration=integration, status=HealthStatus.UNKNOWN, next_probe_at=created_at + timedelta(days=3650)
        )
        return int(integration.id)

    return await database.transact(work)


def new_event(number: int = 0, occurred_at: datetime = NOON) -> NewEvent:
    """Return an event that is told apart by its number."""
    return NewEvent(EventType.SPACE_ADDED, occurred_at, None, {"number": number})


async def write_events(database: Database, *numbers: int, occurred_at: datetime = NOON) -> None:
    """Write events in one transaction."""

    async def work(transaction: Transaction) -> None:
        transaction.events.extend(new_event(number, occurred_at) for number in numbers)

    await database.transact(work)


async def cancel_at_random(work: Callable[[], Awaitable[object]], within_seconds: float) -> bool:
    """Begin something and cancel who waits for it within that time; return whether that came before its end."""
    task = asyncio.ensure_future(work())
    asyncio.get_running_loop().call_later(random.uniform(0, within_seconds), task.cancel)
    await asyncio.wait((task,))
    if not task.cancelled():
        task.result()
    return task.cancelled()


async def add_space(integration_id: int, name: str = "team") -> int:
    """Within a transaction, add a private space that its registry has; return its id."""
    space = await Space.create(
        integration_id=integration_id,
        external_id=name,
        name=name,
        visibility=Visibility.PRIVATE,
        state=SpaceState.PRESENT,
        created_at=NOON,
    )
    return int(space.id)


async def has_waiting_statement(database: Database) -> bool:
    """Return whether something waits for a lock of another; on PostgreSQL, where that can be seen."""
    waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    return bool(await database.fetch(waiting))


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Return when a condition holds; fail when it doesn't within the deadline."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not await condition():  # noqa: ASYNC110 (nothing tells of it)
            await asyncio.sleep(0.005)
