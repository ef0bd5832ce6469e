"""What is old goes: events, checks, audit rows, and spaces that vanished long ago."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta

import structlog

from models.database import Database, Transaction
from services.clock import Clock

log = structlog.get_logger("purge")

INTERVAL_SECONDS = 600.0
BATCH_ROWS = 10_000
"""Deleted in one transaction, so that none holds others up for long."""


@dataclass(frozen=True, slots=True)
class Retention:
    """How long things are kept."""

    events: timedelta = timedelta(days=7)
    health_checks: timedelta = timedelta(hours=24)
    audit_events: timedelta = timedelta(days=400)
    vanished_spaces: timedelta = timedelta(days=30)


class Purger:
    """Deletes what is older than its retention."""

    def __init__(self, database: Database, clock: Clock, retention: Retention) -> None:
        self._database = database
        self._clock = clock
        self._rules = (
            ("event", "position", '"occurred_at"', "", retention.events),
            ("health_check", "id", '"checked_at"', "", retention.health_checks),
            ("audit_event", "id", '"occurred_at"', "", retention.audit_events),
            ("space", "id", '"last_seen_at"', """ AND "state" = 'VANISHED'""", retention.vanished_spaces),
        )

    async def run(self) -> None:
        """Purge now and then for as long as the server runs."""
        while True:
            try:
                await self.purge()
            except Exception:
                log.exception("purge failed")
            await asyncio.sleep(INTERVAL_SECONDS)

    async def purge(self) -> dict[str, int]:
        """Delete everything that is old now; return how many rows of each table went."""
        deleted = {}
        for table, key, time_column, condition, kept_for in self._rules:
            deleted[table] = 0
            while count := await self._purge_batch(table, key, time_column, condition, kept_for):
                deleted[table] += count
                if count < BATCH_ROWS:
                    break
        if any(deleted.values()):
            log.info("purged", **deleted)
        return deleted

    async def _purge_batch(self, table: str, key: str, time_column: str, condition: str, kept_for: timedelta) -> int:
        async def work(transaction: Transaction) -> int:
            place = transaction.dialect.placeholder(1)
            return await transaction.execute(
                f'DELETE FROM "{table}" WHERE "{key}" IN (SELECT "{key}" FROM "{table}"'
                f" WHERE {time_column} < {place}{condition} LIMIT {BATCH_ROWS})",
                self._clock() - kept_for,
            )

        return await self._database.transact(work)
