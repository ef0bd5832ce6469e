"""When the overview is to be looked at again: whatever changes a figure in it is in the log of events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Hashable
from contextlib import suppress

from services.event_log import CursorExpired, EventLog
from services.streams import OpeningStep, Step

PAUSE_SECONDS = 1.0
"""Between two looks, however much happens."""


class OverviewStream:
    """The moments at which the overview may have changed, and the first one."""

    def __init__(self, events: EventLog) -> None:
        self._events = events

    @property
    def key(self) -> Hashable:
        """All follow the same."""
        return OverviewStream

    async def opening(self, after: str | None) -> AsyncGenerator[OpeningStep[bool], None]:
        """Yield the present moment, and the position behind which changes follow. There is nothing to catch up on."""
        position = self._events.position
        yield None, True
        yield position, None

    async def behind(self, position: int) -> AsyncGenerator[Step[bool], None]:
        """Yield each moment at which something has happened behind a position, those of a pause as one."""
        while True:
            if self._events.position <= position:
                yield position, None
            # How it is now is all that is asked for, however much was missed.
            with suppress(CursorExpired):
                await self._events.behind(position)
            position = self._events.position
            yield position, True
            await asyncio.sleep(PAUSE_SECONDS)
