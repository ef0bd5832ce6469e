"""Notices what takes too long, with one timer for everything that is under way."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from types import TracebackType


class EndableBlock:
    """A block of a task that can be ended from outside: it then raises TimeoutError.

    As `asyncio.timeout` does it, which has a timer for each block, and asks that of the loop on the way in and out.
    """

    __slots__ = ("_cancelling", "_task", "was_ended")

    def __init__(self) -> None:
        self._task: asyncio.Task[object] | None = None
        self._cancelling = 0
        self.was_ended = False

    def __enter__(self) -> EndableBlock:
        """Begin it, once. Raises RuntimeError outside a task, and for one that was ended."""
        if self.was_ended:
            raise RuntimeError("This block has been ended before.")
        self._task = asyncio.current_task()
        if self._task is None:
            raise RuntimeError("There is no task that could be ended.")
        self._cancelling = self._task.cancelling()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        """Let nothing of its end reach those who await the task; another's cancellation goes on."""
        task, self._task = self._task, None
        is_ours_alone = self.was_ended and task is not None and task.uncancel() <= self._cancelling
        if is_ours_alone and kind is not None and issubclass(kind, asyncio.CancelledError):
            raise TimeoutError from error

    def end(self) -> None:
        """End it, once, while it runs."""
        if self._task is not None and not self.was_ended:
            self.was_ended = True
            self._task.cancel()


class Deadlines:
    """Ends many short waits, one timer for all: each that takes longer than all of them may.

    A timer each would cost about as much as the sending of a small message.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._under_way: dict[int, tuple[float, Callable[[], None]]] = {}
        """By number, and so by when they are due."""
        self._number = 0
        self._timer: asyncio.TimerHandle | None = None

    def block(self) -> EndableBlock:
        """Return a block that is ended when it takes too long."""
        return _BoundedBlock(self)

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
        # What is late is nobody's in particular: least of all whoever's who happened to begin when no timer ran.
        self._timer = asyncio.get_running_loop().call_at(at, self._look, context=contextvars.Context())

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


class _BoundedBlock(EndableBlock):
    __slots__ = ("_deadlines", "_number")

    def __init__(self, deadlines: Deadlines) -> None:
        super().__init__()
        self._deadlines = deadlines
        self._number = 0

    def __enter__(self) -> EndableBlock:
        block = super().__enter__()
        self._number = self._deadlines.begin(self.end)
        return block

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._deadlines.end(self._number)
        super().__exit__(kind, error, at)
