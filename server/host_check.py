"""Only hosts that are ours are answered to: a page elsewhere can't reach us by a name that it points here."""

from __future__ import annotations

from ipaddress import ip_address

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from yarl import URL

from server.settings import Settings


class HostCheck:
    """Middleware that refuses a Host header that names somebody else.

    An IP address is always taken: DNS rebinding needs a name. So are localhost where only this machine can
    connect or every interface is listened on, the public URL's host, and what the settings allow.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        hosts = {host.lower() for host in settings.allowed_hosts} | {settings.host.lower()}
        if settings.public_url is not None:
            hosts.add(URL(settings.public_url).host or "")
        if settings.is_on_loopback or settings.host in ("0.0.0.0", "::"):  # noqa: S104 (compared, not bound)
            hosts.add("localhost")
        self._hosts = frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 421."""
        if scope["type"] in ("http", "websocket") and not self._is_ours(_host(scope)):
            response = PlainTextResponse(
                "This server does not answer to that host name. See INTEGRATED_REGISTRY_PUBLIC_URL and "
                "INTEGRATED_REGISTRY_ALLOWED_HOSTS.\n",
                status_code=421,
            )
            if scope["type"] == "websocket" and "websocket.http.response" not in scope.get("extensions", {}):
                await send({"type": "websocket.close", "code": 4403})
                return
            await response(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _is_ours(self, host: str) -> bool:
        if host in self._hosts:
            return True
        try:
            ip_address(host.strip("[]"))
        except ValueError:
            return False
        return True


def _host(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"host":
            text = str(value.decode("latin-1")).lower()
            return text if text.endswith("]") else text.rpartition(":")[0] if ":" in text else text
    return ""
