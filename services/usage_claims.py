"""Whose turn it is: which integrations are due to be measured, claimed by row and for a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from models.database import Database, Transaction
from models.reading import Statement
from services.clock import Clock
from services.integration_locks import lock_integration
from services.usage_hints import has_hints

WHOLE_INTERVAL = timedelta(hours=6)
"""How often everything is measured anew, where changes are told: not all of them are."""

HINT_PAUSE = timedelta(milliseconds=500)
"""At least so long lies between two measurements of one registry, however often it is pushed to."""

LEASE = timedelta(minutes=15)
"""After this the measuring of a process that died is somebody else's; longer than the longest may take."""

AT_MOST_AHEAD = timedelta(minutes=1)
"""How much further than an interval ahead one may be planned before we say that the clock went back."""

_IS_WELL = (
    'EXISTS (SELECT 1 FROM "integration_health" h WHERE h."integration_id" = m."integration_id"'
    " AND h.\"status\" = 'HEALTHY')"
)

# Else it would be said to hold nothing.
_WAS_LOOKED_AT = (
    'EXISTS (SELECT 1 FROM "integration" i WHERE i."id" = m."integration_id" AND i."looked_at" IS NOT NULL)'
)


@dataclass(frozen=True, slots=True)
class DueMeasurement:
    """An integration that is ours to measure until the lease ends."""

    integration_id: int
    is_regular: bool
    """Its interval is over; else something was said to have changed, and that alone is asked for."""

    is_whole: bool
    """Everything is due, not only what changed."""

    is_first: bool
    """Everything was never measured, at this address: what is found was there before."""

    begun_at: datetime
    lease_until: datetime
    """Also tells our claim from everybody else's."""


class UsageClaims:
    """The rows of `usage_measurement` as a timetable that all replicas share."""

    def __init__(self, database: Database, clock: Clock, interval: timedelta) -> None:
        self._database = database
        self._clock = clock
        self._interval = interval

    async def take_due(self, limit: int) -> list[DueMeasurement]:
        """Claim at most `limit` of those that are due, the longest due first.

        Registries that aren't well are not asked: what is known of them is marked as old, once in an interval.
        """
        now = self._clock()

        def select(statement: Statement) -> str:
            moment, latest = statement.bind(now), statement.bind(now + self._interval + AT_MOST_AHEAD)
            latest_lease, pause = statement.bind(now + LEASE + AT_MOST_AHEAD), statement.bind(now - HINT_PAUSE)
            return (
                f'SELECT "integration_id", "next_at", "whole_at", {_IS_WELL} AS is_well FROM "usage_measurement" m'
                f' WHERE ("lease_until" IS NULL OR "lease_until" <= {moment} OR "lease_until" > {latest_lease})'
                f' AND ("next_at" <= {moment} OR "next_at" > {latest} OR ("hinted_at" IS NOT NULL AND {_IS_WELL}'
                f' AND ("begun_at" IS NULL OR "begun_at" <= {pause} OR "begun_at" > {moment})))'
                f' AND {_WAS_LOOKED_AT} ORDER BY "next_at" LIMIT {limit}'
            )

        statement = Statement(self._database.dialect)
        # Most ticks find nothing: a plain read tells, without a transaction.
        if not await self._database.fetch(select(statement), *statement.values):
            return []

        async def work(transaction: Transaction) -> list[DueMeasurement]:
            statement = Statement(transaction.dialect)
            rows = await transaction.fetch(select(statement) + transaction.dialect.skip_locked, *statement.values)
            await self._pass_over(transaction, [row["integration_id"] for row in rows if not row["is_well"]], now)
            return await self._take(transaction, [row for row in rows if row["is_well"]], now)

        return await self._database.transact(work)

    async def hold(self, transaction: Transaction, due: DueMeasurement) -> bool:
        """Keep a claim, and its integration, as they are until the transaction ends; False when it is ours no more."""
        await lock_integration(transaction, due.integration_id)
        place = transaction.dialect.placeholder
        rows = await transaction.fetch(
            f'SELECT 1 FROM "usage_measurement" WHERE "integration_id" = {place(1)} AND "lease_until" = {place(2)}'
            f"{transaction.dialect.lock_rows}",
            due.integration_id,
            due.lease_until,
        )
        return bool(rows)

    async def end(self, transaction: Transaction, due: DueMeasurement, *, is_done: bool) -> None:
        """End a claim of ours, with what was measured. What is not done is due again after an interval."""
        statement = Statement(transaction.dialect)
        owner = statement.bind(due.integration_id)
        changes = ['"lease_until" = NULL']
        if due.is_regular:
            changes.append(f'"next_at" = {statement.bind(due.begun_at + self._interval)}')
        if due.is_whole and is_done:
            changes.append(f'"whole_at" = {statement.bind(due.begun_at)}')
        if not is_done or not await has_hints(transaction, due.integration_id):
            changes.append('"hinted_at" = NULL')
        await transaction.execute(
            f'UPDATE "usage_measurement" SET {", ".join(changes)} WHERE "integration_id" = {owner}',
            *statement.values,
        )

    async def give_back(self, measurements: Sequence[DueMeasurement]) -> None:
        """End our claims on what wasn't measured: it stays due. What others claimed since is theirs."""
        place = self._database.dialect.placeholder
        await self._database.transact(
            lambda transaction: transaction.execute_many(
                'UPDATE "usage_measurement" SET "lease_until" = NULL, "begun_at" = NULL'
                f' WHERE "integration_id" = {place(1)} AND "lease_until" = {place(2)}',
                sorted((due.integration_id, due.lease_until) for due in measurements),
            )
        )

    async def _take(self, transaction: Transaction, rows: Sequence[Any], now: datetime) -> list[DueMeasurement]:
        if not rows:
            return []
        until = now + LEASE
        statement = Statement(transaction.dialect)
        lease, moment = statement.bind(until), statement.bind(now)
        condition = statement.is_one_of('"integration_id"', [row["integration_id"] for row in rows])
        await transaction.execute(
            f'UPDATE "usage_measurement" SET "lease_until" = {lease}, "begun_at" = {moment} WHERE {condition}',
            *statement.values,
        )
        read_time = transaction.dialect.datetime
        latest = now + self._interval + AT_MOST_AHEAD
        due = []
        for row in rows:
            next_at, whole_at = read_time(row["next_at"]), row["whole_at"]
            is_regular = next_at <= now or next_at > latest
            is_whole = is_regular and (
                whole_at is None or not timedelta(0) <= now - read_time(whole_at) < WHOLE_INTERVAL
            )
            due.append(DueMeasurement(row["integration_id"], is_regular, is_whole, whole_at is None, now, until))
        return due

    async def _pass_over(self, transaction: Transaction, ids: Sequence[int], now: datetime) -> None:
        if not ids:
            return
        statement = Statement(transaction.dialect)
        following = statement.bind(now + self._interval)
        condition = statement.is_one_of('"integration_id"', ids)
        await transaction.execute(
            f'UPDATE "usage_measurement" SET "next_at" = {following} WHERE {condition}', *statement.values
        )
        await mark_stale(transaction, ids)


async def mark_stale(transaction: Transaction, integration_ids: Sequence[int]) -> None:
    """Say of what is known of integrations that it is old: it was due, and could not be measured."""
    statement = Statement(transaction.dialect)
    condition = statement.is_one_of('"integration_id"', integration_ids)
    await transaction.execute(
        f'UPDATE "integration_usage" SET "is_stale" = TRUE WHERE NOT "is_stale" AND {condition}', *statement.values
    )
