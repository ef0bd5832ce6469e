"""When a registry counts as healthy: case by case, and against a second way to say it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.enums import HealthReason, HealthStatus
from services.health_rules import HealthState, ProbeOutcome, is_change, next_probe_at, next_state

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
INTERVAL = timedelta(seconds=15)
UNSEEN = HealthState(HealthStatus.UNKNOWN, HealthReason.NOT_CHECKED_YET, None, None, None, 0)

REASONS = st.sampled_from([HealthReason.TIMED_OUT, HealthReason.CONNECTION_REFUSED, HealthReason.UNAUTHORIZED])
SIGHTS = st.lists(st.none() | REASONS, max_size=30)


def outcome(reason: HealthReason | None, after_seconds: float = 0) -> ProbeOutcome:
    message = None if reason is None else f"because of {reason}"
    return ProbeOutcome(NOW + timedelta(seconds=after_seconds), reason, message, message and f"{message}, it says")


def states(*reasons: HealthReason | None) -> list[HealthState]:
    """Return the states after each probe, a second apart, beginning with the one never seen."""
    seen = [UNSEEN]
    for second, reason in enumerate(reasons):
        seen.append(next_state(seen[-1], outcome(reason, second)))
    return seen


def test_one_good_probe_makes_it_healthy_since_then() -> None:
    assert states(None)[-1] == HealthState(HealthStatus.HEALTHY, None, None, None, NOW, 0)


def test_a_blip_changes_nothing_that_is_seen() -> None:
    _, healthy, doubted, healthy_again = states(None, HealthReason.TIMED_OUT, None)
    assert doubted == replace(healthy, bad_checks_in_row=1)
    assert healthy_again == healthy
    assert not is_change(healthy, doubted)
    assert not is_change(doubted, healthy_again)


def test_two_bad_probes_make_it_unhealthy_for_the_second_ones_reason() -> None:
    *_, doubted, unhealthy = states(None, HealthReason.TIMED_OUT, HealthReason.CONNECTION_REFUSED)
    assert unhealthy == HealthState(
        status=HealthStatus.UNHEALTHY,
        reason=HealthReason.CONNECTION_REFUSED,
        message="because of CONNECTION_REFUSED",
        registry_message="because of CONNECTION_REFUSED, it says",
        since=NOW + timedelta(seconds=2),
        bad_checks_in_row=2,
    )
    assert is_change(doubted, unhealthy)


def test_another_reason_is_told_and_the_beginning_stays() -> None:
    *_, before, after = states(HealthReason.TIMED_OUT, HealthReason.TIMED_OUT, HealthReason.CONNECTION_REFUSED)
    assert (after.reason, after.since) == (HealthReason.CONNECTION_REFUSED, before.since)
    assert is_change(before, after)


def test_the_same_reason_again_is_no_news() -> None:
    *_, before, after = states(HealthReason.TIMED_OUT, HealthReason.TIMED_OUT, HealthReason.TIMED_OUT)
    assert after == replace(before, bad_checks_in_row=3)
    assert not is_change(before, after)


@given(SIGHTS)
def test_status_and_reason_agree_with_a_look_at_the_whole_history(sights: list[HealthReason | None]) -> None:
    state = states(*sights)[-1]
    # The second way: from the end, by what the last probes were.
    bad_at_end = 0
    while bad_at_end < len(sights) and sights[len(sights) - 1 - bad_at_end] is not None:
        bad_at_end += 1
    was_alarm = [
        index for index in range(1, len(sights)) if sights[index] is not None and sights[index - 1] is not None
    ]
    was_good = [index for index, sight in enumerate(sights) if sight is None]
    last_alarm, last_good = max(was_alarm, default=-1), max(was_good, default=-1)
    assert state.bad_checks_in_row == bad_at_end
    if last_alarm > last_good:
        first = next(index for index in was_alarm if index > last_good)
        assert (state.status, state.reason) == (HealthStatus.UNHEALTHY, sights[last_alarm])
        assert state.since == NOW + timedelta(seconds=first)
    elif last_good >= 0:
        began = min(index for index in was_good if index > last_alarm)
        assert (state.status, state.reason) == (HealthStatus.HEALTHY, None)
        assert state.since == NOW + timedelta(seconds=began)
    else:
        assert (state.status, state.reason, state.since) == (HealthStatus.UNKNOWN, HealthReason.NOT_CHECKED_YET, None)


@given(SIGHTS)
def test_who_hears_of_changes_alone_knows_status_and_reason(sights: list[HealthReason | None]) -> None:
    seen = states(*sights)
    known = (UNSEEN.status, UNSEEN.reason)
    for before, after in pairwise(seen):
        if is_change(before, after):
            known = (after.status, after.reason)
        assert known == (after.status, after.reason)


def planned(reason: HealthReason | None, bad_before: int = 0, late_seconds: float = 0.1) -> timedelta:
    """Return how long after the time that it was due the next probe is planned."""
    before = replace(UNSEEN, status=HealthStatus.HEALTHY, reason=None, bad_checks_in_row=bad_before)
    seen = outcome(reason, late_seconds)
    return next_probe_at(next_state(before, seen), seen, NOW, INTERVAL) - NOW


def test_a_good_one_is_seen_again_an_interval_after_it_was_due() -> None:
    assert planned(None) == INTERVAL
    assert planned(None, late_seconds=14.9) == INTERVAL


def test_missed_turns_are_not_made_up_for() -> None:
    assert planned(None, late_seconds=15) == 2 * INTERVAL
    assert planned(None, late_seconds=3601) == 241 * INTERVAL


def test_a_first_bad_one_is_confirmed_two_seconds_later() -> None:
    assert planned(HealthReason.TIMED_OUT, late_seconds=5) == timedelta(seconds=7)


def test_a_confirmed_bad_one_keeps_the_rhythm() -> None:
    assert planned(HealthReason.TIMED_OUT, bad_before=1) == INTERVAL
    assert planned(HealthReason.TIMED_OUT, bad_before=7, late_seconds=5) == INTERVAL


def test_a_refused_credential_is_tried_once_more_after_five_seconds_then_hourly() -> None:
    assert planned(HealthReason.UNAUTHORIZED, late_seconds=1) == timedelta(seconds=6)
    assert planned(HealthReason.UNAUTHORIZED, bad_before=1, late_seconds=1) == timedelta(hours=1, seconds=1)
    assert planned(HealthReason.UNAUTHORIZED, bad_before=2, late_seconds=1) == timedelta(hours=1, seconds=1)


def test_one_probed_out_of_turn_is_seen_again_in_its_turn() -> None:
    assert planned(None, late_seconds=-4) == timedelta(0)


def test_a_clock_that_went_back_meanwhile_plans_no_further_than_an_interval() -> None:
    assert planned(None, late_seconds=-3600) == INTERVAL - timedelta(hours=1)


@given(
    late_seconds=st.floats(-100_000, 100_000),
    phase_seconds=st.floats(0, 15, exclude_max=True),
    turns=st.integers(1, 5),
)
def test_phases_are_kept(late_seconds: float, phase_seconds: float, turns: int) -> None:
    healthy = replace(UNSEEN, status=HealthStatus.HEALTHY, reason=None)
    due = first = NOW + timedelta(seconds=phase_seconds)
    for _ in range(turns):
        seen = ProbeOutcome(due + timedelta(seconds=late_seconds), None)
        due = next_probe_at(healthy, seen, due, INTERVAL)
        # In the future, within an interval, and a whole number of intervals from the beginning: no drift.
        assert timedelta(0) < due - seen.checked_at <= INTERVAL
        assert (due - first) % INTERVAL == timedelta(0)


@pytest.mark.parametrize("reason", [None, HealthReason.TIMED_OUT, HealthReason.UNAUTHORIZED])
def test_nothing_is_ever_planned_for_the_past(reason: HealthReason | None) -> None:
    for bad_before in range(3):
        for late_seconds in (0.0, 4.0, 20.0, 100_000.0):
            assert planned(reason, bad_before, late_seconds) > timedelta(seconds=late_seconds)
