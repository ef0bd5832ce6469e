"""Writing what was read of repositories, and what follows from it: what spaces and their registry store."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import orjson

from models.database import Database, Transaction
from models.enums import SpaceState, UsageMethod
from models.reading import Statement
from services.content_events import RepositoryReading, tell_of_changes
from services.usage_claims import DueMeasurement, UsageClaims
from services.usage_hints import NotedHint, settle_hints
from services.usage_writing import Figures, repository_sums, write_integration_usage, write_space_usage


async def write_readings(
    database: Database,
    claims: UsageClaims,
    due: DueMeasurement,
    readings: Sequence[RepositoryReading],
    space_ids: Collection[int],
) -> None:
    """Write what was read, and the usage of the spaces in which something changed, in one transaction."""

    async def work(transaction: Transaction) -> None:
        if not await claims.is_held(transaction, due):
            return
        standing = await _standing(transaction, [reading.repository_id for reading in readings])
        kept = [reading for reading in readings if reading.repository_id in standing]
        await _write_artifacts(transaction, due.integration_id, kept)
        changed = await _write_tags(transaction, kept)
        if not due.is_first:
            await tell_of_changes(transaction, due.integration_id, kept, due.begun_at)
        await _write_spaces(transaction, due, (changed | await _unmeasured(transaction, space_ids)) & set(space_ids))

    await database.transact(work)


async def forget_tags(transaction: Transaction, repository_id: int, reference: str) -> None:
    """Forget a tag, or all that name a digest: deleted, and told of, they are no news to who measures next.

    Have the repository measured again in the same transaction, before this.
    """
    place = transaction.dialect.placeholder
    # No tag looks like a digest.
    await transaction.execute(
        f'DELETE FROM "measured_tag" WHERE "repository_id" = {place(1)}'
        f' AND ("digest" = {place(2)} OR "name" = {place(2)})',
        repository_id,
        reference,
    )


async def write_total(
    database: Database,
    claims: UsageClaims,
    due: DueMeasurement,
    space_ids: Collection[int],
    hints: Sequence[NotedHint],
    *,
    is_stale: bool,
) -> None:
    """Write the usage of spaces that were said to have changed, and of the registry, and end the measurement."""

    async def work(transaction: Transaction) -> None:
        if not await claims.is_held(transaction, due):
            return
        await _write_spaces(transaction, due, space_ids)
        storage_bytes = await _total_bytes(transaction, due.integration_id)
        await write_integration_usage(
            transaction,
            due.integration_id,
            storage_bytes,
            UsageMethod.REFERENCED_BLOBS,
            due.begun_at,
            total_measured_at=due.begun_at,
            is_stale=is_stale,
        )
        if due.is_whole:
            await _forget_artifacts(transaction, due.integration_id)
        await settle_hints(transaction, hints)
        await claims.end(transaction, due, is_done=True)

    await database.transact(work)


async def _standing(transaction: Transaction, repository_ids: Sequence[int]) -> set[int]:
    """Return those repositories that weren't taken out of the mirror meanwhile."""
    statement = Statement(transaction.dialect)
    condition = statement.is_one_of('"id"', repository_ids)
    rows = await transaction.fetch(f'SELECT "id" FROM "repository" WHERE {condition}', *statement.values)
    return {row["id"] for row in rows}


async def _unmeasured(transaction: Transaction, space_ids: Collection[int]) -> set[int]:
    statement = Statement(transaction.dialect)
    condition = statement.is_one_of('"id"', sorted(space_ids))
    rows = await transaction.fetch(
        f'SELECT "id" FROM "space" WHERE {condition}'
        ' AND NOT EXISTS (SELECT 1 FROM "space_usage" u WHERE u."space_id" = "space"."id")',
        *statement.values,
    )
    return {row["id"] for row in rows}


async def _write_artifacts(
    transaction: Transaction, integration_id: int, readings: Sequence[RepositoryReading]
) -> None:
    place = transaction.dialect.placeholder
    new = {digest: blobs for reading in readings for digest, blobs in reading.blobs.items()}
    await transaction.execute_many(
        'INSERT INTO "measured_artifact" ("integration_id", "digest", "blobs")'
        f" VALUES ({place(1)}, {place(2)}, {place(3)}) ON CONFLICT DO NOTHING",
        [(integration_id, digest, orjson.dumps(blobs).decode()) for digest, blobs in new.items()],
    )


async def _write_tags(transaction: Transaction, readings: Sequence[RepositoryReading]) -> set[int]:
    """Write the tags; return the spaces in which one came, went or moved."""
    place = transaction.dialect.placeholder
    changed: set[int] = set()
    written, gone = [], []
    for reading in readings:
        if reading.tags == reading.known_tags:
            continue
        changed.add(reading.space_id)
        written += [
            (reading.repository_id, name, digest)
            for name, digest in reading.tags.items()
            if reading.known_tags.get(name) != digest
        ]
        gone += [(reading.repository_id, name) for name in reading.known_tags.keys() - reading.tags.keys()]
    await transaction.execute_many(
        'INSERT INTO "measured_tag" ("repository_id", "name", "digest")'
        f" VALUES ({place(1)}, {place(2)}, {place(3)})"
        ' ON CONFLICT ("repository_id", "name") DO UPDATE SET "digest" = EXCLUDED."digest"',
        written,
    )
    await transaction.execute_many(
        f'DELETE FROM "measured_tag" WHERE "repository_id" = {place(1)} AND "name" = {place(2)}', gone
    )
    return changed


async def _write_spaces(transaction: Transaction, due: DueMeasurement, space_ids: Collection[int]) -> None:
    figures = {}
    standing = await _present_spaces(transaction, due.integration_id, space_ids)
    sums = await repository_sums(transaction, standing)
    for space_id in standing:
        rows = await transaction.fetch(
            'SELECT t."repository_id", t."digest", a."blobs" FROM "measured_tag" t'
            ' JOIN "repository" r ON r."id" = t."repository_id"'
            ' LEFT JOIN "measured_artifact" a ON a."digest" = t."digest"'
            f' AND a."integration_id" = {transaction.dialect.placeholder(1)}'
            f' WHERE r."space_id" = {transaction.dialect.placeholder(2)}',
            due.integration_id,
            space_id,
        )
        # Thousands of artifacts are many milliseconds of work.
        blobs = await asyncio.to_thread(_united, rows)
        await _write_blobs(transaction, space_id, blobs)
        figures[space_id] = Figures(
            repository_count=sums[space_id][0],
            artifact_count=len({(row["repository_id"], row["digest"]) for row in rows}),
            storage_bytes=sum(blobs.values()),
        )
    await write_space_usage(transaction, due.integration_id, figures, UsageMethod.REFERENCED_BLOBS, due.begun_at)


async def _present_spaces(transaction: Transaction, integration_id: int, space_ids: Collection[int]) -> list[int]:
    statement = Statement(transaction.dialect)
    owner, present = statement.bind(integration_id), statement.bind(SpaceState.PRESENT)
    condition = statement.is_one_of('"id"', sorted(space_ids))
    rows = await transaction.fetch(
        f'SELECT "id" FROM "space" WHERE "integration_id" = {owner} AND "state" = {present} AND {condition}'
        ' ORDER BY "id"',
        *statement.values,
    )
    return [row["id"] for row in rows]


def _united(rows: Sequence[Any]) -> dict[str, int]:
    """Return the bytes of everything that artifacts refer to, each once; the largest where they don't agree."""
    united: dict[str, int] = {}
    for text in {row["blobs"] for row in rows if row["blobs"] is not None}:
        for digest, size_bytes in orjson.loads(text).items():
            united[digest] = max(size_bytes, united.get(digest, 0))
    return united


async def _write_blobs(transaction: Transaction, space_id: int, blobs: Mapping[str, int]) -> None:
    place = transaction.dialect.placeholder
    rows = await transaction.fetch(
        f'SELECT "digest", "size_bytes" FROM "space_blob" WHERE "space_id" = {place(1)}', space_id
    )
    known = {row["digest"]: row["size_bytes"] for row in rows}
    await transaction.execute_many(
        f'DELETE FROM "space_blob" WHERE "space_id" = {place(1)} AND "digest" = {place(2)}',
        [(space_id, digest) for digest in known.keys() - blobs.keys()],
    )
    await transaction.execute_many(
        'INSERT INTO "space_blob" ("space_id", "digest", "size_bytes")'
        f" VALUES ({place(1)}, {place(2)}, {place(3)})"
        ' ON CONFLICT ("space_id", "digest") DO UPDATE SET "size_bytes" = EXCLUDED."size_bytes"',
        [(space_id, digest, size) for digest, size in blobs.items() if known.get(digest) != size],
    )


async def _total_bytes(transaction: Transaction, integration_id: int) -> int:
    """Return what a registry stores as far as its tags lead to it, each blob once."""
    statement = Statement(transaction.dialect)
    owner, present = statement.bind(integration_id), statement.bind(SpaceState.PRESENT)
    (row,) = await transaction.fetch(
        'SELECT CAST(COALESCE(SUM(once."size_bytes"), 0) AS BIGINT) AS total FROM'
        ' (SELECT MAX(b."size_bytes") AS size_bytes FROM "space_blob" b JOIN "space" s ON s."id" = b."space_id"'
        f' WHERE s."integration_id" = {owner} AND s."state" = {present} GROUP BY b."digest") AS once',
        *statement.values,
    )
    return int(row["total"])


async def _forget_artifacts(transaction: Transaction, integration_id: int) -> None:
    """Forget what no tag leads to any more: read again, should it come back."""
    place = transaction.dialect.placeholder(1)
    await transaction.execute(
        f'DELETE FROM "measured_artifact" WHERE "integration_id" = {place} AND "digest" NOT IN'
        ' (SELECT t."digest" FROM "measured_tag" t JOIN "repository" r ON r."id" = t."repository_id"'
        f' JOIN "space" s ON s."id" = r."space_id" WHERE s."integration_id" = {place})',
        integration_id,
    )
