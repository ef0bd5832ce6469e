"""The log of events as its readers see it: by position, in order, woken when something is new.

Readers hold no queue: each has a position and asks for what is behind it. A slow one costs nothing but the
reading of older events from the database, and misses none.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections import deque
from collections.abc import Callable, Sequence

from models.database import Database
from models.queries.events import events_behind, log_span
from models.records import EventRecord

RECENT_EVENTS = 2048
BATCH_EVENTS = 500
POLL_SECONDS = 1.0
"""How long other replicas' events may take to be seen, where nothing wakes us."""


class CursorExpired(Exception):
    """The events behind a cursor are no longer kept, or it belongs to another epoch."""

    def __init__(self) -> None:
        super().__init__("This cursor is too old, or from before a restore. Begin anew, without one.")


class InvalidCursor(ValueError):
    """A text is no cursor of ours."""

    def __init__(self) -> None:
        super().__init__("This is no cursor that came from here.")


class EventLog:
    """The one reader of the outbox in this process.

    What it relies on: positions have no gaps, become visible in their own order, and are purged from the front.
    """

    def __init__(self, database: Database, epoch: str) -> None:
        self._database = database
        self._epoch = epoch
        self._recent: deque[EventRecord] = deque(maxlen=RECENT_EVENTS)
        self._news = asyncio.Event()
        self._woken = asyncio.Event()
        self._observers: list[Callable[[EventRecord], None]] = []
        self._waiting = 0
        self.position = 0
        """The position of the newest event that has been read."""

    def observe(self, observer: Callable[[EventRecord], None]) -> None:
        """Have a quick function called with every event from now on, in order."""
        self._observers.append(observer)

    def wake(self) -> None:
        """Read on at once: something was committed."""
        self._woken.set()

    @property
    def is_watched(self) -> bool:
        """Whether somebody waits for what happens next."""
        return self._waiting > 0

    async def start(self) -> None:
        """Take the present end of the log as the beginning."""
        self.position = (await log_span(self._database)).last

    async def run(self) -> None:
        """Read on for as long as the server runs. Raises what the database raises."""
        while True:
            self._woken.clear()
            while await self._read_on() == BATCH_EVENTS:
                pass
            try:
                async with asyncio.timeout(POLL_SECONDS):
                    await self._woken.wait()
            except TimeoutError:
                continue

    async def behind(self, position: int) -> Sequence[EventRecord]:
        """Return the next events behind a position, oldest first, waiting until there is one.

        Raises CursorExpired when some of them are no longer kept.
        """
        self._waiting += 1
        try:
            while self.position <= position:
                await self._news.wait()
        finally:
            self._waiting -= 1
        missing = self.position - position
        if missing <= len(self._recent):
            # Positions have no gaps, so their places in here are known. Taken from the end, where live readers are:
            # ten thousand of them must not each go through everything for each event.
            return [self._recent[-place] for place in range(missing, 0, -1)]
        events = await events_behind(self._database, position, BATCH_EVENTS)
        if not events or events[0].position != position + 1:
            # Looked at after reading, not before: a purge may come in between.
            raise CursorExpired
        return events

    def cursor(self, position: int) -> str:
        """Return the cursor of an event."""
        return base64.urlsafe_b64encode(f"e:{self._epoch}:{position}".encode()).decode().rstrip("=")

    async def position_of(self, cursor: str) -> int:
        """Return the position that a cursor stands for. Raises InvalidCursor, CursorExpired."""
        try:
            text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
            mark, epoch, number = text.split(":")
            position = int(number)
        except (ValueError, binascii.Error) as error:
            raise InvalidCursor from error
        if mark != "e" or len(cursor) > 100 or position < 0:
            raise InvalidCursor
        span = await log_span(self._database)
        if epoch != self._epoch or not span.purged_through <= position <= span.last:
            raise CursorExpired
        return position

    async def _read_on(self) -> int:
        events = await events_behind(self._database, self.position, BATCH_EVENTS)
        if events and events[0].position != self.position + 1:
            # So long away that the next ones were purged meanwhile: who waits for those finds their cursor expired.
            self._recent.clear()
        for event in events:
            self._recent.append(event)
            for observer in self._observers:
                observer(event)
        if events:
            self.position = events[-1].position
            # Whoever waits has the old signal, whoever comes next waits for the new one.
            news, self._news = self._news, asyncio.Event()
            news.set()
        return len(events)
