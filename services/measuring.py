"""Measuring what registries hold: all of it now and then, and soon what something says has changed."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import structlog

from models.database import Database, Transaction
from registry_clients.discretion import discreet
from registry_clients.errors import RegistryError
from registry_clients.protocol import ReadsManifests, ReadsStorage
from services.background import end_tasks, start_in_turn
from services.clock import Clock
from services.manifest_measuring import measure_manifests
from services.observation import UNOBSERVED, Observer
from services.registry_connections import RegistryConnections, RegistryTarget
from services.storage_measuring import measure_storage
from services.usage_claims import LEASE, DueMeasurement, UsageClaims, mark_stale

log = structlog.get_logger("usage")

LANE_WIDTH = 16
TICK_SECONDS = 0.25

LONGEST = LEASE - timedelta(minutes=1)
"""What takes longer than this is given up: somebody else may begin it."""


class UsageMeasurer:
    """Measures the registries that are due, side by side."""

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
        self._observer = observer
        self._claims = UsageClaims(database, clock, interval)
        self._running: dict[asyncio.Task[None], DueMeasurement] = {}

    async def run(self) -> None:
        """Measure for as long as the server runs; cancelled, it ends what it began and gives back its claims."""
        try:
            await start_in_turn("usage", self._start_due, TICK_SECONDS, self._observer)
        finally:
            running = dict(self._running)
            await end_tasks(running)
            if running:
                await self._claims.give_back(list(running.values()))

    async def _start_due(self) -> None:
        free = LANE_WIDTH - len(self._running)
        claimed = await self._claims.take_due(free) if free else []
        if not claimed:
            return
        targets = await self._connections.targets([due.integration_id for due in claimed])
        for due in claimed:
            if due.integration_id in targets:
                task = asyncio.create_task(self._measure(due, targets[due.integration_id]), name="usage")
                self._running[task] = due
                task.add_done_callback(self._running.pop)

    async def _measure(self, due: DueMeasurement, target: RegistryTarget) -> None:
        try:
            async with asyncio.timeout(LONGEST.total_seconds()):
                client = await self._connections.client(target)
                with discreet(target.credential), discreet(target.reader):
                    if isinstance(client, ReadsStorage):
                        await measure_storage(self._database, self._claims, due, client, target)
                    elif isinstance(client, ReadsManifests):
                        await measure_manifests(self._database, self._claims, due, client)
        except (RegistryError, TimeoutError) as error:
            reason = error.reason.value if isinstance(error, RegistryError) else "TIMED_OUT"
            log.info("usage could not be measured", integration_id=due.integration_id, reason=reason)
            await self._fail(due)
        except Exception:
            self._observer.work_failed("usage")
            log.exception("usage could not be measured, unforeseen", integration_id=due.integration_id)
            await self._fail(due)

    async def _fail(self, due: DueMeasurement) -> None:
        async def work(transaction: Transaction) -> None:
            if await self._claims.hold(transaction, due):
                await mark_stale(transaction, [due.integration_id])
                await self._claims.end(transaction, due, is_done=False)

        try:
            await self._database.transact(work)
        except Exception:
            # The lease runs out by itself.
            log.exception("measuring could not be ended", integration_id=due.integration_id)
