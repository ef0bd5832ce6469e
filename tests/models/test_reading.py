"""Lists are read the same on both databases: whole, in order, page by page."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from models.database import Database, Transaction
from models.enums import HealthStatus, IntegrationOrigin, RegistryKind, SpaceState, Visibility
from models.names import fold_name
from models.queries import integrations as integration_queries
from models.queries import spaces as space_queries
from models.queries.events import EVENTS, NEWEST_EVENT_FIRST, EventConditions
from models.queries.integrations import INTEGRATIONS, IntegrationConditions
from models.queries.spaces import SPACES, SpaceConditions
from models.reading import Order, PageRequest, Statement
from models.records import SpaceRecord
from models.space import Space
from tests.databases import NOON, add_integration, migrated, write_events

NAMES = [
    "zebra",
    "Éclair",
    "eclair",
    "Zoë",
    "a_b",
    "a%b",
    "a\\b",
    "ab",
    "ａ",
    "𝒶",
    "日本",
    "ß",
    "-dash",
    "10",
    "9",
    "İx",
]


async def add_spaces(database: Database, integration_id: int, names: Sequence[str]) -> None:
    """Store spaces; several have the same time of creation."""

    async def work(_: Transaction) -> None:
        await Space.bulk_create(
            Space(
                integration_id=integration_id,
                external_id=name,
                name=name,
                visibility=random.choice(list(Visibility)),
                state=SpaceState.PRESENT,
                created_at=NOON + timedelta(seconds=number // 3),
            )
            for number, name in enumerate(names)
        )

    await database.transact(work)


def key_of(order: Order) -> Callable[[SpaceRecord], tuple[Any, ...]]:
    """Return what sorts records as the order says; texts sort by their code points, as UTF-8 does."""
    return lambda record: (getattr(record, order.attribute), getattr(record, order.id_attribute))


async def walk(database: Database, order: Order, conditions: SpaceConditions, first: int) -> list[SpaceRecord]:
    """Return the list, read page by page."""
    found: list[SpaceRecord] = []
    after = None
    while True:
        page = await SPACES.page(database, PageRequest(first, order, after), conditions)
        assert len(page.records) <= first
        assert page.has_previous_page is (after is not None)
        found.extend(page.records)
        if not page.has_next_page:
            return found
        after = (getattr(page.records[-1], order.attribute), page.records[-1].id)


@pytest.mark.parametrize("is_descending", [False, True])
@pytest.mark.parametrize("base", [space_queries.BY_NAME, space_queries.BY_CREATION], ids=["name", "creation"])
def test_pages_make_the_whole_list_in_order(database_address: str, base: Order, is_descending: bool) -> None:
    order = replace(base, is_descending=is_descending)

    async def main() -> None:
        async with migrated(database_address) as database:
            one, other = await add_integration(database, "one"), await add_integration(database, "other")
            await add_spaces(database, one, NAMES)
            await add_spaces(database, other, NAMES)
            everything = await SPACES.all(database, SpaceConditions())
            assert len(everything) == 2 * len(NAMES)
            expected = sorted(everything, key=key_of(order), reverse=is_descending)
            for first in (1, 3, len(expected) - 1, len(expected), 100):
                assert await walk(database, order, SpaceConditions(), first) == expected
            of_one = [space for space in expected if space.integration_id == one]
            assert await walk(database, order, SpaceConditions(integration_ids=(one,)), 4) == of_one
            # The page of each parent is the page that a parent has by itself.
            middle = of_one[5]
            for after in (None, (getattr(middle, order.attribute), middle.id)):
                request = PageRequest(4, order, after)
                pages = await SPACES.pages(
                    database,
                    request,
                    SpaceConditions(),
                    parent='s."integration_id"',
                    parent_attribute="integration_id",
                    parent_ids=[one, 10**9, other],
                )
                assert list(pages) == [one, 10**9, other]
                assert pages[10**9].records == []
                for parent_id in pages:
                    alone = await SPACES.page(database, request, SpaceConditions(integration_ids=(parent_id,)))
                    assert pages[parent_id] == alone

    asyncio.run(main())


def test_integrations_sort_by_folded_name_alike(database_address: str) -> None:
    async def main() -> None:
        async with migrated(database_address) as database:
            names = [name for name in NAMES if fold_name(name) not in {"ß"}]
            for name in names:
                await add_integration(database, name)
            page = await INTEGRATIONS.page(
                database, PageRequest(100, integration_queries.BY_NAME), IntegrationConditions()
            )
            assert [record.name for record in page.records] == sorted(names, key=fold_name)

    asyncio.run(main())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a_b", {"a_b"}),
        ("%", {"a%b"}),
        ("_", {"a_b"}),
        ("\\", {"a\\b"}),
        ("a%", {"a%b"}),
        ("CLAIR", {"eclair", "éclair"}),
        ("É", {"éclair"}),
        ("'", set()),
        ('"', set()),
        ("\x00", set()),
        ("b\x00", set()),
        ("本", {"日本"}),
        ("", {fold_name(name) for name in NAMES}),
    ],
)
def test_a_text_is_looked_for_literally(database_address: str, text: str, expected: set[str]) -> None:
    async def main() -> None:
        async with migrated(database_address) as database:
            integration_id = await add_integration(database, "one")
            await add_spaces(database, integration_id, [fold_name(name) for name in NAMES])
            conditions = SpaceConditions(text=text)
            assert {space.name for space in await SPACES.all(database, conditions)} == expected
            assert await SPACES.count(database, conditions) == len(expected)
            counts = await SPACES.counts(
                database, conditions, parent='s."integration_id"', parent_ids=[integration_id, 10**9]
            )
            assert counts == {integration_id: len(expected), 10**9: 0}

    asyncio.run(main())


def test_lists_of_none_one_and_many_values(database_address: str) -> None:
    async def main() -> None:
        async with migrated(database_address) as database:
            ids = [await add_integration(database, name) for name in ("a", "b", "c")]
            await write_events(database, 1, 2)

            async def found(**conditions: object) -> list[int]:
                records = await INTEGRATIONS.all(database, IntegrationConditions(**conditions))  # type: ignore[arg-type]
                return sorted(record.id for record in records)

            assert await found(kinds=()) == []
            assert await found(kinds=(RegistryKind.HARBOR,)) == []
            assert await found(kinds=(RegistryKind.DOCKER_REGISTRY,)) == ids
            assert await found(kinds=tuple(RegistryKind), origins=tuple(IntegrationOrigin)) == ids
            assert await found(health_statuses=(HealthStatus.UNKNOWN, HealthStatus.HEALTHY)) == ids
            assert await found(health_statuses=(HealthStatus.UNHEALTHY,)) == []
            for chosen in ([], ids[:1], ids[:2], [*ids, 10**9]):
                records = await integration_queries.integrations_by_id(database, chosen)
                assert sorted(records) == [known for known in chosen if known in ids]
            assert await EVENTS.count(database, EventConditions(types=())) == 0
            assert await EVENTS.count(database, EventConditions()) == 2
            assert await EVENTS.count(database, EventConditions(integration_ids=())) == 0

    asyncio.run(main())


def test_records_hold_typed_values(database_address: str) -> None:
    async def main() -> None:
        async with migrated(database_address) as database:
            integration_id = await add_integration(database, "One")
            record = (await INTEGRATIONS.all(database, IntegrationConditions()))[0]
            assert (record.id, record.name, record.name_key) == (integration_id, "One", "one")
            assert record.kind is RegistryKind.DOCKER_REGISTRY
            assert record.created_at == NOON
            assert record.created_at.utcoffset() == timedelta(0)
            assert record.has_password is False
            health = (await integration_queries.health_by_integration_id(database, [integration_id, 10**9]))[
                integration_id
            ]
            assert health.is_read_only is False
            assert health.components is None
            await write_events(database, 7)
            page = await EVENTS.page(database, PageRequest(1, NEWEST_EVENT_FIRST), EventConditions())
            assert page.records[0].data == {"number": 7}
            assert page.has_next_page is False

    asyncio.run(main())


def test_a_statement_binds_and_never_quotes(database_address: str) -> None:
    async def main() -> None:
        async with migrated(database_address) as database:
            statement = Statement(database.dialect)
            text = "planted'; DROP TABLE space; --"
            sql = [statement.bind(text), statement.contains("x", text), statement.is_one_of("x", [text, text])]
            assert not [part for part in sql if "planted" in part]

    asyncio.run(main())
