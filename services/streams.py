"""What subscriptions tell, out of the event log."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models.database import Database
from models.enums import EventType, HealthReason, HealthStatus
from models.queries.events import EventConditions
from models.queries.integrations import health_at_position
from models.queries.sight import Sight
from models.queries.spaces import spaces_by_id
from models.records import EventRecord, HealthRecord
from services.clock import Clock
from services.event_log import EventLog


@dataclass(frozen=True, slots=True)
class HealthChange:
    """The health of an integration: as it is when a stream begins (`previous` is None), then each change."""

    integration_id: int
    previous: HealthRecord | None
    current: HealthRecord
    occurred_at: datetime
    cursor: str


async def health_changes(
    database: Database,
    events: EventLog,
    clock: Clock,
    sight: Sight,
    integration_ids: tuple[int, ...] | None,
    after: str | None,
) -> AsyncGenerator[HealthChange, None]:
    """Yield the present health of each integration that is seen, then each change; with a cursor, what was missed.

    Raises InvalidCursor, CursorExpired.
    """
    if after is not None:
        position = await events.position_of(after)
    else:
        present, position = await health_at_position(database, integration_ids, sight)
        now = clock()
        cursor = events.cursor(position)
        for record in present:
            yield HealthChange(record.integration_id, None, record, record.since or now, cursor)
        del present
    conditions = EventConditions((EventType.HEALTH_CHANGED,), integration_ids, sight)
    while True:
        for event in await events.behind(position):
            position = event.position
            if event.integration_id is None or not conditions.may_be_met_by(event):
                continue
            yield HealthChange(
                integration_id=event.integration_id,
                previous=health_of(event.integration_id, event.data["previous"]),
                current=health_of(event.integration_id, event.data["current"]),
                occurred_at=event.occurred_at,
                cursor=events.cursor(position),
            )


async def event_stream(
    database: Database, events: EventLog, conditions: EventConditions, after: str | None
) -> AsyncGenerator[EventRecord, None]:
    """Yield the events that meet the conditions, from a cursor on, else from now on.

    What depends on a space being seen is decided when it is told, not when it happened. Raises InvalidCursor,
    CursorExpired.
    """
    position = events.position if after is None else await events.position_of(after)
    while True:
        batch = await events.behind(position)
        seen_space_ids: frozenset[int] = frozenset()
        looked_at_position: int | None = None
        for place, event in enumerate(batch):
            position = event.position
            if not conditions.may_be_met_by(event):
                continue
            if conditions.depends_on_space(event):
                if looked_at_position != events.position:
                    # For all that are left at once; again when, while one was told, something has happened that may
                    # have changed what is seen.
                    looked_at_position = events.position
                    seen_space_ids = await _seen_space_ids(database, conditions, batch[place:])
                if event.space_id not in seen_space_ids:
                    continue
            yield event


async def _seen_space_ids(
    database: Database, conditions: EventConditions, events: Sequence[EventRecord]
) -> frozenset[int]:
    ids = {
        event.space_id
        for event in events
        if event.space_id is not None and conditions.may_be_met_by(event) and conditions.depends_on_space(event)
    }
    return frozenset(await spaces_by_id(database, sorted(ids), conditions.sight) if ids else ())


def health_of(integration_id: int, data: dict[str, Any]) -> HealthRecord:
    """Return a health as an event has kept it."""

    def moment(name: str) -> datetime | None:
        return None if data[name] is None else datetime.fromisoformat(data[name])

    return HealthRecord(
        integration_id=integration_id,
        status=HealthStatus(data["status"]),
        reason=None if data["reason"] is None else HealthReason(data["reason"]),
        message=data["message"],
        registry_message=data["registry_message"],
        since=moment("since"),
        checked_at=moment("checked_at"),
        latency_milliseconds=data["latency_milliseconds"],
        components=None,
    )
