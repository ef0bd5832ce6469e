"""Whose turn it is: whose reader is to be looked after, claimed by row and for a time."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from models.database import Database, Transaction
from models.reader_credential import ReaderCredential
from models.reading import Statement
from services.clock import Clock

LEASE = timedelta(minutes=1)
"""After this a check whose process died is somebody else's; longer than any check may take."""

AT_MOST_APART = timedelta(minutes=1)
"""By how much the clocks of replicas may differ before one takes the other's claims for mistakes."""

PATIENCE_SECONDS = 0.2
PATIENCE_TRIES = 50
"""How often, and how often in all, it is asked whether a check that is under way has ended."""

# One that is down is left alone: nothing could be mended there.
_NOT_DOWN = (
    '"integration_id" NOT IN (SELECT "integration_id" FROM "integration_health"'
    " WHERE \"status\" = 'UNHEALTHY' AND \"reason\" <> 'UNAUTHORIZED')"
)


@dataclass(frozen=True, slots=True)
class ReaderClaim:
    """An integration whose reader is ours to look after until the lease ends."""

    integration_id: int
    lease_until: datetime
    """Also tells our claim from everybody else's."""


@dataclass(frozen=True, slots=True)
class KeptReader:
    """A reader as it is stored."""

    external_id: str | None
    username: str | None
    administrator_refusals: int


class ReaderClaims:
    """The rows of `reader_credential` as a timetable that all replicas share."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def kept(self, integration_id: int) -> KeptReader | None:
        """Return what is stored of an integration's reader, None where its kind has none."""
        place = self._database.dialect.placeholder(1)
        rows = await self._database.fetch(
            'SELECT "external_id", "username", "administrator_refusals" FROM "reader_credential"'
            f' WHERE "integration_id" = {place}',
            integration_id,
        )
        return KeptReader(*tuple(rows[0])) if rows else None

    async def take_due(self, limit: int) -> list[ReaderClaim]:
        """Claim at most `limit` of those that are due, the longest due first."""
        return await self._take(None, limit)

    async def take(self, integration_id: int) -> ReaderClaim | None:
        """Claim one now, due or not, once nobody else looks after it; None when there is none, or for too long."""
        for _ in range(PATIENCE_TRIES):
            taken = await self._take(integration_id, 1)
            if taken:
                return taken[0]
            if await self.kept(integration_id) is None:
                return None
            await asyncio.sleep(PATIENCE_SECONDS)
        return None

    async def write(self, claim: ReaderClaim, changes: Mapping[str, object]) -> bool:
        """Write what was learned. Returns False, and writes nothing, when the claim is ours no longer."""

        async def work(transaction: Transaction) -> bool:
            place = transaction.dialect.placeholder
            held = await transaction.fetch(
                f'SELECT 1 FROM "reader_credential" WHERE "integration_id" = {place(1)}'
                f' AND "lease_until" = {place(2)}{transaction.dialect.lock_rows}',
                claim.integration_id,
                claim.lease_until,
            )
            if held:
                await ReaderCredential.filter(integration_id=claim.integration_id).update(**changes)
            return bool(held)

        return await self._database.transact(work)

    async def _take(self, integration_id: int | None, limit: int) -> list[ReaderClaim]:
        now = self._clock()

        def select(statement: Statement) -> str:
            moment, latest_lease = statement.bind(now), statement.bind(now + LEASE + AT_MOST_APART)
            # Held for longer than anybody may: the clock went back.
            free = f'("lease_until" IS NULL OR "lease_until" <= {moment} OR "lease_until" > {latest_lease})'
            if integration_id is None:
                turn = f'"next_check_at" <= {moment} AND {_NOT_DOWN}'
            else:
                turn = f'"integration_id" = {statement.bind(integration_id)}'
            return (
                f'SELECT "integration_id" FROM "reader_credential" WHERE {free} AND {turn}'
                f' ORDER BY "next_check_at" LIMIT {limit}'
            )

        statement = Statement(self._database.dialect)
        # Most ticks find nothing: a plain read tells, without a transaction.
        if not await self._database.fetch(select(statement), *statement.values):
            return []

        async def work(transaction: Transaction) -> list[ReaderClaim]:
            statement = Statement(transaction.dialect)
            rows = await transaction.fetch(select(statement) + transaction.dialect.skip_locked, *statement.values)
            until = now + LEASE
            if rows:
                statement = Statement(transaction.dialect)
                # Due as well, so that what a process that dies leaves half-done is looked at when the lease is over.
                lease, moment = statement.bind(until), statement.bind(now)
                condition = statement.is_one_of('"integration_id"', [row["integration_id"] for row in rows])
                await transaction.execute(
                    f'UPDATE "reader_credential" SET "lease_until" = {lease}, "next_check_at" = {moment}'
                    f" WHERE {condition}",
                    *statement.values,
                )
            return [ReaderClaim(row["integration_id"], until) for row in rows]

        return await self._database.transact(work)
