"""What a space stores, followed push by push: held against what its tags lead to, worked out from nothing each time."""

from __future__ import annotations

import asyncio
import threading
from datetime import datetime
from random import Random

import pytest

from models.space import Repository
from registry_clients.records import Blob, FoundManifest
from services import manifest_measuring
from services.manifest_measuring import measure_manifests
from services.usage_hints import Hint, note_hints, tag_hint
from tests.databases import NOON, add_space
from tests.server.loop_watchdog import watched_steps
from tests.services.test_usage_claims import INTERVAL, SECOND, Platform, platform

REPOSITORIES = ("team/a", "team/b", "team/c", "other/a", "other/b")
TAGS = ("1", "2", "3", "latest")
STEPS = 40
MANY = 6_000
LOOP_LIMIT_MILLISECONDS = 50.0


class Images:
    """A registry whose images share most of their blobs, as far as measuring asks it."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self.named: dict[str, dict[str, str]] = {name: {} for name in REPOSITORIES}
        self.blobs: dict[str, dict[str, int]] = {}
        self.read: list[str] = []

    def push(self, name: str, tag: str) -> None:
        """Have a tag name a new image, or one that is there under another name."""
        digest = f"image {self._random.randrange(12)}"
        if digest not in self.blobs:
            numbers = self._random.sample(range(20), 5)
            self.blobs[digest] = {digest: 100, **{f"blob {number}": 2**number for number in numbers}}
        self.named[name][tag] = digest

    def stored_bytes(self, space: str = "") -> int:
        """Return what the tags of a space lead to, or all of them, each blob once."""
        digests = {digest for name, tags in self.named.items() if name.startswith(space) for digest in tags.values()}
        united: dict[str, int] = {}
        for digest in digests:
            united |= self.blobs[digest]
        return sum(united.values())

    def artifact_count(self, space: str) -> int:
        """Return how many artifacts a space has, each in each repository."""
        return sum(len(set(tags.values())) for name, tags in self.named.items() if name.startswith(space))

    async def list_tags(self, repository_name: str) -> tuple[str, ...] | None:
        """Return the tags of a repository, as after a call: others go on meanwhile."""
        await asyncio.sleep(0)
        return tuple(sorted(self.named[repository_name]))

    async def look_at_tag(self, repository_name: str, tag: str, known_digest: str | None) -> str | None:
        """Return what a tag names."""
        await asyncio.sleep(0)
        return self.named[repository_name].get(tag)

    async def read_manifest(self, repository_name: str, digest: str) -> FoundManifest | None:
        """Return what an image refers to."""
        if digest not in self.named[repository_name].values():
            return None
        self.read.append(digest)
        blobs = self.blobs[digest]
        others = tuple(Blob(each, size) for each, size in blobs.items() if each != digest)
        return FoundManifest(digest, "manifest", None, blobs[digest], others, ())


async def add_repositories(opened: Platform) -> dict[str, int]:
    """Add them, in a space each by the first part of their names; return the spaces' ids."""

    async def work(_: object) -> dict[str, int]:
        other_id = await add_space(opened.integration_id, "other")
        spaces = {"team": opened.space_id, "other": other_id}
        for name in REPOSITORIES:
            await Repository.create(space_id=spaces[name.split("/")[0]], name=name, created_at=NOON)
        return spaces

    return await opened.database.transact(work)


async def stored(opened: Platform) -> tuple[dict[str, tuple[int, int]], int]:
    """Return what is known: bytes and artifacts of each space, and bytes of the registry."""
    spaces = await opened.database.fetch(
        'SELECT s."name", u."storage_bytes", u."artifact_count" FROM "space_usage" u'
        ' JOIN "space" s ON s."id" = u."space_id"'
    )
    (whole,) = await opened.database.fetch('SELECT * FROM "integration_usage"')
    return {row["name"]: (row["storage_bytes"], row["artifact_count"]) for row in spaces}, whole["storage_bytes"]


def there(client: Images) -> tuple[dict[str, tuple[int, int]], int]:
    """Return what there is, in the same form."""
    spaces = {name: (client.stored_bytes(name), client.artifact_count(name)) for name in ("team", "other")}
    return spaces, client.stored_bytes()


async def measure_all(opened: Platform, client: Images, moment: datetime = NOON) -> None:
    """Measure everything at a moment at which it is due."""
    (due,) = await opened.mine.at(moment)
    assert due.is_regular
    await measure_manifests(opened.database, opened.mine.claims, due, client)


async def follow(opened: Platform, client: Images, number: int, hints: set[Hint]) -> None:
    """Say what changed, and measure that alone."""
    now = NOON + 2 * number * SECOND
    await opened.database.transact(lambda work: note_hints(work, opened.integration_id, hints, now))
    (due,) = await opened.mine.at(now + SECOND)
    assert not due.is_regular
    await measure_manifests(opened.database, opened.mine.claims, due, client)


@pytest.mark.parametrize("tags_at_once", [1, 5_000])
def test_it_is_what_the_tags_lead_to_after_whatever_happens(
    database_address: str, tags_at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(manifest_measuring, "TAGS_WRITTEN_AT_ONCE", tags_at_once)

    async def main() -> None:
        random = Random(7)
        client = Images(random)
        async with platform(database_address) as opened:
            spaces = await add_repositories(opened)
            await measure_all(opened, client)
            for number in range(1, STEPS):
                hints: set[Hint] = set()
                for _ in range(random.randint(1, 3)):
                    name, tag = random.choice(REPOSITORIES), random.choice(TAGS)
                    if random.random() < 0.3:
                        client.named[name].pop(tag, None)
                    else:
                        client.push(name, tag)
                    hints.add(tag_hint(spaces[name.split("/")[0]], name, tag))
                await follow(opened, client, number, hints)
                assert await stored(opened) == there(client), number

    asyncio.run(main())


def test_a_push_has_nothing_else_of_its_space_read(database_address: str) -> None:
    async def main() -> None:
        client = Images(Random(1))
        client.blobs = {f"image {number}": {f"image {number}": 1, f"blob {number}": 10**number} for number in range(4)}
        client.named["team/a"] = {"1": "image 1", "2": "image 2"}

        async def require_team(storage_bytes: int, artifact_count: int) -> None:
            spaces = {"team": (storage_bytes, artifact_count), "other": (0, 0)}
            assert await stored(opened) == (spaces, storage_bytes)

        async with platform(database_address) as opened:
            await add_repositories(opened)
            await measure_all(opened, client)
            await require_team(112, 2)
            # Whoever counted these anew would find nonsense.
            nonsense = 'UPDATE "measured_artifact" SET "blobs" = \'{}\''
            await opened.database.transact(lambda work: work.execute(nonsense))
            client.named["team/a"]["3"] = "image 3"
            await follow(opened, client, 1, {tag_hint(opened.space_id, "team/a", "3")})
            await require_team(1113, 3)
            # An image goes on being named, so nothing of it goes.
            client.named["team/a"]["4"] = "image 1"
            await follow(opened, client, 2, {tag_hint(opened.space_id, "team/a", "4")})
            await require_team(1113, 3)
            # Moved away from its last name: all is looked at.
            client.named["team/a"]["2"] = "image 3"
            await follow(opened, client, 3, {tag_hint(opened.space_id, "team/a", "2")})
            await require_team(1001, 2)
            assert client.read == ["image 1", "image 2", "image 3"]

    asyncio.run(main())


def test_what_could_not_be_read_counts_everywhere_once_it_can(database_address: str) -> None:
    async def main() -> None:
        client = Images(Random(1))
        client.blobs = {"image 1": {"image 1": 1, "blob": 10}, "image 2": {"image 2": 2, "blob": 2**60}}
        client.named["team/a"] = {"1": "image 1", "2": "image 2"}
        client.named["other/a"] = {"1": "image 2"}
        async with platform(database_address) as opened:
            await add_repositories(opened)
            await measure_all(opened, client)
            assert await stored(opened) == ({"team": (11, 2), "other": (0, 1)}, 11)
            client.blobs["image 2"] = {"image 2": 2, "blob": 10}
            await measure_all(opened, client, NOON + INTERVAL + SECOND)
            assert await stored(opened) == ({"team": (13, 2), "other": (12, 1)}, 13)

    asyncio.run(main())


def test_an_image_that_comes_to_two_spaces_at_once_counts_in_both(
    database_address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Written apart, and first for the space whose repository didn't read it: the other one was at it already."""
    monkeypatch.setattr(manifest_measuring, "TAGS_WRITTEN_AT_ONCE", 1)

    class Held(Images):
        """Reads the shared image for one repository, and answers the rest of that only once another is done."""

        def __init__(self) -> None:
            super().__init__(Random(1))
            self.is_read, self.is_other_done = asyncio.Event(), asyncio.Event()

        async def look_at_tag(self, repository_name: str, tag: str, known_digest: str | None) -> str | None:
            if repository_name == "other/a":
                await self.is_read.wait()
                self.is_other_done.set()
            if (repository_name, tag) == ("team/a", "2"):
                self.is_read.set()
                await self.is_other_done.wait()
                for _ in range(20):
                    await asyncio.sleep(0)
            return await super().look_at_tag(repository_name, tag, known_digest)

    async def main() -> None:
        async with platform(database_address) as opened:
            await add_repositories(opened)
            await measure_all(opened, Images(Random(1)))
            client = Held()
            client.blobs = {"image 1": {"image 1": 1, "blob": 10}, "image 2": {"image 2": 2, "other blob": 100}}
            client.named |= {"team/a": {"1": "image 1", "2": "image 2"}, "other/a": {"1": "image 1"}}
            await measure_all(opened, client, NOON + INTERVAL + SECOND)
            assert client.read == ["image 1", "image 2"]
            assert await stored(opened) == ({"team": (113, 2), "other": (11, 1)}, 113)

    asyncio.run(main())


def test_a_large_space_does_not_keep_the_loop_from_turning(database_address: str) -> None:
    async def main() -> None:
        client = Images(Random(1))
        for number in range(MANY):
            base = {f"blob {number // 4} {layer}": 1 for layer in range(8)}
            client.blobs[f"image {number}"] = base | {f"image {number}": 1, f"own {number}": 1}
            client.named[REPOSITORIES[number % 3]][str(number)] = f"image {number}"
        async with platform(database_address) as opened:
            await add_repositories(opened)
            with watched_steps(threading.current_thread(), LOOP_LIMIT_MILLISECONDS) as long_steps:
                await measure_all(opened, client)
                # Moved away from its last name, it has all looked at anew.
                client.named["team/a"]["0"] = "image 3"
                await follow(opened, client, 1, {tag_hint(opened.space_id, "team/a", "0")})
            assert await stored(opened) == there(client)
        # Collecting garbage is the server's to put off, and not what is tried here.
        computed = [
            step
            for step in long_steps
            if step.cpu_milliseconds - step.collecting_milliseconds > LOOP_LIMIT_MILLISECONDS
        ]
        assert computed == []

    asyncio.run(main())
