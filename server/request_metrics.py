"""Times HTTP requests and counts open WebSockets."""

from __future__ import annotations

import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.metrics import Metrics

_KNOWN_PATHS = frozenset({"/", "/graphql", "/sign-in", "/healthz", "/readyz", "/metrics"})
# What follows names one of many, or is anybody's invention.
_KNOWN_FOLDERS = {"/assets/": "assets", "/hooks/": "hooks"}
_KNOWN_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})


class RequestMetrics:
    """Middleware that writes down how requests went."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] == "http":
            await self._time(scope, receive, send)
        elif scope["type"] == "websocket":
            with self._metrics.sockets_open.track_inprogress():
                await self._app(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _time(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        # What is told when the application fails before it has said anything.
        status = 500

        async def note_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, note_status)
        finally:
            path, method = scope["path"], scope["method"]
            labels = (
                method if method in _KNOWN_METHODS else "other",
                path if path in _KNOWN_PATHS else _folder_of(path),
                str(status),
            )
            self._metrics.requests.labels(*labels).observe(time.perf_counter() - started)


def _folder_of(path: str) -> str:
    return next((name for start, name in _KNOWN_FOLDERS.items() if path.startswith(start)), "other")
