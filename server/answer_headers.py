"""What every answer tells browsers, unless it says something else itself."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_DEFAULTS = (
    # An answer is what its type says, and nothing that a browser makes of it.
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    # Answers are for who asked, now. The console's files say otherwise of themselves.
    (b"cache-control", b"no-store"),
)


class AnswerHeaders:
    """Middleware that adds the headers that an answer lacks."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                said = [*message.get("headers", ())]
                names = {name for name, _ in said}
                message["headers"] = said + [default for default in _DEFAULTS if default[0] not in names]
            await send(message)

        await self._app(scope, receive, send_with_headers)
