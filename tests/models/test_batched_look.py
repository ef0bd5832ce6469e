"""A look is for all who asked before it began, and for nobody who asked later."""

from __future__ import annotations

import asyncio

import pytest

from models.batched_look import BatchedLook


class Looked:
    """Something that is looked at, slowly: each look is let through by hand."""

    def __init__(self) -> None:
        self.looks: list[asyncio.Future[int]] = []
        self.batched = BatchedLook(self._look)

    async def _look(self) -> int:
        look: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.looks.append(look)
        return await look

    def ask(self) -> asyncio.Task[int]:
        """Ask, in a task of its own."""

        async def asking() -> int:
            return await self.batched()

        return asyncio.create_task(asking())


async def settle() -> None:
    """Let everything go on that can."""
    for _ in range(10):
        await asyncio.sleep(0)


def test_who_asks_meanwhile_gets_the_next_look_together() -> None:
    async def main() -> None:
        looked = Looked()
        first = looked.ask()
        await settle()
        others = [looked.ask() for _ in range(5)]
        await settle()
        assert len(looked.looks) == 1
        looked.looks[0].set_result(1)
        await settle()
        assert first.result() == 1
        assert len(looked.looks) == 2
        assert not any(other.done() for other in others)
        late = looked.ask()
        await settle()
        looked.looks[1].set_result(2)
        await settle()
        assert [other.result() for other in others] == [2] * 5
        looked.looks[2].set_result(3)
        assert await late == 3
        assert len(looked.looks) == 3

    asyncio.run(main())


def test_who_is_alone_looks_each_time() -> None:
    async def main() -> None:
        looked = Looked()
        for number in range(3):
            asking = looked.ask()
            await settle()
            looked.looks[number].set_result(number)
            assert await asking == number

    asyncio.run(main())


def test_a_failure_is_told_to_those_it_was_for() -> None:
    async def main() -> None:
        looked = Looked()
        asking = [looked.ask() for _ in range(3)]
        await settle()
        looked.looks[0].set_exception(LookupError("first"))
        await settle()
        assert isinstance(asking[0].exception(), LookupError)
        looked.looks[1].set_exception(LookupError("second"))
        await settle()
        assert [str(each.exception()) for each in asking] == ["first", "second", "second"]
        again = looked.ask()
        await settle()
        looked.looks[2].set_result(3)
        assert await again == 3

    asyncio.run(main())


@pytest.mark.parametrize("leaving", [0, 1, 2])
def test_whoever_leaves_takes_nothing_from_the_others(leaving: int) -> None:
    """The one who looks, the one whose turn is next, and one who waits."""

    async def main() -> None:
        looked = Looked()
        asking = [looked.ask() for _ in range(4)]
        await settle()
        asking[leaving].cancel()
        await settle()
        assert asking[leaving].cancelled()
        while not all(each.done() for each in asking):
            looked.looks[-1].set_result(len(looked.looks))
            await settle()
        results = [each.result() for each in asking if not each.cancelled()]
        assert results == ([2, 2, 2] if leaving == 0 else [1, 2, 2])
        assert len(looked.looks) == 2

    asyncio.run(main())


def test_a_turn_that_nobody_takes_is_passed_on() -> None:
    async def main() -> None:
        looked = Looked()
        first, second, third = (looked.ask() for _ in range(3))
        await settle()
        looked.looks[0].set_result(1)
        # As soon as it has been given its turn, and before it goes on.
        asyncio.get_running_loop().call_soon(second.cancel)
        await settle()
        assert (first.result(), second.cancelled(), len(looked.looks)) == (1, True, 2)
        looked.looks[1].set_result(2)
        assert await third == 2

    asyncio.run(main())


def test_one_who_looks_for_others_leaves_it_to_the_next() -> None:
    async def main() -> None:
        looked = Looked()
        asking = [looked.ask() for _ in range(4)]
        await settle()
        looked.looks[0].set_result(1)
        await settle()
        asking[1].cancel()
        await settle()
        assert len(looked.looks) == 3
        looked.looks[2].set_result(3)
        assert [await asking[0], await asking[2], await asking[3]] == [1, 3, 3]

    asyncio.run(main())
