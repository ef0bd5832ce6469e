"""What registries said last, for as long as there is room."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from registry_clients.records import ArtifactPage, FoundArtifact
from services.live_answers import NotTold, Told, Wanted

MOST_BYTES = 64 * 1024 * 1024
MOST_BYTES_OF_ONE = 4 * 1024 * 1024
MOST_FAILURES = 5_000

ENTRY_BYTES = 1_000
ARTIFACT_BYTES = 800
TAG_BYTES = 300
PLATFORM_BYTES = 300
"""What each takes beside its texts, roughly; most of it are Python's own objects."""


@dataclass(slots=True)
class _Kept:
    told: Told[Any]
    state: datetime
    until: float
    """Up to when it is as good as a new answer."""

    bytes: int


@dataclass(frozen=True, slots=True)
class _Failed:
    why: NotTold
    state: datetime
    until: float


class LiveMemory:
    """The last answers, by what was wanted and the integration's `state`; of another state they are forgotten.

    Bounded by bytes: what wasn't asked for longest goes first. Times are seconds of a clock that never goes back.
    """

    def __init__(self, most_bytes: int = MOST_BYTES, most_bytes_of_one: int = MOST_BYTES_OF_ONE) -> None:
        self._most_bytes = most_bytes
        self._most_bytes_of_one = most_bytes_of_one
        self._kept: OrderedDict[Wanted[Any], _Kept] = OrderedDict()
        self._failed: OrderedDict[Wanted[Any], _Failed] = OrderedDict()
        self._of: dict[int, dict[str, set[Wanted[Any]]]] = {}
        """What is kept of each integration and repository."""
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._kept)

    def fresh(self, wanted: Wanted[Any], state: datetime, now: float) -> Told[Any] | None:
        """Return an answer that is as good as a new one."""
        kept = self._found(wanted, state)
        return kept.told if kept is not None and now < kept.until else None

    def last(self, wanted: Wanted[Any], state: datetime) -> Told[Any] | None:
        """Return the last answer, however old."""
        kept = self._found(wanted, state)
        return None if kept is None else kept.told

    def failure(self, wanted: Wanted[Any], state: datetime, now: float) -> NotTold | None:
        """Return why the registry did not answer a moment ago."""
        failed = self._failed.get(wanted)
        return failed.why if failed is not None and failed.state == state and now < failed.until else None

    def keep(self, wanted: Wanted[Any], told: Told[Any], state: datetime, until: float) -> None:
        """Keep an answer; one that is too large is not kept."""
        self._drop(wanted)
        self._failed.pop(wanted, None)
        size = bytes_of(told.value)
        if size > self._most_bytes_of_one:
            return
        self._kept[wanted] = _Kept(told, state, until, size)
        self._of.setdefault(wanted.integration_id, {}).setdefault(wanted.repository_name, set()).add(wanted)
        self.bytes += size
        while self.bytes > self._most_bytes:
            self._drop(next(iter(self._kept)))

    def keep_failure(self, wanted: Wanted[Any], why: NotTold, state: datetime, until: float) -> None:
        """Keep why a registry did not answer. What it said before stays."""
        self._failed.pop(wanted, None)
        self._failed[wanted] = _Failed(why, state, until)
        if len(self._failed) > MOST_FAILURES:
            self._failed.popitem(last=False)

    def doubt(self, integration_id: int, repository_name: str) -> None:
        """Take nothing of a repository for as good as new any more."""
        for wanted in self._of.get(integration_id, {}).get(repository_name, set()):
            self._kept[wanted].until = float("-inf")

    def drop(self, integration_id: int) -> None:
        """Forget everything of an integration."""
        for wanted in [wanted for of_name in self._of.get(integration_id, {}).values() for wanted in of_name]:
            self._drop(wanted)
        for wanted in [wanted for wanted in self._failed if wanted.integration_id == integration_id]:
            del self._failed[wanted]

    def _found(self, wanted: Wanted[Any], state: datetime) -> _Kept | None:
        kept = self._kept.get(wanted)
        if kept is None or kept.state != state:
            return None
        self._kept.move_to_end(wanted)
        return kept

    def _drop(self, wanted: Wanted[Any]) -> None:
        kept = self._kept.pop(wanted, None)
        if kept is None:
            return
        self.bytes -= kept.bytes
        of_integration = self._of[wanted.integration_id]
        of_integration[wanted.repository_name].discard(wanted)
        if not of_integration[wanted.repository_name]:
            del of_integration[wanted.repository_name]
        if not of_integration:
            del self._of[wanted.integration_id]


def bytes_of(value: ArtifactPage | FoundArtifact | None) -> int:
    """Return how many bytes keeping a value takes, roughly."""
    if value is None:
        return ENTRY_BYTES
    artifacts = value.artifacts if isinstance(value, ArtifactPage) else (value,)
    return ENTRY_BYTES + sum(map(_artifact_bytes, artifacts))


def _artifact_bytes(artifact: FoundArtifact) -> int:
    return (
        ARTIFACT_BYTES
        + TAG_BYTES * len(artifact.tags)
        + PLATFORM_BYTES * len(artifact.platforms)
        + _characters((artifact.digest, artifact.media_type, artifact.artifact_type or ""))
        + _characters(tag.name for tag in artifact.tags)
        + _characters(
            text
            for platform in artifact.platforms
            for text in (platform.digest, platform.os, platform.architecture, platform.variant or "")
        )
    )


def _characters(texts: Iterable[str]) -> int:
    return sum(map(len, texts))
