"""A transport that tells how its calls ended."""

from __future__ import annotations

import time
from collections.abc import Callable

from registry_clients.errors import RegistryError
from registry_clients.transport import RegistryRequest, RegistryResponse, RegistryTransport

CallObserver = Callable[[str, float], None]
"""Called with a call's outcome ("2xx" to "5xx", or the `FailureReason`) and how many seconds it took."""


class ObservedTransport:
    """Sends by another transport. A call that was cancelled has no outcome."""

    def __init__(self, transport: RegistryTransport, observe: CallObserver) -> None:
        self._transport = transport
        self._observe = observe

    async def send(self, request: RegistryRequest) -> RegistryResponse:
        """Return the answer. Raises RegistryError."""
        started = time.perf_counter()
        try:
            response = await self._transport.send(request)
        except RegistryError as error:
            self._observe(error.reason.value, time.perf_counter() - started)
            raise
        # Any number may come: only its class is told, and 600 is none.
        outcome = f"{response.status // 100}xx" if 100 <= response.status < 600 else "other"
        self._observe(outcome, time.perf_counter() - started)
        return response

    async def aclose(self) -> None:
        """Close the other transport."""
        await self._transport.aclose()
