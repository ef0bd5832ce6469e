"""Whose turn it is: which registries are due for a probe, claimed by row and for a time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from models.database import Database, Transaction
from models.enums import HealthReason
from models.reading import Statement
from services.clock import Clock
from services.health_rules import AGAIN_AFTER_FIRST_401, AGAIN_AFTER_SECOND_401

LEASE = timedelta(seconds=30)
"""After this a probe whose process died is somebody else's; longer than any probe takes."""

TURN_POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class DueProbe:
    """An integration that is ours to probe until the lease ends."""

    integration_id: int
    was_due_at: datetime
    """When its turn is, by its own rhythm; in the future when it was taken out of turn."""

    lease_until: datetime
    """Also tells our claim from everybody else's."""


class ProbeClaims:
    """The rows of `integration_health` as a timetable that all replicas share."""

    def __init__(self, database: Database, clock: Clock, interval: timedelta) -> None:
        self._database = database
        self._clock = clock
        self._interval = interval

    async def take_due(self, condition: str, limit: int) -> list[DueProbe]:
        """Claim at most `limit` of those that are due and meet a condition, the longest due first."""
        now = self._clock()
        place = self._database.dialect.placeholder
        due = (
            'SELECT "integration_id", "next_probe_at" FROM "integration_health"'
            f' WHERE "next_probe_at" <= {place(1)} AND ("lease_until" IS NULL OR "lease_until" <= {place(1)})'
            f' AND {condition} ORDER BY "next_probe_at" LIMIT {limit}'
        )
        # Most ticks find nothing: a plain read tells, without a transaction.
        if not await self._database.fetch(due, now):
            return []
        return await self._database.transact(partial(self._take, select=due, parameters=(now,), now=now))

    async def take(self, integration_id: int) -> DueProbe | None:
        """Claim one now, due or not, once nobody else probes it; None when there is no such integration."""
        place = self._database.dialect.placeholder
        exists = f'SELECT 1 FROM "integration_health" WHERE "integration_id" = {place(1)}'
        free = (
            'SELECT "integration_id", "next_probe_at" FROM "integration_health"'
            f' WHERE "integration_id" = {place(1)} AND ("lease_until" IS NULL OR "lease_until" <= {place(2)})'
        )
        while await self._database.fetch(exists, integration_id):
            now = self._clock()
            taken = await self._database.transact(
                partial(self._take, select=free, parameters=(integration_id, now), now=now)
            )
            if taken:
                return taken[0]
            await asyncio.sleep(TURN_POLL_SECONDS)
        return None

    async def give_back(self, probes: Sequence[DueProbe]) -> None:
        """End our claims on probes that won't be made: they stay due. What others claimed since is theirs."""
        place = self._database.dialect.placeholder
        await self._database.transact(
            lambda transaction: transaction.execute_many(
                'UPDATE "integration_health" SET "lease_until" = NULL'
                f' WHERE "integration_id" = {place(1)} AND "lease_until" = {place(2)}',
                sorted((probe.integration_id, probe.lease_until) for probe in probes),
            )
        )

    async def mend(self) -> int:
        """Make due what is planned further ahead than the rules ever plan; return how many there were.

        So it is when the clock went backwards, or when the interval was made shorter since the last start.
        """
        now = self._clock()

        async def work(transaction: Transaction) -> int:
            statement = Statement(transaction.dialect)
            moment = statement.bind(now)
            soon = statement.bind(now + max(self._interval, AGAIN_AFTER_FIRST_401))
            latest = statement.bind(now + max(self._interval, AGAIN_AFTER_SECOND_401))
            latest_lease = statement.bind(now + LEASE)
            refused = statement.bind(HealthReason.UNAUTHORIZED)
            return await transaction.execute(
                f'UPDATE "integration_health" SET "next_probe_at" = {moment}, "lease_until" = NULL'
                f' WHERE "lease_until" > {latest_lease} OR "next_probe_at" > {latest}'
                f' OR ("next_probe_at" > {soon} AND ("reason" IS NULL OR "reason" <> {refused}))',
                *statement.values,
            )

        return await self._database.transact(work)

    async def _take(
        self, transaction: Transaction, *, select: str, parameters: Sequence[object], now: datetime
    ) -> list[DueProbe]:
        rows = await transaction.fetch(select + transaction.dialect.skip_locked, *parameters)
        if not rows:
            return []
        until = now + LEASE
        statement = Statement(transaction.dialect)
        lease = statement.bind(until)
        condition = statement.is_one_of('"integration_id"', [row["integration_id"] for row in rows])
        await transaction.execute(
            f'UPDATE "integration_health" SET "lease_until" = {lease} WHERE {condition}', *statement.values
        )
        read_time = transaction.dialect.datetime
        return [DueProbe(row["integration_id"], read_time(row["next_probe_at"]), until) for row in rows]
