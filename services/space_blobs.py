"""What is stored in a space of a registry that doesn't tell: everything that its artifacts refer to, each blob once."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from models.database import Transaction
from models.reading import Statement

READ_AT_ONCE = 5_000
"""Artifacts of a space, of which a large one has tens of thousands, each with a text of a kilobyte or more."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What a space holds. An artifact counts in each repository that has it."""

    artifact_count: int
    storage_bytes: int


async def add_artifacts(transaction: Transaction, integration_id: int, space_id: int, digests: Collection[str]) -> None:
    """Add what artifacts refer to that are new in a space."""
    statement = Statement(transaction.dialect)
    owner, named = statement.bind(integration_id), statement.is_one_of('"digest"', sorted(digests))
    rows = await transaction.fetch(
        f'SELECT "blobs" FROM "measured_artifact" WHERE "integration_id" = {owner} AND {named}', *statement.values
    )
    united: dict[str, int] = {}
    await asyncio.to_thread(_unite, united, rows)
    place = transaction.dialect.placeholder
    await transaction.execute_many(
        'INSERT INTO "space_blob" ("space_id", "digest", "size_bytes")'
        f' VALUES ({place(1)}, {place(2)}, {place(3)}) ON CONFLICT ("space_id", "digest") DO UPDATE'
        ' SET "size_bytes" = EXCLUDED."size_bytes" WHERE "space_blob"."size_bytes" < EXCLUDED."size_bytes"',
        [(space_id, digest, size_bytes) for digest, size_bytes in united.items()],
    )


async def count_anew(transaction: Transaction, integration_id: int, space_id: int) -> None:
    """Work out from all artifacts of a space what they refer to: something may have gone."""
    place = transaction.dialect.placeholder
    united: dict[str, int] = {}
    last_id = 0
    while True:
        artifacts = await transaction.fetch(
            f'SELECT a."id", a."blobs" FROM "measured_artifact" a WHERE a."integration_id" = {place(1)}'
            f' AND a."id" > {place(3)} AND a."digest" IN'
            ' (SELECT t."digest" FROM "measured_tag" t JOIN "repository" r ON r."id" = t."repository_id"'
            f' WHERE r."space_id" = {place(2)}) ORDER BY a."id" LIMIT {READ_AT_ONCE}',
            integration_id,
            space_id,
            last_id,
        )
        # Thousands of artifacts are many milliseconds of work.
        await asyncio.to_thread(_unite, united, artifacts)
        if len(artifacts) < READ_AT_ONCE:
            break
        last_id = artifacts[-1]["id"]
    known = await transaction.fetch(
        f'SELECT "digest", "size_bytes" FROM "space_blob" WHERE "space_id" = {place(1)}', space_id
    )
    gone, written = await asyncio.to_thread(_differences, space_id, united, known)
    await transaction.execute_many(
        f'DELETE FROM "space_blob" WHERE "space_id" = {place(1)} AND "digest" = {place(2)}', gone
    )
    await transaction.execute_many(
        'INSERT INTO "space_blob" ("space_id", "digest", "size_bytes")'
        f" VALUES ({place(1)}, {place(2)}, {place(3)})"
        ' ON CONFLICT ("space_id", "digest") DO UPDATE SET "size_bytes" = EXCLUDED."size_bytes"',
        written,
    )


async def stored_in(transaction: Transaction, space_ids: Sequence[int]) -> dict[int, Stored]:
    """Return what spaces hold, by their ids."""
    statement = Statement(transaction.dialect)
    condition = statement.is_one_of('r."space_id"', space_ids)
    counted = await transaction.fetch(
        'SELECT named."space_id", COUNT(*) AS artifacts FROM'
        ' (SELECT DISTINCT r."space_id", t."repository_id", t."digest" FROM "measured_tag" t'
        f' JOIN "repository" r ON r."id" = t."repository_id" WHERE {condition}) AS named GROUP BY named."space_id"',
        *statement.values,
    )
    statement = Statement(transaction.dialect)
    condition = statement.is_one_of('"space_id"', space_ids)
    summed = await transaction.fetch(
        f'SELECT "space_id", CAST(SUM("size_bytes") AS BIGINT) AS bytes FROM "space_blob" WHERE {condition}'
        ' GROUP BY "space_id"',
        *statement.values,
    )
    artifacts = {row["space_id"]: int(row["artifacts"]) for row in counted}
    sums = {row["space_id"]: int(row["bytes"]) for row in summed}
    return {space_id: Stored(artifacts.get(space_id, 0), sums.get(space_id, 0)) for space_id in space_ids}


def _differences(
    space_id: int, united: Mapping[str, int], known: Sequence[Any]
) -> tuple[list[tuple[int, str]], list[tuple[int, str, int]]]:
    """Return the rows that are no longer, and those that are new or another now."""
    sizes = {row["digest"]: row["size_bytes"] for row in known}
    gone = [(space_id, digest) for digest in sizes.keys() - united.keys()]
    return gone, [(space_id, digest, size) for digest, size in united.items() if sizes.get(digest) != size]


def _unite(united: dict[str, int], artifacts: Sequence[Any]) -> None:
    """Add the bytes of everything that artifacts refer to, each once; the largest where they don't agree."""
    for row in artifacts:
        for digest, size_bytes in orjson.loads(row["blobs"]).items():
            united[digest] = max(size_bytes, united.get(digest, 0))
