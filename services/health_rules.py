"""When a registry counts as healthy, decided from one probe after the other. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from models.enums import HealthReason, HealthStatus

AGAIN_AFTER_FIRST_BAD = timedelta(seconds=2)
AGAIN_AFTER_FIRST_401 = timedelta(seconds=5)
AGAIN_AFTER_SECOND_401 = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class ProbeOutcome:
    """What one probe saw; `reason` is None for a good one."""

    checked_at: datetime
    reason: HealthReason | None
    message: str | None = None
    registry_message: str | None = None
    latency_milliseconds: float | None = None
    version: str | None = None
    is_read_only: bool = False
    components: list[dict[str, Any]] | None = None
    is_reader_accepted: bool = False
    """Whether what was refused is the administrator's credential alone, which no probe uses."""

    @property
    def is_good(self) -> bool:
        """Whether the registry can be used."""
        return self.reason is None


@dataclass(frozen=True, slots=True)
class HealthState:
    """How an integration is, as far as the rules need it."""

    status: HealthStatus
    reason: HealthReason | None
    message: str | None
    registry_message: str | None
    since: datetime | None
    bad_checks_in_row: int


def next_state(state: HealthState, outcome: ProbeOutcome) -> HealthState:
    """Return the state after a probe.

    Two bad probes in a row make it UNHEALTHY, so that a blip is no alarm; one good one makes it HEALTHY. While
    it stays UNHEALTHY, reason and message follow the latest probe and `since` stays.
    """
    if outcome.is_good:
        since = state.since if state.status is HealthStatus.HEALTHY else outcome.checked_at
        return HealthState(HealthStatus.HEALTHY, None, None, None, since, 0)
    bad_checks_in_row = state.bad_checks_in_row + 1
    if bad_checks_in_row < 2:
        return replace(state, bad_checks_in_row=bad_checks_in_row)
    return HealthState(
        status=HealthStatus.UNHEALTHY,
        reason=outcome.reason,
        message=outcome.message,
        registry_message=outcome.registry_message,
        since=state.since if state.status is HealthStatus.UNHEALTHY else outcome.checked_at,
        bad_checks_in_row=bad_checks_in_row,
    )


def is_change(before: HealthState, after: HealthState) -> bool:
    """Return whether subscribers should hear of it: the status is another, or the reason for UNHEALTHY is."""
    return (before.status, before.reason) != (after.status, after.reason)


def next_probe_at(state: HealthState, outcome: ProbeOutcome, was_due_at: datetime, interval: timedelta) -> datetime:
    """Return when to look again.

    The rhythm of each integration stays its own, so that they don't fire together. After a first bad probe the
    next follows soon; a credential that was refused twice is left alone for an hour, since every further try
    could lock the account.
    """
    if outcome.reason is HealthReason.UNAUTHORIZED and not outcome.is_reader_accepted:
        again = AGAIN_AFTER_FIRST_401 if state.bad_checks_in_row < 2 else AGAIN_AFTER_SECOND_401
        return outcome.checked_at + again
    if state.bad_checks_in_row == 1:
        return outcome.checked_at + AGAIN_AFTER_FIRST_BAD
    # A turn or many may have been missed, or it was probed ahead of its time, or the clock went back.
    turns = (outcome.checked_at - was_due_at) // interval + 1
    return was_due_at + turns * interval
