"""Measuring a registry that doesn't tell what it stores: its tags are followed to what their manifests refer to.

What a digest holds never changes, so each is read once. After the first time, a measurement asks for the tags of each
repository and whether each still names the same. What no tag leads to is not seen, though it may be stored.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import structlog

from models.database import Database
from models.enums import SpaceState
from models.reading import Statement
from registry_clients.errors import RegistryError, UnexpectedAnswer
from registry_clients.protocol import ReadsManifests
from services.content_events import RepositoryReading
from services.measured_content import write_readings, write_total
from services.usage_claims import DueMeasurement, UsageClaims
from services.usage_hints import Hint, NotedHint, hinted_tag, noted_hints

log = structlog.get_logger("usage")

REPOSITORIES_AT_ONCE = 8
"""That one registry is asked about at a time; their tags are asked for one after the other."""

WRITTEN_AT_ONCE = 64
TAGS_WRITTEN_AT_ONCE = 5_000
"""Where repositories have so many: more would keep the loop from turning."""

MOST_MANIFESTS = 2_000
DEEPEST_INDEX = 5
"""More is no image: an index of images has one level, and a manifest for each of a few platforms."""

MOST_BLOB_BYTES = 2**46
"""Who says that something is larger lies, and would make sums of nonsense."""


@dataclass(frozen=True, slots=True)
class _Repository:
    id: int
    name: str
    space_id: int
    tags: frozenset[str] | None
    """What may name something else now; None: any of its tags."""


@dataclass(slots=True)
class _Wanted:
    repositories: list[_Repository]
    space_ids: set[int]
    """The spaces that are to be summed up anew, whatever their repositories hold."""
    unmeasured_ids: set[int]
    """Those of which nothing was known: what has repositories is summed up with these."""
    tags: dict[int, Mapping[str, str]]
    """What is known of each repository: the digests that its tags named."""
    digests: set[str]
    """The artifacts that were read before."""
    hints: list[NotedHint]
    tells_of_changes: bool
    """Whether what tags name now is told as having changed."""

    has_unreadable: bool = False


async def measure_manifests(
    database: Database, claims: UsageClaims, due: DueMeasurement, client: ReadsManifests
) -> None:
    """Measure what is due and write it, a part at a time. Raises RegistryError; what was written before stays."""
    wanted = await _wanted(database, due, await noted_hints(database, due.integration_id))
    for start in range(0, len(wanted.repositories), WRITTEN_AT_ONCE):
        await _measure(database, claims, due, client, wanted, wanted.repositories[start : start + WRITTEN_AT_ONCE])
        if due.is_regular and not due.is_first:
            await _measure_hinted(database, claims, due, client, wanted)
    await write_total(
        database,
        claims,
        due,
        wanted.space_ids,
        wanted.unmeasured_ids,
        wanted.hints,
        is_stale=wanted.has_unreadable,
    )


async def _measure(
    database: Database,
    claims: UsageClaims,
    due: DueMeasurement,
    client: ReadsManifests,
    wanted: _Wanted,
    part: Sequence[_Repository],
) -> None:
    readings = await _read(client, part, wanted)
    space_ids = {repository.space_id for repository in part}
    for portion in _portions(readings):
        await write_readings(database, claims, due, portion, space_ids)
    wanted.tags |= {reading.repository_id: reading.tags for reading in readings}


def _portions(readings: Sequence[RepositoryReading]) -> Iterator[list[RepositoryReading]]:
    """Yield the readings, at least once, a few at a time where they have very many tags."""
    portion: list[RepositoryReading] = []
    tags = 0
    for reading in readings:
        if portion and tags + len(reading.tags) > TAGS_WRITTEN_AT_ONCE:
            yield portion
            portion, tags = [], 0
        portion.append(reading)
        tags += len(reading.tags)
    yield portion


async def _measure_hinted(
    database: Database, claims: UsageClaims, due: DueMeasurement, client: ReadsManifests, whole: _Wanted
) -> None:
    """Measure what was said to have changed since all is being measured: that may take long, and somebody waits."""
    told = [hint for hint in await noted_hints(database, due.integration_id) if hint not in whole.hints]
    if not told:
        return
    wanted = await _wanted(database, replace(due, is_regular=False), told)
    for start in range(0, len(wanted.repositories), WRITTEN_AT_ONCE):
        await _measure(database, claims, due, client, wanted, wanted.repositories[start : start + WRITTEN_AT_ONCE])
    whole.hints += told
    whole.space_ids |= wanted.space_ids
    whole.unmeasured_ids |= wanted.unmeasured_ids
    whole.tags |= wanted.tags
    whole.digests |= wanted.digests
    whole.has_unreadable |= wanted.has_unreadable


async def _wanted(database: Database, due: DueMeasurement, hints: list[NotedHint]) -> _Wanted:
    statement = Statement(database.dialect)
    owner, present = statement.bind(due.integration_id), statement.bind(SpaceState.PRESENT)
    its_spaces = f's."integration_id" = {owner} AND s."state" = {present}'
    rows = await database.fetch(
        'SELECT r."id", r."name", r."space_id" FROM "repository" r JOIN "space" s ON s."id" = r."space_id"'
        f' WHERE {its_spaces} ORDER BY r."space_id", r."name"',
        *statement.values,
    )
    unmeasured = await database.fetch(
        f'SELECT s."id" FROM "space" s WHERE {its_spaces}'
        ' AND NOT EXISTS (SELECT 1 FROM "space_usage" u WHERE u."space_id" = s."id")',
        *statement.values,
    )
    fresh = {row["id"] for row in unmeasured}
    tags_of = _hinted_tags(hints)
    repositories = []
    for row in rows:
        space_id, name = row["space_id"], row["name"]
        if due.is_regular or space_id in fresh or (space_id, "") in tags_of:
            repositories.append(_Repository(row["id"], name, space_id, None))
        elif (space_id, name) in tags_of:
            repositories.append(_Repository(row["id"], name, space_id, tags_of[space_id, name]))
    return _Wanted(
        repositories=repositories,
        # What a tag names now says what follows from it; of all else, something may be gone.
        space_ids={hint.space_id for hint in hints if hinted_tag(hint)[1] is None},
        unmeasured_ids=fresh,
        tags=await _known_tags(database, due, repositories),
        digests=await _read_digests(database, due, repositories),
        hints=hints,
        tells_of_changes=not due.is_first,
    )


def _hinted_tags(hints: Sequence[NotedHint]) -> dict[Hint, frozenset[str] | None]:
    """Return the repositories that are hinted at, each with the tags that are meant; None: any of them."""
    tags_of: dict[Hint, frozenset[str] | None] = {}
    for hint in hints:
        name, tag = hinted_tag(hint)
        tags = tags_of.get((hint.space_id, name), frozenset())
        tags_of[hint.space_id, name] = None if tag is None or tags is None else tags | {tag}
    return tags_of


async def _known_tags(
    database: Database, due: DueMeasurement, repositories: Sequence[_Repository]
) -> dict[int, Mapping[str, str]]:
    statement = Statement(database.dialect)
    if due.is_regular:
        condition = f's."integration_id" = {statement.bind(due.integration_id)}'
    else:
        # A push to a large registry must not have all of it read.
        condition = statement.is_one_of('r."id"', [repository.id for repository in repositories])
    rows = await database.fetch(
        'SELECT t."repository_id", t."name", t."digest" FROM "measured_tag" t'
        ' JOIN "repository" r ON r."id" = t."repository_id" JOIN "space" s ON s."id" = r."space_id"'
        f" WHERE {condition}",
        *statement.values,
    )
    # Of a large registry these are a hundred thousand.
    return await asyncio.to_thread(_by_repository, rows)


def _by_repository(rows: Sequence[Any]) -> dict[int, Mapping[str, str]]:
    tags: dict[int, dict[str, str]] = {}
    for row in rows:
        tags.setdefault(row["repository_id"], {})[row["name"]] = row["digest"]
    return {**tags}


async def _read_digests(database: Database, due: DueMeasurement, repositories: Sequence[_Repository]) -> set[str]:
    statement = Statement(database.dialect)
    owner = statement.bind(due.integration_id)
    sql = f'SELECT a."digest" FROM "measured_artifact" a WHERE a."integration_id" = {owner}'
    if not due.is_regular:
        # Of the others few will be met here; one that is, is read once more.
        ids = statement.is_one_of('t."repository_id"', [repository.id for repository in repositories])
        sql += f' AND a."digest" IN (SELECT t."digest" FROM "measured_tag" t WHERE {ids})'
    return {row["digest"] for row in await database.fetch(sql, *statement.values)}


@dataclass(slots=True)
class _Walk:
    waiting: list[_Repository]
    readings: list[RepositoryReading] = field(default_factory=list)
    failure: RegistryError | None = None


async def _read(
    client: ReadsManifests, repositories: Sequence[_Repository], wanted: _Wanted
) -> list[RepositoryReading]:
    """Read repositories, some at a time. Raises the first error; no more are asked for after one."""
    walk = _Walk(list(reversed(repositories)))

    async def read() -> None:
        while walk.waiting and walk.failure is None:
            repository = walk.waiting.pop()
            try:
                walk.readings.append(await _read_repository(client, repository, wanted))
            except RegistryError as error:
                walk.failure = error

    async with asyncio.TaskGroup() as group:
        for _ in range(min(REPOSITORIES_AT_ONCE, len(repositories))):
            group.create_task(read())
    if walk.failure is not None:
        raise walk.failure
    return walk.readings


async def _read_repository(client: ReadsManifests, repository: _Repository, wanted: _Wanted) -> RepositoryReading:
    known = wanted.tags.get(repository.id, {})
    # What is asked for one by one may also have gone; of the others nothing is known but what was.
    asked = sorted(repository.tags) if repository.tags is not None else await client.list_tags(repository.name) or ()
    tags = {} if repository.tags is None else {tag: known[tag] for tag in known.keys() - repository.tags}
    blobs: dict[str, Mapping[str, int]] = {}
    for tag in asked:
        digest = await client.look_at_tag(repository.name, tag, known.get(tag))
        if digest is None:
            continue  # deleted meanwhile
        if digest not in wanted.digests:
            try:
                found = await _closure(client, repository.name, digest)
            except UnexpectedAnswer as error:
                # One that can't be read must not hide all others.
                log.info("manifest can't be read", repository=repository.name, digest=digest, why=error.message)
                wanted.has_unreadable = True
                found = None
            if found is not None:
                blobs[digest] = found
                wanted.digests.add(digest)
        tags[tag] = digest
    deleted: frozenset[str] = frozenset()
    if wanted.tells_of_changes:
        nameless = {known[tag] for tag in known.keys() - tags.keys()} - set(tags.values())
        deleted = frozenset([digest for digest in nameless if await _is_gone(client, repository.name, digest)])
    return RepositoryReading(repository.id, repository.name, repository.space_id, known, tags, blobs, deleted)


async def _is_gone(client: ReadsManifests, repository_name: str, digest: str) -> bool:
    """Return whether an artifact that no tag names any more was deleted; it may have lost its tags alone."""
    try:
        return await client.read_manifest(repository_name, digest) is None
    except UnexpectedAnswer:
        return False


async def _closure(client: ReadsManifests, repository_name: str, digest: str) -> dict[str, int] | None:
    """Return the bytes of everything that an artifact refers to, itself included; None when it is gone.

    Where manifests say different sizes of one blob, the largest counts. An image of an index may be missing: it was
    deleted, or never pushed, and the index is served all the same.
    """
    blobs: dict[str, int] = {}
    waiting = [(digest, 0)]
    read: set[str] = set()
    while waiting:
        present, depth = waiting.pop()
        if present in read:
            continue
        read.add(present)
        if len(read) > MOST_MANIFESTS or depth > DEEPEST_INDEX:
            raise UnexpectedAnswer("A manifest refers to others without an end.")
        manifest = await client.read_manifest(repository_name, present)
        if manifest is None:
            if present == digest:
                return None
            continue
        for blob_digest, size_bytes in [
            (manifest.digest, manifest.size_bytes),
            *((blob.digest, blob.size_bytes) for blob in manifest.blobs),
        ]:
            if size_bytes > MOST_BLOB_BYTES:
                raise UnexpectedAnswer(f"A manifest says that something in it has {size_bytes:,} bytes.")
            blobs[blob_digest] = max(size_bytes, blobs.get(blob_digest, 0))
        waiting += [(platform.digest, depth + 1) for platform in manifest.platforms]
    return blobs
