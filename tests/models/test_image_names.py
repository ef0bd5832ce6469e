"""What images are searched by is in step with what is stored, whatever writes, and with nothing in between."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Any

import pytest

from models.database import Database, Transaction
from models.dialects.image_names import SoughtText
from models.enums import SpaceState, Visibility
from models.integration import Integration
from models.migrate import migrate
from models.queries.images import BEST_FIRST, ImageSearch, found_images
from models.reading import PageRequest, Statement
from models.space import Repository, Space
from models.workspace import Workspace
from registry_clients.records import FoundRepository, FoundSpace, RegistryContents
from services.mirror import write_full_look
from tests.databases import NOON, add_integration, has_waiting_statement, migrated, opened, until
from tests.models.test_migrate import WIDER_NAME, later_release

STEPS = 120
OWN = "own"
SEGMENTS = ("app", "web-app", "a", "x.y", "x_y-z")


async def rows(database: Database, sql: str) -> list[tuple[Any, ...]]:
    """Return the rows of a statement, sorted."""
    return sorted(tuple(row) for row in await database.fetch(sql))


async def require_in_step(database: Database) -> None:
    """Fail unless the names, and the index of their parts, are those of all repositories whose spaces stand."""
    stored = await rows(
        database,
        'SELECT r."id", r."name", s."visibility", i."id", i."workspace_id" IS NULL FROM "repository" r'
        ' JOIN "space" s ON s."id" = r."space_id" JOIN "integration" i ON i."id" = s."integration_id"'
        " WHERE s.\"state\" <> 'VANISHED'",
    )
    is_open = {id_: visibility == "PUBLIC" and bool(of_platform) for id_, _, visibility, _, of_platform in stored}
    assert await rows(
        database, 'SELECT "repository_id", "integration_id", "is_open", "name", "last_segment" FROM "image_name"'
    ) == [(id_, owner, is_open[id_], name, name.rpartition("/")[2]) for id_, name, _, owner, _ in stored]
    for text, is_word in (("app", True), ("a", True), ("y", True), ("app", False), ("x_y", False), ("eam/", False)):
        for wanted in (None, True, False):
            sought = SoughtText(text, is_word, wanted, 0, 1000)
            statement = Statement(database.dialect)
            sql = database.dialect.ids_of_names_with(sought, statement.bind)
            found = sorted(row["id"] for row in await database.fetch(sql, *statement.values))
            assert found == [
                id_
                for id_, name, *_ in stored
                if wanted in (None, is_open[id_]) and _is_held(name, text, is_word=is_word)
            ]
    if database.dialect.name == "sqlite":
        # Entries of names that are gone would be passed over, and never go.
        parts = await rows(database, 'SELECT "rowid" & 1099511627775 FROM "image_name_part" (\'"tea"\')')
        assert parts == [(id_,) for id_, name, *_ in stored if "tea" in name]


def _is_held(name: str, text: str, *, is_word: bool) -> bool:
    word = any(separator + text in name for separator in "/-_.")
    is_better = name.startswith(text) or name.rpartition("/")[2].startswith(text)
    return word and not is_better if is_word else text in name and not word and not is_better


async def add_registries(database: Database) -> list[int]:
    """Store two registries of the platform, and one that a workspace brought; return their ids."""
    ids = [await add_integration(database, name) for name in ("one", "two", OWN)]

    async def work(_: Transaction) -> None:
        workspace = await Workspace.create(
            name="w", name_key="w", labels={}, created_by="test", created_at=NOON, updated_at=NOON
        )
        await Integration.filter(name=OWN).update(workspace=workspace, scope=workspace.id)

    await database.transact(work)
    return ids


async def add_space(integration_id: int, name: str, chance: random.Random) -> Space:
    """Store a space, within a transaction."""
    return await Space.create(
        integration_id=integration_id,
        external_id=name,
        name=name,
        visibility=chance.choice(list(Visibility)),
        state=chance.choice(list(SpaceState)),
        created_at=NOON,
    )


async def change_something(integrations: list[int], number: int, chance: random.Random) -> None:
    """Change something of what there is, within a transaction."""
    spaces = await Space.all()
    space = chance.choice(spaces) if spaces else None
    what = chance.choice(["space", *["repository"] * 8, *["update"] * 4, "gone", "gone space", "all"])
    if space is None or what == "space":
        await add_space(chance.choice(integrations), f"team{number}", chance)
    elif what == "repository":
        name = f"{space.name}/{chance.choice(SEGMENTS)}/{chance.choice(SEGMENTS)}{number}"
        await Repository.create(space=space, name=name, created_at=NOON)
    elif what == "update":
        space.visibility, space.state = chance.choice(list(Visibility)), chance.choice(list(SpaceState))
        await space.save()
        await Repository.filter(space=space).update(pull_count=number)
    elif what == "gone":
        ids = await Repository.filter(space=space).limit(2).values_list("id", flat=True)
        await Repository.filter(id__in=list(ids)).delete()
    elif what == "gone space":
        await space.delete()
    else:
        # Many by one statement.
        await Space.all().update(visibility=chance.choice(list(Visibility)))


def test_names_are_in_step_with_what_is_stored(database_address: str) -> None:
    seed = random.randrange(2**32)
    chance = random.Random(seed)

    async def main() -> None:
        async with migrated(database_address) as database:
            integrations = await add_registries(database)
            for number in range(STEPS):
                fails = chance.random() < 0.1

                async def work(_: Transaction, number: int = number, fails: bool = fails) -> None:
                    for _each in range(chance.randint(1, 3)):
                        await change_something(integrations, number * 10 + _each, chance)
                    if fails:
                        raise RuntimeError("taken back")

                try:
                    await database.transact(work)
                except RuntimeError:
                    assert fails
                if number % 10 == 9:
                    await require_in_step(database)
            for integration in integrations:
                await database.transact(lambda _, id_=integration: Integration.filter(id=id_).delete())  # type: ignore[misc]
                await require_in_step(database)
            assert await rows(database, 'SELECT * FROM "image_name"') == []

    print(f"seed {seed}")  # noqa: T201
    asyncio.run(main())


def test_names_are_in_step_with_looks(database_address: str) -> None:
    async def main() -> None:
        async with migrated(database_address) as database:
            [integration_id, *_] = await add_registries(database)

            async def look(*spaces: FoundSpace, names: dict[str, list[str]]) -> list[str]:
                found = [FoundRepository(name, space, 1, 1, NOON) for space, each in names.items() for name in each]
                contents = RegistryContents(spaces, tuple(found))

                async def work(transaction: Transaction) -> None:
                    integration = await Integration.get(id=integration_id)
                    await write_full_look(transaction, integration, contents, NOON, accept_loss=True)

                await database.transact(work)
                await require_in_step(database)
                return [row[0] for row in await rows(database, 'SELECT "name" FROM "image_name"')]

            one, two = FoundSpace("1", "team", True), FoundSpace("2", "other", False)
            names = {"1": ["team/app", "team/web"], "2": ["other/app"]}
            assert await look(one, two, names=names) == ["other/app", "team/app", "team/web"]
            assert await look(one, two, names={**names, "1": ["team/app"]}) == ["other/app", "team/app"]
            assert await look(one, names={"1": ["team/app"]}) == ["team/app"]
            assert await look(one, two, names=names) == ["other/app", "team/app", "team/web"]
            assert await look(FoundSpace("1", "team", False), two, names=names) == ["other/app", "team/app", "team/web"]
            # Another registry answers there: the same ids, and other spaces.
            another = {"1": ["new/app"], "2": ["team/new"]}
            spaces = FoundSpace("1", "new", True), FoundSpace("2", "team", True)
            assert await look(*spaces, names=another) == ["new/app", "team/new"]

    asyncio.run(main())


@pytest.mark.parametrize("is_inserted_first", [True, False])
def test_a_space_is_closed_while_something_is_pushed_to_it(postgresql_address: str, is_inserted_first: bool) -> None:
    """Whichever of the two comes first: nothing stays open that a look has closed."""

    async def main() -> None:
        async with migrated(postgresql_address) as database, opened(postgresql_address) as other:
            integration_id = await add_integration(database, "one")

            async def add(_: Transaction) -> None:
                await Space.create(
                    integration_id=integration_id,
                    external_id="team",
                    name="team",
                    visibility=Visibility.PUBLIC,
                    state=SpaceState.PRESENT,
                    created_at=NOON,
                )

            await database.transact(add)
            held, released = asyncio.Event(), asyncio.Event()

            async def push(_: Transaction) -> None:
                space = await Space.get(name="team")
                await Repository.create(space=space, name="team/app", created_at=NOON)

            async def close(transaction: Transaction) -> None:
                await transaction.execute('UPDATE "space" SET "visibility" = \'PRIVATE\'')

            first, second = (push, close) if is_inserted_first else (close, push)

            async def hold(transaction: Transaction) -> None:
                await first(transaction)
                held.set()
                await released.wait()

            holding = asyncio.create_task(database.transact(hold))
            await held.wait()
            waiting = asyncio.create_task(other.transact(second))
            try:
                await until(lambda: has_waiting_statement(database))
            finally:
                released.set()
            await asyncio.gather(holding, waiting)
            await require_in_step(database)
            assert await rows(database, 'SELECT "name", "is_open" FROM "image_name"') == [("team/app", False)]

    asyncio.run(main())


def test_a_later_migration_leaves_them_in_step(
    empty_database_address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(3)
    later = f'{WIDER_NAME} ops.AlterField("Repository", "name", fields.CharField(max_length=600)),'
    package = later_release(tmp_path, monkeypatch, later)

    async def main() -> None:
        async with migrated(empty_database_address) as database:
            integrations = await add_registries(database)

            async def work(_: Transaction) -> None:
                for number in range(40):
                    await change_something(integrations, number, chance)

            await database.transact(work)
            assert await migrate(database, package) == ["9000_later"]
        async with opened(empty_database_address) as database:
            await require_in_step(database)
            assert await rows(database, 'SELECT 1 FROM "image_name"')
            for start in (100, 200):
                await database.transact(
                    lambda _, start=start: change_something(integrations, start, chance)  # type: ignore[misc]
                )
                await require_in_step(database)

            async def push(_: Transaction) -> None:
                space = await add_space(integrations[0], "new", chance)
                space.state = SpaceState.PRESENT
                await space.save()
                await Repository.create(space=space, name="new/later", created_at=NOON)

            await database.transact(push)
            await require_in_step(database)
            page = await found_images(database, ImageSearch("later"), PageRequest(10, BEST_FIRST))
            assert [record.name for record in page.records] == ["new/later"]

    asyncio.run(main())
