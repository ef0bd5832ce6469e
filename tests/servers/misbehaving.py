"""Servers that answer badly, on purpose: bytes in, bytes out, on a port of the loopback interface."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class MisbehavingServer:
    """Where it listens, and the heads of the requests that came, in order."""

    port: int = 0
    requests: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Its address over plain HTTP."""
        return f"http://127.0.0.1:{self.port}"


@asynccontextmanager
async def misbehaving_server(
    handler: Handler, tls: ssl.SSLContext | None = None, *, reads_head: bool = True
) -> AsyncIterator[MisbehavingServer]:
    """Run a server as long as the block; each request's head is kept, then the handler says what it likes.

    Without ``reads_head`` the handler speaks as soon as anything came.
    """
    running = MisbehavingServer()
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await (reader.readuntil(b"\r\n\r\n") if reads_head else reader.read(1024))
            running.requests.append(head.decode("latin-1"))
            await handler(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            # The client went away, as it should from most of these.
            pass
        finally:
            writer.close()

    def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(serve(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(accepted, "127.0.0.1", 0, ssl=tls)
    running.port = server.sockets[0].getsockname()[1]
    try:
        yield running
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


def answering(*answers: bytes) -> Handler:
    """Return a handler that gives these answers, one for each connection, and the last one for ever after."""
    left = list(answers)

    async def handle(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(left.pop(0) if len(left) > 1 else left[0])
        await writer.drain()

    return handle


def http_answer(
    status: int, body: bytes = b"", headers: tuple[tuple[str, str], ...] = (), reason: str = "Said"
) -> bytes:
    """Return the bytes of an answer that ends its connection."""
    lines = [f"HTTP/1.1 {status} {reason}", f"Content-Length: {len(body)}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def silence(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    """Take the request and never say a word."""
    await reader.read()


async def trickle(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send a byte at a time, for ever, always just before a read would be given up."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n")
    pause = asyncio.Event()
    while True:
        writer.write(b" ")
        await writer.drain()
        try:
            await asyncio.wait_for(pause.wait(), 0.02)
        except TimeoutError:
            continue


async def endless(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send as much as is taken."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n")
    while True:
        writer.write(b" " * 65536)
        await writer.drain()
