"""Work that goes on for as long as the server runs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from services.observation import UNOBSERVED, Observer

log = structlog.get_logger("background")

PAUSE_SECONDS = 1.0


async def keep_running(name: str, run: Callable[[], Awaitable[None]], observer: Observer = UNOBSERVED) -> None:
    """Run something that never ends; when it fails all the same, log it and begin again after a moment.

    A database that is away for a while must not end the watching for good.
    """
    while True:
        try:
            await run()
        except Exception:
            observer.work_failed(name)
            log.exception("background work failed, beginning again", work=name)
        await asyncio.sleep(PAUSE_SECONDS)
