"""A real server for tests: the whole application over a socket, in a thread of this process.

In this process, so that tests can count statements and reach into services; over a socket, so that what they
see is what clients see.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
import urllib.error
import urllib.request
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import strawberry
import uvicorn

from schema.schema import build_schema
from server.application import build_application
from server.assembly import running_services
from server.data_folder import ADMIN_TOKEN_FILE
from server.graphql.limits import Limits
from server.listening import bound_socket
from server.metrics import Metrics
from server.serving import Server, uvicorn_config
from server.settings import DATABASE_FILE, Settings, read_settings
from services.services import Services
from tests.templates import copy_migrated_sqlite

T = TypeVar("T")

START_TIMEOUT_SECONDS = 30.0
REQUEST_TIMEOUT_SECONDS = 30.0

_schemas: list[strawberry.Schema] = []


def shared_schema() -> strawberry.Schema:
    """Return the schema, built once a test process: it takes half a second."""
    if not _schemas:
        _schemas.append(build_schema())
    return _schemas[0]


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What came back over HTTP."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, decoded."""
        return json.loads(self.body)


def answer_of(request: urllib.request.Request, tls: ssl.SSLContext | None = None) -> HttpAnswer:
    """Send a request and return the answer, whatever its status."""
    try:
        with urllib.request.urlopen(request, timeout=REQUEST_TIMEOUT_SECONDS, context=tls) as answer:  # noqa: S310
            return HttpAnswer(answer.status, dict(answer.headers), answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return HttpAnswer(error.code, dict(error.headers), error.read())


class RunningServer:
    """A started application."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.services: Services
        self.port = 0
        self._loop: asyncio.AbstractEventLoop
        self._server: uvicorn.Server
        self._started = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._main, name="server under test", daemon=True)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def admin_token(self) -> str:
        """The token that first start left in the data folder."""
        return (self.settings.data / ADMIN_TOKEN_FILE).read_text().strip()

    def sign_in_code(self) -> str:
        """Return a fresh one-time code."""
        return self.services.access_tokens.new_sign_in_code()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in the server's loop and return its result."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(REQUEST_TIMEOUT_SECONDS)

    def request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> HttpAnswer:
        """Send a request and return the answer, whatever its status."""
        request = urllib.request.Request(self.url + path, body, headers or {}, method=method)  # noqa: S310
        return answer_of(request)

    def post(self, query: str, variables: dict[str, Any] | None = None, token: str | None = None) -> dict[str, Any]:
        """Send a GraphQL operation as the administrator, or with another token; return the whole result."""
        body = json.dumps({"query": query, "variables": variables or {}}).encode()
        answer = self.request(
            "POST",
            "/graphql",
            body,
            {"Authorization": f"Bearer {token or self.admin_token}", "Content-Type": "application/json"},
        )
        result: dict[str, Any] = answer.json
        return result

    def graphql(self, query: str, variables: dict[str, Any] | None = None, token: str | None = None) -> Any:
        """Send a GraphQL operation that must succeed and return its data."""
        result = self.post(query, variables, token)
        assert "errors" not in result, result["errors"]
        return result["data"]

    def start(self) -> None:
        """Start, and return when it listens."""
        self._thread.start()
        assert self._started.wait(START_TIMEOUT_SECONDS), "the server under test did not start"
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """Stop as SIGTERM would, and return when everything has ended."""
        self._server.should_exit = True
        self._thread.join(START_TIMEOUT_SECONDS)
        assert not self._thread.is_alive(), "the server under test did not stop"
        if self._failure is not None:
            raise self._failure

    def _main(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            self._failure = error
        finally:
            self._started.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        shutdown = asyncio.Event()
        metrics = Metrics()
        with bound_socket(self.settings.host, self.settings.port) as listener:
            settings = self.settings.model_copy(update={"port": listener.getsockname()[1]})
            async with running_services(settings, observer=metrics) as services:
                self.services = services
                limits = Limits()
                application = build_application(settings, services, shared_schema(), limits, shutdown, metrics)
                self._server = Server(uvicorn_config(application, settings, limits), self._listening, shutdown)
                await self._server.serve(sockets=[listener])

    def _listening(self, port: int) -> None:
        self.port = port
        self._started.set()


@contextmanager
def running_server(data: Path, **settings: Any) -> Iterator[RunningServer]:
    """Start a server on a data folder of its own and stop it at the end of the block.

    It measures no usage unless that is set: most tests look at what else is asked of registries.
    """
    settings = {"usage_interval_seconds": 0, **settings}
    if settings.get("database_url") is None:
        copy_migrated_sqlite(data / DATABASE_FILE)
    server = RunningServer(read_settings({}, data=data, port=0, **settings))
    server.start()
    try:
        yield server
    finally:
        server.stop()
