"""Reading what has happened: events, audit, and where the log stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from models.enums import ADMINISTRATORS_EVENT_TYPES, SPACE_EVENT_TYPES, AuditOutcome, EventType
from models.queries.sight import EVERYTHING, Sight
from models.reading import Order, Readable, RecordReader, Statement
from models.records import AuditEventRecord, EventRecord

EVENTS = RecordReader(
    EventRecord,
    '"event" e',
    {
        name: f'e."{name}"'
        for name in ["position", "type", "occurred_at", "integration_id", "workspace_id", "space_id", "data"]
    },
)

AUDIT_EVENTS = RecordReader(
    AuditEventRecord,
    '"audit_event" a',
    {
        name: f'a."{name}"'
        for name in [
            "id",
            "occurred_at",
            "finished_at",
            "viewer_name",
            "viewer_role",
            "access_token_id",
            "mutation",
            "input",
            "is_dry_run",
            "outcome",
            "error_codes",
            "request_id",
        ]
    },
)

NEWEST_EVENT_FIRST = Order('e."position"', "position", 'e."position"', "position", is_descending=True)
NEWEST_AUDIT_FIRST = Order('a."id"', "id", 'a."id"', is_descending=True)


@dataclass(frozen=True, slots=True)
class EventConditions:
    """What events must meet; None is no condition."""

    types: tuple[EventType, ...] | None = None
    integration_ids: tuple[int, ...] | None = None
    sight: Sight = EVERYTHING

    def __call__(self, statement: Statement) -> Sequence[str]:
        """Return the conditions as SQL."""
        conditions = list(self.sight.events(statement))
        if self.types is not None:
            conditions.append(statement.is_one_of('e."type"', [type_.value for type_ in self.types]))
        if self.integration_ids is not None:
            conditions.append(statement.is_one_of('e."integration_id"', self.integration_ids))
        return conditions

    def may_be_met_by(self, event: EventRecord) -> bool:
        """Return whether an event that is at hand meets them, as far as that can be said without `depends_on_space`."""
        return (
            (self.types is None or event.type in self.types)
            and (self.integration_ids is None or event.integration_id in self.integration_ids)
            and (self.sight.workspace_ids is None or event.type not in ADMINISTRATORS_EVENT_TYPES)
            and self.sight.covers(event.workspace_id)
        )

    def depends_on_space(self, event: EventRecord) -> bool:
        """Return whether an event is only seen by who can see its space."""
        return self.sight.workspace_ids is not None and event.workspace_id is None and event.type in SPACE_EVENT_TYPES


@dataclass(frozen=True, slots=True)
class AuditConditions:
    """What audit rows must meet; None is no condition."""

    mutations: tuple[str, ...] | None = None
    outcomes: tuple[AuditOutcome, ...] | None = None
    viewer_name: str | None = None
    since: datetime | None = None

    def __call__(self, statement: Statement) -> Sequence[str]:
        """Return the conditions as SQL."""
        conditions = []
        if self.mutations is not None:
            conditions.append(statement.is_one_of('a."mutation"', self.mutations))
        if self.outcomes is not None:
            conditions.append(statement.is_one_of('a."outcome"', [outcome.value for outcome in self.outcomes]))
        if self.viewer_name is not None:
            conditions.append(f'a."viewer_name" = {statement.bind(self.viewer_name)}')
        if self.since is not None:
            conditions.append(f'a."occurred_at" >= {statement.bind(self.since)}')
        return conditions


async def audit_events_by_id(database: Readable, ids: Sequence[int]) -> dict[int, AuditEventRecord]:
    """Return those of the audit rows that exist, by id."""
    records = await AUDIT_EVENTS.all(database, lambda statement: [statement.is_one_of('a."id"', ids)])
    return {record.id: record for record in records}


@dataclass(frozen=True, slots=True)
class LogSpan:
    """What the event log holds: positions in (purged_through, last]."""

    purged_through: int
    last: int


async def log_span(database: Readable) -> LogSpan:
    """Return the span of the event log."""
    rows = await database.fetch(
        'SELECT "position" AS last, COALESCE((SELECT MIN("position") - 1 FROM "event"), "position") AS gone'
        ' FROM "event_position" WHERE "id" = 1'
    )
    return LogSpan(purged_through=rows[0]["gone"], last=rows[0]["last"])


async def events_behind(database: Readable, position: int, limit: int) -> list[EventRecord]:
    """Return at most `limit` events behind a position, oldest first."""
    statement = Statement(database.dialect)
    rows = await database.fetch(
        f'SELECT {EVENTS.select_list} FROM {EVENTS.source} WHERE e."position" > {statement.bind(position)}'
        f' ORDER BY e."position" LIMIT {limit}',
        *statement.values,
    )
    return EVENTS.read(database.dialect, rows)
