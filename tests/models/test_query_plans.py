"""At a hundred thousand spaces and as many repositories, lists are read by an index: page 1,000 as page 1 is."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from models.database import Database, Transaction
from models.queries.events import EVENTS, NEWEST_EVENT_FIRST, EventConditions
from models.queries.images import BEST_FIRST, ImageSearch, found_images
from models.queries.integrations import HEALTH_CHECKS, NEWEST_CHECK_FIRST
from models.queries.repositories import BY_NAME as REPOSITORIES_BY_NAME
from models.queries.repositories import (
    REPOSITORIES,
    RepositoryConditions,
    repositories_by_id,
    routine_credentials,
)
from models.queries.sight import Sight
from models.queries.spaces import BY_CREATION, BY_NAME, PULLABLE_SPACES, SPACES, SpaceConditions
from models.reading import Order, PageRequest, Statement
from tests.databases import add_integration, migrated

SPACES_STORED = 100_000
SPACES_WITH_REPOSITORIES = 10
REPOSITORIES_OF_SPACE = 10_000
CHECKS_STORED = 20_000
INTEGRATIONS_STORED = 100
PAGE = PageRequest(50, BY_NAME)


async def fill(database: Database) -> None:
    """Store many rows, and let the database look at how many there are, as it does by itself where it does."""
    for number in range(INTEGRATIONS_STORED):
        await add_integration(database, f"registry {number}")
    if database.dialect.name == "postgres":
        moment = "TIMESTAMPTZ '2026-03-01T12:00Z' + n * INTERVAL '1 second'"
        numbers = "generate_series(1, {count}) AS numbers (n)"
    else:
        moment = "strftime('%Y-%m-%d %H:%M:%f+00:00', 1772366400 + n, 'unixepoch')"
        numbers = "(WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < {count}) SELECT n FROM c)"

    async def work(transaction: Transaction) -> None:
        await transaction.execute(
            'INSERT INTO "space" ("integration_id", "external_id", "name", "visibility", "state", "created_at")'
            f" SELECT 1 + n % {INTEGRATIONS_STORED}, 'space-' || n, 'space-' || ((n * 7919) % 100003), 'PRIVATE',"
            f" 'PRESENT', {moment} FROM {numbers.format(count=SPACES_STORED)}"
        )
        await transaction.execute(
            'INSERT INTO "repository" ("space_id", "name", "pull_count", "created_at")'
            f" SELECT 1 + n % {SPACES_WITH_REPOSITORIES}, 'space/repository-' || ((n * 7919) % 100003), n, {moment}"
            f" FROM {numbers.format(count=SPACES_WITH_REPOSITORIES * REPOSITORIES_OF_SPACE)}"
        )
        for columns, values in (
            ('"reader_credential" ("integration_id", "administrator_refusals", "next_check_at")', "n, 0"),
            ('"change_feed" ("integration_id", "read_at")', "n"),
        ):
            await transaction.execute(
                f"INSERT INTO {columns} SELECT {values}, {moment} FROM {numbers.format(count=INTEGRATIONS_STORED)}"
            )
        await transaction.execute(
            'INSERT INTO "health_check" ("integration_id", "checked_at", "is_good")'
            f" SELECT 1 + n % {INTEGRATIONS_STORED}, {moment}, 1 = 1 FROM {numbers.format(count=CHECKS_STORED)}"
        )
        await transaction.execute(
            'INSERT INTO "event" ("position", "type", "occurred_at", "integration_id", "data")'
            f" SELECT n, 'SPACE_ADDED', {moment}, 1 + n % {INTEGRATIONS_STORED}, '{{}}'"
            f" FROM {numbers.format(count=CHECKS_STORED)}"
        )

    await database.transact(work)
    if database.dialect.name == "postgres":
        await database.transact(lambda transaction: transaction.execute("ANALYZE"))


async def plan_of(database: Database, read: Awaitable[Any]) -> str:
    """Run a read of one statement and return how the database goes about it."""
    [plan] = await plans_of(database, read)
    return plan


async def plans_of(database: Database, read: Awaitable[Any]) -> list[str]:
    """Run a read and return how the database goes about each of its statements."""
    plans: list[str] = []
    original = type(database).fetch

    async def fetch(sql: str, *parameters: object) -> Sequence[Any]:
        explain = "EXPLAIN" if database.dialect.name == "postgres" else "EXPLAIN QUERY PLAN"
        rows = await original(database, f"{explain} {sql}", *parameters)
        plans.append("\n".join(str(row[-1]) for row in map(tuple, rows)))
        return await original(database, sql, *parameters)

    database.fetch = fetch  # type: ignore[method-assign]
    try:
        await read
    finally:
        del database.fetch
    return plans


def require(plan: str, index: str, *, may_sort: bool = False) -> None:
    """Fail unless the plan reads by an index, in the order that it gives."""
    assert index in plan, plan
    for table in ("space s", "repository r", "health_check c", "event e"):
        assert f"Seq Scan on {table}" not in plan, plan
    for sign in ("Sort", "TEMP B-TREE"):
        assert may_sort or sign not in plan, plan
    assert "AUTOMATIC" not in plan, plan


def test_lists_are_read_by_an_index(database_address: str) -> None:
    async def require_pages(database: Database, order: Order, index: str, index_of_one: str) -> None:
        all_but_some = await SPACES.page(database, PageRequest(SPACES_STORED // 2, order), SpaceConditions())
        last = all_but_some.records[-1]
        middle = (getattr(last, order.attribute), last.id)
        for after in (None, middle):
            for directed in (order, replace(order, is_descending=True)):
                page = partial(SPACES.page, database, PageRequest(50, directed, after))
                require(await plan_of(database, page(SpaceConditions())), index)
                require(await plan_of(database, page(SpaceConditions(integration_ids=(7,)))), index_of_one)

    async def require_repositories(database: Database) -> None:
        index = "sqlite_autoindex_repository" if database.dialect.name == "sqlite" else "uid_repository_space"
        pages = partial(
            REPOSITORIES.pages,
            database,
            where=RepositoryConditions(),
            parent='r."space_id"',
            parent_attribute="space_id",
        )
        half = await pages(PageRequest(REPOSITORIES_OF_SPACE // 2, REPOSITORIES_BY_NAME), parent_ids=[3])
        last = half[3].records[-1]
        for after in (None, (last.name, last.id)):
            for parent_ids in ([3], list(range(1, 21))):
                page = pages(PageRequest(50, REPOSITORIES_BY_NAME, after), parent_ids=parent_ids)
                # Sorted are the pages, and the one repository that has a name.
                require(await plan_of(database, page), index, may_sort=True)
        count = REPOSITORIES.counts(database, RepositoryConditions(), parent='r."space_id"', parent_ids=[3])
        require(await plan_of(database, count), index)
        nodes = repositories_by_id(database, list(range(1, 100)))
        require(
            await plan_of(database, nodes),
            "repository_pkey" if database.dialect.name == "postgres" else "SEARCH r USING INTEGER PRIMARY KEY",
            may_sort=True,
        )
        if database.dialect.name == "sqlite":
            # PostgreSQL reads the one page that so few integrations fill.
            for ids in ([7], [7, 8]):
                readers = await plan_of(database, routine_credentials(database, ids))
                assert "SEARCH c USING INDEX sqlite_autoindex_reader_credential" in readers
            feeds = await plan_of(database, _feed_of(database, 7))
            assert "SEARCH change_feed USING INDEX sqlite_autoindex_change_feed" in feeds

    async def require_seen(database: Database) -> None:
        """What somebody may see is read part by part, what is public by an index of its own."""
        seen = SpaceConditions(sight=Sight((1, 2)))
        for order in (BY_NAME, BY_CREATION):
            # Sorted is what a page may hold of each part.
            page = SPACES.page(database, PageRequest(50, order), seen)
            require(await plan_of(database, page), "space_by_visibility", may_sort=True)
        require(await plan_of(database, SPACES.count(database, seen)), "space_by_visibility", may_sort=True)
        pullable = PULLABLE_SPACES.pages(
            database, PAGE, seen, parent='s."id"', parent_attribute="workspace_id", parent_ids=[1, 2, 3]
        )
        require(await plan_of(database, pullable), "space_by_visibility", may_sort=True)
        total = PULLABLE_SPACES.counts(database, seen, parent='s."id"', parent_ids=[1, 2, 3])
        require(await plan_of(database, total), "space_by_visibility", may_sort=True)
        newest = EVENTS.page(database, PageRequest(50, NEWEST_EVENT_FIRST), EventConditions(sight=Sight((1,))))
        require(await plan_of(database, newest), "event_")
        nodes = repositories_by_id(database, list(range(1, 100)), Sight((1,)))
        is_postgresql = database.dialect.name == "postgres"
        by_key = "repository_pkey" if is_postgresql else "SEARCH r USING INTEGER PRIMARY KEY"
        require(await plan_of(database, nodes), by_key, may_sort=True)

    async def require_images(database: Database) -> None:
        """What names begin with is read in the order of an index, what they hold by the parts of names."""
        is_postgresql = database.dialect.name == "postgres"
        middle = ("0repository-5", 0)
        for after in (None, middle):
            images = found_images(database, ImageSearch("repository"), PageRequest(50, BEST_FIRST, after))
            plan = await plan_of(database, images)
            require(plan, "image_name_by_last_segment", may_sort=True)
            require(plan, "image_name_by_name", may_sort=True)
            assert "Seq Scan on image_name" not in plan, plan
        of_one = found_images(database, ImageSearch("space/rep", 7), PageRequest(50, BEST_FIRST, ("1space/repo", 1)))
        require(await plan_of(database, of_one), "image_name_by_integration", may_sort=True)
        by_word = found_images(database, ImageSearch("1"), PageRequest(50, BEST_FIRST, ("2", 0)))
        require(await plan_of(database, by_word), "image_names_with" if is_postgresql else "image_name", may_sort=True)
        if is_postgresql:
            require(await plan_of(database, _names_with_parts(database)), "image_name_by_part")
        bound = ImageSearch("1", further=Sight((1,)))
        [of_own, _] = await plans_of(database, found_images(database, bound, PageRequest(50, BEST_FIRST, ("2", 1))))
        require(of_own, "uid_repository_space" if is_postgresql else "sqlite_autoindex_repository", may_sort=True)
        assert "Seq Scan on repository" not in of_own, of_own

    async def main() -> None:
        async with migrated(database_address) as database:
            await fill(database)
            await require_images(database)
            await require_pages(database, BY_NAME, "space_by_name", "space_by_integration")
            await require_pages(database, BY_CREATION, "space_by_creation", "space_by_integration_and_creation")
            of_each = SPACES.pages(
                database,
                PAGE,
                SpaceConditions(),
                parent='s."integration_id"',
                parent_attribute="integration_id",
                parent_ids=list(range(1, 21)),
            )
            # What is sorted is the pages alone, one behind the other.
            require(await plan_of(database, of_each), "space_by_integration", may_sort=True)
            await require_repositories(database)
            checks_of_each = HEALTH_CHECKS.pages(
                database,
                PageRequest(10, NEWEST_CHECK_FIRST),
                _every_check,
                parent='c."integration_id"',
                parent_attribute="integration_id",
                parent_ids=list(range(1, 51)),
            )
            require(await plan_of(database, checks_of_each), "health_check_by_integration", may_sort=True)
            newest = partial(EVENTS.page, database, PageRequest(50, NEWEST_EVENT_FIRST))
            require(await plan_of(database, newest(EventConditions())), "event_")
            of_one = EventConditions(integration_ids=(7,))
            require(await plan_of(database, newest(of_one)), "event_by_integration")
            await require_seen(database)

    asyncio.run(main())


async def _feed_of(database: Database, integration_id: int) -> Sequence[Any]:
    return await database.fetch(f'SELECT "position" FROM "change_feed" WHERE "integration_id" = {integration_id}')


async def _names_with_parts(database: Database) -> Sequence[Any]:
    parts = 'image_name_parts("repository_id", "is_open", "name") @> ARRAY[1, 2, 3]::bigint[]'
    return await database.fetch(f'SELECT "repository_id" FROM "image_name" WHERE {parts}')


def _every_check(_: Statement) -> Sequence[str]:
    return []
