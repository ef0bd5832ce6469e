"""Work that goes on for as long as the server runs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

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


async def start_in_turn(
    name: str, start_due: Callable[[], Awaitable[None]], pause_seconds: float, observer: Observer
) -> None:
    """Start what is due, again and again; a turn that fails is logged, and the next one comes all the same."""
    while True:
        try:
            await start_due()
        except Exception:
            observer.work_failed(name)
            log.exception("what is due could not be started", work=name)
        await asyncio.sleep(pause_seconds)


async def end_tasks(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel tasks and return when each has ended, however it ended."""
    ending = list(tasks)
    for task in ending:
        task.cancel()
    await asyncio.gather(*ending, return_exceptions=True)
