"""Looking up names, so that one that never answers holds up itself alone.

The loop's own lookups share a few threads (libuv: two at a time), so two names whose server is silent would
stop every other. Here each name under way has a thread of its own; who asks for the same name meanwhile waits
with it, so that a name that hangs costs one thread, however often it is asked for. The threads are daemons:
a server that stops waits for none of them.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

_Key = tuple[str, socket.AddressFamily]
_NUMERIC = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV


class NameLookups(AbstractResolver):
    """Resolves by the system's own way (`getaddrinfo`), a thread for each name. Belongs to one loop."""

    def __init__(self) -> None:
        self._under_way: dict[_Key, asyncio.Future[list[Any]]] = {}

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of a name. Raises OSError when there are none."""
        key = (host, family)
        lookup = self._under_way.get(key)
        if lookup is None:
            lookup = self._begin(key)
        # Shielded: one who waits no longer leaves the others waiting.
        found = await asyncio.shield(lookup)
        return [
            ResolveResult(hostname=host, host=_numeric(address), port=port, family=kind, proto=protocol, flags=_NUMERIC)
            for kind, _, protocol, _, address in found
        ]

    async def close(self) -> None:
        """Nothing is kept open; lookups under way end by themselves."""

    def _begin(self, key: _Key) -> asyncio.Future[list[Any]]:
        loop = asyncio.get_running_loop()
        lookup: asyncio.Future[list[Any]] = loop.create_future()
        self._under_way[key] = lookup

        def end(found: list[Any] | None, error: Exception | None) -> None:
            self._under_way.pop(key, None)
            if error is not None:
                lookup.set_exception(error)
                # Whoever asked may have gone: that is no reason for asyncio to complain.
                lookup.exception()
            else:
                lookup.set_result(found or [])

        def look_up() -> None:
            host, family = key
            found, failure = None, None
            try:
                found = socket.getaddrinfo(host, 0, family, socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
            except OSError as error:
                failure = error
            except UnicodeError as error:
                failure = socket.gaierror(socket.EAI_NONAME, str(error))
            # The loop may have been closed meanwhile.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(end, found, failure)

        threading.Thread(target=look_up, name="name lookup", daemon=True).start()
        return lookup


def _numeric(address: Any) -> str:
    # A link-local address of IPv6 says by which interface; the address policy has the last word on it.
    text, scope = str(address[0]), address[3] if len(address) > 3 else 0
    return f"{text}%{scope}" if scope and "%" not in text else text
