"""Every request has an id: in its answer, and in every line that is logged because of it."""

from __future__ import annotations

import re
import secrets

import structlog
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

REQUEST_ID_HEADER = "X-Request-Id"

_RAW_NAME = REQUEST_ID_HEADER.lower().encode()

# What proxies and tracers make: nothing that could forge a log line or a header.
_VALID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/+=-]{0,127}")

_STARTS = ("http.response.start", "websocket.accept", "websocket.http.response.start")


class RequestIdentity:
    """Middleware that gives a request its id: the client's own, where that is a valid one."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, with `request.state.request_id`, and its id to the client."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get(REQUEST_ID_HEADER, "")
        request_id = given if _VALID.fullmatch(given) else secrets.token_hex(16)
        scope.setdefault("state", {})["request_id"] = request_id
        raw_id = request_id.encode()

        async def send_with_id(message: Message) -> None:
            if message["type"] in _STARTS:
                headers = [header for header in message.get("headers", ()) if header[0] != _RAW_NAME]
                message["headers"] = [*headers, (_RAW_NAME, raw_id)]
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            await self._app(scope, receive, send_with_id)
