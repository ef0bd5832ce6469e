"""What happens at registries, and to access tokens: one type for each sort of event."""

from __future__ import annotations

from typing import Any

import strawberry

from models.enums import EventType as Type
from models.records import EventRecord
from resolvers.context import Info
from schema.enums import Role, Visibility
from schema.event import (
    Event,
    by_field,
    by_whom_if_any_of,
    datum,
    integration_name_field,
    space_name_field,
)
from schema.health import Health
from schema.integration import DOUBTED
from schema.node import backed
from schema.scalars import ByteSize
from schema.workspace_event_types import WORKSPACE_EVENT_TYPES
from services.streams import health_of


def _reference_of(root: strawberry.Parent[EventRecord]) -> str | None:
    reference: str | None = root.data["reference"]
    return reference


def _health(name: str) -> Any:
    def resolve(root: strawberry.Parent[EventRecord]) -> Health:
        return backed(Health, health_of(root.integration_id or 0, root.data[name]))

    return resolve


def _repository_name() -> Any:
    return strawberry.field(resolver=datum("repository_name"), description="The repository's whole name.")


def _reference() -> Any:
    return strawberry.field(resolver=_reference_of, description="The tag or digest, where the registry told it.")


@strawberry.type(description="A registry was integrated.")
class IntegrationAdded(Event):
    """INTEGRATION_ADDED."""

    event_type = Type.INTEGRATION_ADDED
    integration_name: str = integration_name_field()
    by: str | None = by_field("integrated")


@strawberry.type(description="An integration was changed.")
class IntegrationUpdated(Event):
    """INTEGRATION_UPDATED."""

    event_type = Type.INTEGRATION_UPDATED
    integration_name: str = integration_name_field()
    by: str | None = by_field("changed")


@strawberry.type(description="An integration was removed.")
class IntegrationRemoved(Event):
    """INTEGRATION_REMOVED."""

    event_type = Type.INTEGRATION_REMOVED
    integration_name: str = integration_name_field()
    by: str | None = by_field("removed")


def _doubt(root: strawberry.Parent[EventRecord], info: Info) -> str:
    # How many spaces there are is not for everybody; an own registry's event is only seen by its workspace.
    message: str = root.data["message"]
    return message if info.context.scope.administers(root.workspace_id) else DOUBTED


@strawberry.type(description="Most spaces of an integration were missing at once; its list is stale.")
class IntegrationDoubted(Event):
    """INTEGRATION_DOUBTED."""

    event_type = Type.INTEGRATION_DOUBTED
    integration_name: str = integration_name_field()
    message: str = strawberry.field(resolver=_doubt, description="What was seen, and what now.")


@strawberry.type(description="The list of an integration is no longer stale.")
class IntegrationTrusted(Event):
    """INTEGRATION_TRUSTED."""

    event_type = Type.INTEGRATION_TRUSTED
    integration_name: str = integration_name_field()


@strawberry.type(description="The health of an integration changed.")
class HealthChanged(Event):
    """HEALTH_CHANGED."""

    event_type = Type.HEALTH_CHANGED
    integration_name: str = integration_name_field()
    previous: Health = strawberry.field(resolver=_health("previous"), description="How it was.")
    current: Health = strawberry.field(resolver=_health("current"), description="How it is since then.")


@strawberry.type(description="A space was found, or made.")
class SpaceAdded(Event):
    """SPACE_ADDED."""

    event_type = Type.SPACE_ADDED
    integration_name: str = integration_name_field()
    space_name: str = space_name_field()
    by: str | None = strawberry.field(
        resolver=by_whom_if_any_of, description="Who made it; null for one that was found. Administrators see it."
    )
    visibility: Visibility = strawberry.field(
        resolver=datum("visibility", Visibility), description="Who may pull from it."
    )


@strawberry.type(description="A space is no longer there.")
class SpaceVanished(Event):
    """SPACE_VANISHED."""

    event_type = Type.SPACE_VANISHED
    integration_name: str = integration_name_field()
    space_name: str = space_name_field()


@strawberry.type(description="A space was declared before its first image.")
class SpaceDeclared(Event):
    """SPACE_DECLARED."""

    event_type = Type.SPACE_DECLARED
    integration_name: str = integration_name_field()
    space_name: str = space_name_field()
    by: str | None = by_field("declared")
    visibility: Visibility = strawberry.field(
        resolver=datum("visibility", Visibility), description="Who may pull from it."
    )


@strawberry.type(description="A space was deleted, or its declaration taken back.")
class SpaceDeleted(Event):
    """SPACE_DELETED."""

    event_type = Type.SPACE_DELETED
    integration_name: str = integration_name_field()
    space_name: str = space_name_field()
    by: str | None = by_field("deleted")


@strawberry.type(description="A space was opened to everybody, or closed.")
class SpaceVisibilityChanged(Event):
    """SPACE_VISIBILITY_CHANGED."""

    event_type = Type.SPACE_VISIBILITY_CHANGED
    integration_name: str = integration_name_field()
    space_name: str = space_name_field()
    by: str | None = strawberry.field(
        resolver=by_whom_if_any_of,
        description="Who did it; null where it was done at the registry. Administrators see it.",
    )
    visibility: Visibility = strawberry.field(
        resolver=datum("visibility", Visibility), description="Who may pull from it now."
    )


@strawberry.type(description="An image was pushed.")
class ImagePushed(Event):
    """IMAGE_PUSHED."""

    event_type = Type.IMAGE_PUSHED
    integration_name: str = integration_name_field()
    space_name: str = space_name_field()
    repository_name: str = _repository_name()
    reference: str | None = _reference()


def _by_whom(done: str) -> Any:
    return strawberry.field(
        resolver=by_whom_if_any_of,
        description=f"Who {done} from here; null where it was done at the registry. Administrators see it.",
    )


@strawberry.type(
    description="An image was deleted; or, without a reference, the whole repository with all that it held."
)
class ImageDeleted(Event):
    """IMAGE_DELETED."""

    event_type = Type.IMAGE_DELETED
    integration_name: str = integration_name_field()
    space_name: str = space_name_field()
    repository_name: str = _repository_name()
    reference: str | None = strawberry.field(
        resolver=_reference_of, description="The digest; null where the whole repository was deleted."
    )
    by: str | None = _by_whom("deleted it")


@strawberry.type(description="A tag was set or taken away.")
class TagChanged(Event):
    """TAG_CHANGED."""

    event_type = Type.TAG_CHANGED
    integration_name: str = integration_name_field()
    space_name: str = space_name_field()
    repository_name: str = _repository_name()
    reference: str | None = _reference()
    by: str | None = _by_whom("took it away")


def _stored(root: strawberry.Parent[EventRecord]) -> ByteSize | None:
    stored: ByteSize | None = root.data["storage_bytes"]
    return stored


@strawberry.type(description="An integration was measured, and holds something else than before.")
class UsageChanged(Event):
    """USAGE_CHANGED."""

    event_type = Type.USAGE_CHANGED
    integration_name: str = integration_name_field()
    storage_bytes: ByteSize | None = strawberry.field(
        resolver=_stored, description="How much it stores now, where that is known."
    )


@strawberry.type(description="An access token was created. Administrators see it.")
class AccessTokenCreated(Event):
    """ACCESS_TOKEN_CREATED."""

    event_type = Type.ACCESS_TOKEN_CREATED
    token_name: str = strawberry.field(resolver=datum("name"), description="The token's name.")
    role: Role = strawberry.field(resolver=datum("role", Role), description="What its bearer may do.")
    by: str | None = by_field("created")


@strawberry.type(description="An access token was revoked. Administrators see it.")
class AccessTokenRevoked(Event):
    """ACCESS_TOKEN_REVOKED."""

    event_type = Type.ACCESS_TOKEN_REVOKED
    token_name: str = strawberry.field(resolver=datum("name"), description="The token's name.")
    by: str | None = by_field("revoked")


EVENT_TYPES = (
    IntegrationAdded,
    IntegrationUpdated,
    IntegrationRemoved,
    IntegrationDoubted,
    IntegrationTrusted,
    HealthChanged,
    SpaceAdded,
    SpaceVanished,
    SpaceDeclared,
    SpaceDeleted,
    SpaceVisibilityChanged,
    ImagePushed,
    ImageDeleted,
    TagChanged,
    UsageChanged,
    *WORKSPACE_EVENT_TYPES,
    AccessTokenCreated,
    AccessTokenRevoked,
)
"""Every type of event; a test holds that each EventType has one."""
