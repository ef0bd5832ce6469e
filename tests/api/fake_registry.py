"""A Docker Registry as far as this server asks one: counted, and told what to answer."""

from __future__ import annotations

import contextlib
import json
import threading
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HOLD_SECONDS = 20.0


@dataclass
class FakeRegistry:
    """What it holds and whom it lets in; tests change these while it runs."""

    repositories: list[str] = field(default_factory=lambda: ["team/app"])
    users: dict[str, str] = field(default_factory=dict)
    """User names and passwords; without any, everybody is let in."""
    challenge: str = 'Basic realm="fake"'
    redirects_to: str | None = None
    released: threading.Event = field(default_factory=threading.Event)
    """Cleared, every answer waits for it."""
    requests: list[str] = field(default_factory=list)
    """The paths that were asked for, in order."""
    authorizations: list[str] = field(default_factory=list)
    """What came with those that had a credential, in order."""
    port: int = 0

    @property
    def url(self) -> str:
        """Its address by number."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def other_url(self) -> str:
        """Its address by name: another one to whoever compares them."""
        return f"http://localhost:{self.port}"

    @property
    def image_host(self) -> str:
        """What its images' names begin with."""
        return f"127.0.0.1:{self.port}"


def basic(username: str, password: str) -> str:
    """Return the header of a credential."""
    return f"Basic {b64encode(f'{username}:{password}'.encode()).decode()}"


@contextmanager
def running_fake_registry(*, users: dict[str, str] | None = None) -> Iterator[FakeRegistry]:
    """Run one on a free port as long as the block."""
    registry = FakeRegistry(users=users or {})
    registry.released.set()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(registry))
    registry.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield registry
    finally:
        registry.released.set()
        server.shutdown()
        server.server_close()
        thread.join()


def _handler_of(registry: FakeRegistry) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            authorization = self.headers.get("Authorization", "")
            registry.requests.append(self.path)
            if authorization:
                registry.authorizations.append(authorization)
            registry.released.wait(HOLD_SECONDS)
            if registry.redirects_to is not None:
                self._answer(307, {}, Location=registry.redirects_to)
            elif not self.path.startswith("/v2/"):
                self._answer(404, {})
            elif registry.users and authorization not in [basic(*user) for user in registry.users.items()]:
                errors = {"errors": [{"code": "UNAUTHORIZED", "message": "who is it"}]}
                self._answer(401, errors, **{"WWW-Authenticate": registry.challenge})
            elif self.path.startswith("/v2/_catalog"):
                self._answer(200, {"repositories": registry.repositories})
            elif self.path.endswith("/tags/list"):
                self._answer_tags(self.path.removeprefix("/v2/").removesuffix("/tags/list"))
            else:
                self._answer(200, {})

        def _answer_tags(self, name: str) -> None:
            if name in registry.repositories:
                self._answer(200, {"name": name, "tags": ["1"]})
            else:
                self._answer(404, {"errors": [{"code": "NAME_UNKNOWN", "message": "no such repository"}]})

        def handle(self) -> None:
            # The client may leave whenever it likes, in the middle of an answer too.
            with contextlib.suppress(ConnectionError):
                super().handle()

        def _answer(self, status: int, answer: Mapping[str, object], **headers: str) -> None:
            body = json.dumps(answer).encode()
            self.send_response(status)
            headers |= {"Content-Type": "application/json", "Docker-Distribution-Api-Version": "registry/2.0"}
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (named by the base class)
            """Say nothing: the test's own output is enough."""

    return Handler
