"""Writing down what probes saw: many in one transaction, with the event of each change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
import structlog

from models.database import Database, NewEvent, Transaction
from models.enums import EventType, HealthReason, HealthStatus
from models.reading import Statement
from services.clock import Clock
from services.health_claims import DueProbe
from services.health_rules import HealthState, ProbeOutcome, is_change, next_probe_at, next_state
from services.integration_locks import lock_integrations
from services.observation import UNOBSERVED, Observer

log = structlog.get_logger("health")

_STATE_COLUMNS = (
    "status",
    "reason",
    "message",
    "registry_message",
    "since",
    "bad_checks_in_row",
    "checked_at",
    "latency_milliseconds",
    "version",
    "is_read_only",
    "components",
    "next_probe_at",
)
_CHECK_COLUMNS = (
    "integration_id",
    "checked_at",
    "is_good",
    "reason",
    "message",
    "registry_message",
    "latency_milliseconds",
)


@dataclass(frozen=True, slots=True)
class Probed:
    """What a probe saw, by which claim: whoever changes address or credential ends the claim."""

    due: DueProbe
    outcome: ProbeOutcome


@dataclass(slots=True)
class _Batch:
    """What a transaction is about to write."""

    states: list[tuple[object, ...]]
    checks: list[tuple[object, ...]]
    came_back_ids: list[int]
    removed_ids: list[int]


class HealthWriter:
    """Brings outcomes into the database. What is no longer ours to say is left out."""

    def __init__(self, database: Database, clock: Clock, interval: timedelta, observer: Observer = UNOBSERVED) -> None:
        self._database = database
        self._clock = clock
        self._interval = interval
        self._observer = observer
        place = database.dialect.placeholder
        settings = ", ".join(f'"{column}" = {place(number)}' for number, column in enumerate(_STATE_COLUMNS, 1))
        self._update = (
            f'UPDATE "integration_health" SET {settings}, "lease_until" = NULL'
            f' WHERE "integration_id" = {place(len(_STATE_COLUMNS) + 1)}'
        )
        columns = ", ".join(f'"{column}"' for column in _CHECK_COLUMNS)
        values = ", ".join(place(number) for number in range(1, len(_CHECK_COLUMNS) + 1))
        self._insert = f'INSERT INTO "health_check" ({columns}) VALUES ({values})'

    async def write(self, batch: Sequence[Probed]) -> list[int]:
        """Write what was seen; return the integrations among them that were removed meanwhile.

        One that can't be written doesn't keep the others from it: then each is tried alone, and what still
        fails is logged and probed again when its lease has run out.
        """
        try:
            return await self._write_together(batch)
        except Exception as error:
            if len(batch) == 1:
                self._observer.work_failed("health")
                log.exception("probe could not be written", integration_id=batch[0].due.integration_id)
                return []
            log.warning("probes could not be written together", count=len(batch), error=type(error).__name__)
        removed_ids: list[int] = []
        for probed in batch:
            removed_ids += await self.write([probed])
        return removed_ids

    async def _write_together(self, batch: Sequence[Probed]) -> list[int]:
        async def work(transaction: Transaction) -> _Batch:
            return await self._write(transaction, batch)

        written = await self._database.transact(work)
        if written.came_back_ids:
            # On its own, so that nobody who writes down a long look keeps the health of others from being written.
            await self._look_soon(written.came_back_ids)
        return written.removed_ids

    async def _write(self, transaction: Transaction, batch: Sequence[Probed]) -> _Batch:
        present = await self._present(transaction, [probed.due.integration_id for probed in batch])
        to_write = _Batch([], [], [], [])
        read_time = transaction.dialect.datetime
        for probed in batch:
            row = present.get(probed.due.integration_id)
            if row is None:
                to_write.removed_ids.append(probed.due.integration_id)
            elif row["lease_until"] is None or read_time(row["lease_until"]) != probed.due.lease_until:
                # The claim was ended, or is somebody else's by now, who sees something newer.
                continue
            else:
                self._add(transaction, row, probed, to_write)
        await transaction.execute_many(self._update, to_write.states)
        await transaction.execute_many(self._insert, to_write.checks)
        return to_write

    async def _present(self, transaction: Transaction, ids: Sequence[int]) -> dict[int, Any]:
        # Health first, then the integration that a new check refers to: as whoever removes or changes one locks
        # them, or each would wait for the other.
        dialect = transaction.dialect
        statement = Statement(dialect)
        condition = statement.is_one_of('"integration_id"', ids)
        health = await transaction.fetch(
            f'SELECT * FROM "integration_health" WHERE {condition} ORDER BY "integration_id"{dialect.lock_rows}',
            *statement.values,
        )
        statement = Statement(dialect)
        condition = statement.is_one_of('"id"', ids)
        integrations = {
            row["id"]: row
            for row in await transaction.fetch(
                f'SELECT "id", "name", "workspace_id" FROM "integration" WHERE {condition}', *statement.values
            )
        }
        return {
            row["integration_id"]: {**dict(row), **dict(integrations[row["integration_id"]])}
            for row in health
            if row["integration_id"] in integrations
        }

    def _add(self, transaction: Transaction, row: Any, probed: Probed, batch: _Batch) -> None:
        due, outcome = probed.due, probed.outcome
        before = _state_of(transaction, row)
        after = next_state(before, outcome)
        version, is_read_only, components = row["version"], bool(row["is_read_only"]), row["components"]
        if outcome.is_good or outcome.components is not None:
            version, is_read_only = outcome.version, outcome.is_read_only
            components = None if outcome.components is None else orjson.dumps(outcome.components).decode()
        batch.states.append(
            (
                after.status,
                after.reason,
                after.message,
                after.registry_message,
                after.since,
                after.bad_checks_in_row,
                outcome.checked_at,
                outcome.latency_milliseconds,
                version,
                is_read_only,
                components,
                next_probe_at(after, outcome, due.was_due_at, self._interval),
                due.integration_id,
            )
        )
        batch.checks.append(
            (
                due.integration_id,
                outcome.checked_at,
                outcome.is_good,
                outcome.reason,
                outcome.message,
                outcome.registry_message,
                outcome.latency_milliseconds,
            )
        )
        if is_change(before, after):
            self._add_change(transaction, row, before, after, probed, batch)

    def _add_change(
        self,
        transaction: Transaction,
        row: Any,
        before: HealthState,
        after: HealthState,
        probed: Probed,
        batch: _Batch,
    ) -> None:
        integration_id, outcome = probed.due.integration_id, probed.outcome
        checked_before = None if row["checked_at"] is None else transaction.dialect.datetime(row["checked_at"])
        transaction.events.append(
            NewEvent(
                EventType.HEALTH_CHANGED,
                outcome.checked_at,
                integration_id,
                {
                    "integration_name": row["name"],
                    "previous": health_data(before, checked_before, row["latency_milliseconds"]),
                    "current": health_data(after, outcome.checked_at, outcome.latency_milliseconds),
                },
                workspace_id=row["workspace_id"],
            )
        )
        log.info(
            "health changed",
            integration_id=integration_id,
            status=after.status.value,
            reason=after.reason and after.reason.value,
        )
        if after.status is HealthStatus.HEALTHY:
            # It came back, or was never seen before: what it holds may be other than what we know.
            batch.came_back_ids.append(integration_id)

    async def _look_soon(self, ids: Sequence[int]) -> None:
        now = self._clock()

        async def work(transaction: Transaction) -> None:
            statement = Statement(transaction.dialect)
            moment = statement.bind(now)
            condition = statement.is_one_of('"id"', ids)
            await lock_integrations(transaction, ids)
            await transaction.execute(
                f'UPDATE "integration" SET "next_synchronization_at" = {moment}'
                f' WHERE {condition} AND "next_synchronization_at" > {moment}',
                *statement.values,
            )
            statement = Statement(transaction.dialect)
            moment, condition = statement.bind(now), statement.is_one_of('"integration_id"', ids)
            await transaction.execute(
                f'UPDATE "usage_measurement" SET "next_at" = {moment} WHERE {condition} AND "next_at" > {moment}',
                *statement.values,
            )

        await self._database.transact(work)


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


def _state_of(transaction: Transaction, row: Any) -> HealthState:
    return HealthState(
        status=HealthStatus(row["status"]),
        reason=None if row["reason"] is None else HealthReason(row["reason"]),
        message=row["message"],
        registry_message=row["registry_message"],
        since=None if row["since"] is None else transaction.dialect.datetime(row["since"]),
        bad_checks_in_row=row["bad_checks_in_row"],
    )
