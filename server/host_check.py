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
    connect or every interface is listened on, the public URL's host, and what the settings allow. Ports don't
    matter: proxies change them.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        hosts = {settings.host.lower(), *settings.allowed_hosts}
        if settings.public_url is not None:
            # As browsers write it: an international name in its ASCII form.
            hosts.add(URL(settings.public_url).raw_host or "")
        if settings.is_on_loopback or settings.host in ("0.0.0.0", "::"):  # noqa: S104 (compared, not bound)
            hosts.add("localhost")
        self._hosts = frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 421."""
        if scope["type"] in ("http", "websocket") and not self._is_ours(_hosts(scope)):
            response = PlainTextResponse(
                "This server does not answer to that host name. See INTEGRATED_REGISTRY_PUBLIC_URL and "
                "INTEGRATED_REGISTRY_ALLOWED_HOSTS.\n",
                status_code=421,
            )
            await response(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _is_ours(self, hosts: list[str]) -> bool:
        # None, or several, are nobody's who means well (RFC 9112, 3.2).
        return len(hosts) == 1 and (hosts[0] in self._hosts or _is_address(hosts[0]))


def _hosts(scope: Scope) -> list[str]:
    return [_without_port(value.decode("latin-1").lower()) for name, value in scope["headers"] if name == b"host"]


def _without_port(text: str) -> str:
    """Return the host of a Host header: the brackets of an IPv6 address stay, a name's last dot goes."""
    host, colon, port = text.rpartition(":")
    if colon and port.isdecimal() and port.isascii():
        text = host
    return text.removesuffix(".")


def _is_address(host: str) -> bool:
    try:
        if host.startswith("[") and host.endswith("]"):
            return ip_address(host[1:-1]).version == 6
        return ip_address(host).version == 4
    except ValueError:
        return False
