"""What is told while everything is being measured is looked at in between: who pushed doesn't wait for all the rest."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from models.database import Transaction
from models.space import Repository
from registry_clients.records import Blob, FoundManifest
from services import manifest_measuring
from services.manifest_measuring import measure_manifests
from services.usage_hints import note_hints, noted_hints, tag_hint
from tests.databases import NOON
from tests.services.test_usage_claims import INTERVAL, SECOND, Platform, platform


@dataclass
class Tags:
    """A registry as far as tags go; it can be told what to do when a repository is listed."""

    named: dict[str, dict[str, str]]
    asked: list[str] = field(default_factory=list)
    when_listed: Callable[[str], Awaitable[None]] | None = None

    async def list_tags(self, repository_name: str) -> tuple[str, ...] | None:
        """Return the tags of a repository."""
        self.asked.append(repository_name)
        if self.when_listed is not None:
            await self.when_listed(repository_name)
        return tuple(sorted(self.named[repository_name]))

    async def look_at_tag(self, repository_name: str, tag: str, known_digest: str | None) -> str | None:
        """Return what a tag names."""
        self.asked.append(f"{repository_name}:{tag}")
        return self.named[repository_name].get(tag)

    async def read_manifest(self, repository_name: str, digest: str) -> FoundManifest | None:
        """Return a manifest of one blob."""
        if digest not in self.named[repository_name].values():
            return None
        return FoundManifest(digest, "manifest", None, 1, (Blob(f"blob of {digest}", 1),), ())


@pytest.mark.parametrize("told", ["team/a", "team/c", "team/new"])
def test_it_is_looked_at_at_once_and_told_once(
    database_address: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a repository that was read already, in one that is still to be, and in one that nobody knew of."""
    monkeypatch.setattr(manifest_measuring, "WRITTEN_AT_ONCE", 1)
    names = ["team/a", "team/b", "team/c"]
    client = Tags({name: {"1": f"{name} one"} for name in names})

    async def add(platform: Platform, *repositories: str) -> None:
        async def work(_: Transaction) -> None:
            for name in repositories:
                await Repository.create(space_id=platform.space_id, name=name, created_at=NOON)

        await platform.database.transact(work)

    async def measure(platform: Platform, number: int) -> None:
        (due,) = await platform.mine.at(NOON + number * (INTERVAL + SECOND))
        assert due.is_regular
        await measure_manifests(platform.database, platform.mine.claims, due, client)

    async def scenario() -> None:
        async with platform(database_address) as opened:
            await add(opened, *names)
            await measure(opened, 0)
            assert await events_of(opened) == []
            client.asked.clear()

            async def push(listed: str) -> None:
                if listed == "team/b":
                    client.named.setdefault(told, {})["2"] = "two"
                    if told not in names:
                        await add(opened, told)
                    hints = {tag_hint(opened.space_id, told, "2")}
                    moment = NOON + timedelta(minutes=6)
                    await opened.database.transact(lambda t: note_hints(t, opened.integration_id, hints, moment))

            client.when_listed = push
            await measure(opened, 1)
            between = client.asked.index(f"{told}:2")
            assert client.asked.index("team/b") < between < client.asked.index("team/c")
            assert await events_of(opened) == [("IMAGE_PUSHED", told, "2")]
            # It is settled, and counts.
            assert await noted_hints(opened.database, opened.integration_id) == []
            (row,) = await opened.database.fetch('SELECT "artifact_count" FROM "integration_usage"')
            assert row["artifact_count"] == 4

    asyncio.run(scenario())


async def events_of(platform: Platform) -> list[tuple[str, str, str]]:
    """Return what was told of images, oldest first."""
    rows = await platform.database.fetch('SELECT "type", "data" FROM "event" ORDER BY "position"')
    found = [(row["type"], json.loads(row["data"])) for row in rows if row["type"] != "USAGE_CHANGED"]
    return [(type_, data["repository_name"], data["reference"]) for type_, data in found]
