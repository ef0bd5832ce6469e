"""Reading what registries and spaces hold, and held."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from models.reading import Readable, RecordReader, Statement
from models.records import UsagePointRecord, UsageRecord
from models.usage import SLOT_SECONDS, slot_of

_LESS_THAN_A_SLOT = timedelta(seconds=SLOT_SECONDS - 1)

_MEASURED = ("repository_count", "artifact_count", "storage_bytes", "quota_used_bytes")

_COLUMNS = {name: f'u."{name}"' for name in (*_MEASURED, "method", "growth_bytes_per_week", "measured_at")}

INTEGRATION_USAGE = RecordReader(
    UsageRecord,
    '"integration_usage" u',
    {
        **_COLUMNS,
        "owner_id": 'u."integration_id"',
        "space_count": 'u."space_count"',
        "quota_limit_bytes": "NULL",
        "is_stale": 'u."is_stale"',
    },
)

SPACE_USAGE = RecordReader(
    UsageRecord,
    '"space_usage" u',
    {
        **_COLUMNS,
        "owner_id": 'u."space_id"',
        "space_count": "1",
        "quota_limit_bytes": 'u."quota_limit_bytes"',
        "is_stale": 't."is_stale"',
    },
    joins=' JOIN "space" s ON s."id" = u."space_id"'
    ' JOIN "integration_usage" t ON t."integration_id" = s."integration_id"',
)


async def usage_of_integrations(
    database: Readable, ids: Sequence[int], workspace_ids: Sequence[int] | None = None
) -> dict[int, UsageRecord]:
    """Return what was measured of integrations, by their ids; with `workspace_ids`, of those that they brought."""

    def conditions(statement: Statement) -> Sequence[str]:
        its = [statement.is_one_of('u."integration_id"', ids)]
        if workspace_ids is not None:
            brought = statement.is_one_of('i."workspace_id"', workspace_ids)
            its.append(f'u."integration_id" IN (SELECT i."id" FROM "integration" i WHERE {brought})')
        return its

    return {record.owner_id: record for record in await INTEGRATION_USAGE.all(database, conditions)}


async def usage_of_spaces(database: Readable, ids: Sequence[int]) -> dict[int, UsageRecord]:
    """Return what was measured of spaces, by their ids."""
    records = await SPACE_USAGE.all(database, lambda statement: [statement.is_one_of('u."space_id"', ids)])
    return {record.owner_id: record for record in records}


@dataclass(frozen=True, slots=True)
class Span:
    """A time in steps: from a moment on and until before another, both to five minutes."""

    start: datetime
    end: datetime
    step: timedelta


async def history_of_integrations(
    database: Readable, ids: Sequence[int], span: Span
) -> dict[int, list[UsagePointRecord]]:
    """Return what integrations held in a time: the last point of each step in which something changed, oldest first.

    It begins with what they held when it began.
    """
    return await _history(database, ids, span, 'p."integration_id"', 'p."space_id" IS NULL')


async def history_of_spaces(database: Readable, ids: Sequence[int], span: Span) -> dict[int, list[UsagePointRecord]]:
    """Return the same of spaces."""
    return await _history(database, ids, span, 'p."space_id"', "TRUE")


async def _history(
    database: Readable, ids: Sequence[int], span: Span, owner: str, condition: str
) -> dict[int, list[UsagePointRecord]]:
    reader = RecordReader(
        UsagePointRecord,
        '"usage_point" p',
        {"owner_id": owner, "measured_at": 'p."measured_at"', **{name: f'p."{name}"' for name in _MEASURED}},
    )
    statement = Statement(database.dialect)
    is_owned = f"{statement.is_one_of(owner, ids)} AND {condition}"
    start, end = statement.bind(slot_of(span.start)), statement.bind(slot_of(span.end + _LESS_THAN_A_SLOT))
    slots = max(1, round(span.step.total_seconds()) // SLOT_SECONDS)
    # Points come in order of time, and so of id.
    rows = await database.fetch(
        f'SELECT {reader.select_list} FROM {reader.source} WHERE p."id" IN'
        f' (SELECT MAX(p."id") FROM "usage_point" p WHERE {is_owned} AND p."slot" >= {start} AND p."slot" < {end}'
        f' GROUP BY {owner}, p."slot" / {slots} UNION ALL'
        f' SELECT MAX(p."id") FROM "usage_point" p WHERE {is_owned} AND p."slot" < {start} GROUP BY {owner})'
        f' ORDER BY {owner}, p."slot"',
        *statement.values,
    )
    found: dict[int, list[UsagePointRecord]] = {id_: [] for id_ in ids}
    for record in reader.read(database.dialect, rows):
        found[record.owner_id].append(record)
    return found
