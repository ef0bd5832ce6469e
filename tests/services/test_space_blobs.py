"""What a space stores, followed push by push: held against what its tags lead to, worked out from nothing each time."""

from __future__ import annotations

import asyncio
import threading
from random import Random

from models.space import Repository
from registry_clients.records import Blob, FoundManifest
from services.manifest_measuring import measure_manifests
from services.usage_hints import Hint, note_hints, tag_hint
from tests.databases import NOON
from tests.server.loop_watchdog import watched_steps
from tests.services.test_usage_claims import INTERVAL, SECOND, Platform, platform

REPOSITORIES = ("team/a", "team/b", "team/c")
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

    def stored_bytes(self) -> int:
        """Return what all tags lead to, each blob once."""
        digests = {digest for tags in self.named.values() for digest in tags.values()}
        united: dict[str, int] = {}
        for digest in digests:
            united |= self.blobs[digest]
        return sum(united.values())

    def artifact_count(self) -> int:
        """Return how many artifacts there are, each in each repository."""
        return sum(len(set(tags.values())) for tags in self.named.values())

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


async def add_repositories(opened: Platform) -> None:
    async def work(_: object) -> None:
        for name in REPOSITORIES:
            await Repository.create(space_id=opened.space_id, name=name, created_at=NOON)

    await opened.database.transact(work)


async def stored(opened: Platform) -> tuple[int, int, int]:
    """Return what is known: bytes and artifacts of the space, and bytes of the registry."""
    (space,) = await opened.database.fetch('SELECT * FROM "space_usage"')
    (whole,) = await opened.database.fetch('SELECT * FROM "integration_usage"')
    return space["storage_bytes"], space["artifact_count"], whole["storage_bytes"]


async def follow(opened: Platform, client: Images, number: int, hints: set[Hint]) -> None:
    """Say what changed, and measure that alone."""
    now = NOON + 2 * number * SECOND
    await opened.database.transact(lambda work: note_hints(work, opened.integration_id, hints, now))
    (due,) = await opened.mine.at(now + SECOND)
    assert not due.is_regular
    await measure_manifests(opened.database, opened.mine.claims, due, client)


def test_it_is_what_the_tags_lead_to_after_whatever_happens(database_address: str) -> None:
    async def main() -> None:
        random = Random(7)
        client = Images(random)
        async with platform(database_address) as opened:
            await add_repositories(opened)
            (due,) = await opened.mine.at(NOON)
            await measure_manifests(opened.database, opened.mine.claims, due, client)
            for number in range(1, STEPS):
                hints: set[Hint] = set()
                for _ in range(random.randint(1, 2)):
                    name, tag = random.choice(REPOSITORIES), random.choice(TAGS)
                    if random.random() < 0.3:
                        client.named[name].pop(tag, None)
                    else:
                        client.push(name, tag)
                    hints.add(tag_hint(opened.space_id, name, tag))
                await follow(opened, client, number, hints)
                total = client.stored_bytes()
                assert await stored(opened) == (total, client.artifact_count(), total), number

    asyncio.run(main())


def test_a_push_has_nothing_else_of_its_space_read(database_address: str) -> None:
    async def main() -> None:
        client = Images(Random(1))
        client.blobs = {f"image {number}": {f"image {number}": 1, f"blob {number}": 10**number} for number in range(4)}
        client.named["team/a"] = {"1": "image 1", "2": "image 2"}
        async with platform(database_address) as opened:
            await add_repositories(opened)
            (due,) = await opened.mine.at(NOON)
            await measure_manifests(opened.database, opened.mine.claims, due, client)
            assert await stored(opened) == (112, 2, 112)
            # Whoever counted these anew would find nonsense.
            await opened.database.transact(lambda work: work.execute('UPDATE "measured_artifact" SET "blobs" = \'{}\''))
            client.named["team/a"]["3"] = "image 3"
            await follow(opened, client, 1, {tag_hint(opened.space_id, "team/a", "3")})
            assert await stored(opened) == (1113, 3, 1113)
            # An image goes on being named, so nothing of it goes.
            client.named["team/b"]["1"] = client.named["team/a"]["4"] = "image 1"
            await follow(opened, client, 2, {tag_hint(opened.space_id, "team/a", "4")})
            assert await stored(opened) == (1113, 3, 1113)
            # Moved away from its last name: all is looked at.
            client.named["team/a"]["2"] = "image 3"
            await follow(opened, client, 3, {tag_hint(opened.space_id, "team/a", "2")})
            assert await stored(opened) == (1001, 2, 1001)
            assert client.read == ["image 1", "image 2", "image 3"]

    asyncio.run(main())


def test_what_could_not_be_read_counts_once_it_can(database_address: str) -> None:
    async def main() -> None:
        client = Images(Random(1))
        client.blobs = {f"image {number}": {f"image {number}": number, "blob": 2**60} for number in (1, 2)}
        client.blobs["image 1"] = {"image 1": 1, "blob": 10}
        client.named["team/a"] = {"1": "image 1", "2": "image 2"}
        async with platform(database_address) as opened:
            await add_repositories(opened)
            (due,) = await opened.mine.at(NOON)
            await measure_manifests(opened.database, opened.mine.claims, due, client)
            assert await stored(opened) == (11, 2, 11)
            client.blobs["image 2"] = {"image 2": 2, "blob": 10}
            (due,) = await opened.mine.at(NOON + INTERVAL + SECOND)
            await measure_manifests(opened.database, opened.mine.claims, due, client)
            assert await stored(opened) == (13, 2, 13)

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
                (due,) = await opened.mine.at(NOON)
                await measure_manifests(opened.database, opened.mine.claims, due, client)
                # Moved away from its last name, it has all looked at anew.
                client.named["team/a"]["0"] = "image 3"
                await follow(opened, client, 1, {tag_hint(opened.space_id, "team/a", "0")})
            assert await stored(opened) == (client.stored_bytes(), MANY - 1, client.stored_bytes())
        # Collecting garbage is the server's to put off, and not what is tried here.
        computed = [
            step
            for step in long_steps
            if step.cpu_milliseconds - step.collecting_milliseconds > LOOP_LIMIT_MILLISECONDS
        ]
        assert computed == []

    asyncio.run(main())
