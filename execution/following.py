"""Sources of subscriptions that can be followed by several at once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterable, Hashable
from contextlib import aclosing
from typing import Generic, TypeVar

T = TypeVar("T")
Step = tuple[int, T | None]
"""A position and what is told there, if anything. With it, everything up to the position has been told."""

OpeningStep = tuple[int | None, T | None]
"""The same, but for the position: None as long as there is more to tell before one is reached."""


class Followed(ABC, AsyncIterable[T], Generic[T]):
    """What a subscription's resolver returns when whoever follows the same may be told the same.

    A server that doesn't know of it just iterates.
    """

    tells_state = False
    """Whether each event tells how things are, not what has happened: an answer like the last one need not be told."""

    @property
    @abstractmethod
    def key(self) -> Hashable:
        """What is followed. Those with equal keys, and equal rights to see, are told the same behind a position.

        It stands for all arguments of the field, except for where to begin.
        """

    @abstractmethod
    def opening(self) -> AsyncGenerator[OpeningStep[T], None]:
        """Yield what this one alone is told first, if anything, and last the position behind which it goes on."""

    @abstractmethod
    def behind(self, position: int) -> AsyncGenerator[Step[T], None]:
        """Yield what is told behind a position, and a step without anything before each wait for something new."""

    async def __aiter__(self) -> AsyncGenerator[T, None]:
        """Yield what is told."""
        position = 0
        async with aclosing(self.opening()) as opening:
            async for place, told in opening:
                position = position if place is None else place
                if told is not None:
                    yield told
        async with aclosing(self.behind(position)) as steps:
            async for _, told in steps:
                if told is not None:
                    yield told
