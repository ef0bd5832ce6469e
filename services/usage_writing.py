"""Writing what was measured: the present figures, how fast they grow, and their history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from models.database import Transaction
from models.enums import EventType, SpaceState, UsageMethod
from models.integration import Integration
from models.reading import Statement
from models.usage import slot_of
from services.event_making import integration_event
from services.usage_thinning import to_be_forgotten

WEEK = timedelta(days=7)

_POINT_FIGURES = ("repository_count", "artifact_count", "storage_bytes", "quota_used_bytes")


@dataclass(frozen=True, slots=True)
class Figures:
    """What something holds; None for what isn't known. `quota_limit_bytes` is None where there is no limit, too."""

    repository_count: int | None
    artifact_count: int | None
    storage_bytes: int | None
    quota_used_bytes: int | None = None
    quota_limit_bytes: int | None = None


async def write_space_usage(
    transaction: Transaction,
    integration_id: int,
    figures: Mapping[int, Figures],
    method: UsageMethod,
    measured_at: datetime,
) -> None:
    """Write what spaces of an integration hold, by their ids."""
    if not figures:
        return
    history = await _History.of_spaces(transaction, integration_id, list(figures), measured_at)
    place = transaction.dialect.placeholder
    columns = (
        *("space_id", "repository_count", "artifact_count", "storage_bytes", "quota_used_bytes"),
        *("quota_limit_bytes", "method", "growth_bytes_per_week", "measured_at"),
    )
    names = ", ".join(f'"{column}"' for column in columns)
    values = ", ".join(place(number) for number in range(1, len(columns) + 1))
    changes = ", ".join(f'"{column}" = EXCLUDED."{column}"' for column in columns[1:])
    await transaction.execute_many(
        f'INSERT INTO "space_usage" ({names}) VALUES ({values}) ON CONFLICT ("space_id") DO UPDATE SET {changes}',
        [
            (
                space_id,
                each.repository_count,
                each.artifact_count,
                each.storage_bytes,
                each.quota_used_bytes,
                each.quota_limit_bytes,
                method,
                history.growth(space_id, each.storage_bytes),
                measured_at,
            )
            for space_id, each in figures.items()
        ],
    )
    await history.add(transaction, figures)


async def write_integration_usage(
    transaction: Transaction,
    integration_id: int,
    storage_bytes: int | None,
    method: UsageMethod,
    measured_at: datetime,
    *,
    total_measured_at: datetime,
    is_stale: bool,
) -> None:
    """Write what a registry holds in all: what it stores, as of its own time, and the present sums over its spaces."""
    sums = await _sums(transaction, integration_id)
    figures = Figures(
        sums["repository_count"], sums["artifact_count"], storage_bytes, quota_used_bytes=sums["quota_used_bytes"]
    )
    history = await _History.of_integration(transaction, integration_id, measured_at)
    if await _is_other(transaction, integration_id, figures, int(sums["space_count"])):
        integration = await Integration.get(id=integration_id)
        transaction.events.append(
            integration_event(EventType.USAGE_CHANGED, measured_at, integration, storage_bytes=storage_bytes)
        )
    place = transaction.dialect.placeholder
    columns = (
        *("integration_id", "space_count", "repository_count", "artifact_count", "storage_bytes"),
        *("quota_used_bytes", "method", "growth_bytes_per_week", "measured_at", "is_stale"),
    )
    names = ", ".join(f'"{column}"' for column in columns)
    values = ", ".join(place(number) for number in range(1, len(columns) + 1))
    changes = ", ".join(f'"{column}" = EXCLUDED."{column}"' for column in columns[1:])
    await transaction.execute(
        f'INSERT INTO "integration_usage" ({names}) VALUES ({values})'
        f' ON CONFLICT ("integration_id") DO UPDATE SET {changes}',
        integration_id,
        sums["space_count"],
        figures.repository_count,
        figures.artifact_count,
        storage_bytes,
        figures.quota_used_bytes,
        method,
        history.growth(None, storage_bytes),
        total_measured_at,
        is_stale,
    )
    await history.add(transaction, {None: figures})


async def _is_other(transaction: Transaction, integration_id: int, figures: Figures, space_count: int) -> bool:
    """Return whether a registry holds something else than was known."""
    place = transaction.dialect.placeholder(1)
    names = ", ".join(f'"{name}"' for name in _POINT_FIGURES)
    rows = await transaction.fetch(
        f'SELECT "space_count", {names} FROM "integration_usage" WHERE "integration_id" = {place}', integration_id
    )
    present = (space_count, *(getattr(figures, name) for name in _POINT_FIGURES))
    return not rows or tuple(rows[0]) != present


async def repository_sums(transaction: Transaction, space_ids: Sequence[int]) -> dict[int, tuple[int, int | None]]:
    """Return how many repositories the mirror has of each space, and how many artifacts, where the registry tells."""
    statement = Statement(transaction.dialect)
    condition = statement.is_one_of('"space_id"', space_ids)
    rows = await transaction.fetch(
        'SELECT "space_id", COUNT(*) AS repositories, CAST(SUM("artifact_count") AS BIGINT) AS artifacts'
        f' FROM "repository" WHERE {condition} GROUP BY "space_id"',
        *statement.values,
    )
    found = {row["space_id"]: (int(row["repositories"]), row["artifacts"]) for row in rows}
    return {space_id: found.get(space_id, (0, 0)) for space_id in space_ids}


async def _sums(transaction: Transaction, integration_id: int) -> Any:
    statement = Statement(transaction.dialect)
    owner, present = statement.bind(integration_id), statement.bind(SpaceState.PRESENT)
    (row,) = await transaction.fetch(
        'SELECT COUNT(*) AS space_count, CAST(SUM(u."repository_count") AS BIGINT) AS repository_count,'
        ' CAST(SUM(u."artifact_count") AS BIGINT) AS artifact_count,'
        ' CAST(SUM(u."quota_used_bytes") AS BIGINT) AS quota_used_bytes'
        ' FROM "space" s LEFT JOIN "space_usage" u ON u."space_id" = s."id"'
        f' WHERE s."integration_id" = {owner} AND s."state" = {present}',
        *statement.values,
    )
    return row


class _History:
    """The points of an integration (None), or of spaces, that a new one is compared with."""

    def __init__(
        self,
        integration_id: int,
        measured_at: datetime,
        last: Mapping[int | None, tuple[int, datetime, tuple[Any, ...]]],
        week_ago: Mapping[int | None, int | None],
    ) -> None:
        self._integration_id = integration_id
        self._measured_at = measured_at
        self._last = last
        self._week_ago = week_ago

    @classmethod
    async def of_spaces(
        cls, transaction: Transaction, integration_id: int, space_ids: Sequence[int], measured_at: datetime
    ) -> _History:
        def subjects(statement: Statement) -> str:
            return statement.is_one_of('"space_id"', space_ids)

        return await cls._read(transaction, integration_id, subjects, measured_at)

    @classmethod
    async def of_integration(cls, transaction: Transaction, integration_id: int, measured_at: datetime) -> _History:
        def subjects(statement: Statement) -> str:
            return f'"integration_id" = {statement.bind(integration_id)} AND "space_id" IS NULL'

        return await cls._read(transaction, integration_id, subjects, measured_at)

    @classmethod
    async def _read(
        cls, transaction: Transaction, integration_id: int, subjects: Any, measured_at: datetime
    ) -> _History:
        async def newest(before: datetime | None) -> Sequence[Any]:
            statement = Statement(transaction.dialect)
            condition = subjects(statement)
            if before is not None:
                condition += f' AND "slot" <= {statement.bind(slot_of(before))}'
            # Points come in order of time, and so of id.
            return await transaction.fetch(
                'SELECT * FROM "usage_point" WHERE "id" IN'
                f' (SELECT MAX("id") FROM "usage_point" WHERE {condition} GROUP BY "space_id")',
                *statement.values,
            )

        read_time = transaction.dialect.datetime
        return cls(
            integration_id,
            measured_at,
            {
                row["space_id"]: (row["id"], read_time(row["measured_at"]), tuple(row[name] for name in _POINT_FIGURES))
                for row in await newest(None)
            },
            {row["space_id"]: row["storage_bytes"] for row in await newest(measured_at - WEEK)},
        )

    def growth(self, space_id: int | None, storage_bytes: int | None) -> int | None:
        """Return by how much more is stored than a week ago; None where that isn't known."""
        before = self._week_ago.get(space_id)
        return None if before is None or storage_bytes is None else storage_bytes - before

    async def add(self, transaction: Transaction, figures: Mapping[Any, Figures]) -> None:
        """Write a point for each that is no longer as its last one says."""
        new, moved = [], []
        for space_id, each in figures.items():
            values = tuple(getattr(each, name) for name in _POINT_FIGURES)
            last = self._last.get(space_id)
            slot = slot_of(self._measured_at)
            if last is None or (last[2] != values and slot_of(last[1]) != slot):
                new.append((self._integration_id, space_id, self._measured_at, slot, *values))
            elif last[2] != values:
                moved.append((self._measured_at, *values, last[0]))
        place = transaction.dialect.placeholder
        names = ", ".join(f'"{name}"' for name in _POINT_FIGURES)
        await transaction.execute_many(
            f'INSERT INTO "usage_point" ("integration_id", "space_id", "measured_at", "slot", {names})'
            f" VALUES ({', '.join(place(number) for number in range(1, 9))})",
            new,
        )
        await self._thin(transaction, [space_id for _, space_id, *_ in new])
        changes = ", ".join(f'"{name}" = {place(number)}' for number, name in enumerate(_POINT_FIGURES, 2))
        await transaction.execute_many(
            f'UPDATE "usage_point" SET "measured_at" = {place(1)}, {changes} WHERE "id" = {place(6)}', moved
        )

    async def _thin(self, transaction: Transaction, space_ids: Sequence[int | None]) -> None:
        """Forget the older points of those that got a new one, once a day for each."""
        today = self._measured_at.date()
        due = [id_ for id_ in space_ids if id_ in self._last and self._last[id_][1].date() != today]
        if not due:
            return
        statement = Statement(transaction.dialect)
        ids = [id_ for id_ in due if id_ is not None]
        owned = statement.is_one_of('"space_id"', ids) if ids else '"space_id" IS NULL'
        owner = statement.bind(self._integration_id)
        rows = await transaction.fetch(
            'SELECT "id", "space_id", "measured_at" FROM "usage_point"'
            f' WHERE "integration_id" = {owner} AND {owned} ORDER BY "id"',
            *statement.values,
        )
        read_time = transaction.dialect.datetime
        points: dict[int | None, list[tuple[int, datetime]]] = {}
        for row in rows:
            points.setdefault(row["space_id"], []).append((row["id"], read_time(row["measured_at"])))
        forgotten = [id_ for each in points.values() for id_ in to_be_forgotten(each, self._measured_at)]
        place = transaction.dialect.placeholder(1)
        await transaction.execute_many(f'DELETE FROM "usage_point" WHERE "id" = {place}', [(id_,) for id_ in forgotten])
