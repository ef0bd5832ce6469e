"""uvicorn's WebSockets, for very many of them: with less kept of each, and a way to send without waiting."""

from __future__ import annotations

import struct

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request
from websockets.protocol import OPEN

from server.graphql.immediate_sending import EXTENSION

_FINAL_TEXT = 0x81
"""The first byte of a message that is one frame of text (RFC 6455, 5.2)."""


class SocketProtocol(WebSocketsSansIOProtocol):
    """Takes text that is to be sent at once, as an extension of ASGI's scope (`immediate_sending`).

    There must be no extension of WebSocket's own, such as compression: frames are written as they are.
    """

    def handle_connect(self, event: Request) -> None:
        """Begin the handshake. The parser keeps the request for good: not what it says, which the scope has."""
        super().handle_connect(event)
        event.headers.clear()
        self.scope.setdefault("extensions", {})[EXTENSION] = {"send": self.send_at_once}

    def start_keepalive(self) -> None:
        """Begin with pings: the handshake is done, and its answer not needed any more."""
        super().start_keepalive()
        self.response.headers.clear()

    def send_at_once(self, head: bytes, body: bytes, tail: bytes) -> bool:
        """Send UTF-8 text, given in parts; return False, with nothing done, where that would have to wait."""
        if not self.writable.is_set() or self.close_sent or self.conn.state is not OPEN or self.transport.is_closing():
            return False
        length = len(head) + len(body) + len(tail)
        if length < 126:
            size = bytes((_FINAL_TEXT, length))
        elif length < 65_536:
            size = struct.pack("!BBH", _FINAL_TEXT, 126, length)
        else:
            size = struct.pack("!BBQ", _FINAL_TEXT, 127, length)
        self.transport.write(b"".join((size, head, body, tail)))
        return True
