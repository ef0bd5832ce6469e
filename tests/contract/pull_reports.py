"""Where a Docker Registry reports what happens to it: what it takes for pulls."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.servers.docker_registry import DockerRegistryServer, push_image
from tests.waiting import eventually


class PullReports:
    """Collects a registry's notifications; they come in order, one after the other."""

    def __init__(self) -> None:
        self._events: list[dict[str, Any]] = []
        self._ends = 0
        self.port = 0

    @property
    def configuration(self) -> dict[str, Any]:
        """The section `notifications` of the registry's configuration."""
        endpoint = {"name": "reports", "url": f"http://127.0.0.1:{self.port}/", "timeout": "5s", "threshold": 5}
        return {"notifications": {"endpoints": [endpoint | {"backoff": "100ms"}]}}

    def take(self, body: bytes) -> None:
        """Keep what one notification tells."""
        self._events += json.loads(body)["events"]

    def pulled(self, server: DockerRegistryServer) -> list[str]:
        """Return the digests that were pulled since the last time, sorted: all of them.

        Reports come in order: what is pushed now is reported after them.
        """
        self._ends += 1
        end = push_image(server, "the-end", f"v{self._ends}")
        eventually(lambda: any(event["target"]["digest"] == end for event in list(self._events)))
        events, self._events = self._events, []
        return sorted(event["target"]["digest"] for event in events if event["action"] == "pull")


@contextmanager
def collecting_reports() -> Iterator[PullReports]:
    """Listen as long as the block."""
    reports = PullReports()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            reports.take(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - named by the base class
            """Say nothing: the test's own output is enough."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    reports.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield reports
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
