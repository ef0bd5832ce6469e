"""Work that comes to its end once it was begun."""

from __future__ import annotations

import asyncio

import pytest

from services.background import Undertakings


class Work:
    """Something that goes on until it may end, and tells how it did."""

    def __init__(self) -> None:
        self.begun, self.may_end = asyncio.Event(), asyncio.Event()
        self.outcome = "under way"

    async def run(self) -> str:
        try:
            self.begun.set()
            await self.may_end.wait()
            self.outcome = "done"
        except asyncio.CancelledError:
            self.outcome = "cancelled"
            raise
        return self.outcome


def test_it_gives_back_what_came_of_it_or_raises_it() -> None:
    class Failure(Exception):
        pass

    async def fail() -> None:
        raise Failure

    async def carry_out() -> None:
        undertakings, work = Undertakings(), Work()
        work.may_end.set()
        assert await undertakings.carry_out("work", work.run()) == "done"
        with pytest.raises(Failure):
            await undertakings.carry_out("work", fail())

    asyncio.run(carry_out())


def test_whoever_stops_waiting_does_not_end_it() -> None:
    async def carry_out() -> None:
        undertakings, work = Undertakings(), Work()
        waiting = asyncio.create_task(undertakings.carry_out("work", work.run()))
        await work.begun.wait()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert work.outcome == "under way"
        ending = asyncio.create_task(undertakings.end(60))
        work.may_end.set()
        await ending
        assert work.outcome == "done"

    asyncio.run(carry_out())


def test_at_the_end_what_takes_too_long_is_cancelled() -> None:
    async def carry_out() -> None:
        undertakings, work = Undertakings(), Work()
        waiting = asyncio.create_task(undertakings.carry_out("work", work.run()))
        await work.begun.wait()
        await undertakings.end(0)
        assert work.outcome == "cancelled"
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await undertakings.end(0)

    asyncio.run(carry_out())
