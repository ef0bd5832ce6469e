"""What is told of readings: of what was deleted from here, nothing more."""

from __future__ import annotations

import asyncio

from models.database import Database, NewEvent, Transaction
from models.enums import EventType
from services.content_events import RepositoryReading, tell_of_changes
from tests.databases import NOON, add_integration, add_space, migrated

APP = "team/app"
ONE, OTHER, THIRD = (f"sha256:{digit * 64}" for digit in "123")
READING = {"before": {"a": ONE, "b": OTHER, "c": THIRD, "d": THIRD}, "now": {"d": THIRD, "c": OTHER}}


async def told(database: Database, *from_here: tuple[EventType, str]) -> list[tuple[str, str]]:
    """Return what a measurement tells, in which two are gone, one of two tags of another went, and one moved."""
    integration_id = await add_integration(database, f"registry {len(from_here)}")

    async def work(transaction: Transaction) -> list[tuple[str, str]]:
        space_id = await add_space(integration_id)
        reading = RepositoryReading(1, APP, space_id, READING["before"], READING["now"], {}, frozenset({ONE}))
        await tell_of_changes(transaction, integration_id, [reading], NOON)
        return [(event.type.value, event.data["reference"]) for event in transaction.events]

    async def tell(transaction: Transaction) -> None:
        transaction.events += [
            NewEvent(type_, NOON, integration_id, {"repository_name": APP, "reference": reference, "by": "admin"})
            for type_, reference in from_here
        ]

    await database.transact(tell)
    return await database.transact(work)


def test_what_was_deleted_from_here_is_not_told_again(database_address: str) -> None:
    async def main() -> None:
        async with migrated(database_address) as database:
            moved, deleted, untagged = ("TAG_CHANGED", "c"), ("IMAGE_DELETED", ONE), ("TAG_CHANGED", "b")
            assert await told(database) == [moved, deleted, untagged]
            assert await told(database, (EventType.IMAGE_DELETED, ONE)) == [moved, untagged]
            # One that names something else now was set by somebody.
            from_here = [(EventType.TAG_CHANGED, "b"), (EventType.TAG_CHANGED, "c")]
            assert await told(database, *from_here) == [moved, deleted]

    asyncio.run(main())
