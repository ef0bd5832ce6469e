"""Any number of Docker Registries on one port, told apart by the first part of their path.

They do as they are told, and count how often they were asked. They run in a thread of their own, so that a
test may wait for something without holding them up.
"""

import asyncio
import contextlib
import hashlib
import socket
import ssl
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import orjson

from tests.servers.misbehaving import http_answer

Answer = tuple[int, bytes]

_CATALOGUE_PAGE = 1000
_OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def manifest_of(repository: str, tag: str) -> bytes:
    """Return the manifest that a tag names: of an image that has that name in its configuration."""
    digest = f"sha256:{hashlib.sha256(f'{repository}:{tag}'.encode()).hexdigest()}"
    config = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest, "size": 1000}
    return orjson.dumps({"schemaVersion": 2, "mediaType": _OCI_MANIFEST, "config": config, "layers": []})


@dataclass
class _Gate:
    """Holds back so many answers; all of them, where there is no number."""

    calls: int | None = None
    is_open: threading.Event = field(default_factory=threading.Event)


@dataclass
class FakeRegistries:
    """What they answer, and what they were asked. Change it at any time, from any thread."""

    port: int = 0
    repositories: dict[str, list[str]] = field(default_factory=dict)
    """What each holds; one that isn't named is empty."""

    tags: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    """The tags of each one's repositories; each names an image of its own."""

    instead: dict[str, Answer] = field(default_factory=dict)
    """Status and body that one gives to everything."""

    once: dict[str, list[Answer]] = field(default_factory=dict)
    """What one gives to the next calls first, one after the other."""

    behind_first_page: dict[str, Answer] = field(default_factory=dict)
    """Status and body that one gives to all pages of its catalogue but the first."""

    pings: Counter[str] = field(default_factory=Counter)
    catalogues: Counter[str] = field(default_factory=Counter)
    pages: Counter[str] = field(default_factory=Counter)
    """How often each was asked for `/v2/`, for one name of its catalogue (a probe), for pages of it (a look)."""

    tag_lists: Counter[str] = field(default_factory=Counter)
    manifests: Counter[str] = field(default_factory=Counter)
    """How often each was asked for the tags of a repository, and for a manifest by tag or digest."""

    keeps_connections: bool = True
    scheme: str = "http"
    sent_bytes: int = 0
    received_bytes: int = 0
    _gates: dict[str, _Gate] = field(default_factory=dict)
    _waiting: Counter[str] = field(default_factory=Counter)

    def url(self, name: str) -> str:
        """Return the address of one of them."""
        return f"{self.scheme}://127.0.0.1:{self.port}/{name}"

    @contextmanager
    def holding(self, name: str) -> Iterator[None]:
        """Hold the answers of one back as long as the block; what they say is what was so when it was asked."""
        with self._gate(name):
            yield

    @contextmanager
    def holding_next(self, name: str) -> Iterator[None]:
        """Hold back only the next answer of one."""
        with self._gate(name, calls=1):
            yield

    @contextmanager
    def _gate(self, name: str, calls: int | None = None) -> Iterator[None]:
        gate = self._gates[name] = _Gate(calls)
        try:
            yield
        finally:
            self._gates.pop(name, None)
            gate.is_open.set()

    def waiting(self, name: str) -> int:
        """Return how many answers of one are being held back."""
        return self._waiting[name]

    async def answer(self, target: str) -> bytes:
        """Return the bytes of the answer to a request for a path."""
        path, _, query = target.partition("?")
        name, _, rest = path.lstrip("/").partition("/")
        self._count(name, rest, query)
        answer = self._answer(name, rest, query)
        gate = self._gates.get(name)
        if gate is not None:
            if gate.calls == 1:
                del self._gates[name]
            self._waiting[name] += 1
            try:
                await asyncio.to_thread(gate.is_open.wait)
            finally:
                self._waiting[name] -= 1
        return answer if not self.keeps_connections else answer.replace(b"Connection: close\r\n", b"")

    def _count(self, name: str, rest: str, query: str) -> None:
        if rest == "v2/":
            self.pings[name] += 1
        elif rest == "v2/_catalog":
            (self.catalogues if "n=1" in query.split("&") else self.pages)[name] += 1
        elif rest.endswith("/tags/list"):
            self.tag_lists[name] += 1
        elif "/manifests/" in rest:
            self.manifests[name] += 1

    def _answer(self, name: str, rest: str, query: str) -> bytes:
        first = self.once.get(name)
        status, body = first.pop(0) if first else self.instead.get(name, (200, b""))
        if "last=" in query:
            status, body = self.behind_first_page.get(name, (status, body))
        headers: list[tuple[str, str]] = []
        if status == 401:
            headers.append(("WWW-Authenticate", 'Basic realm="fake"'))
        elif not body:
            if rest.endswith("/tags/list"):
                status, body = self._tag_list(name, rest.removeprefix("v2/").removesuffix("/tags/list"))
            elif "/manifests/" in rest:
                status, body, headers = self._manifest(name, *rest.removeprefix("v2/").rsplit("/manifests/", 1))
            else:
                body, headers = self._said(name, rest, query)
        return http_answer(status, body, tuple(headers))

    def _said(self, name: str, rest: str, query: str) -> tuple[bytes, list[tuple[str, str]]]:
        headers = [("Docker-Distribution-Api-Version", "registry/2.0"), ("Content-Type", "application/json")]
        if rest == "v2/":
            return b"{}", headers
        asked = dict(part.split("=", 1) for part in query.split("&") if "=" in part)
        names = sorted(self.repositories.get(name, []))
        last = asked.get("last", "").replace("%2F", "/")
        behind = [repository for repository in names if repository > last]
        size = int(asked.get("n", _CATALOGUE_PAGE))
        page = behind[:size]
        if len(behind) > size:
            headers.append(("Link", f'</{name}/v2/_catalog?last={page[-1]}&n={size}>; rel="next"'))
        return orjson.dumps({"repositories": page}), headers

    def _tag_list(self, name: str, repository: str) -> Answer:
        tags = self.tags.get(name, {}).get(repository)
        if tags is None:
            return 404, orjson.dumps({"errors": [{"code": "NAME_UNKNOWN", "message": "repository name not known"}]})
        return 200, orjson.dumps({"name": repository, "tags": tags})

    def _manifest(self, name: str, repository: str, reference: str) -> tuple[int, bytes, list[tuple[str, str]]]:
        for tag in self.tags.get(name, {}).get(repository, []):
            body = manifest_of(repository, tag)
            digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
            if reference in (tag, digest):
                return 200, body, [("Content-Type", _OCI_MANIFEST), ("Docker-Content-Digest", digest)]
        return 404, orjson.dumps({"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}), []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                answer = await self.answer(head.split(b" ", 2)[1].decode())
                self.received_bytes += len(head)
                self.sent_bytes += len(answer)
                writer.write(answer)
                await writer.drain()
                if not self.keeps_connections:
                    return
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            # The client went away.
            pass
        finally:
            writer.close()


@contextmanager
def running_fake_registries(tls: ssl.SSLContext | None = None) -> Iterator[FakeRegistries]:
    """Run them as long as the block; with TLS, each call has a connection, and so a handshake, of its own."""
    registries = FakeRegistries(keeps_connections=tls is None, scheme="http" if tls is None else "https")
    loop = asyncio.new_event_loop()
    started = threading.Event()
    stop = asyncio.Event()

    async def run() -> None:
        tasks: set[asyncio.Task[None]] = set()

        def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = loop.create_task(registries.serve(reader, writer))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

        server = await asyncio.start_server(accepted, "127.0.0.1", 0, backlog=2048, ssl=tls)
        registries.port = server.sockets[0].getsockname()[1]
        started.set()
        await stop.wait()
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def main() -> None:
        with contextlib.closing(loop):
            loop.run_until_complete(run())

    thread = threading.Thread(target=main, name="fake registries", daemon=True)
    thread.start()
    assert started.wait(10)
    try:
        yield registries
    finally:
        for gate in list(registries._gates.values()):
            gate.is_open.set()
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        assert not thread.is_alive()


@contextmanager
def black_hole() -> Iterator[str]:
    """Give the address of a port that takes connections and never says a word."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        # The kernel makes the connections; nobody ever takes them.
        listening.listen(4096)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@contextmanager
def refused_port() -> Iterator[str]:
    """Give the address of a port that nobody listens at, and nobody else gets meanwhile."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
