"""Answers that several subscribers share: each event is made into one once, by one task."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Hashable
from contextlib import aclosing
from typing import Any, Generic, Protocol, TypeVar

from execution import Followed

A = TypeVar("A")
A_co = TypeVar("A_co", covariant=True)
A_contra = TypeVar("A_contra", contravariant=True)

MOST_KEPT_ANSWERS = 256
FEWEST_KEPT_ANSWERS = 8
"""How many of the latest answers are kept for those that lag: as many as there are subscribers, within these."""

TOLD_AT_ONCE = 500
"""Subscribers that are told before others of the loop have their turn: some milliseconds of sending."""


class Execution(Protocol[A_co]):
    """What makes answers of the events of one operation."""

    async def answer(self, event: Any) -> A_co:
        """Return the answer of an event, whatever happens."""
        ...

    def failure(self, error: Exception) -> A_co:
        """Return the answer that ends a subscription whose source has raised."""
        ...


class Subscriber(Protocol[A_contra]):
    """One of those who are told."""

    def take(self, number: int, position: int, answer: A_contra) -> bool:
        """Take an answer at once and go on waiting for the next; return False, nothing done, where that can't be."""
        ...


class Channel(Generic[A]):
    """What all are told that follow the same, with the same rights, and ask the same of it.

    It holds nothing for each of them but who waits: answers are numbered, the latest are kept, and a subscriber asks
    for the one behind its last. It goes on as fast as the fastest of them; who lags behind what is kept goes on alone.
    """

    def __init__(self, key: Hashable, followed: Followed[Any], execution: Execution[A], position: int) -> None:
        """Everything up to `position` has been told."""
        self.key = key
        self.followed = followed
        self.execution = execution
        self.subscribers = 0
        self.failure: A | None = None
        """What is told last of all, when the source has raised."""
        self.is_over = False
        self._position = position
        self._kept: deque[tuple[int, A]] = deque()
        self._first_number = 0
        self._dropped_through = position
        self._waiting: dict[Subscriber[A], asyncio.Future[None]] = {}
        self._wanted = asyncio.Event()

    @property
    def first_number(self) -> int:
        """The number of the oldest answer that is kept, or of the next one."""
        return self._first_number

    def reaches_back_to(self, position: int) -> bool:
        """Return whether everything that is told behind a position is kept, or still to come."""
        return position >= self._dropped_through and not self.is_over

    def numbered(self, number: int) -> tuple[int, A] | None:
        """Return an answer that is kept, with its position; None when it is still to come."""
        place = number - self._first_number
        return self._kept[place] if place < len(self._kept) else None

    def news(self, subscriber: Subscriber[A]) -> asyncio.Future[None]:
        """Return what is done when there is an answer that this one didn't take at once, or no more to come.

        Have it forgotten when that is awaited.
        """
        future = self._waiting[subscriber] = asyncio.get_running_loop().create_future()
        self._wanted.set()
        return future

    def forget(self, subscriber: Subscriber[A]) -> None:
        """Take somebody off who waits no longer."""
        self._waiting.pop(subscriber, None)

    async def run(self) -> None:
        """Make answers until the source ends."""
        try:
            async with aclosing(self.followed.behind(self._position)) as steps:
                async for position, event in steps:
                    if event is None:
                        continue
                    await self._tell(position, await self.execution.answer(event))
                    if not self._waiting:
                        self._wanted.clear()
                        await self._wanted.wait()
        except Exception as error:  # the boundary: all are told that it ended, and how
            self.failure = self.execution.failure(error)
        finally:
            self.is_over = True
            for future in self._waiting.values():
                _wake(future)

    async def _tell(self, position: int, answer: A) -> None:
        number = self._first_number + len(self._kept)
        self._kept.append((position, answer))
        most = min(MOST_KEPT_ANSWERS, max(FEWEST_KEPT_ANSWERS, self.subscribers))
        while len(self._kept) > most:
            self._dropped_through, _ = self._kept.popleft()
            self._first_number += 1
        waiting = self._waiting
        for turn, (subscriber, future) in enumerate(list(waiting.items()), 1):
            # While others had their turn, it may have left, or taken the answer itself.
            if waiting.get(subscriber) is future and not subscriber.take(number, position, answer):
                del waiting[subscriber]
                _wake(future)
            if turn % TOLD_AT_ONCE == 0:
                await asyncio.sleep(0)
        # Many events at once never wait by themselves. Whoever is woken by this one has a turn before the next.
        await asyncio.sleep(0)


class Channels(Generic[A]):
    """The channels that have subscribers, by what those share."""

    def __init__(self) -> None:
        self._channels: dict[Hashable, Channel[A]] = {}
        self._tasks: dict[Channel[A], asyncio.Task[None]] = {}

    def join(self, key: Hashable, position: int) -> Channel[A] | None:
        """Return the channel that goes on behind a position, if there is one; the subscriber is then counted."""
        channel = self._channels.get(key)
        if channel is None or not channel.reaches_back_to(position):
            return None
        channel.subscribers += 1
        return channel

    def join_or_begin(
        self, key: Hashable, followed: Followed[Any], execution: Execution[A], position: int
    ) -> Channel[A] | None:
        """Do the same, beginning a channel where there is none; None when the present one doesn't reach back so far."""
        present = self._channels.get(key)
        if present is None or present.is_over:
            channel = self._channels[key] = Channel(key, followed, execution, position)
            task = self._tasks[channel] = asyncio.create_task(channel.run())
            task.add_done_callback(lambda _: self._forget(channel))
        return self.join(key, position)

    async def leave(self, channel: Channel[A]) -> None:
        """Count one subscriber less. The last one ends the channel, and waits until its source is closed."""
        channel.subscribers -= 1
        task = self._tasks.get(channel)
        if channel.subscribers or task is None:
            return
        # Whoever comes while it ends must not find it.
        channel.is_over = True
        task.cancel()
        await asyncio.wait((task,))

    def _forget(self, channel: Channel[A]) -> None:
        del self._tasks[channel]
        if self._channels.get(channel.key) is channel:
            del self._channels[channel.key]


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
