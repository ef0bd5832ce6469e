"""The figures of the overview: each of a few statements counts what may be seen of one thing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from models.enums import HealthStatus, RegistryKind, SpaceState, Visibility
from models.queries.sight import Sight
from models.queries.spaces import SPACES, SpaceConditions
from models.reading import Readable, Statement


@dataclass(frozen=True, slots=True)
class IntegrationCounts:
    """How many integrations there are, of each kind in each health."""

    by_kind_and_health: dict[tuple[RegistryKind, HealthStatus], int]


@dataclass(frozen=True, slots=True)
class SpaceCounts:
    """How many spaces stand: all, the public ones, and the private ones that are given to nobody."""

    all: int
    public: int
    unbound_private: int


@dataclass(frozen=True, slots=True)
class StorageSums:
    """What integrations store, by their ids, the most first; `measured_at` is when the oldest figure was measured."""

    bytes_by_integration_id: dict[int, int]
    measured_at: datetime | None


@dataclass(frozen=True, slots=True)
class BindingCounts:
    """How many bindings there are, how many are being taken away, and how many can't be made true."""

    standing: int
    revoking: int
    failed: int


async def integration_counts(database: Readable, sight: Sight) -> IntegrationCounts:
    """Count integrations."""
    statement = Statement(database.dialect)
    rows = await database.fetch(
        'SELECT i."kind", h."status", COUNT(*) AS count FROM "integration" i'
        f' JOIN "integration_health" h ON h."integration_id" = i."id"{_where(sight.integrations(statement))}'
        ' GROUP BY i."kind", h."status"',
        *statement.values,
    )
    return IntegrationCounts(
        {(RegistryKind(row["kind"]), HealthStatus(row["status"])): int(row["count"]) for row in rows}
    )


async def space_counts(database: Readable, sight: Sight) -> SpaceCounts:
    """Count spaces that stand."""

    def unbound(statement: Statement) -> Sequence[str]:
        given = 'SELECT 1 FROM "binding" ub WHERE ub."space_id" = s."id" AND ub."revoked_at" IS NULL'
        return [*SpaceConditions(visibilities=(Visibility.PRIVATE,), sight=sight)(statement), f"NOT EXISTS ({given})"]

    count = partial(SPACES.count, database)
    return SpaceCounts(
        all=await count(SpaceConditions(sight=sight)),
        public=await count(SpaceConditions(visibilities=(Visibility.PUBLIC,), sight=sight)),
        unbound_private=await count(unbound),
    )


async def storage_of_integrations(database: Readable) -> StorageSums:
    """Sum up what registries store in all."""
    return _storage(
        database,
        await database.fetch(
            'SELECT "integration_id", "storage_bytes", "measured_at" FROM "integration_usage"'
            ' WHERE "storage_bytes" IS NOT NULL ORDER BY "storage_bytes" DESC, "integration_id"'
        ),
    )


async def storage_of_spaces(database: Readable, sight: Sight) -> StorageSums:
    """Sum up what the spaces store that are seen."""
    statement = Statement(database.dialect)
    conditions = [
        'u."storage_bytes" IS NOT NULL',
        statement.is_one_of('s."state"', [SpaceState.PRESENT.value]),
        *sight.spaces(statement),
    ]
    return _storage(
        database,
        await database.fetch(
            'SELECT s."integration_id", CAST(SUM(u."storage_bytes") AS BIGINT) AS storage_bytes,'
            ' MIN(u."measured_at") AS measured_at FROM "space" s JOIN "space_usage" u ON u."space_id" = s."id"'
            f'{_where(conditions)} GROUP BY s."integration_id" ORDER BY storage_bytes DESC, s."integration_id"',
            *statement.values,
        ),
    )


async def workspace_count(database: Readable, sight: Sight) -> int:
    """Count workspaces that aren't being deleted."""
    statement = Statement(database.dialect)
    conditions = ['w."deleted_at" IS NULL', *sight.workspaces(statement)]
    rows = await database.fetch(f'SELECT COUNT(*) AS count FROM "workspace" w{_where(conditions)}', *statement.values)
    return int(rows[0]["count"])


async def binding_counts(database: Readable, sight: Sight) -> BindingCounts:
    """Count bindings."""
    statement = Statement(database.dialect)
    # As `services.enforcement` finds it of one.
    is_enforceable = f"""i."kind" <> '{RegistryKind.DOCKER_REGISTRY.value}'"""
    is_needed = (
        f"""(s."visibility" = '{Visibility.PRIVATE.value}' OR b."revoked_at" IS NOT NULL"""
        f""" OR s."state" = '{SpaceState.VANISHED.value}')"""
    )
    has_failed = f't."failure" IS NOT NULL AND t."applied_version" < b."version" AND {is_enforceable} AND {is_needed}'
    (row,) = await database.fetch(
        'SELECT COUNT(CASE WHEN b."revoked_at" IS NULL THEN 1 END) AS standing,'
        ' COUNT(b."revoked_at") AS revoking,'
        f" COUNT(CASE WHEN {has_failed} THEN 1 END) AS failed"
        ' FROM "binding" b JOIN "space" s ON s."id" = b."space_id" JOIN "integration" i ON i."id" = s."integration_id"'
        ' LEFT JOIN "registry_enforcement" t ON t."workspace_id" = b."workspace_id"'
        f' AND t."integration_id" = s."integration_id"{_where(sight.bindings(statement))}',
        *statement.values,
    )
    return BindingCounts(int(row["standing"]), int(row["revoking"]), int(row["failed"]))


def _storage(database: Readable, rows: Sequence[Any]) -> StorageSums:
    read_time = database.dialect.datetime
    return StorageSums(
        {row["integration_id"]: int(row["storage_bytes"]) for row in rows},
        min((read_time(row["measured_at"]) for row in rows), default=None),
    )


def _where(conditions: Sequence[str]) -> str:
    return f" WHERE {' AND '.join(conditions)}" if conditions else ""
