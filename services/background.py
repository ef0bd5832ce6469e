"""Work that goes on for as long as the server runs, or longer than whoever began it waits."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any, TypeVar

import structlog

from services.observation import UNOBSERVED, Observer

log = structlog.get_logger("background")

T = TypeVar("T")

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


class Undertakings:
    """Work that comes to its end once it was begun, also when whoever asked for it goes away.

    What was done at a registry has to be written down here: it runs in tasks that the server owns.
    """

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()

    async def carry_out(self, name: str, work: Coroutine[Any, Any, T]) -> T:
        """Run the work in a task and return its result, or raise what it raises. A cancelled caller leaves it alone."""
        task = asyncio.create_task(work, name=name)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        try:
            # Unlike `asyncio.shield`, waiting leaves the outcome to be looked at here, or below.
            await asyncio.wait((task,))
        except asyncio.CancelledError:
            task.add_done_callback(_tell_the_log)
            raise
        return task.result()

    async def end(self, patience_seconds: float) -> None:
        """Wait for what is under way, then cancel what isn't done by then and wait for its end."""
        if self._running:
            await asyncio.wait(set(self._running), timeout=patience_seconds)
        await end_tasks(self._running)


def _tell_the_log(task: asyncio.Task[Any]) -> None:
    # Without the text: it may quote input.
    error = None if task.cancelled() else task.exception()
    if error is not None:
        log.info("what was begun failed after its caller had gone", work=task.get_name(), error=type(error).__name__)
