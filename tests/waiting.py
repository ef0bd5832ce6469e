"""Waiting for what must come true, instead of for a time."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

POLL_SECONDS = 0.05


def eventually(look: Callable[[], T], deadline_seconds: float = 20) -> T:
    """Return what a look returns once that is true; fail with the last of it when the deadline has passed."""
    deadline = time.monotonic() + deadline_seconds
    pause = threading.Event()
    while True:
        seen = look()
        if seen:
            return seen
        assert time.monotonic() < deadline, f"still not so after {deadline_seconds} s: {seen!r}"
        pause.wait(POLL_SECONDS)
