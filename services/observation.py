"""What is counted of the work of the services, by whoever wants to know."""

from __future__ import annotations

from typing import Protocol

from models.enums import HealthReason
from registry_clients.kind import RegistryKind


class Observer(Protocol):
    """Takes in what happened. Called often: each method returns at once and never raises."""

    def registry_called(self, kind: RegistryKind, outcome: str, seconds: float) -> None:
        """A call to a registry ended: with a status ("2xx" to "5xx"), or a `FailureReason`."""
        ...

    def probed(self, reason: HealthReason | None, seconds: float) -> None:
        """A registry was probed; `reason` is None when it was well."""
        ...

    def work_failed(self, work: str) -> None:
        """A piece of background work failed in a way that nobody foresaw; `work` is one of a few names."""
        ...


class Unobserved:
    """Nobody wants to know."""

    def registry_called(self, kind: RegistryKind, outcome: str, seconds: float) -> None:
        """Do nothing."""

    def probed(self, reason: HealthReason | None, seconds: float) -> None:
        """Do nothing."""

    def work_failed(self, work: str) -> None:
        """Do nothing."""


UNOBSERVED = Unobserved()
