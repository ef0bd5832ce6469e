"""Waking the event log when another replica has written events."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from models.database import Database
from models.notices import NoticesLost

log = structlog.get_logger("events")

PAUSE_SECONDS = 1.0


class EventNotices:
    """Keeps listening to the database. What is missed meanwhile, the event log's own polling finds."""

    def __init__(self, database: Database, wake: Callable[[], None]) -> None:
        self._database = database
        self._wake = wake
        self._is_listening: bool | None = None

    async def run(self) -> None:
        """Listen for as long as the server runs, and again after each loss of the connection."""
        while True:
            try:
                await self._database.listen(self._heard)
            except NoticesLost as error:
                if self._is_listening is not False:
                    log.warning("events of other replicas come with a delay", why=str(error))
                self._is_listening = False
            await asyncio.sleep(PAUSE_SECONDS)

    def _heard(self) -> None:
        if self._is_listening is False:
            log.info("events of other replicas come at once again")
        self._is_listening = True
        self._wake()
