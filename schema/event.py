"""Events: what has happened, one type for each sort of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, ClassVar

import strawberry

from models.enums import EventType as Type
from models.queries.events import EventConditions
from models.records import EventRecord
from resolvers.context import Info
from resolvers.global_ids import global_id
from resolvers.loaders import IntegrationByIdLoader
from resolvers.visibility import visible_events
from schema.arguments import keys_or_nothing
from schema.enums import EventType, Role, Visibility
from schema.health import Health
from schema.integration import Integration
from schema.node import backed, backed_if_any
from schema.scalars import Cursor
from services.streams import health_of


def _id(root: strawberry.Parent[EventRecord]) -> strawberry.ID:
    return strawberry.ID(global_id("Event", root.position))


def _cursor(root: strawberry.Parent[EventRecord], info: Info) -> Cursor:
    return Cursor(info.context.services.events.cursor(root.position))


async def _integration(root: strawberry.Parent[EventRecord], info: Info) -> Integration | None:
    if root.integration_id is None:
        return None
    record = await info.context.loader(IntegrationByIdLoader).load(root.integration_id)
    return backed_if_any(Integration, record)


def _datum(name: str, kept_as: Callable[[Any], Any] = str) -> Any:
    """Return a resolver of what the event has kept under a name."""

    def resolve(root: strawberry.Parent[EventRecord]) -> Any:
        return kept_as(root.data[name])

    return resolve


def _reference_of(root: strawberry.Parent[EventRecord]) -> str | None:
    reference: str | None = root.data["reference"]
    return reference


def _by_whom(root: strawberry.Parent[EventRecord], info: Info) -> str | None:
    return root.data["by"] if info.context.viewer.is_platform_admin else None


def _health(name: str) -> Any:
    def resolve(root: strawberry.Parent[EventRecord]) -> Health:
        return backed(Health, health_of(root.integration_id or 0, root.data[name]))

    return resolve


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


def _name() -> Any:
    return strawberry.field(resolver=_datum("integration_name"), description="The integration's name at that time.")


def _by(what: str) -> Any:
    return strawberry.field(resolver=_by_whom, description=f"Who {what} it. Administrators see it.")


def _space_name() -> Any:
    return strawberry.field(resolver=_datum("space_name"), description="The space's name.")


def _repository_name() -> Any:
    return strawberry.field(resolver=_datum("repository_name"), description="The repository's whole name.")


def _reference() -> Any:
    return strawberry.field(resolver=_reference_of, description="The tag or digest, where the registry told it.")


@strawberry.type(description="A registry was integrated.")
class IntegrationAdded(Event):
    """INTEGRATION_ADDED."""

    event_type = Type.INTEGRATION_ADDED
    integration_name: str = _name()
    by: str | None = _by("integrated")


@strawberry.type(description="An integration was changed.")
class IntegrationUpdated(Event):
    """INTEGRATION_UPDATED."""

    event_type = Type.INTEGRATION_UPDATED
    integration_name: str = _name()
    by: str | None = _by("changed")


@strawberry.type(description="An integration was removed.")
class IntegrationRemoved(Event):
    """INTEGRATION_REMOVED."""

    event_type = Type.INTEGRATION_REMOVED
    integration_name: str = _name()
    by: str | None = _by("removed")


@strawberry.type(description="Most spaces of an integration were missing at once; its list is stale.")
class IntegrationDoubted(Event):
    """INTEGRATION_DOUBTED."""

    event_type = Type.INTEGRATION_DOUBTED
    integration_name: str = _name()
    message: str = strawberry.field(resolver=_datum("message"), description="What was seen, and what now.")


@strawberry.type(description="The list of an integration is no longer stale.")
class IntegrationTrusted(Event):
    """INTEGRATION_TRUSTED."""

    event_type = Type.INTEGRATION_TRUSTED
    integration_name: str = _name()


@strawberry.type(description="The health of an integration changed.")
class HealthChanged(Event):
    """HEALTH_CHANGED."""

    event_type = Type.HEALTH_CHANGED
    integration_name: str = _name()
    previous: Health = strawberry.field(resolver=_health("previous"), description="How it was.")
    current: Health = strawberry.field(resolver=_health("current"), description="How it is since then.")


@strawberry.type(description="A space was found.")
class SpaceAdded(Event):
    """SPACE_ADDED."""

    event_type = Type.SPACE_ADDED
    integration_name: str = _name()
    space_name: str = _space_name()
    visibility: Visibility = strawberry.field(
        resolver=_datum("visibility", Visibility), description="Who may pull from it."
    )


@strawberry.type(description="A space is no longer there.")
class SpaceVanished(Event):
    """SPACE_VANISHED."""

    event_type = Type.SPACE_VANISHED
    integration_name: str = _name()
    space_name: str = _space_name()


@strawberry.type(description="A space was opened to everybody, or closed.")
class SpaceVisibilityChanged(Event):
    """SPACE_VISIBILITY_CHANGED."""

    event_type = Type.SPACE_VISIBILITY_CHANGED
    integration_name: str = _name()
    space_name: str = _space_name()
    visibility: Visibility = strawberry.field(
        resolver=_datum("visibility", Visibility), description="Who may pull from it now."
    )


@strawberry.type(description="An image was pushed.")
class ImagePushed(Event):
    """IMAGE_PUSHED."""

    event_type = Type.IMAGE_PUSHED
    integration_name: str = _name()
    space_name: str = _space_name()
    repository_name: str = _repository_name()
    reference: str | None = _reference()


@strawberry.type(description="An image was deleted.")
class ImageDeleted(Event):
    """IMAGE_DELETED."""

    event_type = Type.IMAGE_DELETED
    integration_name: str = _name()
    space_name: str = _space_name()
    repository_name: str = _repository_name()
    reference: str | None = _reference()


@strawberry.type(description="A tag was set or taken away.")
class TagChanged(Event):
    """TAG_CHANGED."""

    event_type = Type.TAG_CHANGED
    integration_name: str = _name()
    space_name: str = _space_name()
    repository_name: str = _repository_name()
    reference: str | None = _reference()


@strawberry.type(description="An access token was created. Administrators see it.")
class AccessTokenCreated(Event):
    """ACCESS_TOKEN_CREATED."""

    event_type = Type.ACCESS_TOKEN_CREATED
    token_name: str = strawberry.field(resolver=_datum("name"), description="The token's name.")
    role: Role = strawberry.field(resolver=_datum("role", Role), description="What its bearer may do.")
    by: str | None = _by("created")


@strawberry.type(description="An access token was revoked. Administrators see it.")
class AccessTokenRevoked(Event):
    """ACCESS_TOKEN_REVOKED."""

    event_type = Type.ACCESS_TOKEN_REVOKED
    token_name: str = strawberry.field(resolver=_datum("name"), description="The token's name.")
    by: str | None = _by("revoked")


EVENT_TYPES = (
    IntegrationAdded,
    IntegrationUpdated,
    IntegrationRemoved,
    IntegrationDoubted,
    IntegrationTrusted,
    HealthChanged,
    SpaceAdded,
    SpaceVanished,
    SpaceVisibilityChanged,
    ImagePushed,
    ImageDeleted,
    TagChanged,
    AccessTokenCreated,
    AccessTokenRevoked,
)
"""Every type of event; a test holds that each EventType has one."""


@strawberry.input(description="Which events.")
class EventFilter:
    """What events must meet."""

    types: list[EventType] | None = strawberry.field(default=None, description="Of one of these sorts.")
    integration_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="At one of these integrations."
    )


def event_conditions(info: Info, given: EventFilter | None) -> EventConditions:
    """Return the conditions that a filter stands for, less what the viewer may not see."""
    types = None if given is None or given.types is None else tuple(given.types)
    ids = None if given is None else keys_or_nothing(given.integration_ids, "Integration")
    return visible_events(info.context.viewer, types, ids)
