"""Telling of a deletion once: one that was made from here is told of at once, and known again in the registry's log.

Whoever uses these holds the integration, so that of the two tellings one comes first.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from models.database import NewEvent, Transaction
from models.enums import EventType
from models.queries.events import EVENTS
from models.reading import Statement

AT_MOST_APART = timedelta(minutes=2)
"""By how much a registry's clock may differ from ours, with what a deletion takes."""

_TELLING = (EventType.IMAGE_DELETED.value, EventType.TAG_CHANGED.value)

_Deleted = tuple[EventType, str, str | None]
"""How it is told, of which repository, and which tag or digest; None: all of it."""


async def told_from_here(transaction: Transaction, integration_id: int, deletions: Sequence[NewEvent]) -> set[int]:
    """Return which of these deletions, by their places, were made from here and have been told of.

    What was told from here stands for one deletion at about that time; of a whole repository, for those of all that
    it held.
    """
    if not deletions:
        return set()
    first = min(event.occurred_at for event in deletions) - AT_MOST_APART
    last = max(event.occurred_at for event in deletions) + AT_MOST_APART

    def conditions(statement: Statement) -> Sequence[str]:
        return [
            f'e."integration_id" = {statement.bind(integration_id)}',
            statement.is_one_of('e."type"', _TELLING),
            f'e."occurred_at" >= {statement.bind(first)}',
            f'e."occurred_at" <= {statement.bind(last)}',
            # Those from a registry's log can be many, and have nobody who did it.
            """CAST(e."data" AS TEXT) LIKE '%"by"%'""",
        ]

    told: dict[_Deleted, list[datetime]] = {}
    for record in await EVENTS.all(transaction, conditions):
        if record.data.get("by") is not None:
            told.setdefault(_deleted(record.type, record.data), []).append(record.occurred_at)
    return {place for place, event in enumerate(deletions) if _is_told(told, event)}


def _is_told(told: dict[_Deleted, list[datetime]], event: NewEvent) -> bool:
    this = _deleted(event.type, event.data)
    _, repository_name, _ = this
    whole = told.get((EventType.IMAGE_DELETED, repository_name, None), [])
    if event.type is EventType.IMAGE_DELETED and any(_are_close(at, event.occurred_at) for at in whole):
        return True
    moments = told.get(this, [])
    near = next((at for at in moments if _are_close(at, event.occurred_at)), None)
    if near is not None:
        # A second one is another deletion.
        moments.remove(near)
    return near is not None


async def is_told_since(transaction: Transaction, event: NewEvent, position: int) -> bool:
    """Return whether an event like this one was written behind a position: by who read the log more quickly."""

    def conditions(statement: Statement) -> Sequence[str]:
        return [
            f'e."position" > {statement.bind(position)}',
            f'e."integration_id" = {statement.bind(event.integration_id)}',
            f'e."type" = {statement.bind(event.type)}',
        ]

    this = _deleted(event.type, event.data)
    return any(_deleted(record.type, record.data) == this for record in await EVENTS.all(transaction, conditions))


def _deleted(type_: EventType, data: dict[str, object]) -> _Deleted:
    reference = data["reference"]
    return type_, str(data["repository_name"]), None if reference is None else str(reference)


def _are_close(one: datetime, other: datetime) -> bool:
    return abs(one - other) <= AT_MOST_APART
