"""Subscriptions: state, then each change; and the log of events."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Callable, Hashable
from contextlib import aclosing
from datetime import datetime
from functools import partial
from typing import Annotated, Generic, TypeVar

import strawberry
from strawberry.tools import create_type

from execution import Followed, OpeningStep, Step
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
from schema.overview import Overview, OverviewRoot
from schema.scalars import Cursor
from services.event_log import CursorExpired, InvalidCursor
from services.overview_stream import OverviewStream
from services.streams import EventStream, HealthStream, LogStream

S = TypeVar("S")
T = TypeVar("T")
P = TypeVar("P", int, int | None)

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


class Told(Followed[T], Generic[S, T]):
    """A stream of the log as the surface tells it."""

    def __init__(
        self, stream: LogStream[S], after: str | None, shown: Callable[[S], T], *, tells_state: bool = False
    ) -> None:
        self._stream = stream
        self._after = after
        self._shown = shown
        self.tells_state = tells_state

    @property
    def key(self) -> Hashable:
        """What the stream follows; the cursor is left out."""
        return self._stream.key

    def opening(self) -> AsyncGenerator[OpeningStep[T], None]:
        """Yield what comes first, if anything, and last the position behind which it goes on."""
        return self._steps(self._stream.opening(self._after))

    def behind(self, position: int) -> AsyncGenerator[Step[T], None]:
        """Yield what is told behind a position."""
        return self._steps(self._stream.behind(position))

    async def _steps(self, steps: AsyncGenerator[tuple[P, S | None], None]) -> AsyncGenerator[tuple[P, T | None], None]:
        try:
            async with aclosing(steps):
                async for position, told in steps:
                    yield position, None if told is None else self._shown(told)
        except CursorExpired as error:
            raise PublicError(str(error), "CURSOR_EXPIRED") from error
        except InvalidCursor as error:
            raise PublicError(str(error), "INVALID_CURSOR") from error


@subscription(
    Access.EVERY_VIEWER,
    "The health of integrations: first the present state of each, then each change. "
    "With a cursor: what was missed, then each change.",
)
def integration_health(
    info: Info,
    integration_ids: Annotated[
        list[strawberry.ID] | None, strawberry.argument(description="Of these; of all where it is left out.")
    ] = None,
    after: After = None,
) -> AsyncIterable[IntegrationHealthEvent]:
    """Stream health."""
    services = info.context.services
    ids = keys_or_nothing(integration_ids, "Integration")
    stream = HealthStream(services.database, services.events, services.clock, info.context.scope.sight, ids)
    return Told(stream, after, partial(backed, IntegrationHealthEvent))


@subscription(Access.EVERY_VIEWER, "How much there is of everything: now, then whenever a figure changes.")
def overview(info: Info) -> AsyncIterable[Overview]:
    """Stream the overview."""
    stream = OverviewStream(info.context.services.events)
    return Told(stream, None, lambda _: backed(Overview, OverviewRoot()), tells_state=True)


@subscription(Access.EVERY_VIEWER, "What happens, from now on; with a cursor: what was missed, then what happens.")
def events(
    info: Info,
    filter: Annotated[EventFilter | None, strawberry.argument(description="Which events.")] = None,  # noqa: A002
    after: After = None,
) -> AsyncIterable[Event]:
    """Stream events."""
    services = info.context.services
    stream = EventStream(services.database, services.events, event_conditions(info.context, filter))
    return Told(stream, after, partial(backed, Event))


Subscription = create_type(
    "Subscription", [integration_health, overview, events], description="What can be followed live."
)
