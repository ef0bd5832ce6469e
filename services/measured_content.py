"""Writing what was read of repositories, and what follows from it: what spaces and their registry store."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import orjson

from models.database import Database, Transaction
from models.enums import SpaceState, UsageMethod
from models.reading import Statement
from services.content_events import RepositoryReading, tell_of_changes
from services.space_blobs import add_artifacts, count_anew, stored_in
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
        if not await claims.hold(transaction, due):
            return
        standing = await _standing(transaction, [reading.repository_id for reading in readings])
        kept = [reading for reading in readings if reading.repository_id in standing]
        # What a digest holds is true, whatever became of the repository in which it was read.
        new = await _write_artifacts(transaction, due.integration_id, readings)
        await _write_tags(transaction, kept)
        if not due.is_first:
            await tell_of_changes(transaction, due.integration_id, kept, due.begun_at)
        changes = _changes(kept)
        # It may have been named elsewhere all along: when it could not be read, or by what was written before it.
        for space_id, digest in await _spaces_that_name(transaction, due.integration_id, new):
            changes.setdefault(space_id, _Change()).added.add(digest)
        changes |= {id_: _Change(has_lost=True) for id_ in await _unmeasured(transaction, space_ids)}
        await _write_spaces(transaction, due, changes)

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
    unmeasured_ids: Collection[int],
    hints: Sequence[NotedHint],
    *,
    is_stale: bool,
) -> None:
    """Write the usage of spaces that may have lost something, or have none yet, and of the registry; end the claim."""

    async def work(transaction: Transaction) -> None:
        if not await claims.hold(transaction, due):
            return
        anew = await _unmeasured(transaction, unmeasured_ids) | set(space_ids)
        await _write_spaces(transaction, due, {id_: _Change(has_lost=True) for id_ in anew})
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
) -> Sequence[str]:
    """Write the artifacts that were read, and return their digests."""
    place = transaction.dialect.placeholder
    new = {digest: blobs for reading in readings for digest, blobs in reading.blobs.items()}
    await transaction.execute_many(
        'INSERT INTO "measured_artifact" ("integration_id", "digest", "blobs")'
        f" VALUES ({place(1)}, {place(2)}, {place(3)}) ON CONFLICT DO NOTHING",
        ((integration_id, digest, orjson.dumps(blobs).decode()) for digest, blobs in new.items()),
    )
    return list(new)


async def _spaces_that_name(
    transaction: Transaction, integration_id: int, digests: Sequence[str]
) -> list[tuple[int, str]]:
    """Return the spaces of a registry of which a tag names one of some artifacts, and which."""
    if not digests:
        return []
    statement = Statement(transaction.dialect)
    owner, named = statement.bind(integration_id), statement.is_one_of('t."digest"', digests)
    # CROSS has SQLite begin with the tags: else it reads all of a large registry's, for a few.
    rows = await transaction.fetch(
        'SELECT DISTINCT r."space_id", t."digest" FROM "measured_tag" t CROSS JOIN "repository" r CROSS JOIN "space" s'
        f' WHERE {named} AND r."id" = t."repository_id" AND s."id" = r."space_id" AND s."integration_id" = {owner}',
        *statement.values,
    )
    return [(row["space_id"], row["digest"]) for row in rows]


async def _write_tags(transaction: Transaction, readings: Sequence[RepositoryReading]) -> None:
    place = transaction.dialect.placeholder
    written, gone = [], []
    for reading in readings:
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


@dataclass(slots=True)
class _Change:
    """What came into a space, and whether anything went: then all of it has to be looked at."""

    added: set[str] = field(default_factory=set)
    has_lost: bool = False


def _changes(readings: Sequence[RepositoryReading]) -> dict[int, _Change]:
    """Return what changed, by space."""
    changes: dict[int, _Change] = {}
    for reading in readings:
        known, named = set(reading.known_tags.values()), set(reading.tags.values())
        if reading.tags != reading.known_tags:
            change = changes.setdefault(reading.space_id, _Change())
            change.added |= named - known
            change.has_lost |= not known <= named
    return changes


async def _write_spaces(transaction: Transaction, due: DueMeasurement, changes: Mapping[int, _Change]) -> None:
    standing = await _present_spaces(transaction, due.integration_id, changes)
    for space_id in standing:
        if changes[space_id].has_lost:
            await count_anew(transaction, due.integration_id, space_id)
        elif changes[space_id].added:
            # A push to a large space must not have all of it read.
            await add_artifacts(transaction, due.integration_id, space_id, changes[space_id].added)
    repositories, stored = await repository_sums(transaction, standing), await stored_in(transaction, standing)
    figures = {
        space_id: Figures(
            repository_count=repositories[space_id][0],
            artifact_count=stored[space_id].artifact_count,
            storage_bytes=stored[space_id].storage_bytes,
        )
        for space_id in standing
    }
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
