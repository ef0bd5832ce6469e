"""Keeping the mirror of spaces in step with what registries hold."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import structlog

from models.database import Database, NewEvent, Transaction
from models.enums import EventType, SpaceState, StaleReason, Visibility
from models.integration import Integration
from models.reading import Statement
from registry_clients.discretion import discreet
from registry_clients.errors import RegistryError
from registry_clients.protocol import ListsSpaces
from registry_clients.records import FoundSpace
from services.clock import Clock
from services.observation import UNOBSERVED, Observer
from services.registry_connections import RegistryConnections, RegistryTarget
from services.user_errors import MirrorDoubted, NotFound, RegistryRefused

log = structlog.get_logger("synchronization")

DOUBT_FROM_SPACES = 5
"""From this many spaces on, losing more than half of them at once is doubted; losing all of any number is."""

LEASE = timedelta(minutes=15)
"""After this the look of a process that died is somebody else's; longer than the longest catalogue takes."""

AT_MOST_AHEAD = timedelta(minutes=1)
"""How much further than an interval ahead a look may be planned before we say that the clock went back."""

LANE_WIDTH = 8
TICK_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class SynchronizationResult:
    """What a look changed in the mirror."""

    added_space_count: int
    vanished_space_count: int
    doubt: MirrorDoubted | None = None


@dataclass(frozen=True, slots=True)
class _KnownSpace:
    """A space as the mirror has it."""

    id: int
    external_id: str
    name: str
    visibility: Visibility
    state: SpaceState


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
            while True:
                try:
                    await self._start_due()
                except Exception:
                    self._observer.work_failed("synchronization")
                    log.exception("synchronisations could not be claimed")
                await asyncio.sleep(TICK_SECONDS)
        finally:
            running = list(self._running)
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

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
        if not isinstance(client, ListsSpaces):
            return SynchronizationResult(0, 0)
        with discreet(target.credential):
            found = await client.list_spaces()
        return await self._database.transact(
            partial(self._write_look, target=target, looked_at=looked_at, found=found, accept_loss=accept_loss)
        )

    async def _write_look(
        self,
        transaction: Transaction,
        *,
        target: RegistryTarget,
        looked_at: datetime,
        found: Sequence[FoundSpace],
        accept_loss: bool,
    ) -> SynchronizationResult:
        place = transaction.dialect.placeholder(1)
        # Not its health: probes go on being written while this is.
        await transaction.fetch(
            f'SELECT 1 FROM "integration" WHERE "id" = {place}{transaction.dialect.lock_rows}', target.integration_id
        )
        integration = await Integration.get_or_none(id=target.integration_id)
        if integration is None:
            raise NotFound("integration", ("input", "id"))
        if integration.updated_at != target.updated_at or (
            integration.looked_at is not None and integration.looked_at > looked_at
        ):
            # Changed meanwhile, or somebody who began later has written already: what we saw is older.
            return SynchronizationResult(0, 0)
        spaces = await _known_spaces(transaction, integration.id)
        standing = [space for space in spaces.values() if space.state is SpaceState.PRESENT]
        found_ids = {space.external_id for space in found}
        gone = [space for space in standing if space.external_id not in found_ids]
        if _is_doubtful(len(gone), len(standing)) and not accept_loss:
            await self._doubt(transaction, integration, looked_at, len(gone), len(standing))
            return SynchronizationResult(0, 0, MirrorDoubted(len(gone), len(standing), ("input", "id")))
        added_count = await apply_found_spaces(transaction, integration, spaces, found, looked_at)
        await _set_state(transaction, gone, SpaceState.VANISHED, integration.looked_at)
        for space in gone:
            transaction.events.append(
                _space_event(EventType.SPACE_VANISHED, looked_at, integration, space, space.visibility)
            )
        if integration.stale_since is not None:
            transaction.events.append(integration_event(EventType.INTEGRATION_TRUSTED, looked_at, integration))
            log.info("mirror trusted again", integration_id=integration.id)
        await Integration.filter(id=integration.id).update(
            looked_at=looked_at, stale_since=None, stale_reason=None, stale_message=None
        )
        if added_count or gone:
            log.info("spaces changed", integration_id=integration.id, added=added_count, vanished=len(gone))
        return SynchronizationResult(added_count, len(gone))

    async def _doubt(
        self,
        transaction: Transaction,
        integration: Integration,
        looked_at: datetime,
        gone_count: int,
        standing_count: int,
    ) -> None:
        if integration.stale_since is not None:
            return
        message = (
            f"{gone_count} of {standing_count} spaces were not there at the last look. "
            "The list is from before, until they are seen again or the loss is accepted."
        )
        await Integration.filter(id=integration.id).update(
            stale_since=looked_at, stale_reason=StaleReason.MOST_SPACES_GONE, stale_message=message
        )
        event = integration_event(EventType.INTEGRATION_DOUBTED, looked_at, integration)
        event.data["message"] = message
        transaction.events.append(event)
        log.warning("mirror doubted", integration_id=integration.id, gone=gone_count, standing=standing_count)

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
        moments = (now, now + self.interval + AT_MOST_AHEAD)
        if not await self._database.fetch(due, *moments):
            return []

        async def work(transaction: Transaction) -> list[int]:
            rows = await transaction.fetch(due + transaction.dialect.skip_locked, *moments)
            ids = [row["id"] for row in rows]
            if not ids:
                return []
            statement = Statement(transaction.dialect)
            lease, following = statement.bind(now + LEASE), statement.bind(now + self.interval)
            condition = statement.is_one_of('"id"', ids)
            await transaction.execute(
                f'UPDATE "integration" SET "synchronization_lease_until" = {lease},'
                f' "next_synchronization_at" = {following} WHERE {condition}',
                *statement.values,
            )
            return ids

        return await self._database.transact(work)

    async def _synchronize_due(self, target: RegistryTarget) -> None:
        try:
            await self._synchronize(target, accept_loss=False)
        except NotFound:
            pass  # removed meanwhile
        except RegistryError as error:
            log.info("synchronisation failed", integration_id=target.integration_id, reason=error.reason.value)
        except Exception:
            self._observer.work_failed("synchronization")
            log.exception("synchronisation failed unforeseen", integration_id=target.integration_id)
        finally:
            await self._give_back([target.integration_id])

    async def _give_back(self, ids: Sequence[int]) -> None:
        async def work(transaction: Transaction) -> None:
            statement = Statement(transaction.dialect)
            condition = statement.is_one_of('"id"', ids)
            await transaction.execute(
                f'UPDATE "integration" SET "synchronization_lease_until" = NULL WHERE {condition}', *statement.values
            )

        try:
            await self._database.transact(work)
        except Exception:
            # The lease runs out by itself.
            log.exception("synchronisation could not be ended", integration_ids=list(ids))


async def locked_integration(transaction: Transaction, integration_id: int) -> Integration | None:
    """Return an integration that nobody else changes until the transaction ends; None when there is none."""
    if transaction.dialect.lock_rows:
        # Its health first: what a probe saw is written in that order (a new check refers to the integration),
        # and the other way round each would wait for the other.
        place = transaction.dialect.placeholder(1)
        for table, key in (("integration_health", "integration_id"), ("integration", "id")):
            await transaction.fetch(
                f'SELECT 1 FROM "{table}" WHERE "{key}" = {place}{transaction.dialect.lock_rows}', integration_id
            )
    return await Integration.get_or_none(id=integration_id)


async def apply_found_spaces(
    transaction: Transaction,
    integration: Integration,
    known: Mapping[str, _KnownSpace],
    found: Sequence[FoundSpace],
    looked_at: datetime,
) -> int:
    """Write what was found and not known, or known as vanished or declared, with events; return how many.

    One found on a registry that has no visibility of its own begins private.
    """
    new = []
    returned = []
    for seen in found:
        space = known.get(seen.external_id)
        if space is None:
            visibility = Visibility.PUBLIC if seen.is_public else Visibility.PRIVATE
            new.append((integration.id, seen.external_id, seen.name, visibility, SpaceState.PRESENT, looked_at))
        elif space.state is not SpaceState.PRESENT:
            visibility = space.visibility
            returned.append(space)
        else:
            continue
        transaction.events.append(_space_event(EventType.SPACE_ADDED, looked_at, integration, seen, visibility))
    await _set_state(transaction, returned, SpaceState.PRESENT, None)
    values = ", ".join(transaction.dialect.placeholder(number) for number in range(1, 7))
    await transaction.execute_many(
        'INSERT INTO "space" ("integration_id", "external_id", "name", "visibility", "state", "created_at")'
        f" VALUES ({values})",
        new,
    )
    return len(new) + len(returned)


async def _known_spaces(transaction: Transaction, integration_id: int) -> dict[str, _KnownSpace]:
    place = transaction.dialect.placeholder(1)
    rows = await transaction.fetch(
        f'SELECT "id", "external_id", "name", "visibility", "state" FROM "space" WHERE "integration_id" = {place}',
        integration_id,
    )
    return {
        row["external_id"]: _KnownSpace(
            id=row["id"],
            external_id=row["external_id"],
            name=row["name"],
            visibility=Visibility(row["visibility"]),
            state=SpaceState(row["state"]),
        )
        for row in rows
    }


async def _set_state(
    transaction: Transaction, spaces: Sequence[_KnownSpace], state: SpaceState, last_seen_at: datetime | None
) -> None:
    if not spaces:
        return
    statement = Statement(transaction.dialect)
    changes = f'"state" = {statement.bind(state)}'
    if last_seen_at is not None:
        changes += f', "last_seen_at" = {statement.bind(last_seen_at)}'
    condition = statement.is_one_of('"id"', [space.id for space in spaces])
    await transaction.execute(f'UPDATE "space" SET {changes} WHERE {condition}', *statement.values)


def integration_event(type_: EventType, occurred_at: datetime, integration: Integration, **data: object) -> NewEvent:
    """Return an event of an integration, with its name as it was."""
    return NewEvent(type_, occurred_at, integration.id, {"integration_name": integration.name, **data})


def _space_event(
    type_: EventType,
    occurred_at: datetime,
    integration: Integration,
    space: FoundSpace | _KnownSpace,
    visibility: Visibility,
) -> NewEvent:
    return integration_event(
        type_,
        occurred_at,
        integration,
        space_name=space.name,
        space_external_id=space.external_id,
        visibility=visibility.value,
    )


def _is_doubtful(gone_count: int, standing_count: int) -> bool:
    if gone_count == 0:
        return False
    if gone_count == standing_count:
        return True
    return standing_count >= DOUBT_FROM_SPACES and gone_count * 2 > standing_count
