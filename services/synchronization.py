"""Keeping the mirror of spaces in step with what registries hold."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

import structlog

from models.database import Database, Transaction
from models.integration import Integration
from models.reading import Statement
from registry_clients.discretion import discreet
from registry_clients.errors import RegistryError
from registry_clients.protocol import ListsContents
from registry_clients.records import RegistryContents
from services.background import end_tasks, start_in_turn
from services.clock import Clock
from services.integration_locks import lock_integration, lock_integrations
from services.mirror import SynchronizationResult, write_full_look
from services.observation import UNOBSERVED, Observer
from services.registry_connections import RegistryConnections, RegistryTarget
from services.user_errors import NotFound, RegistryRefused

log = structlog.get_logger("synchronization")

LEASE = timedelta(minutes=15)
"""After this the look of a process that died is somebody else's; longer than the longest catalogue takes."""

AT_MOST_AHEAD = timedelta(minutes=1)
"""How much further than an interval ahead a look may be planned before we say that the clock went back."""

SWEEP_BENEATH_FEED = timedelta(hours=6)
"""How often everything is looked at where a log of changes is followed: it doesn't tell of everything."""

LANE_WIDTH = 8
TICK_SECONDS = 0.5


class Synchronizer:
    """Looks at what registries hold and brings the mirror up to date, or says why not."""

    def __init__(
        self,
        database: Database,
        connections: RegistryConnections,
        clock: Clock,
        interval: timedelta,
        observer: Observer = UNOBSERVED,
    ) -> None:
        self._database = database
        self._connections = connections
        self._clock = clock
        self.interval = interval
        self._observer = observer
        self._running: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Synchronise what is due for as long as the server runs; cancelled, it ends what it began."""
        try:
            await start_in_turn("synchronization", self._start_due, TICK_SECONDS, self._observer)
        finally:
            await end_tasks(self._running)

    async def synchronize(self, integration_id: int, accept_loss: bool) -> SynchronizationResult:
        """Look at everything now. Raises NotFound, RegistryRefused; a failed look changes nothing."""
        targets = await self._connections.targets([integration_id])
        if integration_id not in targets:
            raise NotFound("integration", ("input", "id"))
        try:
            return await self._synchronize(targets[integration_id], accept_loss)
        except RegistryError as error:
            raise RegistryRefused(error, ("input", "id")) from error

    async def _synchronize(self, target: RegistryTarget, accept_loss: bool) -> SynchronizationResult:
        looked_at = self._clock()
        client = await self._connections.client(target)
        if not isinstance(client, ListsContents):
            return SynchronizationResult(0, 0)
        with discreet(target.credential):
            contents = await client.list_contents()
        return await self._database.transact(
            partial(self._write_look, target=target, looked_at=looked_at, contents=contents, accept_loss=accept_loss)
        )

    async def _write_look(
        self,
        transaction: Transaction,
        *,
        target: RegistryTarget,
        looked_at: datetime,
        contents: RegistryContents,
        accept_loss: bool,
    ) -> SynchronizationResult:
        # Not its health: probes go on being written while this is.
        await lock_integration(transaction, target.integration_id)
        integration = await Integration.get_or_none(id=target.integration_id)
        if integration is None:
            raise NotFound("integration", ("input", "id"))
        if integration.updated_at != target.updated_at or (
            integration.looked_at is not None and integration.looked_at > looked_at
        ):
            # Changed meanwhile, or somebody who began later has written already: what we saw is older.
            if integration.updated_at != target.updated_at:
                await Integration.filter(id=integration.id).update(next_synchronization_at=self._clock())
            return SynchronizationResult(0, 0)
        result = await write_full_look(transaction, integration, contents, looked_at, accept_loss=accept_loss)
        if result.doubt is not None and integration.stale_since is None:
            log.warning("mirror doubted", integration_id=integration.id, why=result.doubt.message)
        elif integration.stale_since is not None and result.doubt is None:
            log.info("mirror trusted again", integration_id=integration.id)
        if result.added_space_count or result.vanished_space_count:
            log.info(
                "spaces changed",
                integration_id=integration.id,
                added=result.added_space_count,
                vanished=result.vanished_space_count,
            )
        return result

    async def _start_due(self) -> None:
        free = LANE_WIDTH - len(self._running)
        due = await self._claim(free) if free else []
        if not due:
            return
        try:
            targets = await self._connections.targets(due)
        except BaseException:
            await asyncio.shield(self._give_back(due))
            raise
        for target in targets.values():
            task = asyncio.create_task(self._synchronize_due(target), name="synchronization")
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def _claim(self, limit: int) -> list[int]:
        now = self._clock()
        place = self._database.dialect.placeholder
        # One that isn't well, or was never seen, is left alone: its coming back makes it due.
        due = (
            'SELECT "id" FROM "integration"'
            f' WHERE ("next_synchronization_at" <= {place(1)} OR "next_synchronization_at" > {place(2)})'
            f' AND ("synchronization_lease_until" IS NULL OR "synchronization_lease_until" <= {place(1)})'
            ' AND "id" IN (SELECT "integration_id" FROM "integration_health" WHERE "status" = \'HEALTHY\')'
            f' ORDER BY "next_synchronization_at" LIMIT {limit}'
        )
        # The clock went back, or the interval was made shorter, where one is planned further ahead than we do.
        moments = (now, now + max(self.interval, SWEEP_BENEATH_FEED) + AT_MOST_AHEAD)
        if not await self._database.fetch(due, *moments):
            return []

        async def work(transaction: Transaction) -> list[int]:
            rows = await transaction.fetch(due + transaction.dialect.skip_locked, *moments)
            ids = [row["id"] for row in rows]
            if not ids:
                return []
            statement = Statement(transaction.dialect)
            lease, following = statement.bind(now + LEASE), statement.moment(now + self.interval)
            beneath_feed = statement.moment(now + max(self.interval, SWEEP_BENEATH_FEED))
            condition = statement.is_one_of('"id"', ids)
            await transaction.execute(
                f'UPDATE "integration" SET "synchronization_lease_until" = {lease}, "next_synchronization_at" ='
                ' CASE WHEN "id" IN (SELECT "integration_id" FROM "change_feed" WHERE "position" IS NOT NULL)'
                f" THEN {beneath_feed} ELSE {following} END WHERE {condition}",
                *statement.values,
            )
            return ids

        return await self._database.transact(work)

    async def _synchronize_due(self, target: RegistryTarget) -> None:
        is_done = False
        try:
            result = await self._synchronize(target, accept_loss=False)
            # What was doubted is looked at again soon, or a false doubt would stay until the next sweep.
            is_done = result.doubt is None
        except NotFound:
            is_done = True  # removed meanwhile
        except RegistryError as error:
            log.info("synchronisation failed", integration_id=target.integration_id, reason=error.reason.value)
        except Exception:
            self._observer.work_failed("synchronization")
            log.exception("synchronisation failed unforeseen", integration_id=target.integration_id)
        finally:
            await self._give_back([target.integration_id], is_done=is_done)

    async def _give_back(self, ids: Sequence[int], *, is_done: bool = False) -> None:
        async def work(transaction: Transaction) -> None:
            await lock_integrations(transaction, ids)
            statement = Statement(transaction.dialect)
            changes = '"synchronization_lease_until" = NULL'
            if not is_done:
                # A log of changes doesn't tell what this look was to find: not only beneath it, in hours.
                again = statement.moment(self._clock() + self.interval)
                changes += (
                    f', "next_synchronization_at" = CASE WHEN "next_synchronization_at" > {again}'
                    f' THEN {again} ELSE "next_synchronization_at" END'
                )
            condition = statement.is_one_of('"id"', ids)
            await transaction.execute(f'UPDATE "integration" SET {changes} WHERE {condition}', *statement.values)

        try:
            await self._database.transact(work)
        except Exception:
            # The lease runs out by itself.
            log.exception("synchronisation could not be ended", integration_ids=list(ids))
