"""Which tags go with an artifact, asked of a registry that doesn't tell; and with a repository."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from registry_clients.errors import ComponentUnhealthy
from registry_clients.records import ArtifactPage, FoundArtifact, FoundTag
from services import tags_that_go
from services.tags_that_go import MOST_LISTED, RepositoryContents, TagsThatGo, contents_of, tags_of

APP = "team/app"
ONE, OTHER = (f"sha256:{digit * 64}" for digit in "12")


def artifact(digest: str, *tags: FoundTag) -> FoundArtifact:
    return FoundArtifact(digest, "application/json", None, 1, tags, (), None, None)


def tag(name: str, *, is_immutable: bool | None = None) -> FoundTag:
    return FoundTag(name, None, None, is_immutable)


@dataclass
class ListsAlone:
    """A registry that tells tags with their artifacts."""

    pages: list[ArtifactPage | None] = field(default_factory=list)
    asked: list[int] = field(default_factory=list)

    async def list_artifacts(self, repository_name: str, *, page: int = 1, page_size: int = 100) -> ArtifactPage | None:
        self.asked.append(page)
        return self.pages[page - 1]

    async def look_at_artifact(self, repository_name: str, reference: str) -> FoundArtifact | None:
        raise AssertionError("nobody asks for one")


@dataclass
class TellsTagByTag(ListsAlone):
    """A registry that has to be asked for each tag what it names."""

    tags: dict[str, str] = field(default_factory=dict)
    looked: list[tuple[str, str | None]] = field(default_factory=list)
    silent: set[str] = field(default_factory=set)
    broken: set[str] = field(default_factory=set)
    at_once: int = 0
    most_at_once: int = 0

    async def list_tags(self, repository_name: str) -> tuple[str, ...] | None:
        return tuple(sorted(self.tags)) or None

    async def look_at_tag(self, repository_name: str, tag: str, known_digest: str | None) -> str | None:
        self.looked.append((tag, known_digest))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await (asyncio.Event().wait() if tag in self.silent else asyncio.sleep(0))
        finally:
            self.at_once -= 1
        if tag in self.broken:
            raise ComponentUnhealthy("It answers 502.", http_status=502)
        return self.tags.get(tag)

    async def read_manifest(self, repository_name: str, digest: str) -> None:
        raise AssertionError("nobody reads manifests")


def asked(client: ListsAlone, found: FoundArtifact, known: dict[str, str] | None = None) -> TagsThatGo:
    return asyncio.run(tags_of(client, APP, found, known or {}))


def test_what_the_registry_tells_is_not_asked_for() -> None:
    found = artifact(ONE, tag("b"), tag("a", is_immutable=True), tag("c", is_immutable=False))
    assert asked(ListsAlone(), found) == TagsThatGo(("a", "b", "c"), is_complete=True, immutable_names=("a",))


def test_what_names_it_now_is_told_and_what_was_known_is_no_pull() -> None:
    tags = {"a": OTHER, "b": ONE, "c": ONE, "d": OTHER, "e": ONE}
    known = {"a": OTHER, "b": ONE, "d": ONE, "gone": ONE}
    client = TellsTagByTag(tags=tags)
    assert asked(client, artifact(ONE), known) == TagsThatGo(("b", "c", "e"), is_complete=True)
    # With what each named, to which a registry says that it is so; the likeliest first.
    assert client.looked == [("b", ONE), ("d", ONE), ("c", ONE), ("e", ONE), ("a", OTHER)]
    assert asked(TellsTagByTag(), artifact(ONE)) == TagsThatGo((), is_complete=True)


def test_what_takes_too_long_is_said_not_to_be_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tags_that_go, "LOOKING_SECONDS", 0.05)
    client = TellsTagByTag(tags=dict.fromkeys("abcdef", ONE), silent={"c"})
    assert asked(client, artifact(ONE)) == TagsThatGo(("a", "b", "d", "e", "f"), is_complete=False)
    assert client.at_once == 0


def test_a_registry_is_asked_for_a_few_at_once_and_its_error_ends_all() -> None:
    client = TellsTagByTag(tags={f"t{number:02}": ONE for number in range(30)})
    assert len(asked(client, artifact(ONE)).names) == 30
    assert client.most_at_once == tags_that_go.TAGS_AT_ONCE
    client.broken, client.silent = {"t03"}, {"t00", "t01"}
    with pytest.raises(ComponentUnhealthy):
        asked(client, artifact(ONE))
    assert client.at_once == 0


def test_more_than_can_be_listed_are_cut() -> None:
    client = TellsTagByTag(tags={f"t{number:04}": ONE for number in range(MOST_LISTED + 1)})
    found = asked(client, artifact(ONE))
    assert (found.names, found.is_complete) == (tuple(sorted(client.tags))[:MOST_LISTED], False)
    del client.tags["t0000"]
    assert asked(client, artifact(ONE)) == TagsThatGo(tuple(sorted(client.tags)), is_complete=True)


def page(*artifacts: FoundArtifact, total: int | None, is_last: bool) -> ArtifactPage:
    return ArtifactPage(artifacts, total, is_last)


def test_a_repository_is_read_page_by_page() -> None:
    first = page(artifact(ONE, tag("b")), artifact(OTHER), total=3, is_last=False)
    # One that was on the first page already: something was pushed meanwhile.
    last = page(artifact(ONE, tag("a", is_immutable=True)), total=4, is_last=True)
    tags = TagsThatGo(("a", "b"), is_complete=True, immutable_names=("a",))
    assert asyncio.run(contents_of(ListsAlone([first, last]), APP)) == RepositoryContents(2, tags)
    assert asyncio.run(contents_of(ListsAlone([None]), APP)) is None
    # Deleted by somebody else meanwhile.
    left = TagsThatGo(("b",), is_complete=True)
    assert asyncio.run(contents_of(ListsAlone([first, None]), APP)) == RepositoryContents(2, left)


@pytest.mark.parametrize("total", [50_000, None])
def test_a_large_repository_is_not_read_to_its_end(total: int | None) -> None:
    client = ListsAlone([page(artifact(ONE, tag(f"{n:03}")), total=total, is_last=False) for n in range(1_000)])
    names = tuple(f"{n:03}" for n in range(tags_that_go.MOST_PAGES))
    expected = RepositoryContents(total, TagsThatGo(names, is_complete=False))
    assert asyncio.run(contents_of(client, APP)) == expected
    assert client.asked == list(range(1, tags_that_go.MOST_PAGES + 1))
