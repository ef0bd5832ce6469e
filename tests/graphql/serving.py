"""The endpoint over the sample schema, served by a real uvicorn in the test's own event loop."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import structlog
import uvicorn
from starlette.applications import Starlette
from structlog.testing import CapturingLogger
from websockets.asyncio.client import ClientConnection, connect

from server.graphql.engine import GraphQLEngine
from server.graphql.limits import Limits
from server.graphql.routes import graphql_routes
from server.graphql.sessions import NotAuthenticated, Versions
from tests.graphql.sample_schema import Context, Happenings, sample_schema

TOKEN = "right"


class SampleSession:
    """A session that ends when the test says so."""

    def __init__(self, viewer_key: str, happenings: Happenings, over: "asyncio.Future[str]") -> None:
        self.viewer_key = viewer_key
        self.scope = viewer_key
        self.first_versions: Versions = {}
        self._happenings = happenings
        self._over = over
        self._contexts = 0

    async def versions(self) -> Versions:
        return {}

    def new_context(self, request_id: str) -> Context:
        self._contexts += 1
        return Context(self.viewer_key, self._contexts, request_id, self._happenings)

    def new_shared_context(self, request_id: str) -> Context:
        self._contexts += 1
        return Context(str(self.scope), self._contexts, request_id, self._happenings)

    def when_over(self, tell: Callable[[str], None]) -> Callable[[], None]:
        def told(over: "asyncio.Future[str]") -> None:
            tell(over.result())

        self._over.add_done_callback(told)

        def take_back() -> None:
            self._over.remove_done_callback(told)

        return take_back


class SampleAuthenticator:
    """Knows tokens that begin with "right"; the token is the viewer."""

    def __init__(self, happenings: Happenings, over: "asyncio.Future[str]") -> None:
        self._happenings = happenings
        self._over = over

    async def authenticate(self, token: str | None) -> SampleSession:
        if token is None:
            raise NotAuthenticated("A token is needed.")
        if token == "broken":
            raise RuntimeError("a secret of the database")
        if not token.startswith(TOKEN):
            raise NotAuthenticated("The token is not valid.")
        return SampleSession(token, self._happenings, self._over)


@dataclass
class Served:
    """A running endpoint."""

    url: str
    happenings: Happenings
    over: "asyncio.Future[str]"
    """Its result ends every session."""
    shutdown: asyncio.Event
    http: aiohttp.ClientSession
    logged: list[Any]
    unauthenticated: list[None]

    async def post(
        self,
        query: str | None = None,
        *,
        variables: dict[str, Any] | None = None,
        data: bytes | AsyncIterator[bytes] | None = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, dict[str, Any]]:
        """Return status and decoded body of one request."""
        request: dict[str, Any] = {"headers": {"Content-Type": "application/json", **(headers or {})}}
        if data is None:
            request["json"] = {"query": query, "variables": variables}
        else:
            request["data"] = data
        async with self.http.post(self.url, **request) as response:
            return response.status, await response.json(content_type=None)

    def connect(self, **options: Any) -> connect:
        """Open a socket; await it or use it in `async with`."""
        options.setdefault("subprotocols", ["graphql-transport-ws"])
        return connect(self.url.replace("http", "ws", 1), compression=None, **options)

    @asynccontextmanager
    async def acknowledged(self, **options: Any) -> AsyncIterator[ClientConnection]:
        """Open a socket and initialise it."""
        async with self.connect(**options) as connection:
            payload = '{"Authorization": "Bearer right"}'
            await connection.send(f'{{"type": "connection_init", "payload": {payload}}}')
            assert await connection.recv() == '{"type":"connection_ack"}'
            yield connection


class _Server(uvicorn.Server):
    """Tells when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()


@asynccontextmanager
async def serving(limits: Limits, allowed_origins: tuple[str, ...] = ()) -> AsyncIterator[Served]:
    """Serve until the block ends; then stop as at SIGTERM, in good order."""
    happenings = Happenings()
    over: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    shutdown = asyncio.Event()
    capturing = CapturingLogger()
    log = structlog.wrap_logger(capturing, processors=[], wrapper_class=structlog.make_filtering_bound_logger(0))
    unauthenticated: list[None] = []
    app = Starlette(
        routes=graphql_routes(
            GraphQLEngine(sample_schema(), limits, log),
            SampleAuthenticator(happenings, over),
            limits,
            shutdown=shutdown,
            log=log,
            allowed_origins=allowed_origins,
            on_unauthenticated=lambda: unauthenticated.append(None),
        )
    )
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = _Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            ws="websockets-sansio",
            ws_per_message_deflate=False,
            ws_max_size=limits.max_websocket_message_bytes,
        )
    )
    running = asyncio.create_task(server.serve(sockets=[listener]))
    await server.listening.wait()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/graphql"
    headers = {"Authorization": f"Bearer {TOKEN}"}
    try:
        async with aiohttp.ClientSession(headers=headers) as http:
            yield Served(url, happenings, over, shutdown, http, capturing.calls, unauthenticated)
    finally:
        shutdown.set()
        happenings.released.set()
        server.should_exit = True
        await running
        listener.close()


def serve_and_run(
    body: Callable[[Served], Awaitable[None]],
    limits: Limits | None = None,
    allowed_origins: tuple[str, ...] = (),
) -> None:
    """Run a test's body against a fresh endpoint, and see that no task outlives it."""

    async def run() -> None:
        async with asyncio.timeout(60):
            async with serving(limits or Limits(), allowed_origins) as served:
                await body(served)
            others = asyncio.all_tasks() - {asyncio.current_task()}
            if others:
                await asyncio.wait(others, timeout=5)
            assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(run())
