"""A search finds what it is to find, in its order: over random worlds, names and texts, on both databases."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from models.database import Database, Transaction
from models.enums import RegistryKind, SpaceState, Visibility
from models.queries.images import BEST_FIRST
from models.queries.sight import EVERYTHING, Sight
from models.reading import PageRequest
from models.records import FoundImageRecord
from services.image_search import TypedImage, read_typed_image, search_images
from services.workspace_input import NamespaceName
from tests.databases import NOON, migrated
from tests.services.images_by_hand import NAME_CHARACTERS, Image, Search, due, place_of, random_images, random_search
from tests.services.pull_access_storage import store
from tests.services.pull_access_worlds import Registry, Space, Viewer, World, random_viewers, random_world, seen_by

WORLDS = 25
SEARCHES = 12
EXAMPLES = 150

SPACE = Space(1, 1, "team", Visibility.PRIVATE, SpaceState.PRESENT)
REGISTRY = Registry(1, RegistryKind.DOCKER_REGISTRY, None, ("registry.example",))
ONE_SPACE = World([REGISTRY], [SPACE], [1], {}, [])

# Of few letters, so that texts are found in many places of many names.
segments = st.from_regex(r"[ab1]+(?:(?:[._]|__|-{1,2})[ab1]+)*", fullmatch=True)
names = st.lists(segments, min_size=1, max_size=3).map("/".join).filter(lambda name: len(name) <= 60)
texts = st.text("ab1._/-", min_size=1, max_size=7).filter(lambda text: text.strip("/"))


async def write_images(database: Database, images: Sequence[Image]) -> None:
    """Make these all the repositories that there are."""

    async def work(transaction: Transaction) -> None:
        place = transaction.dialect.placeholder
        await transaction.execute('DELETE FROM "repository"')
        await transaction.execute_many(
            'INSERT INTO "repository" ("id", "space_id", "name", "created_at")'
            f" VALUES ({place(1)}, {place(2)}, {place(3)}, {place(4)})",
            [(image.id, image.space.id, image.name, NOON) for image in images],
        )

    await database.transact(work)


async def walked(database: Database, search: Search, sight: Sight, first: int) -> list[FoundImageRecord]:
    """Return all that a search finds, read by pages of so many."""
    namespace = None if search.namespace is None else NamespaceName(*search.namespace)
    found: list[FoundImageRecord] = []
    after = None
    while True:
        page = await search_images(database, search.text, namespace, sight, PageRequest(first, BEST_FIRST, after))
        assert len(page.records) == first or not page.has_next_page
        assert page.has_previous_page == (after is not None)
        found += page.records
        if not page.has_next_page:
            return found
        after = (found[-1].place, found[-1].id)


def test_everybody_finds_what_they_may_and_namespaces_what_they_may_pull(database_address: str) -> None:
    seed = random.randrange(2**32)
    chance = random.Random(seed)

    async def main() -> None:
        counts: dict[bool, int] = {True: 0, False: 0}
        async with migrated(database_address) as database:
            for number in range(WORLDS):
                world = random_world(chance)
                images = random_images(chance, world)
                await store(database, world)
                await write_images(database, images)
                for viewer in random_viewers(chance, world):
                    seen = seen_by(viewer, world)
                    for _ in range(SEARCHES):
                        search = random_search(chance, world, images)
                        case = f"seed {seed}, world {number}: {viewer} {search}"
                        wanted = due(images, seen, search)
                        records = await walked(database, search, _sight(viewer), chance.choice([1, 2, 3, 7, 50]))
                        assert [record.id for record in records] == wanted, case
                        counts[bool(wanted)] += 1
                        by_id = {image.id: image for image in images}
                        for record in records:
                            image = by_id[record.id]
                            assert (record.name, record.space_id) == (image.name, image.space.id)
                            assert record.image_host == image.registry.hosts[0]
        assert min(counts.values()) > WORLDS, counts

    asyncio.run(main())


def test_names_are_found_as_by_hand(database_address: str) -> None:
    with asyncio.Runner() as runner:
        opened = migrated(database_address)
        database = runner.run(opened.__aenter__())
        runner.run(store(database, ONE_SPACE))

        @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
        @given(st.lists(names, unique=True, max_size=25), st.lists(texts, min_size=1, max_size=4), st.integers(1, 6))
        @example(["a/a/a", "aa", "a", "b/a", "ab-a", "a__a"], ["a", "aa", "/a", "_a", "a_", "__", "a/a"], 2)
        @example(["aaa/aaaa", "b-aaa", "baaa", "b.aaa.aaa", "baaa/baaa"], ["aaa", "aaaa", "baaa"], 1)
        def compare(stored: list[str], asked: list[str], first: int) -> None:
            images = [Image(number, SPACE, REGISTRY, name) for number, name in enumerate(stored, 1)]
            runner.run(write_images(database, images))
            for text in asked:
                wanted = due(images, ONE_SPACE, Search(text))
                records = runner.run(walked(database, Search(text), EVERYTHING, first))
                assert [record.id for record in records] == wanted, text

        try:
            compare()
        finally:
            runner.run(opened.__aexit__(None, None, None))


def test_every_character_of_names_is_looked_for(database_address: str) -> None:
    stored = [f"x{character}y/p{character}{character}q" for character in NAME_CHARACTERS]
    images = [Image(number, SPACE, REGISTRY, name) for number, name in enumerate(stored, 1)]

    async def main() -> None:
        async with migrated(database_address) as database:
            await store(database, ONE_SPACE)
            await write_images(database, images)
            for character in NAME_CHARACTERS:
                for text in (f"p{character}", f"x{character}y", f"{character}{character}q", f"{character}y/"):
                    records = await walked(database, Search(text), EVERYTHING, 50)
                    wanted = due(images, ONE_SPACE, Search(text))
                    assert [record.id for record in records] == wanted
                    assert wanted or character == "/", text

    asyncio.run(main())


@pytest.mark.parametrize(
    "text",
    ['"', 'a"*', "a*", "%", "a%b", "^^a", "a' OR 1=1 --", "NOT a", "a AND b", "ab{:1", "ä", "日本", "a\x00b", "\\"],
)
def test_what_no_name_holds_asks_nothing(text: str) -> None:
    class Untouchable:
        @property
        def dialect(self) -> None:
            raise AssertionError

    request = PageRequest(20, BEST_FIRST)
    page = asyncio.run(search_images(Untouchable(), text, None, EVERYTHING, request))  # type: ignore[arg-type]

    assert (page.records, page.has_next_page, page.has_previous_page) == ([], False, False)


@pytest.mark.parametrize(
    ("text", "typed"),
    [
        ("nginx", TypedImage("nginx")),
        (" NGINX:1.25 ", TypedImage("nginx")),
        ("/team/app", TypedImage("team/app")),
        ("team/", TypedImage("team/")),
        ("team/app:1.0@sha256:ab", TypedImage("team/app")),
        ("team/app@sha256:ab", TypedImage("team/app")),
        ("registry.example.com", TypedImage("registry.example.com")),
        ("localhost:5000", TypedImage("localhost")),
        ("localhost:5000/", TypedImage("localhost:5000/", "localhost:5000", "")),
        ("localhost/app", TypedImage("localhost/app", "localhost", "app")),
        (
            "Registry.Example.com:443/Team/App:1.0",
            TypedImage("registry.example.com:443/team/app", "registry.example.com", "team/app"),
        ),
        ("[::1]:5000/a:b", TypedImage("[::1]:5000/a", "[::1]:5000", "a")),
        ("index.docker.io/library/nginx", TypedImage("index.docker.io/library/nginx", "docker.io", "library/nginx")),
        ("a..b/app", TypedImage("a..b/app")),
        ("http://registry.example/a", TypedImage("http://registry.example/a")),
        ("", TypedImage("")),
        ("@", TypedImage("")),
        (":", TypedImage("")),
    ],
)
def test_what_is_typed_is_taken_apart(text: str, typed: TypedImage) -> None:
    assert read_typed_image(text) == typed


@given(st.text())
def test_whatever_is_typed_is_taken_apart(text: str) -> None:
    typed = read_typed_image(text)

    assert typed.host is None or typed.name.endswith(typed.name_behind_host)


def test_a_place_by_hand() -> None:
    """What the others are measured against, on its own."""
    assert [place_of("team/web-app", text) for text in ("web", "team/web", "app", "eam", "ea", "m/we")] == [
        (0, "web-app"),
        (1, "team/web-app"),
        (2, ""),
        (3, ""),
        None,
        (3, ""),
    ]


def _sight(viewer: Viewer) -> Sight:
    if viewer.is_administrator:
        return EVERYTHING
    return Sight(() if viewer.workspace is None else (viewer.workspace,))
