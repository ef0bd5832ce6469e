"""What is told of a repository by what its tags named before, and name now."""

from __future__ import annotations

import asyncio
import json

import pytest

from models.database import Transaction
from services.content_events import RepositoryReading, tell_of_changes
from tests.databases import NOON, add_integration, add_space, migrated

Tags = dict[str, str]


@pytest.mark.parametrize(
    ("known", "tags", "deleted", "told"),
    [
        ({}, {}, "", []),
        ({"1": "a"}, {"1": "a"}, "", []),
        ({}, {"1": "a"}, "", [("IMAGE_PUSHED", "1")]),
        ({"1": "a"}, {"1": "a", "2": "b"}, "", [("IMAGE_PUSHED", "2")]),
        # A tag that moved: to what is new here, to what another tag names, to what it named itself by another tag.
        ({"1": "a"}, {"1": "b"}, "", [("IMAGE_PUSHED", "1")]),
        ({"1": "a", "2": "b"}, {"1": "b", "2": "b"}, "", [("TAG_CHANGED", "1")]),
        ({"1": "a", "2": "b"}, {"1": "b", "2": "a"}, "", [("TAG_CHANGED", "1"), ("TAG_CHANGED", "2")]),
        # A further tag of what is there, and two of what is new.
        ({"1": "a"}, {"1": "a", "2": "a"}, "", [("TAG_CHANGED", "2")]),
        ({}, {"1": "a", "2": "a"}, "", [("IMAGE_PUSHED", "1"), ("TAG_CHANGED", "2")]),
        # What is gone: an image with its tags, and tags alone.
        ({"1": "a", "2": "a"}, {}, "a", [("IMAGE_DELETED", "a")]),
        ({"1": "a", "2": "a"}, {"1": "a"}, "", [("TAG_CHANGED", "2")]),
        ({"1": "a"}, {}, "", [("TAG_CHANGED", "1")]),
        ({"1": "a", "2": "b"}, {"1": "c"}, "b", [("IMAGE_PUSHED", "1"), ("IMAGE_DELETED", "b")]),
    ],
)
def test_what_is_told(
    database_address: str, known: Tags, tags: Tags, deleted: str, told: list[tuple[str, str]]
) -> None:
    async def scenario() -> None:
        async with migrated(database_address) as database:
            integration_id = await add_integration(database, "one")

            async def work(transaction: Transaction) -> None:
                space_id = await add_space(integration_id)
                reading = RepositoryReading(1, "team/app", space_id, known, tags, {}, frozenset(deleted))
                nothing = RepositoryReading(2, "team/tool", space_id, {"1": "x"}, {"1": "x"}, {}, frozenset())
                await tell_of_changes(transaction, integration_id, [reading, nothing], NOON)

            await database.transact(work)
            rows = await database.fetch('SELECT "type", "space_id", "integration_id", "data" FROM "event"')
            found = [(row["type"], json.loads(row["data"])) for row in rows]
            assert [(type_, data["reference"]) for type_, data in found] == told
            named = {"integration_name": "one", "space_name": "team", "repository_name": "team/app"}
            assert all(data == {**named, "reference": data["reference"]} for _, data in found)
            assert all((row["space_id"], row["integration_id"]) == (1, integration_id) for row in rows)

    asyncio.run(scenario())
