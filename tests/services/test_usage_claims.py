"""Whose turn it is to measure a registry: each once in an interval, soon where something was said to have changed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from models.database import Database, Transaction
from models.enums import HealthStatus, UsageMethod
from models.integration import Integration, IntegrationHealth
from models.usage import IntegrationUsage, UsageMeasurement, UsagePoint, slot_of
from services.integration_locks import locked_integration
from services.usage_claims import AT_MOST_AHEAD, HINT_PAUSE, LEASE, WHOLE_INTERVAL, DueMeasurement, UsageClaims
from services.usage_hints import note_hints, noted_hints, settle_hints
from tests.databases import NOON, add_integration, add_space, count_rows, has_waiting_statement, migrated, until

INTERVAL = timedelta(minutes=5)
SECOND = timedelta(seconds=1)


@dataclass
class Replica:
    """Claims with a clock of their own."""

    claims: UsageClaims
    clock: list[datetime]

    async def at(self, moment: datetime) -> list[DueMeasurement]:
        """Claim what is due at a moment."""
        self.clock[0] = moment
        return await self.claims.take_due(9)


@dataclass
class Platform:
    """A registry with a space, to be measured from noon on, and two replicas."""

    database: Database
    integration_id: int
    space_id: int
    mine: Replica
    theirs: Replica

    async def end(self, due: DueMeasurement, *, is_done: bool = True) -> None:
        """End a measurement of whoever has it."""

        async def work(transaction: Transaction) -> None:
            assert await self.mine.claims.hold(transaction, due)
            await self.mine.claims.end(transaction, due, is_done=is_done)

        await self.database.transact(work)

    async def note(self, moment: datetime, repository_name: str = "") -> None:
        """Say that the space holds something else."""
        hints = {(self.space_id, repository_name)}
        await self.database.transact(lambda t: note_hints(t, self.integration_id, hints, moment))

    async def is_stale(self) -> bool:
        """Return whether what is known is said to be old."""
        (row,) = await self.database.fetch('SELECT "is_stale" FROM "integration_usage"')
        return bool(row["is_stale"])


@asynccontextmanager
async def platform(address: str) -> AsyncIterator[Platform]:
    """Open it."""
    async with migrated(address) as database:
        integration_id = await add_integration(database, "registry")

        async def work(_: Transaction) -> int:
            await Integration.filter(id=integration_id).update(looked_at=NOON)
            await IntegrationHealth.filter(integration_id=integration_id).update(status=HealthStatus.HEALTHY)
            space_id = await add_space(integration_id)
            await UsageMeasurement.create(integration_id=integration_id, next_at=NOON)
            await IntegrationUsage.create(
                integration_id=integration_id, space_count=1, method=UsageMethod.REFERENCED_BLOBS, measured_at=NOON
            )
            return space_id

        space_id = await database.transact(work)
        clocks = ([NOON], [NOON])
        mine, theirs = (Replica(UsageClaims(database, lambda c=c: c[0], INTERVAL), c) for c in clocks)  # type: ignore[misc]
        yield Platform(database, integration_id, space_id, mine, theirs)


def run(address: str, scenario: Callable[[Platform], Awaitable[None]]) -> None:
    """Run a scenario on a platform."""

    async def main() -> None:
        async with platform(address) as opened:
            await scenario(opened)

    asyncio.run(main())


def test_it_is_due_once_in_an_interval_and_whole_every_six_hours(database_address: str) -> None:
    async def scenario(platform: Platform) -> None:
        assert await platform.mine.at(NOON - SECOND) == []
        (first,) = await platform.mine.at(NOON)
        assert (first.is_regular, first.is_whole, first.begun_at) == (True, True, NOON)
        await platform.end(first)
        assert await platform.mine.at(NOON + INTERVAL - SECOND) == []
        (second,) = await platform.mine.at(NOON + INTERVAL)
        assert (second.is_regular, second.is_whole) == (True, False)
        await platform.end(second)
        (later,) = await platform.mine.at(NOON + WHOLE_INTERVAL)
        assert (later.is_regular, later.is_whole) == (True, True)

    run(database_address, scenario)


def test_a_claim_keeps_others_away_until_it_is_over(database_address: str) -> None:
    async def scenario(platform: Platform) -> None:
        (taken,) = await platform.mine.at(NOON)
        await platform.note(NOON)
        assert await platform.theirs.at(NOON + LEASE - SECOND) == []
        (retaken,) = await platform.theirs.at(NOON + LEASE)

        async def is_mine(transaction: Transaction) -> bool:
            return await platform.mine.claims.hold(transaction, taken)

        assert not await platform.database.transact(is_mine)
        # What is given back late is theirs all the same.
        await platform.mine.claims.give_back([taken])
        await platform.end(retaken)

    run(database_address, scenario)


def test_two_replicas_at_once(database_address: str) -> None:
    async def scenario(platform: Platform) -> None:
        taken = await asyncio.gather(*(replica.at(NOON) for replica in [platform.mine, platform.theirs] * 5))
        assert sorted(map(len, taken)) == [0] * 9 + [1]

    run(database_address, scenario)


def test_what_was_said_to_have_changed_is_due_soon(database_address: str) -> None:
    async def scenario(platform: Platform) -> None:
        (first,) = await platform.mine.at(NOON)
        await platform.end(first)
        await platform.note(NOON + SECOND)
        assert await platform.mine.at(NOON + HINT_PAUSE - timedelta(milliseconds=1)) == []
        (hinted,) = await platform.mine.at(NOON + HINT_PAUSE)
        assert (hinted.is_regular, hinted.is_whole) == (False, False)

        # Said again while it goes on: what was noted before is settled, what came since is due.
        read = await noted_hints(platform.database, platform.integration_id)
        assert [(hint.space_id, hint.repository_name) for hint in read] == [(platform.space_id, "")]
        await platform.note(NOON + HINT_PAUSE)
        await platform.database.transact(lambda transaction: settle_hints(transaction, read))
        await platform.end(hinted)
        (again,) = await platform.mine.at(NOON + 2 * HINT_PAUSE)
        read = await noted_hints(platform.database, platform.integration_id)
        await platform.database.transact(lambda transaction: settle_hints(transaction, read))
        await platform.end(again)
        assert await platform.mine.at(NOON + 3 * HINT_PAUSE) == []
        # The usual time is as it was.
        (usual,) = await platform.mine.at(NOON + INTERVAL)
        assert usual.is_regular

    run(database_address, scenario)


def test_a_hint_that_cannot_be_followed_waits_for_the_usual_time(database_address: str) -> None:
    async def scenario(platform: Platform) -> None:
        (first,) = await platform.mine.at(NOON)
        await platform.end(first)
        await platform.note(NOON + SECOND, "team/app")
        (hinted,) = await platform.mine.at(NOON + HINT_PAUSE)
        await platform.end(hinted, is_done=False)
        assert await platform.mine.at(NOON + INTERVAL - SECOND) == []
        (usual,) = await platform.mine.at(NOON + INTERVAL)
        assert usual.is_regular
        (hint,) = await noted_hints(platform.database, platform.integration_id)
        assert hint.repository_name == "team/app"

    run(database_address, scenario)


def test_one_that_is_not_well_is_not_asked(database_address: str) -> None:
    async def scenario(platform: Platform) -> None:
        async def be(status: HealthStatus) -> None:
            async def work(_: Transaction) -> None:
                await IntegrationHealth.filter(integration_id=platform.integration_id).update(status=status)

            await platform.database.transact(work)

        await be(HealthStatus.UNHEALTHY)
        assert await platform.mine.at(NOON) == []
        assert await platform.is_stale()
        # Nor for a hint, which is kept until it is well.
        await platform.note(NOON)
        assert await platform.mine.at(NOON + INTERVAL - SECOND) == []
        await be(HealthStatus.HEALTHY)
        (hinted,) = await platform.mine.at(NOON + INTERVAL - SECOND)
        assert not hinted.is_regular

    run(database_address, scenario)


def test_one_that_was_never_looked_at_is_not_measured(database_address: str) -> None:
    async def scenario(platform: Platform) -> None:
        async def forget(_: Transaction) -> None:
            await Integration.filter(id=platform.integration_id).update(looked_at=None)

        await platform.database.transact(forget)
        assert await platform.mine.at(NOON + INTERVAL) == []
        assert not await platform.is_stale()

    run(database_address, scenario)


def test_a_clock_that_went_back_keeps_nothing_from_being_measured(database_address: str) -> None:
    async def scenario(platform: Platform) -> None:
        (first,) = await platform.mine.at(NOON + timedelta(days=1))
        await platform.end(first)
        assert await platform.mine.at(NOON + timedelta(days=1)) == []
        (again,) = await platform.mine.at(NOON)
        assert (again.is_regular, again.is_whole) == (True, True)
        # Nor does the claim of one who died with a clock ahead.
        (taken,) = await platform.mine.at(NOON + LEASE + 2 * AT_MOST_AHEAD)
        assert taken.lease_until == NOON + 2 * LEASE + 2 * AT_MOST_AHEAD
        assert len(await platform.theirs.at(NOON)) == 1

    run(database_address, scenario)


def test_removal_waits_for_what_is_being_written_and_is_not_waited_for(postgresql_address: str) -> None:
    """What is measured refers to the integration: each would wait for the other, were that not locked first."""
    runs: list[str] = []

    async def scenario(platform: Platform) -> None:
        (due,) = await platform.mine.at(NOON)
        is_held, may_write = asyncio.Event(), asyncio.Event()

        async def measure(transaction: Transaction) -> None:
            runs.append("measure")
            assert await platform.mine.claims.hold(transaction, due)
            is_held.set()
            await may_write.wait()
            await UsagePoint.create(integration_id=platform.integration_id, measured_at=NOON, slot=slot_of(NOON))

        async def remove(transaction: Transaction) -> None:
            runs.append("remove")
            integration = await locked_integration(transaction, platform.integration_id)
            assert integration is not None
            await integration.delete()

        async with asyncio.TaskGroup() as group:
            group.create_task(platform.database.transact(measure))
            await is_held.wait()
            group.create_task(platform.database.transact(remove))
            await until(lambda: has_waiting_statement(platform.database))
            may_write.set()
        assert await count_rows(platform.database, "usage_point") == 0

    run(postgresql_address, scenario)
    assert runs == ["measure", "remove"]
