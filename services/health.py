"""Probing every registry, each in its own rhythm."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

import structlog

from models.database import Database
from models.enums import HealthReason
from registry_clients.discretion import discreet
from registry_clients.errors import RegistryError
from services.clock import Clock
from services.health_claims import DueProbe, ProbeClaims
from services.health_rules import ProbeOutcome
from services.health_writing import HealthWriter, Probed
from services.observation import UNOBSERVED, Observer
from services.probe_lanes import Lane
from services.registry_connections import RegistryConnections, RegistryTarget

log = structlog.get_logger("health")

TICK_SECONDS = 0.25

SECOND_PROBE_TIMEOUT_SECONDS = 25.0
"""How long a person who asked for a check waits for the probe that confirms a bad one."""

SECOND_PROBE_POLL_SECONDS = 0.1


ADMINISTRATOR_REFUSED = (
    "The registry refuses the administrator's credential, so nothing can be changed there. Rotate the credential."
)


async def _mends_nothing(_: RegistryTarget) -> bool:
    return False


@dataclass(slots=True)
class _Unwritten:
    probed: Probed
    written: asyncio.Future[None]


class HealthMonitor:
    """Claims due probes, runs them side by side, and has what they saw written, many in one transaction."""

    def __init__(
        self,
        database: Database,
        connections: RegistryConnections,
        clock: Clock,
        interval: timedelta,
        observer: Observer = UNOBSERVED,
        mend_reader: Callable[[RegistryTarget], Awaitable[bool]] = _mends_nothing,
    ) -> None:
        self._mend_reader = mend_reader
        self._database = database
        self._connections = connections
        self._clock = clock
        self.interval = interval
        self._observer = observer
        self._claims = ProbeClaims(database, clock, interval)
        self._writer = HealthWriter(database, clock, interval, observer)
        # What was well the last time it was looked at, and what was not: however many dead registries wait for
        # their deadlines, they never hold up a living one.
        self._lanes = (Lane('"bad_checks_in_row" = 0'), Lane('"bad_checks_in_row" > 0'))
        self._unwritten: list[_Unwritten] = []
        self._something_to_write = asyncio.Event()

    def first_probe_at(self, now: datetime) -> datetime:
        """Return when to look at something new: within an interval, at random, so that they spread."""
        return now + self.interval * random.random()  # noqa: S311

    async def run(self) -> None:
        """Probe for as long as the server runs; cancelled, it ends its probes and gives back its claims."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._claim_in_turn())
                group.create_task(self._write_in_turn())
        finally:
            running = [task for lane in self._lanes for task in lane.tasks]
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            unfinished = [due for lane in self._lanes for due in lane.drain()]
            if unfinished:
                # Else nobody would look at them before their leases run out.
                await self._claims.give_back(unfinished)

    async def check_now(self, integration_id: int) -> None:
        """Probe one integration at once and return when the outcome is written.

        A first bad probe is followed by a second, as always, before this returns: the answer is final.
        """
        due = await self._claims.take(integration_id)
        if due is None:
            return
        try:
            targets = await self._connections.targets([integration_id])
            if integration_id in targets:
                target = targets[integration_id]
                await self._write([Probed(due, await self._probe(target))])
        finally:
            # Nothing to give back once it is written; a caller that went away leaves no claim behind.
            await asyncio.shield(self._claims.give_back([due]))
        await self._wait_for_second_probe(integration_id)

    async def _wait_for_second_probe(self, integration_id: int) -> None:
        place = self._database.dialect.placeholder
        sql = f'SELECT 1 FROM "integration_health" WHERE "integration_id" = {place(1)} AND "bad_checks_in_row" = 1'
        # Asked of the database, since the second probe may be another replica's.
        for _ in range(round(SECOND_PROBE_TIMEOUT_SECONDS / SECOND_PROBE_POLL_SECONDS)):
            if not await self._database.fetch(sql, integration_id):
                return
            await asyncio.sleep(SECOND_PROBE_POLL_SECONDS)

    async def _claim_in_turn(self) -> None:
        last: datetime | None = None
        while True:
            try:
                now = self._clock()
                if last is None or now < last:
                    await self._mend()
                for lane in self._lanes:
                    if lane.free:
                        await self._start_due(lane)
                last = now
            except Exception:
                # A database that is away for a moment must not end the watching for good.
                self._observer.work_failed("health")
                log.exception("probes could not be claimed")
            await asyncio.sleep(TICK_SECONDS)

    async def _mend(self) -> None:
        count = await self._claims.mend()
        if count:
            log.info("probes planned too far ahead are made now", count=count)

    async def _start_due(self, lane: Lane) -> None:
        taken = await self._claims.take_due(lane.condition, lane.free)
        if not taken:
            return
        lane.hold(taken)
        targets = await self._connections.targets([due.integration_id for due in taken])
        for due in taken:
            target = targets.get(due.integration_id)
            if target is None:
                lane.drop(due)
            else:
                lane.start(due, self._probe_and_record(due, target))

    async def _probe_and_record(self, due: DueProbe, target: RegistryTarget) -> None:
        try:
            outcome = await self._probe(target)
        except Exception:
            # A fault of ours: it is named, and the lease runs out, so the integration is looked at again.
            self._observer.work_failed("health")
            log.exception("probe failed unforeseen", integration_id=due.integration_id)
            return
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._unwritten.append(_Unwritten(Probed(due, outcome), written))
        self._something_to_write.set()
        # The lane stays occupied until then, so that a slow database slows the claims, not the memory.
        await written

    async def _probe(self, target: RegistryTarget) -> ProbeOutcome:
        started = time.perf_counter()
        outcome = await self._outcome_of(target, started)
        if (
            outcome.reason is HealthReason.UNAUTHORIZED
            and target.reader is not None
            # Ours to mend, before anybody hears of it: somebody may have deleted or renamed it.
            and await self._mend_reader(target)
        ):
            targets = await self._connections.targets([target.integration_id])
            outcome = await self._outcome_of(targets.get(target.integration_id, target), started)
        if outcome.is_good and target.is_administrator_refused:
            outcome = replace(
                outcome, reason=HealthReason.UNAUTHORIZED, message=ADMINISTRATOR_REFUSED, is_reader_accepted=True
            )
        self._observer.probed(outcome.reason, time.perf_counter() - started)
        return outcome

    async def _outcome_of(self, target: RegistryTarget, started: float) -> ProbeOutcome:
        try:
            client = await self._connections.client(target)
            with discreet(target.reader or target.credential):
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
            try:
                await self._write([unwritten.probed for unwritten in batch])
            finally:
                for unwritten in batch:
                    if not unwritten.written.done():
                        unwritten.written.set_result(None)

    async def _write(self, batch: Sequence[Probed]) -> None:
        for integration_id in await self._writer.write(batch):
            # A probe that was under way at the removal may have opened a client anew.
            self._connections.forget(integration_id)
