"""Which tags go with what is deleted: told by the registry before anything is done, in a dry run and else."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass

from models.reading import Readable
from registry_clients.protocol import ListsArtifacts, ReadsManifests
from registry_clients.records import ArtifactPage, FoundArtifact
from services.background import end_tasks

MOST_LISTED = 1_000
MOST_PAGES = 10
PAGE_SIZE = 100

LOOKING_SECONDS = 8.0
"""For asking tag after tag what it names. A change has more time than this: what is left of it is for the deletion."""

TAGS_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class TagsThatGo:
    """The names, sorted, 1,000 at most. There may be more when they are not `is_complete`."""

    names: tuple[str, ...]
    is_complete: bool
    immutable_names: tuple[str, ...] = ()
    """Those of them that the registry says it keeps."""


@dataclass(frozen=True, slots=True)
class RepositoryContents:
    """What goes with a repository. `artifact_count` is None where there are too many to be counted."""

    artifact_count: int | None
    tags: TagsThatGo


async def contents_of(client: ListsArtifacts, repository_name: str) -> RepositoryContents | None:
    """Return what a repository holds, None when there is none. Raises RegistryError."""
    artifacts: list[FoundArtifact] = []
    total_count = None
    for number in range(1, MOST_PAGES + 1):
        page = await client.list_artifacts(repository_name, page=number, page_size=PAGE_SIZE)
        if page is None:
            if number == 1:
                return None
            # Gone meanwhile: it is for whoever deletes it to say so.
            page = ArtifactPage((), None, is_last=True)
        artifacts += page.artifacts
        total_count = page.total_count if number == 1 else total_count
        if page.is_last:
            return RepositoryContents(len({found.digest for found in artifacts}), _listed(artifacts, is_complete=True))
    return RepositoryContents(total_count, _listed(artifacts, is_complete=False))


async def tags_of(
    client: ListsArtifacts, repository_name: str, artifact: FoundArtifact, named_before: Mapping[str, str]
) -> TagsThatGo:
    """Return the tags that name an artifact. Raises RegistryError.

    Where the registry doesn't tell, each tag is asked for what it names. ``named_before`` has the digests that tags
    named when they were read last: a registry takes it for no pull to say that it is still so.
    """
    if not isinstance(client, ReadsManifests):
        return _listed([artifact], is_complete=True)
    names = await client.list_tags(repository_name) or ()
    # First those that did name it, then those of which nothing is known.
    likely = sorted(names, key=lambda name: (named_before.get(name) != artifact.digest, name in named_before))
    found: list[str] = []

    async def look(name: str) -> None:
        known = named_before.get(name, artifact.digest)
        if await client.look_at_tag(repository_name, name, known) == artifact.digest:
            found.append(name)

    try:
        async with asyncio.timeout(LOOKING_SECONDS):
            await _look_at_each(look, likely)
    except TimeoutError:
        return _cut(found, is_complete=False)
    return _cut(found, is_complete=True)


async def tags_read_before(readable: Readable, repository_id: int) -> dict[str, str]:
    """Return the digests that the tags of a repository named when it was measured last; of some kinds none are kept."""
    rows = await readable.fetch(
        f'SELECT "name", "digest" FROM "measured_tag" WHERE "repository_id" = {readable.dialect.placeholder(1)}',
        repository_id,
    )
    return {row["name"]: row["digest"] for row in rows}


async def _look_at_each(look: Callable[[str], Awaitable[None]], names: Iterable[str]) -> None:
    waiting = deque(names)

    async def work() -> None:
        while waiting:
            await look(waiting.popleft())

    workers = [asyncio.create_task(work()) for _ in range(min(TAGS_AT_ONCE, len(waiting)))]
    try:
        await asyncio.gather(*workers)
    finally:
        await end_tasks(workers)


def _listed(artifacts: Iterable[FoundArtifact], *, is_complete: bool) -> TagsThatGo:
    tags = [tag for artifact in artifacts for tag in artifact.tags]
    return _cut([tag.name for tag in tags], [tag.name for tag in tags if tag.is_immutable], is_complete=is_complete)


def _cut(names: Iterable[str], immutable_names: Iterable[str] = (), *, is_complete: bool) -> TagsThatGo:
    once = sorted(set(names))
    is_whole = is_complete and len(once) <= MOST_LISTED
    return TagsThatGo(tuple(once[:MOST_LISTED]), is_whole, tuple(sorted(set(immutable_names))))
