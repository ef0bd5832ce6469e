"""What a registry is sent and sends, counted on the way."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager

START_TIMEOUT_SECONDS = 60.0
_CHUNK_BYTES = 65536


class CountingRelay:
    """Passes bytes on, both ways, and counts them."""

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self.port = 0
        self.received_bytes = 0
        self.sent_bytes = 0

    async def serve(self, started: threading.Event, stopping: asyncio.Event) -> None:
        """Relay until it is to stop."""
        server = await asyncio.start_server(self._relay, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        started.set()
        async with server:
            await stopping.wait()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, to_there = await asyncio.open_connection("127.0.0.1", self._target_port)
        with contextlib.suppress(OSError):
            await asyncio.gather(self._pump(reader, to_there, is_received=True), self._pump(there, writer))

    async def _pump(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, is_received: bool = False
    ) -> None:
        try:
            while chunk := await source.read(_CHUNK_BYTES):
                if is_received:
                    self.received_bytes += len(chunk)
                else:
                    self.sent_bytes += len(chunk)
                sink.write(chunk)
                await sink.drain()
        finally:
            sink.close()


@contextmanager
def counting_relay(target_port: int) -> Iterator[CountingRelay]:
    """Run a relay to a port of this machine as long as the block."""
    relay = CountingRelay(target_port)
    started = threading.Event()
    loop, stopping = asyncio.new_event_loop(), asyncio.Event()
    thread = threading.Thread(target=loop.run_until_complete, args=(relay.serve(started, stopping),), daemon=True)
    thread.start()
    assert started.wait(START_TIMEOUT_SECONDS), "the relay did not start"
    try:
        yield relay
    finally:
        loop.call_soon_threadsafe(stopping.set)
        thread.join(10)
