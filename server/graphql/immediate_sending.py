"""An extension of ASGI's WebSocket scope: sending without waiting, where the server offers it.

One event for thousands of sockets costs a wake-up each when it is sent as ASGI has it. Without the extension all goes
the usual way.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from starlette.types import Scope

EXTENSION = "integrated_registry.send_at_once"

SendAtOnce = Callable[[bytes, bytes, bytes], bool]
"""Sends UTF-8 text, given in three parts; returns False, with nothing done, where that would have to wait."""


def send_at_once_of(scope: Scope) -> SendAtOnce | None:
    """Return how to send on a socket at once, or None when its server can't."""
    extension = scope.get("extensions", {}).get(EXTENSION)
    return None if extension is None else cast("SendAtOnce", extension["send"])
