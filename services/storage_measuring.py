"""Measuring a registry that tells what it stores: the total by its statistics, each space by its quota.

The two are different figures: the sum over the spaces is larger, for what they share, and what was deleted leaves the
total only when the registry collects it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from models.database import Database, Transaction
from models.enums import SpaceState, UsageMethod
from models.queries.usage import usage_of_integrations
from models.reading import Statement
from registry_clients.errors import RegistryError
from registry_clients.protocol import ReadsStorage
from registry_clients.records import FoundSpace, SpaceSummary
from services.registry_connections import RegistryTarget
from services.usage_claims import DueMeasurement, UsageClaims
from services.usage_hints import NotedHint, noted_hints, settle_hints
from services.usage_writing import Figures, repository_sums, write_integration_usage, write_space_usage

log = structlog.get_logger("usage")

SUMMARIES_AT_ONCE = 8
"""Spaces that one registry is asked about at a time."""

SUMMARIES_WRITTEN_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class _Wanted:
    spaces: dict[int, FoundSpace]
    """By their ids: what is to be asked for."""
    hints: list[NotedHint]
    total: tuple[int | None, datetime] | None
    """What was stored in all when that was last asked, and when."""


@dataclass(slots=True)
class _Summaries:
    found: dict[int, SpaceSummary] = field(default_factory=dict)
    failure: RegistryError | None = None


async def measure_storage(
    database: Database, claims: UsageClaims, due: DueMeasurement, client: ReadsStorage, target: RegistryTarget
) -> None:
    """Measure what is due and write it, a part at a time. Raises RegistryError; what was written before stays."""
    wanted = await _wanted(database, due)
    ids = list(wanted.spaces)
    for start in range(0, len(ids), SUMMARIES_WRITTEN_AT_ONCE):
        part = {id_: wanted.spaces[id_] for id_ in ids[start : start + SUMMARIES_WRITTEN_AT_ONCE]}
        summaries = await _summarize(client, part)
        await _write(database, claims, due, summaries.found, wanted.hints)
        if summaries.failure is not None:
            raise summaries.failure
    total, is_total_old = wanted.total or (None, due.begun_at), target.is_administrator_refused
    if due.is_regular and not is_total_old:
        # It takes the administrator's credential, which costs the registry much: only at the usual times.
        try:
            total = (await client.read_storage_statistics()).storage_bytes, due.begun_at
        except RegistryError as error:
            log.info("storage could not be read", integration_id=due.integration_id, reason=error.reason.value)
            is_total_old = True

    async def work(transaction: Transaction) -> None:
        if await claims.hold(transaction, due):
            await write_integration_usage(
                transaction,
                due.integration_id,
                total[0],
                UsageMethod.REGISTRY_STATISTICS,
                due.begun_at,
                total_measured_at=total[1],
                is_stale=is_total_old,
            )
            await settle_hints(transaction, wanted.hints)
            await claims.end(transaction, due, is_done=True)

    await database.transact(work)


async def _wanted(database: Database, due: DueMeasurement) -> _Wanted:
    hints = await noted_hints(database, due.integration_id)
    statement = Statement(database.dialect)
    owner, present = statement.bind(due.integration_id), statement.bind(SpaceState.PRESENT)
    condition = ""
    if not due.is_whole:
        hinted = statement.is_one_of('s."id"', sorted({hint.space_id for hint in hints}))
        condition = f' AND ({hinted} OR NOT EXISTS (SELECT 1 FROM "space_usage" u WHERE u."space_id" = s."id"))'
    rows = await database.fetch(
        'SELECT s."id", s."external_id", s."name" FROM "space" s'
        f' WHERE s."integration_id" = {owner} AND s."state" = {present}{condition} ORDER BY s."id"',
        *statement.values,
    )
    known = await usage_of_integrations(database, [due.integration_id])
    return _Wanted(
        {row["id"]: FoundSpace(row["external_id"], row["name"], is_public=None) for row in rows},
        hints,
        {id_: (usage.storage_bytes, usage.measured_at) for id_, usage in known.items()}.get(due.integration_id),
    )


async def _summarize(client: ReadsStorage, spaces: dict[int, FoundSpace]) -> _Summaries:
    """Ask for spaces, some at a time; one that is gone has none. After a failure no more are asked for."""
    summaries = _Summaries()
    waiting = list(reversed(spaces.items()))

    async def ask() -> None:
        while waiting and summaries.failure is None:
            space_id, space = waiting.pop()
            try:
                summary = await client.summarize_space(space)
            except RegistryError as error:
                summaries.failure = error
                return
            if summary is not None:
                summaries.found[space_id] = summary

    async with asyncio.TaskGroup() as group:
        for _ in range(min(SUMMARIES_AT_ONCE, len(spaces))):
            group.create_task(ask())
    return summaries


async def _write(
    database: Database,
    claims: UsageClaims,
    due: DueMeasurement,
    summaries: dict[int, SpaceSummary],
    hints: Sequence[NotedHint],
) -> None:
    if not summaries:
        return

    async def work(transaction: Transaction) -> None:
        if not await claims.hold(transaction, due):
            return
        # What was removed meanwhile has no row to refer to.
        statement = Statement(transaction.dialect)
        condition = statement.is_one_of('"id"', list(summaries))
        rows = await transaction.fetch(f'SELECT "id" FROM "space" WHERE {condition}', *statement.values)
        standing = [row["id"] for row in rows]
        sums = await repository_sums(transaction, standing)
        figures = {
            space_id: Figures(
                repository_count=sums[space_id][0],
                artifact_count=sums[space_id][1],
                storage_bytes=summaries[space_id].quota_used_bytes,
                quota_used_bytes=summaries[space_id].quota_used_bytes,
                quota_limit_bytes=summaries[space_id].quota_limit_bytes,
            )
            for space_id in standing
        }
        await write_space_usage(transaction, due.integration_id, figures, UsageMethod.PROJECT_SUMMARY, due.begun_at)
        await settle_hints(transaction, [hint for hint in hints if hint.space_id in summaries])

    await database.transact(work)
