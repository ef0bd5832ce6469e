"""What is counted."""

from __future__ import annotations

import time

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Metrics:
    """The counters of this process, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.requests = Histogram(
            "integrated_registry_http_request_seconds",
            "HTTP requests, by path and status, in seconds.",
            ["path", "status"],
            registry=self.registry,
        )
        self.unauthenticated = Counter(
            "integrated_registry_unauthenticated_requests",
            "Requests without a credential, or with a wrong one.",
            registry=self.registry,
        )


KNOWN_PATHS = frozenset({"/", "/graphql", "/sign-in", "/healthz", "/readyz", "/metrics"})


class RequestTimer:
    """Middleware that times HTTP requests."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and write down how long it took."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 0

        async def note_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, note_status)
        finally:
            path = scope["path"] if scope["path"] in KNOWN_PATHS else "other"
            self._metrics.requests.labels(path, str(status)).observe(time.perf_counter() - started)
