"""What is old goes: events, checks, audit rows, and spaces that vanished long ago."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from models.database import Database, Transaction
from services.clock import Clock
from services.observation import UNOBSERVED, Observer

log = structlog.get_logger("purge")

INTERVAL_SECONDS = 600.0
BATCH_ROWS = 10_000
"""Deleted in one transaction, so that none holds others up for long."""

OLD_EVENTS = """
"position" < COALESCE(
    (SELECT MIN("position") FROM "event" WHERE "occurred_at" >= {before}),
    (SELECT MAX("position") + 1 FROM "event")
)"""
"""From the front of the log and no further than the first that is kept: clocks of replicas differ, and a hole in
the log would be passed over by its readers in silence."""


@dataclass(frozen=True, slots=True)
class Retention:
    """How long things are kept."""

    events: timedelta = timedelta(days=7)
    health_checks: timedelta = timedelta(hours=24)
    audit_events: timedelta = timedelta(days=400)
    vanished_spaces: timedelta = timedelta(days=30)


class Purger:
    """Deletes what is older than its retention."""

    def __init__(self, database: Database, clock: Clock, retention: Retention, observer: Observer = UNOBSERVED) -> None:
        self._database = database
        self._clock = clock
        self._observer = observer
        self._rules = (
            ("event", "position", OLD_EVENTS, retention.events),
            ("health_check", "id", '"checked_at" < {before}', retention.health_checks),
            ("audit_event", "id", '"occurred_at" < {before}', retention.audit_events),
            ("space", "id", """"state" = 'VANISHED' AND "last_seen_at" < {before}""", retention.vanished_spaces),
        )

    async def run(self) -> None:
        """Purge now and then for as long as the server runs."""
        while True:
            try:
                await self.purge()
            except Exception:
                self._observer.work_failed("purge")
                log.exception("purge failed")
            await asyncio.sleep(INTERVAL_SECONDS)

    async def purge(self) -> dict[str, int]:
        """Delete everything that is old now; return how many rows of each table went."""
        deleted = {}
        for table, key, is_old, kept_for in self._rules:
            before = self._clock() - kept_for
            deleted[table] = 0
            while count := await self._purge_batch(table, key, is_old, before):
                deleted[table] += count
                if count < BATCH_ROWS:
                    break
        if any(deleted.values()):
            log.info("purged", rows=deleted)
        return deleted

    async def _purge_batch(self, table: str, key: str, is_old: str, before: datetime) -> int:
        async def work(transaction: Transaction) -> int:
            condition = is_old.format(before=transaction.dialect.placeholder(1))
            return await transaction.execute(
                f'DELETE FROM "{table}" WHERE "{key}" IN (SELECT "{key}" FROM "{table}"'
                f' WHERE {condition} ORDER BY "{key}" LIMIT {BATCH_ROWS})',
                before,
            )

        return await self._database.transact(work)
