"""A Docker Registry that tells everybody what it was told: the credential stands in each of its errors."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class EchoingRegistry:
    """What it takes, and how it refuses; tests change these while it runs."""

    passwords: set[str] = field(default_factory=set)
    refusal_status: int = 401
    is_html: bool = False
    is_broken: bool = False
    """Refuses even those whose password is right."""
    seen: set[str] = field(default_factory=set)
    """The passwords that came: a test makes sure that they did."""
    port: int = 0

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def echoing_registry() -> Iterator[EchoingRegistry]:
    """Run one on a free port as long as the block."""
    registry = EchoingRegistry()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(registry))
    registry.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield registry
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler_of(registry: EchoingRegistry) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            authorization = self.headers.get("Authorization", "")
            encoded = authorization.removeprefix("Basic ")
            password = base64.b64decode(encoded).decode().partition(":")[2] if authorization else ""
            if password:
                registry.seen.add(password)
            if password not in registry.passwords or registry.is_broken:
                self._refuse(password, encoded)
            elif self.path == "/v2/":
                self._send(200, {}, b"{}")
            elif self.path.startswith("/v2/_catalog"):
                self._send(200, {}, b'{"repositories": ["team/app"]}')
            else:
                self._send(404, {}, b"{}")

        def _refuse(self, password: str, encoded: str) -> None:
            status = registry.refusal_status if password else 401
            words = f"the password {password} ({encoded}) will not do"
            headers = {"WWW-Authenticate": f'Basic realm="{password or "echo"}"'} if status == 401 else {}
            headers |= {"X-Echo": encoded, "Docker-Distribution-Api-Version": "registry/2.0"}
            if registry.is_html and password:
                page = f"<html><title>{words}</title><body><h1>{words}</h1></body></html>"
                self._send(status, {**headers, "Content-Type": "text/html"}, page.encode())
                return
            error = {"code": password or "UNAUTHORIZED", "message": words, "detail": words}
            self._send(status, headers, json.dumps({"errors": [error]}).encode())

        def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - named by the base class
            """Say nothing."""

    return Handler
