"""What subscriptions tell, out of the event log."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeVar

from models.database import Database
from models.enums import EventType, HealthReason, HealthStatus
from models.queries.events import EventConditions
from models.queries.integrations import health_at_position
from models.queries.sight import Sight
from models.queries.spaces import spaces_by_id
from models.records import EventRecord, HealthRecord
from services.clock import Clock
from services.event_log import EventLog

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
Step = tuple[int, T | None]
"""A position in the log, and what is told there, if anything."""

OpeningStep = tuple[int | None, T | None]
"""The same, but for the position: None as long as there is more to tell before it."""


@dataclass(frozen=True, slots=True)
class HealthChange:
    """The health of an integration: as it is when a stream begins (`previous` is None), then each change."""

    integration_id: int
    previous: HealthRecord | None
    current: HealthRecord
    occurred_at: datetime
    cursor: str


class LogStream(Protocol[T_co]):
    """Something that is told out of the log."""

    @property
    def key(self) -> Hashable:
        """What is followed; streams with equal keys tell the same behind a position."""
        ...

    def opening(self, after: str | None) -> AsyncGenerator[OpeningStep[T_co], None]:
        """Yield what comes first, and last the position behind which the stream goes on.

        Raises InvalidCursor, CursorExpired.
        """
        ...

    def behind(self, position: int) -> AsyncGenerator[Step[T_co], None]:
        """Yield what is told behind a position, and the position alone before waiting. Raises CursorExpired."""
        ...


class HealthStream:
    """The health of the integrations that are seen: the present of each, then each change."""

    def __init__(
        self, database: Database, events: EventLog, clock: Clock, sight: Sight, integration_ids: tuple[int, ...] | None
    ) -> None:
        """Without ids, all that are seen."""
        self._database = database
        self._events = events
        self._clock = clock
        self._conditions = EventConditions((EventType.HEALTH_CHANGED,), integration_ids, sight)

    @property
    def key(self) -> EventConditions:
        """Of which integrations, for whom."""
        return self._conditions

    async def opening(self, after: str | None) -> AsyncGenerator[OpeningStep[HealthChange], None]:
        """Yield the present health of each, without a cursor; then the position behind which changes follow.

        Raises InvalidCursor, CursorExpired.
        """
        if after is not None:
            yield await self._events.position_of(after), None
            return
        present, position = await health_at_position(
            self._database, self._conditions.integration_ids, self._conditions.sight
        )
        now = self._clock()
        cursor = self._events.cursor(position)
        for record in present:
            yield None, HealthChange(record.integration_id, None, record, record.since or now, cursor)
        yield position, None

    async def behind(self, position: int) -> AsyncGenerator[Step[HealthChange], None]:
        """Yield each change behind a position with its own, and the position alone before waiting.

        Raises CursorExpired.
        """
        while True:
            if self._events.position <= position:
                yield position, None
            for event in await self._events.behind(position):
                position = event.position
                if event.integration_id is None or not self._conditions.may_be_met_by(event):
                    continue
                yield (
                    position,
                    HealthChange(
                        integration_id=event.integration_id,
                        previous=health_of(event.integration_id, event.data["previous"]),
                        current=health_of(event.integration_id, event.data["current"]),
                        occurred_at=event.occurred_at,
                        cursor=self._events.cursor(position),
                    ),
                )


class EventStream:
    """The events that meet conditions.

    What depends on a space being seen is decided when it is told, not when it happened.
    """

    def __init__(self, database: Database, events: EventLog, conditions: EventConditions) -> None:
        self._database = database
        self._events = events
        self._conditions = conditions

    @property
    def key(self) -> EventConditions:
        """Which events."""
        return self._conditions

    async def opening(self, after: str | None) -> AsyncGenerator[OpeningStep[EventRecord], None]:
        """Yield the position behind which events follow: a cursor's, else the present one.

        Raises InvalidCursor, CursorExpired.
        """
        yield self._events.position if after is None else await self._events.position_of(after), None

    async def behind(self, position: int) -> AsyncGenerator[Step[EventRecord], None]:
        """Yield each event behind a position with its own, and the position alone before waiting.

        Raises CursorExpired.
        """
        events, conditions = self._events, self._conditions
        while True:
            if events.position <= position:
                yield position, None
            batch = await events.behind(position)
            seen_space_ids: frozenset[int] = frozenset()
            looked_at_position: int | None = None
            for place, event in enumerate(batch):
                position = event.position
                if not conditions.may_be_met_by(event):
                    continue
                if conditions.depends_on_space(event):
                    if looked_at_position != events.position:
                        # For all that are left at once; again when, while one was told, something has happened that
                        # may have changed what is seen.
                        looked_at_position = events.position
                        seen_space_ids = await _seen_space_ids(self._database, conditions, batch[place:])
                    if event.space_id not in seen_space_ids:
                        continue
                yield position, event


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
