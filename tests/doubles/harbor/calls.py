"""What was asked of the double, and with which credential."""

import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class CountedCall:
    """One call: path templates have names in braces, so that calls of a kind are counted together.

    ``credential`` is ``anonymous``, ``user admin``, ``robot robot$reader`` or ``token``; one that was refused
    counts under the name that it gave, as ``refused admin``. ``path`` is as it was sent, with its query;
    ``headers`` are without the credential, and don't mind capitals.
    """

    method: str
    template: str
    credential: str
    path: str
    headers: Mapping[str, str]


class CallLog:
    """All calls, in order."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: list[CountedCall] = []
        self._under_way = 0
        self.most_at_once = 0

    @contextmanager
    def under_way(self) -> Iterator[None]:
        """Count a call among those at the same time, as long as the block."""
        with self._lock:
            self._under_way += 1
            self.most_at_once = max(self.most_at_once, self._under_way)
        try:
            yield
        finally:
            with self._lock:
                self._under_way -= 1

    def add(self, call: CountedCall) -> None:
        """Keep a call."""
        with self._lock:
            self._calls.append(call)

    @property
    def all(self) -> list[CountedCall]:
        """A copy of all calls since the last reset."""
        with self._lock:
            return list(self._calls)

    def count(self, method: str | None = None, template: str | None = None, credential: str | None = None) -> int:
        """Return how many calls there were, of a method, a path template, a credential, or of any.

        A template goes without ``/api/v2.0``; a credential may be a kind alone: ``user``, ``robot``.
        """
        return sum(
            (method is None or call.method == method)
            and (template is None or template in (call.template, call.template.removeprefix("/api/v2.0")))
            and (credential is None or credential in (call.credential, call.credential.partition(" ")[0]))
            for call in self.all
        )

    def by_template(self) -> Counter[tuple[str, str, str]]:
        """Return how many calls there were by method, path template and credential."""
        return Counter((call.method, call.template.removeprefix("/api/v2.0"), call.credential) for call in self.all)

    def reset(self) -> None:
        """Forget all calls."""
        with self._lock:
            self._calls.clear()
            self.most_at_once = self._under_way
