"""A block that takes too long is ended, and whoever cancels its task for another reason is heard all the same."""

from __future__ import annotations

import asyncio
import contextvars

import pytest

from server.graphql.deadlines import Deadlines, EndableBlock

SOON_SECONDS = 0.01
LATE_SECONDS = 60.0


async def forever() -> None:
    await asyncio.Event().wait()


def test_what_takes_too_long_is_ended_and_the_task_goes_on() -> None:
    async def main() -> None:
        deadlines = Deadlines(SOON_SECONDS)
        for _ in range(2):
            block = deadlines.block()
            with pytest.raises(TimeoutError), block:
                await forever()
            assert block.was_ended
        await asyncio.sleep(0)
        assert asyncio.current_task().cancelling() == 0  # type: ignore[union-attr]

    asyncio.run(main())


def test_what_ends_in_time_is_left_alone() -> None:
    async def main() -> None:
        deadlines = Deadlines(LATE_SECONDS)
        block = deadlines.block()
        with block:
            await asyncio.sleep(0)
        assert not block.was_ended
        with pytest.raises(LookupError), deadlines.block():
            raise LookupError

    asyncio.run(main())


def test_each_of_many_is_ended_at_its_own_time() -> None:
    async def main() -> None:
        deadlines = Deadlines(SOON_SECONDS)
        loop = asyncio.get_running_loop()

        async def one() -> tuple[float, float]:
            started = loop.time()
            with pytest.raises(TimeoutError), deadlines.block():
                await forever()
            return started, loop.time()

        first = asyncio.create_task(one())
        await asyncio.sleep(0)
        second = asyncio.create_task(one())
        for started, ended in (await first, await second):
            assert ended - started >= SOON_SECONDS

    asyncio.run(main())


@pytest.mark.parametrize("is_late_too", [False, True])
def test_a_cancellation_by_somebody_else_goes_on(is_late_too: bool) -> None:
    async def main() -> None:
        block = EndableBlock()
        has_begun = asyncio.Event()

        async def work() -> None:
            with block:
                has_begun.set()
                await forever()

        task = asyncio.create_task(work())
        await has_begun.wait()
        task.cancel()
        if is_late_too:
            block.end()
        await asyncio.wait((task,))
        assert task.cancelled()
        assert block.was_ended is is_late_too

    asyncio.run(main())


def test_the_inner_of_two_blocks_ends_alone() -> None:
    async def main() -> None:
        outer, inner = Deadlines(LATE_SECONDS).block(), Deadlines(SOON_SECONDS).block()
        with outer:
            with pytest.raises(TimeoutError), inner:
                await forever()
            await asyncio.sleep(0)
        assert (outer.was_ended, inner.was_ended) == (False, True)

    asyncio.run(main())


def test_ending_it_twice_or_afterwards_does_nothing() -> None:
    async def main() -> None:
        block = EndableBlock()
        block.end()
        for _ in range(2):
            asyncio.get_running_loop().call_soon(block.end)
        with pytest.raises(TimeoutError), block:
            await forever()
        block.end()
        await asyncio.sleep(0)

    asyncio.run(main())


def test_one_that_was_ended_is_over_for_good() -> None:
    async def main() -> None:
        block = Deadlines(SOON_SECONDS).block()
        with pytest.raises(TimeoutError), block:
            await forever()
        with pytest.raises(RuntimeError, match="ended before"), block:
            raise AssertionError

    asyncio.run(main())


def test_who_is_late_is_told_in_no_context_of_others() -> None:
    asked_by = contextvars.ContextVar[str]("asked_by", default="nobody")

    async def main() -> None:
        deadlines, told = Deadlines(SOON_SECONDS), asyncio.Event()
        seen: list[str] = []

        def late() -> None:
            seen.append(asked_by.get())
            told.set()

        asked_by.set("somebody")
        deadlines.begin(late)
        await told.wait()
        assert seen == ["nobody"]

    asyncio.run(main())


def test_outside_a_task_there_is_none() -> None:
    loop = asyncio.new_event_loop()
    failures: list[Exception] = []

    def begin() -> None:
        try:
            with EndableBlock():
                pass
        except RuntimeError as error:
            failures.append(error)
        loop.stop()

    loop.call_soon(begin)
    loop.run_forever()
    loop.close()
    assert len(failures) == 1
