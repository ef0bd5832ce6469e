"""Looks at everything and looks at single spaces, side by side: the one that began later counts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from models.database import Database, Transaction
from models.integration import Integration
from registry_clients.records import FoundRepository, FoundSpace, RegistryContents
from services.mirror import SpaceLook, write_found_repositories, write_full_look, write_space_looks
from tests.databases import migrated
from tests.seeding import seed_integrations

START = datetime(2026, 1, 1, tzinfo=UTC)
EARLIER, LATER = START + timedelta(seconds=1), START + timedelta(seconds=2)
LIBRARY = FoundSpace("1", "library", True)
TEAM = FoundSpace("2", "team", False)
OPEN_TEAM = FoundSpace("2", "team", True)


def repository(space: FoundSpace, name: str) -> FoundRepository:
    return FoundRepository(f"{space.name}/{name}", space.external_id, 1, 0, None)


def contents(*spaces: FoundSpace, app_of: FoundSpace | None = None) -> RegistryContents:
    return RegistryContents(spaces, () if app_of is None else (repository(app_of, "app"),))


class Mirror:
    """The mirror of one integration."""

    def __init__(self, database: Database, integration_id: int) -> None:
        self.database = database
        self.integration_id = integration_id

    async def see_all(self, seen: RegistryContents, looked_at: datetime) -> None:
        """Write a look at everything."""

        async def work(transaction: Transaction) -> None:
            integration = await Integration.get(id=self.integration_id)
            await write_full_look(transaction, integration, seen, looked_at, accept_loss=False)

        await self.database.transact(work)

    async def see_one(self, name: str, space: FoundSpace | None, looked_at: datetime, *repositories: str) -> None:
        """Write a look at one space."""
        found = () if space is None else tuple(repository(space, one) for one in repositories)

        async def work(transaction: Transaction) -> None:
            integration = await Integration.get(id=self.integration_id)
            await write_space_looks(transaction, integration, [SpaceLook(name, space, found)], looked_at)

        await self.database.transact(work)

    async def find(self, looked_at: datetime, space: FoundSpace, *repositories: str) -> None:
        """Write repositories that were looked for by their names."""
        found = RegistryContents((space,), tuple(repository(space, one) for one in repositories))

        async def work(transaction: Transaction) -> None:
            integration = await Integration.get(id=self.integration_id)
            await write_found_repositories(transaction, integration, found, looked_at)

        await self.database.transact(work)

    async def rows(self) -> dict[str, tuple[str, str, list[str]]]:
        """Return state, visibility and repositories of each space by its id at the registry."""
        spaces = await self.database.fetch('SELECT "id", "external_id", "state", "visibility" FROM "space"')
        repositories = await self.database.fetch('SELECT "space_id", "name" FROM "repository" ORDER BY "name"')
        return {
            row["external_id"]: (
                row["state"],
                row["visibility"],
                [found["name"] for found in repositories if found["space_id"] == row["id"]],
            )
            for row in spaces
        }

    async def events(self) -> list[str]:
        """Return the types of its events, oldest first."""
        rows = await self.database.fetch('SELECT "type" FROM "event" ORDER BY "position"')
        return [row["type"] for row in rows]


@asynccontextmanager
async def mirror(address: str) -> AsyncIterator[Mirror]:
    """Open a mirror that was looked at once: the library, and a team with an app."""
    async with migrated(address) as database:
        (integration_id,) = await seed_integrations(database, ["http://registry.example"])
        opened = Mirror(database, integration_id)
        await opened.see_all(contents(LIBRARY, TEAM, app_of=TEAM), START)
        yield opened


SEEN = {"1": ("PRESENT", "PUBLIC", []), "2": ("PRESENT", "PRIVATE", ["team/app"])}
ADDED = ["SPACE_ADDED", "SPACE_ADDED"]


def test_an_earlier_look_at_everything_undoes_no_later_single_look(database_address: str) -> None:
    async def scenario() -> None:
        async with mirror(database_address) as watched:
            made = FoundSpace("3", "new", True)
            await watched.see_one("new", made, LATER, "app")
            await watched.see_one("team", OPEN_TEAM, LATER, "app", "web")
            await watched.see_one("library", None, LATER)
            known, told = await watched.rows(), await watched.events()
            assert known == {
                "1": ("VANISHED", "PUBLIC", []),
                "2": ("PRESENT", "PUBLIC", ["team/app", "team/web"]),
                "3": ("PRESENT", "PUBLIC", ["new/app"]),
            }
            assert told == [*ADDED, "SPACE_ADDED", "SPACE_VISIBILITY_CHANGED", "SPACE_VANISHED"]
            # It began before all that, and ends after it.
            await watched.see_all(contents(LIBRARY, TEAM), EARLIER)
            assert (await watched.rows(), await watched.events()) == (known, told)

    asyncio.run(scenario())


def test_an_earlier_single_look_undoes_no_later_look_at_everything(database_address: str) -> None:
    async def scenario() -> None:
        async with mirror(database_address) as watched:
            await watched.see_all(contents(LIBRARY, OPEN_TEAM, app_of=TEAM), LATER)
            known, told = await watched.rows(), await watched.events()
            await watched.see_one("team", None, EARLIER)
            await watched.see_one("team", TEAM, EARLIER)
            await watched.see_one("library", FoundSpace("9", "library", False), EARLIER, "app")
            assert (await watched.rows(), await watched.events()) == (known, told)

    asyncio.run(scenario())


def test_a_later_look_of_either_kind_counts(database_address: str) -> None:
    async def scenario() -> None:
        async with mirror(database_address) as watched:
            await watched.see_one("team", None, EARLIER)
            assert await watched.rows() == {**SEEN, "2": ("VANISHED", "PRIVATE", ["team/app"])}
            await watched.see_all(contents(LIBRARY, TEAM, app_of=TEAM), LATER)
            assert await watched.rows() == SEEN
            assert await watched.events() == [*ADDED, "SPACE_VANISHED", "SPACE_ADDED"]

    asyncio.run(scenario())


def test_a_name_that_another_has_is_another_space(database_address: str) -> None:
    async def scenario() -> None:
        async with mirror(database_address) as watched:
            await watched.see_one("team", FoundSpace("7", "team", True), LATER, "web")
            assert await watched.rows() == {
                **SEEN,
                "2": ("VANISHED", "PRIVATE", ["team/app"]),
                "7": ("PRESENT", "PUBLIC", ["team/web"]),
            }
            assert await watched.events() == [*ADDED, "SPACE_ADDED", "SPACE_VANISHED"]

    asyncio.run(scenario())


def test_an_earlier_single_look_undoes_no_later_one(database_address: str) -> None:
    async def scenario() -> None:
        async with mirror(database_address) as watched:
            await watched.see_one("team", OPEN_TEAM, LATER, "app", "web")
            known, told = await watched.rows(), await watched.events()
            await watched.see_one("team", TEAM, EARLIER)
            await watched.see_one("team", None, EARLIER)
            assert (await watched.rows(), await watched.events()) == (known, told)

    asyncio.run(scenario())


def test_another_space_under_a_known_id_is_no_heir(database_address: str) -> None:
    other = FoundSpace("2", "other", True)

    async def main() -> None:
        async with mirror(database_address) as seen:
            events = len(await seen.events())
            await seen.see_all(contents(LIBRARY, other, FoundSpace("3", "third", True)), LATER)
            rows = await seen.rows()
            (replaced,) = [key for key in rows if key.startswith("replaced-")]
            assert rows[replaced][:2] == ("VANISHED", "PRIVATE")
            assert rows["2"] == ("PRESENT", "PUBLIC", [])
            told = sorted((await seen.events())[events:])
            assert told == ["SPACE_ADDED", "SPACE_ADDED", "SPACE_VANISHED"]
            # And again nothing, by either kind of look.
            await seen.see_all(contents(LIBRARY, other, FoundSpace("3", "third", True)), LATER + timedelta(seconds=1))
            await seen.see_one("other", other, LATER + timedelta(seconds=2))
            assert set(await seen.rows()) == set(rows)
            assert len(await seen.events()) == events + 3

    asyncio.run(main())


OTHER = FoundSpace("3", "other", None)


def test_what_was_found_by_its_name_is_added_and_nothing_else_changes(database_address: str) -> None:
    async def scenario() -> None:
        async with mirror(database_address) as watched:
            await watched.find(EARLIER, TEAM, "web", "app")
            await watched.find(EARLIER, OTHER, "app")
            assert await watched.rows() == {
                "1": ("PRESENT", "PUBLIC", []),
                "2": ("PRESENT", "PRIVATE", ["team/app", "team/web"]),
                "3": ("PRESENT", "PRIVATE", ["other/app"]),
            }
            assert await watched.events() == [*ADDED, "SPACE_ADDED"]
            # Found once more, by another replica perhaps.
            known = await watched.database.fetch('SELECT "id", "name" FROM "repository" ORDER BY "id"')
            await watched.find(EARLIER, OTHER, "app")
            assert [tuple(row) for row in await watched.database.fetch('SELECT "id", "name" FROM "repository"')] == [
                tuple(row) for row in known
            ]
            assert await watched.events() == [*ADDED, "SPACE_ADDED"]

    asyncio.run(scenario())


def test_an_earlier_look_at_everything_leaves_what_was_found_meanwhile(database_address: str) -> None:
    async def scenario() -> None:
        async with mirror(database_address) as watched:
            await watched.find(LATER, TEAM, "web")
            await watched.find(LATER, OTHER, "app")
            known, told = await watched.rows(), await watched.events()
            await watched.see_all(contents(LIBRARY, TEAM, app_of=TEAM), EARLIER)
            assert (await watched.rows(), await watched.events()) == (known, told)
            # One that begins behind it knows better.
            await watched.see_all(contents(LIBRARY, TEAM, app_of=TEAM), LATER + timedelta(seconds=1))
            assert (await watched.rows())["2"] == SEEN["2"]
            assert (await watched.rows())["3"][0] == "VANISHED"

    asyncio.run(scenario())


def test_what_was_found_before_a_look_at_everything_is_not_added_behind_it(database_address: str) -> None:
    async def scenario() -> None:
        async with mirror(database_address) as watched:
            await watched.see_all(contents(LIBRARY, TEAM, app_of=TEAM), LATER)
            await watched.find(EARLIER, TEAM, "web")
            await watched.find(EARLIER, OTHER, "app")
            assert (await watched.rows(), await watched.events()) == (SEEN, ADDED)

    asyncio.run(scenario())


def test_a_space_that_was_gone_is_back_with_what_is_found_in_it(database_address: str) -> None:
    async def scenario() -> None:
        async with mirror(database_address) as watched:
            await watched.see_one("team", None, EARLIER)
            await watched.find(LATER, TEAM, "app")
            assert await watched.rows() == SEEN
            assert await watched.events() == [*ADDED, "SPACE_VANISHED", "SPACE_ADDED"]

    asyncio.run(scenario())
