"""SIGTERM and SIGINT, from the first moment of a server to its last."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class StopSignals:
    """What a signal does: nobody has said yet, or what was said last.

    uvicorn's own handlers hold only while it serves, and raise the signal anew at the end, which would end the
    process before its services are closed.
    """

    def __init__(self) -> None:
        self.count = 0
        self.on_signal: Callable[[], object] = lambda: None

    def received(self) -> None:
        """Do what is due."""
        self.count += 1
        self.on_signal()


@contextmanager
def caught_stop_signals() -> Iterator[StopSignals]:
    """Catch the signals in the running loop as long as the block; elsewhere than in the main thread, nothing."""
    signals = StopSignals()
    if threading.current_thread() is not threading.main_thread():
        yield signals
        return
    loop = asyncio.get_running_loop()
    for number in _SIGNALS:
        loop.add_signal_handler(number, signals.received)
    try:
        yield signals
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)
