"""The heads of HTTP requests, bounded in size and time: uvicorn takes whatever comes, for as long as it comes."""

from __future__ import annotations

import asyncio
from typing import Final, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

MAX_HEAD_BYTES: Final = 64 * 1024
"""What may have come of a request line and headers, or of trailers, without an end. The parser copies an unfinished
header anew with each part of it: a hundred megabytes of one would stop the server for a quarter of a minute."""

HEAD_TIMEOUT_SECONDS: Final = 15.0
"""From the opening of a connection, or from the first byte of a further request, to the end of its head."""

_TOO_LARGE: Final = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class BoundedHeadsProtocol(HttpToolsProtocol):
    """uvicorn's HTTP, that answers 431 to a head that is too large and lets go of who doesn't finish one."""

    head_timeout_seconds = HEAD_TIMEOUT_SECONDS

    _has_come_on = False
    """Whether the part that is being read ended a head, or brought some of a body."""
    _unfinished_bytes = 0
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first head, but not for long."""
        super().connection_made(transport)
        self._start_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, unless a head has grown too large."""
        self._has_come_on = False
        super().data_received(data)
        if self.transport.is_closing() or self.transport.get_protocol() is not self:
            # Refused already, or a WebSocket's by now.
            return
        # What follows a body within one part is not counted: it is no more than one read of a socket.
        self._unfinished_bytes = 0 if self._has_come_on else self._unfinished_bytes + len(data)
        if self._unfinished_bytes > MAX_HEAD_BYTES:
            self._refuse()
        elif self._timer is None and not self._is_answering:
            self._start_timer()

    def on_headers_complete(self) -> None:
        """Go on to the body."""
        self._has_come_on = True
        self._stop_timer()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take in some of a body; its size and time are the application's to bound."""
        self._has_come_on = True
        super().on_body(body)

    @property
    def _is_answering(self) -> bool:
        # Before the first request there is none, whatever its type says.
        cycle = cast("RequestResponseCycle | None", self.cycle)
        return cycle is not None and not cycle.response_complete

    def _refuse(self) -> None:
        if not self._is_answering:
            self.transport.write(_TOO_LARGE)
        self.transport.close()

    def _start_timer(self) -> None:
        self._timer = self.loop.call_later(self.head_timeout_seconds, self._let_go)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _let_go(self) -> None:
        self._timer = None
        if not self._is_answering:
            self.transport.close()
