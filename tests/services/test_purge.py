"""What is old goes, and nothing else."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from functools import partial

import pytest

from models.binding import Binding
from models.database import Database, Transaction
from models.enums import AuditOutcome, EventType, Role, SpaceState, Visibility
from models.event import AuditEvent
from models.integration import HealthCheck
from models.queries.events import events_behind, log_span
from models.space import Space
from models.workspace import Workspace
from services import purge as purge_module
from services.purge import Purger, Retention
from services.usage_hints import note_hints
from tests.databases import NOON, add_integration, count_rows, every_row, migrated, write_events

RETENTION = Retention(
    events=timedelta(days=7),
    health_checks=timedelta(hours=24),
    audit_events=timedelta(days=400),
    vanished_spaces=timedelta(days=30),
)
BATCH = 7
TABLES = ("event", "health_check", "audit_event", "usage_hint", "space", "workspace")


async def fill(database: Database, integration_id: int, moment: datetime, count: int, mark: str) -> None:
    """Store so many of each kind, of that time; of spaces, one in three vanished."""

    async def work(_: Transaction) -> None:
        await HealthCheck.bulk_create(
            HealthCheck(integration_id=integration_id, checked_at=moment, is_good=True) for _ in range(count)
        )
        await AuditEvent.bulk_create(
            AuditEvent(
                occurred_at=moment,
                viewer_name="test",
                viewer_role=Role.PLATFORM_ADMIN,
                mutation="test",
                input={},
                outcome=AuditOutcome.SUCCEEDED,
                error_codes=[],
                request_id="1",
            )
            for _ in range(count)
        )
        await Space.bulk_create(
            Space(
                integration_id=integration_id,
                external_id=f"{mark}-{number}-{state.value}",
                name=f"{mark}-{number}-{state.value}",
                visibility=Visibility.PRIVATE,
                state=state,
                last_seen_at=moment,
                created_at=moment,
            )
            for number in range(count)
            for state in SpaceState
        )

    await database.transact(work)
    await write_events(database, *range(count), occurred_at=moment)


async def counts(database: Database) -> dict[str, int]:
    """Return how many rows the purged tables hold."""
    return {table: await count_rows(database, table) for table in TABLES}


@pytest.mark.parametrize("count", [BATCH - 1, BATCH, 3 * BATCH + 1])
def test_each_kind_goes_at_its_own_age(database_address: str, monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(purge_module, "BATCH_ROWS", BATCH)

    async def main() -> None:
        async with migrated(database_address) as database:
            integration_id = await add_integration(database, "one")
            now = NOON
            purger = Purger(database, lambda: now, RETENTION)
            await fill(database, integration_id, NOON, count, "old")
            await fill(database, integration_id, NOON + timedelta(hours=1), 2, "new")
            everything = {"event": count + 2, "health_check": count + 2, "audit_event": count + 2}
            everything |= {"space": 3 * (count + 2), "usage_hint": 0, "workspace": 0}
            left = dict(everything)
            assert await counts(database) == left
            for table, days in {"health_check": 1, "event": 7, "space": 30, "audit_event": 400}.items():
                # To the moment: what is as old as may be stays, and what is younger.
                now = NOON + timedelta(days=days)
                assert (await purger.purge())[table] == 0
                now += timedelta(microseconds=1)
                assert (await purger.purge()) == dict.fromkeys(TABLES, 0) | {table: count}
                assert await counts(database) == left | {table: left[table] - count}
                left[table] -= count + 2
                now += timedelta(hours=1)
                assert (await purger.purge()) == dict.fromkeys(TABLES, 0) | {table: 2}
                assert await counts(database) == left
            standing = await database.fetch("""SELECT COUNT(*) AS count FROM "space" WHERE "state" <> 'VANISHED'""")
            assert standing[0]["count"] == 2 * (count + 2)
            assert await count_rows(database, "integration") == 1

    asyncio.run(main())


def test_a_purge_of_nothing_writes_nothing(database_address: str) -> None:
    async def main() -> None:
        async with migrated(database_address) as database:
            integration_id = await add_integration(database, "one")
            await fill(database, integration_id, NOON, 3, "young")
            before = await every_row(database)
            assert await Purger(database, lambda: NOON, RETENTION).purge() == dict.fromkeys(TABLES, 0)
            assert await every_row(database) == before

    asyncio.run(main())


def test_hints_that_nobody_follows_do_not_pile_up(database_address: str) -> None:
    async def main() -> None:
        async with migrated(database_address) as database:
            integration_id = await add_integration(database, "one")
            await fill(database, integration_id, NOON, 1, "there")
            space_id = (await database.fetch('SELECT MIN("id") AS id FROM "space"'))[0]["id"]
            later = NOON + timedelta(hours=1)
            for moment, name in [(NOON, "team/app:1"), (NOON, "team/app:2"), (later, "team/app:3")]:
                note = partial(note_hints, integration_id=integration_id, hints={(space_id, name)}, now=moment)
                await database.transact(note)
            purger = Purger(database, lambda: NOON + timedelta(days=1), RETENTION)
            assert (await purger.purge())["usage_hint"] == 0
            purger = Purger(database, lambda: NOON + timedelta(days=1, microseconds=1), RETENTION)
            assert (await purger.purge())["usage_hint"] == 2
            (left,) = await database.fetch('SELECT "repository_name" FROM "usage_hint"')
            assert left["repository_name"] == "team/app:3"

    asyncio.run(main())


def test_bindings_of_a_vanished_space_go_with_it_and_a_workspace_that_waited_for_that(database_address: str) -> None:
    async def main() -> None:
        async with migrated(database_address) as database:
            integration_id = await add_integration(database, "one")
            await database.transact(partial(_bind_what_vanished, integration_id=integration_id))
            purger = Purger(database, lambda: NOON + RETENTION.vanished_spaces, RETENTION)
            assert await purger.purge() == dict.fromkeys(TABLES, 0)
            purger = Purger(database, lambda: NOON + RETENTION.vanished_spaces + timedelta(seconds=1), RETENTION)
            assert await purger.purge() == dict.fromkeys(TABLES, 0) | {"space": 1, "workspace": 1}
            assert await count_rows(database, "binding") == 0
            names = [row["name"] for row in await database.fetch('SELECT "name" FROM "workspace"')]
            assert names == ["stays"]
            (event,) = await events_behind(database, 0, 10)
            assert (event.type, event.data["workspace_name"], event.data["by"]) == (
                EventType.BINDING_REVOKED,
                "stays",
                "retention",
            )

    asyncio.run(main())


async def _bind_what_vanished(_: Transaction, integration_id: int) -> None:
    """Store a space that vanished, bound to a workspace, and to one that is being deleted."""
    space = await Space.create(
        integration_id=integration_id,
        external_id="gone",
        name="gone",
        visibility=Visibility.PRIVATE,
        state=SpaceState.VANISHED,
        last_seen_at=NOON,
        created_at=NOON,
    )
    for name, deleted_at in (("stays", None), ("goes", NOON)):
        workspace = await Workspace.create(
            name=name,
            name_key=name,
            labels={},
            created_by="test",
            created_at=NOON,
            updated_at=NOON,
            deleted_at=deleted_at,
        )
        await Binding.create(
            space=space,
            workspace=workspace,
            bound_by="test",
            bound_at=NOON,
            revoked_at=deleted_at,
            granted_version=1,
            version=1,
        )


def test_events_go_from_the_front_and_never_leave_a_hole(
    database_address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(purge_module, "BATCH_ROWS", 2)

    async def main() -> None:
        async with migrated(database_address) as database:
            # The clock of another replica is behind: its events come later and say that they are older.
            for hours in (0, 1, 5, 2, 6):
                await write_events(database, hours, occurred_at=NOON + timedelta(hours=hours))
            now = NOON + RETENTION.events + timedelta(hours=3)
            purger = Purger(database, lambda: now, RETENTION)
            assert (await purger.purge())["event"] == 2
            rows = await database.fetch('SELECT "position" FROM "event" ORDER BY "position"')
            assert [row["position"] for row in rows] == [3, 4, 5]
            now += timedelta(hours=10)
            assert (await purger.purge())["event"] == 3
            span = await log_span(database)
            assert (span.purged_through, span.last) == (5, 5)

    asyncio.run(main())
