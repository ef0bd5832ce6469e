"""Measuring a registry that doesn't tell what it stores: its tags are followed to what their manifests refer to.

What a digest holds never changes, so each is read once. After the first time, a measurement asks for the tags of each
repository and whether each still names the same. What no tag leads to is not seen, though it may be stored.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from models.database import Database
from models.enums import SpaceState
from models.reading import Statement
from registry_clients.errors import RegistryError, UnexpectedAnswer
from registry_clients.protocol import ReadsManifests
from services.measured_content import RepositoryReading, write_readings, write_total
from services.usage_claims import DueMeasurement, UsageClaims
from services.usage_hints import NotedHint, noted_hints

log = structlog.get_logger("usage")

REPOSITORIES_AT_ONCE = 8
"""That one registry is asked about at a time; their tags are asked for one after the other."""

WRITTEN_AT_ONCE = 64

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


@dataclass(slots=True)
class _Wanted:
    repositories: list[_Repository]
    space_ids: set[int]
    """The spaces that are to be summed up anew, whatever their repositories hold."""
    tags: dict[int, dict[str, str]]
    """What is known of each repository: the digests that its tags named."""
    digests: set[str]
    """The artifacts that were read before."""
    hints: list[NotedHint]
    has_unreadable: bool = False


async def measure_manifests(
    database: Database, claims: UsageClaims, due: DueMeasurement, client: ReadsManifests
) -> None:
    """Measure what is due and write it, a part at a time. Raises RegistryError; what was written before stays."""
    wanted = await _wanted(database, due)
    for start in range(0, len(wanted.repositories), WRITTEN_AT_ONCE):
        part = wanted.repositories[start : start + WRITTEN_AT_ONCE]
        readings = await _read(client, part, wanted)
        await write_readings(database, claims, due, readings, {repository.space_id for repository in part})
    await write_total(database, claims, due, wanted.space_ids, wanted.hints, is_stale=wanted.has_unreadable)


async def _wanted(database: Database, due: DueMeasurement) -> _Wanted:
    hints = await noted_hints(database, due.integration_id)
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
    hinted = {(hint.space_id, hint.repository_name) for hint in hints}
    place = database.dialect.placeholder(1)
    known = await database.fetch(
        'SELECT t."repository_id", t."name", t."digest" FROM "measured_tag" t'
        ' JOIN "repository" r ON r."id" = t."repository_id" JOIN "space" s ON s."id" = r."space_id"'
        f' WHERE s."integration_id" = {place}',
        due.integration_id,
    )
    tags: dict[int, dict[str, str]] = {}
    for row in known:
        tags.setdefault(row["repository_id"], {})[row["name"]] = row["digest"]
    read = await database.fetch(
        f'SELECT "digest" FROM "measured_artifact" WHERE "integration_id" = {place}', due.integration_id
    )
    return _Wanted(
        repositories=[
            _Repository(row["id"], row["name"], row["space_id"])
            for row in rows
            if due.is_regular
            or row["space_id"] in fresh
            or not {(row["space_id"], row["name"]), (row["space_id"], "")}.isdisjoint(hinted)
        ],
        space_ids=fresh | {hint.space_id for hint in hints},
        tags=tags,
        digests={row["digest"] for row in read},
        hints=hints,
    )


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
    tags: dict[str, str] = {}
    blobs: dict[str, Mapping[str, int]] = {}
    for tag in await client.list_tags(repository.name) or ():
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
    return RepositoryReading(repository.id, repository.space_id, known, tags, blobs)


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
