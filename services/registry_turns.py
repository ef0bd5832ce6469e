"""Changing things at registries in turn: each thing by one at a time, and within a deadline."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TypeVar
from weakref import WeakValueDictionary

from registry_clients.discretion import discreet
from registry_clients.errors import TimedOut
from registry_clients.protocol import RegistryClient
from services.registry_connections import RegistryConnections, RegistryTarget

C = TypeVar("C")
T = TypeVar("T")

NamedThing = tuple[int, str]
"""An integration, and a name there."""

DEADLINE_SECONDS = 25.0
"""For all that one change asks of registries; less than a client waits for its mutation."""


class Turns:
    """Who may change which thing now, of all in this process."""

    def __init__(self, what: str) -> None:
        """Take what the things are, for people."""
        self._what = what
        self._locks: WeakValueDictionary[NamedThing, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def of(self, things: Iterable[NamedThing], deadline: float) -> AsyncIterator[None]:
        """Hold off other changes of these things for the block, or the mirror could end with the earlier of two.

        Raises TimedOut when others take too long.
        """
        # In order, so that no two wait for each other. This list keeps the locks in being.
        locks = [self._locks.setdefault(thing, asyncio.Lock()) for thing in sorted(set(things))]
        async with AsyncExitStack() as turns:
            try:
                async with asyncio.timeout_at(deadline):
                    for lock in locks:
                        await turns.enter_async_context(lock)
            except TimeoutError as error:
                raise TimedOut(f"Another change of this {self._what} takes long: try again.") from error
            yield


def new_deadline() -> float:
    """Return until when, in the loop's time, one change may take that begins now."""
    return asyncio.get_running_loop().time() + DEADLINE_SECONDS


async def ask_in_time(
    connections: RegistryConnections,
    target: RegistryTarget,
    usable: Callable[[RegistryClient], C],
    work: Callable[[C], Awaitable[T]],
    deadline: float,
) -> T:
    """Return what comes of asking a registry. `usable` returns the client as one that can do what is asked.

    Raises TimeoutError behind the deadline, and what the work raises, without any credential in it.
    """
    async with asyncio.timeout_at(deadline):
        client = usable(await connections.client(target))
        with discreet(target.credential), discreet(target.reader):
            return await work(client)
