"""A limit on probes side by side."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field

from services.health_claims import DueProbe

WIDTH = 128
"""How many probes may begin while none of them has got an answer."""

QUICK_SECONDS = 1.0
"""A probe that takes longer waits for a silent registry: it no longer counts against the width."""

CAPACITY = 1024
"""How many probes a lane ever holds, silent ones included: each is a socket and a few kilobytes."""


@dataclass(slots=True)
class _Running:
    since: float
    task: asyncio.Task[None] | None = None


@dataclass(slots=True)
class Lane:
    """The probes under way of one sort of integrations: those that meet a condition of SQL.

    A registry that was well until now and falls silent occupies its lane for a second only. So when hundreds
    do at once, as when a network is cut, the living ones are still looked at in time.
    """

    condition: str
    _running: dict[DueProbe, _Running] = field(default_factory=dict)

    @property
    def free(self) -> int:
        """How many more probes may start now."""
        waiting_since = time.monotonic() - QUICK_SECONDS
        quick = sum(running.since > waiting_since for running in self._running.values())
        return min(WIDTH - quick, CAPACITY - len(self._running))

    @property
    def tasks(self) -> list[asyncio.Task[None]]:
        """The probes that run now."""
        return [running.task for running in self._running.values() if running.task is not None]

    def hold(self, claimed: Sequence[DueProbe]) -> None:
        """Keep places for what was claimed and is about to start."""
        now = time.monotonic()
        self._running.update((due, _Running(now)) for due in claimed)

    def start(self, due: DueProbe, probe: Coroutine[object, object, None]) -> None:
        """Run a probe that has a place; it leaves by itself when it ends, unless it was cancelled."""
        task = asyncio.create_task(probe, name="probe")
        self._running[due].task = task

        def ended(task: asyncio.Task[None]) -> None:
            if not task.cancelled():
                self.drop(due)

        task.add_done_callback(ended)

    def drop(self, due: DueProbe) -> None:
        """Give up a place."""
        self._running.pop(due, None)

    def drain(self) -> list[DueProbe]:
        """Give up every place; return whose probes were cancelled or never began."""
        unfinished = list(self._running)
        self._running.clear()
        return unfinished
