"""Silent registries give up their places in a lane."""

import asyncio
from datetime import UTC, datetime

import pytest

from services import probe_lanes
from services.health_claims import DueProbe
from services.probe_lanes import CAPACITY, WIDTH, Lane

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def claimed(count: int, first: int = 0) -> list[DueProbe]:
    return [DueProbe(number, NOW, NOW) for number in range(first, first + count)]


async def until(condition: asyncio.Event) -> None:
    await condition.wait()


def test_those_that_just_began_count_against_the_width() -> None:
    lane = Lane("1 = 1")
    assert lane.free == WIDTH
    lane.hold(claimed(100))
    assert lane.free == WIDTH - 100


def test_those_that_are_silent_leave_room_up_to_the_capacity(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("services.probe_lanes.time.monotonic", lambda: now)
    lane = Lane("1 = 1")
    lane.hold(claimed(WIDTH))
    assert lane.free == 0
    now += probe_lanes.QUICK_SECONDS
    assert lane.free == WIDTH
    lane.hold(claimed(CAPACITY - WIDTH - 1, first=WIDTH))
    now += probe_lanes.QUICK_SECONDS
    assert lane.free == 1


def test_one_that_ended_leaves_and_one_that_was_cancelled_is_told() -> None:
    async def work() -> None:
        lane = Lane("1 = 1")
        ended, cancelled, never_began = claimed(3)
        lane.hold([ended, cancelled, never_began])
        answer = asyncio.Event()
        lane.start(ended, until(answer))
        lane.start(cancelled, until(asyncio.Event()))
        first, second = lane.tasks
        answer.set()
        await first
        second.cancel()
        await asyncio.wait([second])
        await asyncio.sleep(0)
        assert lane.drain() == [cancelled, never_began]
        assert (lane.tasks, lane.free) == ([], WIDTH)

    asyncio.run(work())
