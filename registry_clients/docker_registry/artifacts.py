"""Artifacts of a registry that lists tags alone: read tag by tag, and remembered by what never changes.

What a digest means never changes, though it may vanish. So of each manifest what it means is remembered, and of each
tag the digest that it named: a page that was read before costs a call per tag, and not one of them is a pull.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from registry_clients.docker_registry.api import RegistryApi
from registry_clients.docker_registry.manifest_payloads import MAX_SIZE_BYTES
from registry_clients.docker_registry.manifests import Manifests, StoredManifest
from registry_clients.docker_registry.tags import Tags
from registry_clients.errors import TimedOut, UnreadableManifest
from registry_clients.image_reference import is_digest
from registry_clients.media_types import media_type_of
from registry_clients.recently_used import RecentlyUsed
from registry_clients.records import ArtifactPage, FoundArtifact, FoundTag, PlatformManifest

MAX_PAGE_SIZE = 100
PAGE_DEADLINE_SECONDS = 60

READS_AT_ONCE = 6
"""For one registry, whatever is asked for: of its eight connections two are left for probes and the rest."""

MAX_CHILDREN = 256
"""So many images of an index are looked at for its size, those of indexes in it included."""

MAX_REMEMBERED_MANIFESTS = 2048
MAX_REMEMBERED_TAGS = 4096

# An index of more is read anew each time, rather than remembered at length. Usual are ten.
_MAX_REMEMBERED_PLATFORMS = 64

_UNREADABLE_TYPE = "application/octet-stream"

Given = TypeVar("Given")
Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class _Meaning:
    """What a manifest says of itself. ``size_bytes`` are its own and its blobs', without the images of an index."""

    media_type: str
    artifact_type: str | None
    size_bytes: int
    platforms: tuple[PlatformManifest, ...]


class Artifacts:
    """Lists what the tags of a repository name. Times, and whether tags are immutable, stay unknown."""

    def __init__(self, api: RegistryApi, tags: Tags, manifests: Manifests) -> None:
        self._api = api
        self._tags = tags
        self._manifests = manifests
        self._meanings: RecentlyUsed[str, _Meaning] = RecentlyUsed(MAX_REMEMBERED_MANIFESTS)
        self._tagged: RecentlyUsed[tuple[str, str], str] = RecentlyUsed(MAX_REMEMBERED_TAGS)
        self._reads = asyncio.Semaphore(READS_AT_ONCE)

    async def list(self, repository_name: str, page: int, page_size: int) -> ArtifactPage | None:
        """Return the artifacts of a page of tags, by the first of them; None when there is no such repository.

        A tag that goes meanwhile is left out. What was pushed and is no manifest is listed with its own size. Raises
        TimedOut after a minute; what was read by then is remembered for the next try.
        """
        if page < 1 or not 1 <= page_size <= MAX_PAGE_SIZE:
            raise ValueError(f"pages count from 1 and hold 1 to {MAX_PAGE_SIZE} artifacts")
        names = await self._tags.list(repository_name)
        if names is None:
            return None
        on_page = names[(page - 1) * page_size : page * page_size]
        is_last = page * page_size >= len(names)
        return ArtifactPage(await self._in_time(self._named_by(repository_name, on_page)), None, is_last)

    async def look_at(self, repository_name: str, reference: str) -> FoundArtifact | None:
        """Return what a tag or a digest names, None when there is none: with that tag, by a digest without any."""
        return await self._in_time(self._found(repository_name, reference))

    async def _found(self, repository_name: str, reference: str) -> FoundArtifact | None:
        if not is_digest(reference):
            found = await self._named_by(repository_name, (reference,))
            return found[0] if found else None
        async with self._reads:
            stored = await self._manifests.read(repository_name, reference)
        if stored is None:
            return None
        return await self._artifact(repository_name, reference, self._meaning_of(stored), ())

    async def _named_by(self, repository_name: str, tags: tuple[str, ...]) -> tuple[FoundArtifact, ...]:
        meanings: dict[str, _Meaning] = {}
        named: dict[str, list[str]] = {}

        async def read(tag: str) -> tuple[str, _Meaning] | None:
            return await self._read_tag(repository_name, tag)

        for tag, found in zip(tags, await _side_by_side(read, tags), strict=True):
            if found is not None:
                digest, meanings[digest] = found
                named.setdefault(digest, []).append(tag)

        async def make(digest: str) -> FoundArtifact:
            return await self._artifact(repository_name, digest, meanings[digest], tuple(named[digest]))

        return tuple(await _side_by_side(make, named))

    async def _read_tag(self, repository_name: str, tag: str) -> tuple[str, _Meaning] | None:
        known = self._tagged.get((repository_name, tag))
        meaning = None if known is None else self._meanings.get(known)
        async with self._reads:
            # By GET: where the tag names something new, one call tells what, and one pull is reported for it.
            answer = await self._manifests.read_tagged(repository_name, tag, known if meaning is not None else None)
        if answer is None:
            self._tagged.drop((repository_name, tag))
            return None
        if isinstance(answer, StoredManifest):
            self._tagged.put((repository_name, tag), answer.digest)
            return answer.digest, self._meaning_of(answer)
        if meaning is None:
            raise AssertionError("a digest alone comes back only where it was known")
        return answer, meaning

    async def _artifact(
        self, repository_name: str, digest: str, meaning: _Meaning, tags: tuple[str, ...]
    ) -> FoundArtifact:
        size_bytes = meaning.size_bytes + await self._size_of_children(repository_name, digest, meaning)
        return FoundArtifact(
            digest=digest,
            media_type=meaning.media_type,
            artifact_type=meaning.artifact_type,
            size_bytes=min(size_bytes, MAX_SIZE_BYTES),
            tags=tuple(FoundTag(name, pushed_at=None, pulled_at=None, is_immutable=None) for name in tags),
            platforms=meaning.platforms,
            pushed_at=None,
            pulled_at=None,
        )

    async def _size_of_children(self, repository_name: str, digest: str, meaning: _Meaning) -> int:
        """Return the sizes of an index's images, as Harbor counts them: blobs that two of them share count twice.

        One that isn't there (any more) counts nothing, as do those beyond `MAX_CHILDREN`.
        """

        async def read(child: str) -> _Meaning | None:
            return await self._read_digest(repository_name, child)

        size_bytes, seen, level = 0, {digest}, [meaning]
        while level:
            children = {platform.digest: None for one in level for platform in one.platforms}
            fresh = [child for child in children if child not in seen][: MAX_CHILDREN + 1 - len(seen)]
            seen.update(fresh)
            level = [found for found in await _side_by_side(read, fresh) if found is not None]
            size_bytes += sum(found.size_bytes for found in level)
        return size_bytes

    async def _read_digest(self, repository_name: str, digest: str) -> _Meaning | None:
        known = self._meanings.get(digest)
        if known is not None:
            return known
        async with self._reads:
            stored = await self._manifests.read(repository_name, digest)
        return None if stored is None else self._meaning_of(stored)

    def _meaning_of(self, stored: StoredManifest) -> _Meaning:
        try:
            manifest = stored.parsed(self._api.host)
        except UnreadableManifest:
            media_type = media_type_of(stored.content_type) or _UNREADABLE_TYPE
            meaning = _Meaning(media_type, artifact_type=None, size_bytes=len(stored.content), platforms=())
        else:
            size_bytes = manifest.size_bytes + sum(blob.size_bytes for blob in manifest.blobs)
            meaning = _Meaning(manifest.media_type, manifest.artifact_type, size_bytes, manifest.platforms)
        if len(meaning.platforms) <= _MAX_REMEMBERED_PLATFORMS:
            self._meanings.put(stored.digest, meaning)
        return meaning

    async def _in_time(self, call: Awaitable[Made]) -> Made:
        try:
            async with asyncio.timeout(PAGE_DEADLINE_SECONDS):
                return await call
        except TimeoutError as error:
            raise TimedOut(f"{self._api.host} did not tell all within {PAGE_DEADLINE_SECONDS} seconds.") from error


async def _side_by_side(do: Callable[[Given], Awaitable[Made]], given: Iterable[Given]) -> list[Made]:
    """Return what comes of each, in order. The first error ends all and is raised as it is."""
    waiting = deque(enumerate(given))
    made: dict[int, Made] = {}

    async def work() -> None:
        while waiting:
            place, value = waiting.popleft()
            made[place] = await do(value)

    failure: Exception | None = None
    try:
        async with asyncio.TaskGroup() as group:
            # A worker each for as many as are let through: not a task for each of what may be thousands.
            for _ in range(min(READS_AT_ONCE, len(waiting))):
                group.create_task(work())
    except ExceptionGroup as failures:
        failure = failures.exceptions[0]
    if failure is not None:
        raise failure
    return [made[place] for place in sorted(made)]
