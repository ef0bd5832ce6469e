"""Docker Registries by the hundred, in one thread: each a port that answers what a registry would."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit

START_TIMEOUT_SECONDS = 30.0


@contextmanager
def many_registries(holdings: Sequence[Sequence[str]]) -> Iterator[list[str]]:
    """Run a registry for each list of (sorted) repositories, and yield their addresses."""
    urls: list[str] = []
    started = threading.Event()
    loop = asyncio.new_event_loop()
    stopped = asyncio.Event()

    async def serve() -> None:
        servers = [await asyncio.start_server(_Registry(held).answer, "127.0.0.1", 0) for held in holdings]
        urls.extend(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}" for server in servers)
        started.set()
        await stopped.wait()
        for server in servers:
            server.close()
        connections = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for connection in connections:
            connection.cancel()
        await asyncio.gather(*connections, return_exceptions=True)

    def run() -> None:
        loop.run_until_complete(serve())
        loop.close()

    thread = threading.Thread(target=run, name="many registries", daemon=True)
    thread.start()
    try:
        assert started.wait(START_TIMEOUT_SECONDS)
        yield urls
    finally:
        loop.call_soon_threadsafe(stopped.set)
        thread.join(START_TIMEOUT_SECONDS)


class _Registry:
    def __init__(self, repositories: Sequence[str]) -> None:
        self._repositories = repositories

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(self._response(head.split(b" ", 2)[1].decode()))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()

    def _response(self, target: str) -> bytes:
        parts = urlsplit(target)
        if parts.path == "/v2/":
            return _http(200, {})
        if parts.path != "/v2/_catalog":
            return _http(404, {"errors": [{"code": "NOT_FOUND"}]})
        query = parse_qs(parts.query)
        count, last = int(query.get("n", ["100"])[0]), query.get("last", [""])[0]
        page = [name for name in self._repositories if name > last][:count]
        is_more = bool(page) and page[-1] != self._repositories[-1]
        link = f'Link: </v2/_catalog?last={page[-1]}&n={count}>; rel="next"\r\n' if is_more else ""
        return _http(200, {"repositories": page}, link)


def _http(status: int, body: object, further: str = "") -> bytes:
    content = json.dumps(body).encode()
    head = (
        f"HTTP/1.1 {status} Said\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n"
        f"Docker-Distribution-Api-Version: registry/2.0\r\n{further}\r\n"
    )
    return head.encode() + content
