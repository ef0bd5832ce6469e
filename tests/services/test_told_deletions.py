"""Which deletions of a registry's log were made from here, and have been told of."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

from models.database import Database, NewEvent, Transaction
from models.enums import EventType
from models.queries.events import log_span
from services.told_deletions import AT_MOST_APART, is_told_since, told_from_here
from tests.databases import NOON, migrated

IMAGE, TAG = EventType.IMAGE_DELETED, EventType.TAG_CHANGED
A_MOMENT = timedelta(seconds=1)


def deletion(
    reference: str | None,
    by: str | None = None,
    *,
    type_: EventType = IMAGE,
    repository: str = "team/app",
    at: datetime = NOON,
    integration_id: int = 1,
) -> NewEvent:
    """Return what is told of a deletion: from here where somebody did it, else by a log."""
    data = {"space_name": "team", "repository_name": repository, "reference": reference}
    return NewEvent(type_, at, integration_id, data if by is None else {**data, "by": by}, space_id=1)


def on(address: str, main: Callable[[Database], Awaitable[None]]) -> None:
    async def run() -> None:
        async with migrated(address) as database:
            await main(database)

    asyncio.run(run())


async def tell(database: Database, *events: NewEvent) -> None:
    async def work(transaction: Transaction) -> None:
        transaction.events += events

    await database.transact(work)


async def told(database: Database, *deletions: NewEvent) -> set[int]:
    return await database.transact(lambda transaction: told_from_here(transaction, 1, deletions))


def test_each_telling_stands_for_one_deletion(database_address: str) -> None:
    async def main(database: Database) -> None:
        assert await told(database) == set()
        await tell(database, deletion("sha256:1", "admin"), deletion("1.0", "admin", type_=TAG))
        read = [
            deletion("sha256:2"),
            deletion("sha256:1", at=NOON + A_MOMENT),
            deletion("sha256:1", at=NOON + A_MOMENT),
            deletion("1.0"),
            deletion("1.0", type_=TAG, at=NOON - A_MOMENT),
            deletion("sha256:1", repository="team/tool"),
        ]
        assert await told(database, *read) == {1, 4}
        # Of another integration nothing is known.
        other = [deletion("sha256:1", integration_id=2)]
        assert await database.transact(lambda transaction: told_from_here(transaction, 2, other)) == set()

    on(database_address, main)


def test_what_was_told_from_a_log_stands_for_nothing(database_address: str) -> None:
    async def main(database: Database) -> None:
        # "by" may well be part of a name.
        await tell(database, deletion("sha256:1"), deletion('"by"', repository='team/"by"'))
        assert await told(database, deletion("sha256:1"), deletion('"by"', repository='team/"by"')) == set()

    on(database_address, main)


def test_a_whole_repository_stands_for_all_that_it_held(database_address: str) -> None:
    async def main(database: Database) -> None:
        await tell(database, deletion(None, "admin"))
        read = [
            deletion("sha256:1"),
            deletion("sha256:2", at=NOON + A_MOMENT),
            deletion("sha256:2", repository="team/app/web"),
            deletion("1.0", type_=TAG),
            deletion("sha256:3", at=NOON + AT_MOST_APART + A_MOMENT),
        ]
        assert await told(database, *read) == {0, 1}

    on(database_address, main)


def test_clocks_may_differ_by_so_much_and_no_more(database_address: str) -> None:
    async def main(database: Database) -> None:
        await tell(database, deletion("sha256:1", "admin"))
        for sign in (1, -1):
            at = NOON + sign * AT_MOST_APART
            assert await told(database, deletion("sha256:1", at=at)) == {0}
            assert await told(database, deletion("sha256:1", at=at + sign * A_MOMENT)) == set()
        # Read together with what is long ago, each is held against its own time.
        long_ago = deletion("sha256:1", at=NOON - timedelta(hours=1))
        assert await told(database, long_ago, deletion("sha256:1")) == {1}

    on(database_address, main)


def test_a_log_that_was_quicker_is_noticed(database_address: str) -> None:
    async def main(database: Database) -> None:
        await tell(database, deletion("sha256:1"))
        position = (await log_span(database)).last

        async def told_since(*events: NewEvent) -> Sequence[bool]:
            async def work(transaction: Transaction) -> list[bool]:
                return [await is_told_since(transaction, event, position) for event in events]

            return await database.transact(work)

        ours = deletion("sha256:1", "admin")
        assert await told_since(ours) == [False]
        # However wrong the registry's clock is.
        await tell(database, deletion("sha256:1", at=NOON - timedelta(days=1)))
        others = [
            deletion("sha256:2", "admin"),
            deletion("sha256:1", "admin", type_=TAG),
            deletion(None, "admin"),
            deletion("sha256:1", "admin", repository="team/tool"),
            deletion("sha256:1", "admin", integration_id=2),
        ]
        assert await told_since(ours, *others) == [True, *[False] * len(others)]

    on(database_address, main)
