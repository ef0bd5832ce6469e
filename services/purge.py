"""What is old goes: events, checks, audit rows, and spaces that vanished long ago."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog

from models.database import Database, Transaction
from models.enums import SpaceState
from models.reading import Statement
from services.access_writing import held_bindings, lock_access, revoke
from services.clock import Clock
from services.integration_locks import lock_integrations
from services.observation import UNOBSERVED, Observer

log = structlog.get_logger("purge")

INTERVAL_SECONDS = 600.0
BATCH_ROWS = 10_000
"""Deleted in one transaction, so that none holds others up for long."""

USAGE_HINTS_KEPT_FOR = timedelta(days=1)
"""Hints that nobody follows would pile up, where nothing is measured. What is measured later is measured whole."""

BY_RETENTION = "retention"
"""Who took away the binding of a space that vanished long ago."""

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
            ("usage_hint", "id", '"noted_at" < {before}', USAGE_HINTS_KEPT_FOR),
        )
        self._vanished_spaces_kept_for = retention.vanished_spaces

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
        deleted["space"] = await self._purge_spaces()
        deleted["workspace"] = await self._end_workspaces()
        if any(deleted.values()):
            log.info("purged", rows=deleted)
        return deleted

    async def _purge_spaces(self) -> int:
        """Delete the spaces that vanished long ago, and the bindings that have waited for them."""
        now = self._clock()

        async def work(transaction: Transaction) -> int:
            # Locked before they are looked at again: one may be coming back just now.
            integration_ids = {row["integration_id"] for row in await self._vanished(transaction, now)}
            if not integration_ids:
                return 0
            await lock_integrations(transaction, sorted(integration_ids))
            await lock_access(transaction)
            rows = await self._vanished(transaction, now)
            ids = [row["id"] for row in rows if row["integration_id"] in integration_ids]
            if not ids:
                return 0
            bindings = await held_bindings(transaction, lambda given: [given.is_one_of('b."space_id"', ids)])
            await revoke(transaction, bindings, now, BY_RETENTION)
            statement = Statement(transaction.dialect)
            condition = statement.is_one_of('"id"', ids)
            await transaction.execute(f'DELETE FROM "space" WHERE {condition}', *statement.values)
            # Not what the statement says: SQLite counts what went with them too.
            return len(ids)

        count = 0
        while purged := await self._database.transact(work):
            count += purged
            if purged < BATCH_ROWS:
                break
        return count

    async def _vanished(self, transaction: Transaction, now: datetime) -> Sequence[Any]:
        statement = Statement(transaction.dialect)
        vanished, before = statement.bind(SpaceState.VANISHED), statement.bind(now - self._vanished_spaces_kept_for)
        return await transaction.fetch(
            'SELECT "id", "integration_id" FROM "space"'
            f' WHERE "state" = {vanished} AND "last_seen_at" < {before} ORDER BY "id" LIMIT {BATCH_ROWS}',
            *statement.values,
        )

    async def _end_workspaces(self) -> int:
        """Delete the workspaces that are being deleted and of which nothing is left to take away."""

        async def work(transaction: Transaction) -> int:
            await lock_access(transaction)
            gone = await transaction.returning(
                'DELETE FROM "workspace" WHERE "deleted_at" IS NOT NULL AND NOT EXISTS'
                ' (SELECT 1 FROM "binding" WHERE "workspace_id" = "workspace"."id") RETURNING "id"'
            )
            return len(gone)

        return await self._database.transact(work)

    async def _purge_batch(self, table: str, key: str, is_old: str, before: datetime) -> int:
        async def work(transaction: Transaction) -> int:
            condition = is_old.format(before=transaction.dialect.placeholder(1))
            return await transaction.execute(
                f'DELETE FROM "{table}" WHERE "{key}" IN (SELECT "{key}" FROM "{table}"'
                f' WHERE {condition} ORDER BY "{key}" LIMIT {BATCH_ROWS})',
                before,
            )

        return await self._database.transact(work)
