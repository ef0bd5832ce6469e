"""Events: what has happened, one type for each sort of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, ClassVar

import strawberry

from models.enums import EventType as Type
from models.queries.events import EventConditions
from models.records import EventRecord
from resolvers.context import Info, RequestContext
from resolvers.global_ids import global_id
from resolvers.loaders import IntegrationByIdLoader
from schema.arguments import keys_or_nothing
from schema.enums import EventType
from schema.integration import Integration
from schema.node import backed_if_any
from schema.scalars import Cursor


def _id(root: strawberry.Parent[EventRecord]) -> strawberry.ID:
    return strawberry.ID(global_id("Event", root.position))


def _cursor(root: strawberry.Parent[EventRecord], info: Info) -> Cursor:
    return Cursor(info.context.event_cursor(root.position))


async def _integration(root: strawberry.Parent[EventRecord], info: Info) -> Integration | None:
    if root.integration_id is None:
        return None
    record = await info.context.loader(IntegrationByIdLoader).load(root.integration_id)
    return backed_if_any(Integration, record)


def datum(name: str, kept_as: Callable[[Any], Any] = str) -> Any:
    """Return a resolver of what the event has kept under a name."""

    def resolve(root: strawberry.Parent[EventRecord]) -> Any:
        return kept_as(root.data[name])

    return resolve


def by_whom_of(root: strawberry.Parent[EventRecord], info: Info) -> str | None:
    """Return who did it, to administrators."""
    return root.data["by"] if info.context.scope.is_platform_admin else None


def by_whom_if_any_of(root: strawberry.Parent[EventRecord], info: Info) -> str | None:
    """Return who did it, to administrators; None where nobody of ours did."""
    return root.data.get("by") if info.context.scope.is_platform_admin else None


@strawberry.interface(description="Something that has happened.")
class Event:
    """One event."""

    event_type: ClassVar[Type]

    id: strawberry.ID = strawberry.field(resolver=_id, description="Opaque.")
    type: EventType = strawberry.field(description="What sort of thing.")
    occurred_at: datetime = strawberry.field(description="When.")
    cursor: Cursor = strawberry.field(
        resolver=_cursor, description="Give it as `after` to a subscription to go on behind this event."
    )
    integration: Integration | None = strawberry.field(
        resolver=_integration, description="At which integration; null when it is gone, or for none."
    )

    @classmethod
    def is_type_of(cls, value: object, _info: Info) -> bool:
        """Return whether an event is of this sort."""
        return isinstance(value, EventRecord) and value.type is cls.event_type


def integration_name_field() -> Any:
    """Return a field: the integration's name, as it was."""
    return strawberry.field(resolver=datum("integration_name"), description="The integration's name at that time.")


def by_field(what: str) -> Any:
    """Return a field: who did it, for administrators."""
    return strawberry.field(resolver=by_whom_of, description=f"Who {what} it. Administrators see it.")


def space_name_field() -> Any:
    """Return a field: the space's name, as it was."""
    return strawberry.field(resolver=datum("space_name"), description="The space's name.")


@strawberry.input(description="Which events.")
class EventFilter:
    """What events must meet."""

    types: list[EventType] | None = strawberry.field(default=None, description="Of one of these sorts.")
    integration_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="At one of these integrations."
    )


def event_conditions(context: RequestContext, given: EventFilter | None) -> EventConditions:
    """Return the conditions that a filter stands for, less what the viewer may not see."""
    types = None if given is None or given.types is None else tuple(given.types)
    ids = None if given is None else keys_or_nothing(given.integration_ids, "Integration")
    return EventConditions(types, ids, context.scope.sight)
