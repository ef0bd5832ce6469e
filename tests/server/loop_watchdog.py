"""Finds what keeps an event loop from turning: single steps that compute for too long.

What counts is the CPU time of the loop's thread, not the clock: on a busy machine every step takes long by the
clock.
"""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LongStep:
    """A step of the loop, and how long it computed."""

    what: str
    cpu_milliseconds: float
    collecting_milliseconds: float
    """How much of it went into garbage collection."""


@contextmanager
def watched_steps(thread: threading.Thread, limit_milliseconds: float) -> Iterator[list[LongStep]]:
    """Gather the long steps of asyncio's own loop in a thread, as long as the block."""
    long_steps: list[LongStep] = []
    run = asyncio.Handle._run
    collecting = 0.0
    began = 0.0

    def collected(phase: str, _: dict[str, int]) -> None:
        nonlocal collecting, began
        if threading.current_thread() is not thread:
            return
        if phase == "start":
            began = time.thread_time()
        else:
            collecting += (time.thread_time() - began) * 1000

    def watched(handle: asyncio.Handle) -> None:
        if threading.current_thread() is not thread:
            run(handle)
            return
        nonlocal collecting
        collecting = 0.0
        before = time.thread_time()
        run(handle)
        milliseconds = (time.thread_time() - before) * 1000
        if milliseconds > limit_milliseconds:
            long_steps.append(LongStep(_shown(handle), milliseconds, collecting))

    gc.callbacks.append(collected)
    asyncio.Handle._run = watched  # type: ignore[method-assign, assignment]
    try:
        yield long_steps
    finally:
        asyncio.Handle._run = run  # type: ignore[method-assign]
        gc.callbacks.remove(collected)


def _shown(handle: asyncio.Handle) -> str:
    # A task's step is a method of the task: its coroutine says more than the method's name.
    owner = getattr(getattr(handle, "_callback", None), "__self__", None)
    if isinstance(owner, asyncio.Task):
        stack = owner.get_stack(limit=1)
        where = f" at {stack[-1].f_code.co_filename}:{stack[-1].f_lineno}" if stack else ""
        return f"task {owner.get_name()}: {owner.get_coro()}{where}"
    return repr(handle)
