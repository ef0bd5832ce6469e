"""A subscription of one client: alone as far as it must, then with all that follow the same."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterable, AsyncIterator, Callable, Hashable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from execution import Followed
from server.graphql.channels import Channel, Channels, Execution

A = TypeVar("A")
A_contra = TypeVar("A_contra", contravariant=True)


@dataclass(frozen=True, slots=True)
class Refusal(Generic[A]):
    """Why a subscription can't begin."""

    answer: A


class Beginning(Execution[A], Protocol[A]):
    """A subscription that is to begin, and what makes answers of its events."""

    async def begin(self) -> AsyncIterable[Any] | Refusal[A]:
        """Return the source of its events, or why there is none."""
        ...

    def shared_by(self, followed: Followed[Any]) -> Hashable:
        """Return what all have in common that can be told the same."""
        ...


class SubscriptionObserver(Protocol[A_contra]):
    """Is told how subscriptions go."""

    def began(self) -> None:
        """One has begun."""
        ...

    def answered(self, answer: A_contra) -> None:
        """One client has been given an answer."""
        ...

    def ended(self, last: A_contra | None, seconds: float) -> None:
        """One is over, after its last answer."""
        ...


class Subscription(Generic[A]):
    """Iterates over the answers for one client. Close it, whatever happens: that closes its source.

    A source that is `Followed` is first followed alone: it tells its opening, and what was missed. Then it is left
    for the channel of all that follow the same. Who can't keep up with that goes on alone behind the last answer,
    until the channel can be joined again: nothing is left out or told twice. The next event is taken only when the
    client has the last one, so that a slow client holds up itself and nobody else.
    """

    __slots__ = (
        "_beginning",
        "_channel",
        "_channels",
        "_execution",
        "_followed",
        "_is_closed",
        "_is_opening",
        "_key",
        "_last",
        "_number",
        "_observer",
        "_position",
        "_send_at_once",
        "_source",
        "_started",
        "_tells_state",
    )

    def __init__(
        self,
        beginning: Beginning[A],
        channels: Channels[A],
        observer: SubscriptionObserver[A] | None,
        send_at_once: Callable[[A], bool] | None,
    ) -> None:
        """Nothing is begun before the first answer is asked for.

        While the next one is waited for, `send_at_once` is given answers instead, if it can be. It sends one without
        waiting, or returns False.
        """
        self._send_at_once = send_at_once
        self._beginning: Beginning[A] | None = beginning
        self._execution: Execution[A] = beginning
        self._channels = channels
        self._observer = observer
        self._started = time.perf_counter()
        self._is_closed = False
        self._last: A | None = None
        self._key: Hashable = None
        self._followed: Followed[Any] | None = None
        self._source: AsyncIterator[Any] | None = None
        self._channel: Channel[A] | None = None
        self._is_opening = True
        self._tells_state = False
        self._position = 0
        """Everything up to here has been told, once the opening is over."""
        self._number = 0
        """Of the answer of the channel that comes next."""
        if observer is not None:
            observer.began()

    def __aiter__(self) -> Subscription[A]:
        return self

    async def __anext__(self) -> A:
        """Return the next answer."""
        while not self._is_closed:
            channel = self._channel
            if channel is None:
                if (answer := await self._next_alone()) is None:
                    continue
            elif self._number < channel.first_number:
                await self._go_on_alone(channel)
                continue
            elif (kept := channel.numbered(self._number)) is not None:
                self._number += 1
                position, answer = kept
                # The channel may have been behind when it was joined.
                if position <= self._position:
                    continue
                self._position = position
            elif channel.is_over:
                self._is_closed = True
                if channel.failure is None:
                    break
                answer = channel.failure
            else:
                try:
                    await channel.news(self)
                finally:
                    channel.forget(self)
                continue
            if self._is_told_already(answer):
                continue
            self._last = answer
            if self._observer is not None:
                self._observer.answered(answer)
            return answer
        raise StopAsyncIteration

    def take(self, number: int, position: int, answer: A) -> bool:
        """Take an answer of the channel while this waits for it, if the client can be sent it at once."""
        if self._send_at_once is None or number != self._number:
            return False
        if position > self._position and not self._is_told_already(answer):
            if not self._send_at_once(answer):
                return False
            self._last = answer
            if self._observer is not None:
                self._observer.answered(answer)
        self._position = max(position, self._position)
        self._number = number + 1
        return True

    async def aclose(self) -> None:
        """End it, its source closed when nobody else follows it."""
        self._is_closed = True
        observer, self._observer = self._observer, None
        if observer is not None:
            observer.ended(self._last, time.perf_counter() - self._started)
        channel, self._channel = self._channel, None
        if channel is not None:
            await self._channels.leave(channel)
        await self._close_source()

    def _is_told_already(self, answer: A) -> bool:
        return self._tells_state and answer == self._last

    async def _next_alone(self) -> A | None:
        """Return the next answer of a source of one's own; None when it is over, or a channel was joined."""
        beginning, self._beginning = self._beginning, None
        if beginning is not None:
            begun = await beginning.begin()
            if isinstance(begun, Refusal):
                self._is_closed = True
                return begun.answer
            if isinstance(begun, Followed):
                self._followed, self._key = begun, beginning.shared_by(begun)
                self._tells_state = begun.tells_state
                begun = begun.opening()
            self._source = aiter(begun)
        elif self._last is not None:
            # A source with a long backlog never waits, and neither may the sending: let others run.
            await asyncio.sleep(0)
        if self._source is None:
            # Its beginning was cancelled.
            self._is_closed = True
            return None
        try:
            if self._followed is None:
                return await self._execution.answer(await anext(self._source))
            return await self._next_step(self._followed, self._source)
        except StopAsyncIteration:
            if self._followed is not None and self._is_opening:
                self._is_opening = False
                self._source = self._followed.behind(self._position)
            else:
                self._is_closed = True
        except Exception as error:  # the boundary: a client is told that its source failed, and no more
            self._is_closed = True
            return self._execution.failure(error)
        return None

    async def _next_step(self, followed: Followed[Any], source: AsyncIterator[Any]) -> A | None:
        channel = None
        if not self._is_opening:
            channel = self._channels.join(self._key, self._position)
        if channel is None:
            position, event = await anext(source)
            if position is not None:
                self._position = position
            if event is not None:
                return await self._execution.answer(event)
            if not self._is_opening:
                # There is nothing more before something new happens. From here on all are told the same.
                channel = self._channels.join_or_begin(self._key, followed, self._execution, self._position)
        if channel is not None:
            self._go_on_with(channel)
            await self._close_source()
        return None

    def _go_on_with(self, channel: Channel[A]) -> None:
        self._channel = channel
        self._number = channel.first_number
        # All that is needed from here on is the channel's.
        self._followed, self._key = None, None
        self._execution = channel.execution

    async def _go_on_alone(self, channel: Channel[A]) -> None:
        self._channel = None
        self._followed, self._key = channel.followed, channel.key
        self._source = channel.followed.behind(self._position)
        await self._channels.leave(channel)

    async def _close_source(self) -> None:
        source, self._source = self._source, None
        # An iterator that is no generator may have nothing to close.
        close = getattr(source, "aclose", None)
        if close is not None:
            await close()
