"""Subscriptions: state, then each change; and the log of events."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime
from typing import Annotated

import strawberry
from strawberry.tools import create_type

from resolvers.context import Info
from resolvers.loaders import IntegrationByIdLoader
from resolvers.loading import loaded
from resolvers.permission import Access
from resolvers.public_errors import PublicError
from schema.arguments import keys_or_nothing
from schema.declaring import subscription
from schema.event import Event, EventFilter, event_conditions
from schema.health import Health
from schema.integration import Integration
from schema.node import backed
from schema.scalars import Cursor
from services.event_log import CursorExpired, InvalidCursor
from services.streams import event_stream, health_changes

After = Annotated[
    Cursor | None, strawberry.argument(description="Replay what was missed behind this cursor, then go live.")
]


@strawberry.type(description="The health of an integration, and what it was before.")
class IntegrationHealthEvent:
    """One message of integrationHealth."""

    integration: Integration | None = loaded(
        IntegrationByIdLoader,
        key="integration_id",
        description="Which integration; null when it was removed meanwhile.",
    )
    previous: Health | None = strawberry.field(
        description="How it was; null in the messages that tell the present state."
    )
    current: Health = strawberry.field(description="How it is.")
    occurred_at: datetime = strawberry.field(description="When it became so.")
    cursor: Cursor = strawberry.field(description="Give it as `after` to go on behind this message.")


@subscription(
    Access.EVERY_VIEWER,
    "The health of integrations: first the present state of each, then each change. "
    "With a cursor: what was missed, then each change.",
)
async def integration_health(
    info: Info,
    integration_ids: Annotated[
        list[strawberry.ID] | None, strawberry.argument(description="Of these; of all where it is left out.")
    ] = None,
    after: After = None,
) -> AsyncGenerator[IntegrationHealthEvent, None]:
    """Stream health."""
    services = info.context.services
    ids = keys_or_nothing(integration_ids, "Integration")
    try:
        sight = info.context.scope.sight
        changes = health_changes(services.database, services.events, services.clock, sight, ids, after)
        async with aclosing(changes):
            async for change in changes:
                yield backed(IntegrationHealthEvent, change)
    except (CursorExpired, InvalidCursor) as error:
        raise _public(error) from error


@subscription(Access.EVERY_VIEWER, "What happens, from now on; with a cursor: what was missed, then what happens.")
async def events(
    info: Info,
    filter: Annotated[EventFilter | None, strawberry.argument(description="Which events.")] = None,  # noqa: A002
    after: After = None,
) -> AsyncGenerator[Event, None]:
    """Stream events."""
    services = info.context.services
    conditions = event_conditions(info, filter)
    try:
        happenings = event_stream(services.database, services.events, conditions, after)
        async with aclosing(happenings):
            async for event in happenings:
                yield backed(Event, event)
    except (CursorExpired, InvalidCursor) as error:
        raise _public(error) from error


def _public(error: CursorExpired | InvalidCursor) -> PublicError:
    code = "CURSOR_EXPIRED" if isinstance(error, CursorExpired) else "INVALID_CURSOR"
    return PublicError(str(error), code)


Subscription = create_type("Subscription", [integration_health, events], description="What can be followed live.")
