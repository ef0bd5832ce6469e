"""How many sockets and streams each viewer has open."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial


class TooManyConnections(Exception):
    """A viewer has as many open as allowed."""

    def __init__(self, allowed: int) -> None:
        super().__init__(f"Too many connections: at most {allowed} may be open at a time.")
        self.allowed = allowed


class ConnectionCounter:
    """Counts the open connections of each viewer, of this process."""

    def __init__(self, max_per_viewer: int) -> None:
        self._max_per_viewer = max_per_viewer
        self._open: Counter[str] = Counter()

    @property
    def open_connections(self) -> int:
        """How many are open, of all viewers."""
        return self._open.total()

    def count(self, viewer_key: str) -> Callable[[], None]:
        """Count one more connection until what is returned is called. Raises TooManyConnections instead."""
        if self._open[viewer_key] >= self._max_per_viewer:
            raise TooManyConnections(self._max_per_viewer)
        self._open[viewer_key] += 1
        return partial(self._forget, viewer_key)

    @contextmanager
    def counted(self, viewer_key: str) -> Iterator[None]:
        """Count one more connection while the block runs. Raises TooManyConnections instead."""
        forget = self.count(viewer_key)
        try:
            yield
        finally:
            forget()

    def _forget(self, viewer_key: str) -> None:
        self._open[viewer_key] -= 1
        if not self._open[viewer_key]:
            del self._open[viewer_key]
