"""Notices what takes too long, with one timer for everything that is under way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Deadlines:
    """Calls a function for each of many short waits that takes longer than all of them may.

    A timer each would cost about as much as the sending of a small message.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._under_way: dict[int, tuple[float, Callable[[], None]]] = {}
        """By number, and so by when they are due."""
        self._number = 0
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, on_late: Callable[[], None]) -> int:
        """Begin a wait and return its number. `on_late` is called unless it has ended in time."""
        self._number += 1
        due_at = asyncio.get_running_loop().time() + self._seconds
        self._under_way[self._number] = due_at, on_late
        if self._timer is None:
            self._set_timer(due_at)
        return self._number

    def end(self, number: int) -> None:
        """End a wait, in time or not."""
        self._under_way.pop(number, None)

    def _set_timer(self, at: float) -> None:
        self._timer = asyncio.get_running_loop().call_at(at, self._look)

    def _look(self) -> None:
        self._timer = None
        now = asyncio.get_running_loop().time()
        late = []
        for number, (due_at, on_late) in self._under_way.items():
            if due_at > now:
                self._set_timer(due_at)
                break
            late.append((number, on_late))
        for number, on_late in late:
            self.end(number)
            on_late()
