"""Looking something up once for all who want to know it at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class BatchedLook(Generic[T]):
    """Looks something up, one time after the other; each look is for all who asked before it began.

    Who asks while a look is under way gets the next one: what was found is never older than the question. The first
    of those who wait makes it, in his own task, so that whoever asks alone pays for nothing else.
    """

    def __init__(self, look: Callable[[], Awaitable[T]]) -> None:
        self._look = look
        self._is_looking = False
        self._waiting: list[asyncio.Future[tuple[T] | None]] = []
        """Told what was found, or None: it is their turn to look."""

    async def __call__(self) -> T:
        """Return what was found. Raises what the look raises, for all whom it was for."""
        if self._is_looking:
            told = await self._turn()
            if told is not None:
                return told[0]
        self._is_looking = True
        sharing, self._waiting = self._waiting, []
        try:
            found = await self._look()
        except asyncio.CancelledError:
            # The others want to know all the same.
            self._waiting[:0] = sharing
            raise
        except BaseException as error:
            for each in sharing:
                if not each.done():
                    each.set_exception(error)
            raise
        else:
            for each in sharing:
                if not each.done():
                    each.set_result((found,))
            return found
        finally:
            self._pass_on()

    async def _turn(self) -> tuple[T] | None:
        turn: asyncio.Future[tuple[T] | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.exception() is None and turn.result() is None:
                # It had just been given to who won't take it any more.
                self._pass_on()
            raise

    def _pass_on(self) -> None:
        self._is_looking = False
        while self._waiting:
            turn = self._waiting.pop(0)
            if not turn.done():
                # Until it is taken, nobody else begins.
                self._is_looking = True
                turn.set_result(None)
                return
