"""Probing every registry, each in its own rhythm, and writing down what was seen."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog

from models.database import Database, NewEvent, Transaction
from models.enums import EventType, HealthReason, HealthStatus
from models.integration import HealthCheck, IntegrationHealth
from models.reading import Statement
from registry_clients.errors import RegistryError
from services.clock import Clock
from services.health_rules import HealthState, ProbeOutcome, is_change, next_probe_at, next_state
from services.registry_connections import RegistryConnections, RegistryTarget

log = structlog.get_logger("health")

LEASE = timedelta(seconds=60)
"""After this a probe whose process died is somebody else's; longer than any probe takes."""

TICK_SECONDS = 0.25
LANE_WIDTH = 128
"""How many probes run side by side in each lane."""


@dataclass(frozen=True, slots=True)
class DueProbe:
    """An integration whose time has come."""

    integration_id: int
    was_due_at: datetime


@dataclass(slots=True)
class _Recorded:
    due: DueProbe
    target_updated_at: datetime
    outcome: ProbeOutcome
    written: asyncio.Future[None]


class Lane:
    """A limit on probes side by side.

    There are two: what was well the last time it was looked at, and what was not. However many dead registries
    wait for their deadlines, they never hold up a living one.
    """

    def __init__(self, condition: str) -> None:
        self.condition = condition
        self.running: set[asyncio.Task[None]] = set()

    @property
    def free(self) -> int:
        """How many more probes may start now."""
        return LANE_WIDTH - len(self.running)


class HealthMonitor:
    """Claims due probes, runs them side by side, and writes what they saw, many in one transaction."""

    def __init__(
        self,
        database: Database,
        connections: RegistryConnections,
        clock: Clock,
        interval: timedelta,
    ) -> None:
        self._database = database
        self._connections = connections
        self._clock = clock
        self.interval = interval
        self._lanes = (Lane('"bad_checks_in_row" = 0'), Lane('"bad_checks_in_row" > 0'))
        self._unwritten: list[_Recorded] = []
        self._something_to_write = asyncio.Event()

    def first_probe_at(self, now: datetime) -> datetime:
        """Return when to look at something new: within an interval, at random, so that they spread."""
        return now + self.interval * random.random()  # noqa: S311

    async def run(self) -> None:
        """Probe for as long as the server runs; cancelled, it ends its probes first."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._claim_in_turn())
                group.create_task(self._write_in_turn())
        finally:
            running = [task for lane in self._lanes for task in lane.running]
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def check_now(self, integration_id: int) -> None:
        """Probe one integration at once and return when the outcome is written.

        A first bad probe is followed by a second before this returns, so that the answer is final.
        """
        for _ in range(2):
            targets = await self._connections.targets([integration_id])
            if integration_id not in targets:
                return
            target = targets[integration_id]
            row = (DueProbe(integration_id, self._clock()), target.updated_at, await self._probe(target))
            states = await self._database.transact(partial(self._write, rows=[row]))
            if all(state.bad_checks_in_row != 1 for state in states):
                return

    async def _claim_in_turn(self) -> None:
        while True:
            try:
                for lane in self._lanes:
                    if lane.free:
                        await self._start_due(lane)
            except Exception:
                # A database that is away for a moment must not end the watching for good.
                log.exception("probes could not be claimed")
            await asyncio.sleep(TICK_SECONDS)

    async def _start_due(self, lane: Lane) -> None:
        due = await self._claim(lane)
        if not due:
            return
        targets = await self._connections.targets([probe.integration_id for probe in due])
        for probe in due:
            target = targets.get(probe.integration_id)
            if target is not None:
                task = asyncio.create_task(self._probe_and_record(probe, target), name="probe")
                lane.running.add(task)
                task.add_done_callback(lane.running.discard)

    async def _claim(self, lane: Lane) -> list[DueProbe]:
        now = self._clock()
        place = self._database.dialect.placeholder
        due = (
            'SELECT "integration_id", "next_probe_at" FROM "integration_health"'
            f' WHERE "next_probe_at" <= {place(1)} AND ("lease_until" IS NULL OR "lease_until" <= {place(1)})'
            f' AND {lane.condition} ORDER BY "next_probe_at" LIMIT {lane.free}'
        )
        # Most ticks find nothing: a plain read tells, without a transaction.
        if not await self._database.fetch(due, now):
            return []

        async def work(transaction: Transaction) -> list[DueProbe]:
            rows = await transaction.fetch(due + transaction.dialect.skip_locked, now)
            statement = Statement(transaction.dialect)
            lease = statement.bind(now + LEASE)
            condition = statement.is_one_of('"integration_id"', [row["integration_id"] for row in rows])
            await transaction.execute(
                f'UPDATE "integration_health" SET "lease_until" = {lease} WHERE {condition}',
                *statement.values,
            )
            read_time = transaction.dialect.datetime
            return [DueProbe(row["integration_id"], read_time(row["next_probe_at"])) for row in rows]

        return await self._database.transact(work)

    async def _probe_and_record(self, due: DueProbe, target: RegistryTarget) -> None:
        try:
            outcome = await self._probe(target)
        except Exception:
            # A fault of ours: it is named, and the lease runs out, so the integration is looked at again.
            log.exception("probe failed unforeseen", integration_id=due.integration_id)
            return
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._unwritten.append(_Recorded(due, target.updated_at, outcome, written))
        self._something_to_write.set()
        # The lane stays occupied until then, so that a slow database slows the claims, not the memory.
        await written

    async def _probe(self, target: RegistryTarget) -> ProbeOutcome:
        started = time.perf_counter()
        try:
            client = await self._connections.client(target)
            answer = await client.probe()
        except RegistryError as error:
            return ProbeOutcome(
                checked_at=self._clock(),
                reason=HealthReason(error.reason.value),
                message=error.message,
                registry_message=error.registry_message,
                latency_milliseconds=(time.perf_counter() - started) * 1000,
            )
        bad = [component for component in answer.components if not component.is_healthy]
        return ProbeOutcome(
            checked_at=self._clock(),
            reason=HealthReason.COMPONENT_UNHEALTHY if bad else None,
            message=f"Not healthy: {', '.join(component.name for component in bad)}." if bad else None,
            latency_milliseconds=answer.latency_milliseconds,
            version=answer.version,
            is_read_only=answer.is_read_only,
            components=[asdict(component) for component in answer.components] or None,
        )

    async def _write_in_turn(self) -> None:
        while True:
            await self._something_to_write.wait()
            self._something_to_write.clear()
            # Whatever comes in while this batch is written makes the next one: the busier, the larger.
            batch, self._unwritten = self._unwritten, []
            rows = [(record.due, record.target_updated_at, record.outcome) for record in batch]
            try:
                await self._database.transact(partial(self._write, rows=rows))
            except Exception:
                # Their leases run out, and they are probed again.
                log.exception("probes could not be written", count=len(rows))
            for record in batch:
                if not record.written.done():
                    record.written.set_result(None)

    async def _write(
        self, transaction: Transaction, rows: Sequence[tuple[DueProbe, datetime, ProbeOutcome]]
    ) -> list[HealthState]:
        statement = Statement(transaction.dialect)
        condition = statement.is_one_of('h."integration_id"', [due.integration_id for due, _, _ in rows])
        lock = transaction.dialect.lock_rows and transaction.dialect.lock_rows + " OF h"
        present = {
            row["integration_id"]: row
            for row in await transaction.fetch(
                'SELECT h.*, i."updated_at", i."name" FROM "integration_health" h'
                f' JOIN "integration" i ON i."id" = h."integration_id" WHERE {condition}{lock}',
                *statement.values,
            )
        }
        checks = []
        states = []
        for due, target_updated_at, outcome in rows:
            row = present.get(due.integration_id)
            if row is None:
                continue  # removed meanwhile
            if transaction.dialect.datetime(row["updated_at"]) != target_updated_at:
                # It was changed meanwhile: what was seen is of the former state. Look at the new one now.
                await IntegrationHealth.filter(integration_id=due.integration_id).update(
                    next_probe_at=self._clock(), lease_until=None
                )
                continue
            states.append(await self._write_one(transaction, row, due, outcome))
            checks.append(
                HealthCheck(
                    integration_id=due.integration_id,
                    checked_at=outcome.checked_at,
                    is_good=outcome.is_good,
                    reason=outcome.reason,
                    message=outcome.message,
                    registry_message=outcome.registry_message,
                    latency_milliseconds=outcome.latency_milliseconds,
                )
            )
        await HealthCheck.bulk_create(checks)
        return states

    async def _write_one(self, transaction: Transaction, row: Any, due: DueProbe, outcome: ProbeOutcome) -> HealthState:
        read_time = transaction.dialect.datetime
        before = HealthState(
            status=HealthStatus(row["status"]),
            reason=None if row["reason"] is None else HealthReason(row["reason"]),
            message=row["message"],
            registry_message=row["registry_message"],
            since=None if row["since"] is None else read_time(row["since"]),
            bad_checks_in_row=row["bad_checks_in_row"],
        )
        after = next_state(before, outcome)
        changes: dict[str, Any] = {
            "status": after.status,
            "reason": after.reason,
            "message": after.message,
            "registry_message": after.registry_message,
            "since": after.since,
            "bad_checks_in_row": after.bad_checks_in_row,
            "checked_at": outcome.checked_at,
            "latency_milliseconds": outcome.latency_milliseconds,
            "next_probe_at": next_probe_at(after, outcome, due.was_due_at, self.interval),
            "lease_until": None,
        }
        if outcome.is_good or outcome.components is not None:
            changes |= {
                "version": outcome.version,
                "is_read_only": outcome.is_read_only,
                "components": outcome.components,
            }
        await IntegrationHealth.filter(integration_id=due.integration_id).update(**changes)
        if not is_change(before, after):
            return after
        transaction.events.append(
            NewEvent(
                EventType.HEALTH_CHANGED,
                outcome.checked_at,
                due.integration_id,
                {
                    "integration_name": row["name"],
                    "previous": health_data(before, None, None),
                    "current": health_data(after, outcome.checked_at, outcome.latency_milliseconds),
                },
            )
        )
        log.info(
            "health changed",
            integration_id=due.integration_id,
            status=after.status.value,
            reason=after.reason and after.reason.value,
        )
        if after.status is HealthStatus.HEALTHY:
            # It came back, or was never seen before: what it holds may be other than what we know.
            place = transaction.dialect.placeholder
            await transaction.execute(
                f'UPDATE "integration" SET "next_synchronization_at" = {place(1)} WHERE "id" = {place(2)}'
                f' AND "next_synchronization_at" > {place(1)}',
                outcome.checked_at,
                due.integration_id,
            )
        return after


def health_data(state: HealthState, checked_at: datetime | None, latency_milliseconds: float | None) -> dict[str, Any]:
    """Return a health as events keep it."""
    return {
        "status": state.status.value,
        "reason": state.reason and state.reason.value,
        "message": state.message,
        "registry_message": state.registry_message,
        "since": state.since and state.since.isoformat(),
        "checked_at": checked_at and checked_at.isoformat(),
        "latency_milliseconds": latency_milliseconds,
    }
