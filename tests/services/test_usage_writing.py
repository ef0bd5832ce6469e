"""What is written of a measurement: the present figures, their growth, and a history that forgets by and by."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from models.database import Database, Transaction
from models.enums import UsageMethod
from models.queries.usage import Span, history_of_spaces, usage_of_integrations, usage_of_spaces
from services.usage_thinning import to_be_forgotten
from services.usage_writing import Figures, write_integration_usage, write_space_usage
from tests.databases import NOON, add_integration, add_space, migrated

METHOD = UsageMethod.REFERENCED_BLOBS
FINE = timedelta(minutes=5)


def with_a_space(address: str, main: Callable[[Database, int, int], Awaitable[None]]) -> None:
    """Run a test with an integration and a space of it."""

    async def run() -> None:
        async with migrated(address) as database:
            integration_id = await add_integration(database, "registry")

            async def work(_: Transaction) -> int:
                return await add_space(integration_id)

            await main(database, integration_id, await database.transact(work))

    asyncio.run(run())


async def measured(database: Database, integration_id: int, space_id: int, stored: int, at: datetime) -> None:
    """Write that a space, which is all of its registry, was measured."""

    async def work(transaction: Transaction) -> None:
        figures = {space_id: Figures(repository_count=1, artifact_count=2, storage_bytes=stored)}
        await write_space_usage(transaction, integration_id, figures, METHOD, at)
        await write_integration_usage(
            transaction, integration_id, stored, METHOD, at, total_measured_at=at, is_stale=False
        )

    await database.transact(work)


def test_only_changes_make_points(empty_database_address: str) -> None:
    async def main(database: Database, integration_id: int, space_id: int) -> None:
        for minutes, stored in [(0, 10), (10, 10), (20, 30), (21, 40), (30, 40), (40, 10)]:
            await measured(database, integration_id, space_id, stored, NOON + timedelta(minutes=minutes))
        everything = Span(NOON - timedelta(days=1), NOON + timedelta(days=1), FINE)
        points = (await history_of_spaces(database, [space_id], everything))[space_id]
        # The one of minute 20 gave way to that of minute 21, within the same five minutes.
        assert [(point.measured_at - NOON, point.storage_bytes) for point in points] == [
            (timedelta(0), 10),
            (timedelta(minutes=21), 40),
            (timedelta(minutes=40), 10),
        ]
        # What was held when a time begins is told first.
        later = Span(NOON + timedelta(minutes=25), NOON + timedelta(minutes=40), FINE)
        points = (await history_of_spaces(database, [space_id], later))[space_id]
        assert [(point.measured_at - NOON, point.storage_bytes) for point in points] == [(timedelta(minutes=21), 40)]

    with_a_space(empty_database_address, main)


def test_growth_is_by_what_was_held_a_week_ago(empty_database_address: str) -> None:
    async def main(database: Database, integration_id: int, space_id: int) -> None:
        growths = []
        for days, stored in [(0, 100), (3, 150), (6.9, 900), (7, 400), (10, 20), (30, 20)]:
            await measured(database, integration_id, space_id, stored, NOON + timedelta(days=days))
            of_space = (await usage_of_spaces(database, [space_id]))[space_id]
            whole = (await usage_of_integrations(database, [integration_id]))[integration_id]
            assert of_space.growth_bytes_per_week == whole.growth_bytes_per_week
            growths.append(of_space.growth_bytes_per_week)
        assert growths == [None, None, None, 300, -130, 0]

    with_a_space(empty_database_address, main)


def test_what_is_written_of_a_change_is_told_once(empty_database_address: str) -> None:
    async def main(database: Database, integration_id: int, space_id: int) -> None:
        for minutes, stored in [(0, 10), (10, 10), (20, 30)]:
            await measured(database, integration_id, space_id, stored, NOON + timedelta(minutes=minutes))
        rows = await database.fetch('SELECT "type", "data" FROM "event" ORDER BY "position"')
        told = [(row["type"], database.dialect.json(row["data"])["storage_bytes"]) for row in rows]
        assert told == [("USAGE_CHANGED", 10), ("USAGE_CHANGED", 30)]

    with_a_space(empty_database_address, main)


def test_a_history_of_years_stays_small(empty_database_address: str) -> None:
    """Every measurement another figure, three times an hour for a month."""

    async def main(database: Database, integration_id: int, space_id: int) -> None:
        count = 30 * 24 * 3

        async def work(transaction: Transaction) -> None:
            for number in range(count):
                at = NOON + number * timedelta(minutes=20)
                figures = {space_id: Figures(repository_count=1, artifact_count=2, storage_bytes=number)}
                await write_space_usage(transaction, integration_id, figures, METHOD, at)

        await database.transact(work)
        span = Span(NOON, NOON + timedelta(days=31), FINE)
        points = (await history_of_spaces(database, [space_id], span))[space_id]
        # Three days at most of all, twelve of hours, sixteen of days.
        assert len(points) <= 3 * 72 + 13 * 24 + 17
        assert points[-1].storage_bytes == count - 1
        ages = [points[-1].measured_at - point.measured_at for point in points]
        assert {age // timedelta(days=1) for age in ages} == set(range(30))

    with_a_space(empty_database_address, main)


@given(st.lists(st.integers(0, 500 * 24 * 60), unique=True, max_size=60).map(sorted))
def test_what_is_forgotten_leaves_the_last_of_each_step(minutes: list[int]) -> None:
    now = NOON + timedelta(days=500)
    points = [(number, NOON + timedelta(minutes=each)) for number, each in enumerate(minutes)]
    forgotten = set(to_be_forgotten(points, now))

    def step(moment: datetime) -> tuple[str, object]:
        age = now - moment
        if age <= timedelta(days=2):
            return "each", moment
        if age <= timedelta(days=14):
            return "hour", moment.replace(minute=0)
        return ("day", moment.date()) if age <= timedelta(days=400) else ("before", None)

    for place, (number, moment) in enumerate(points):
        is_last = all(step(later) != step(moment) for _, later in points[place + 1 :])
        assert (number not in forgotten) == is_last
