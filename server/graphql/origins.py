"""From which web pages a WebSocket may be opened.

Browsers let any page open a WebSocket to any host; they say only from where, in Origin (RFC 6455, 10.2).
"""

from collections.abc import Collection
from urllib.parse import urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}


def is_origin_allowed(origin: str | None, host: str | None, allowed_origins: Collection[str]) -> bool:
    """Tell whether a page of `origin` may connect to `host` (the Host header).

    No Origin is no browser. Otherwise it must be the same host and port, or in `allowed_origins`, each
    written as `https://console.example.org`. "null", the origin of sandboxed frames and files, is refused.
    """
    if origin is None or origin in allowed_origins:
        return True
    try:
        parts = urlsplit(origin)
        default_port = _DEFAULT_PORTS[parts.scheme]
        origin_host, origin_port = parts.hostname, parts.port or default_port
        # TLS may end before us, so the scheme of Host's default port is taken from the origin.
        own = urlsplit(f"//{host}")
        return origin_host is not None and (origin_host, origin_port) == (
            own.hostname,
            own.port or default_port,
        )
    except (ValueError, KeyError):
        return False
