"""What stands before the first slash of an image's name.

Source: the reference grammar of Distribution, `domain [":" port]`, as documented for `reference.Named`.
"""

import re
from ipaddress import AddressValueError, IPv6Address

from yarl import URL

MAX_IMAGE_HOST_CHARACTERS = 255
DEFAULT_PORT = 443
LAST_PORT = 65535

DOCKER_HUB = "docker.io"
_LEGACY_DOCKER_HUB = "index.docker.io"

_COMPONENT = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_IMAGE_HOST = re.compile(rf"({_COMPONENT}(?:\.{_COMPONENT})*|\[[a-fA-F0-9:]+\])(?::([0-9]+))?")

_HOW_WRITTEN = "An image host is written host or host:port, such as registry.example.com:5000."


class InvalidImageHost(ValueError):
    """What was typed can't stand before the slash of an image's name. ``message`` says what can."""

    def __init__(self, message: str = _HOW_WRITTEN) -> None:
        self.message = message
        super().__init__(self.message)


def parse_image_host(text: str) -> str:
    """Return the host in its one form: lower case, the default port of https dropped, IPv6 addresses compressed.

    The host index.docker.io is docker.io's old name. Raises InvalidImageHost.
    """
    text = text.strip()
    written = _IMAGE_HOST.fullmatch(text) if len(text) <= MAX_IMAGE_HOST_CHARACTERS else None
    if written is None:
        raise InvalidImageHost
    host, port = _compressed(written[1].lower()), written[2]
    # A client would dial 0443 as 443: one port has one form.
    if port is not None and (port.startswith("0") or int(port) > LAST_PORT):
        raise InvalidImageHost(f"The port of an image's host is between 1 and {LAST_PORT}, without leading zeros.")
    if port is not None and int(port) != DEFAULT_PORT:
        return f"{host}:{port}"
    return DOCKER_HUB if host == _LEGACY_DOCKER_HUB else host


def image_host_of(url: URL) -> str:
    """Return the image host of a registry by its address: host, and port where it is not the default.

    The host as it goes over the wire: an image's name has no other letters than ASCII's.
    """
    host = url.raw_host or ""
    host = f"[{host}]" if ":" in host else host
    return host if url.explicit_port is None else f"{host}:{url.explicit_port}"


def _compressed(host: str) -> str:
    """Return an IPv6 address in its one form; the grammar also takes some in brackets that are none, which stay."""
    if not host.startswith("["):
        return host
    try:
        return f"[{IPv6Address(host[1:-1]).compressed}]"
    except AddressValueError:
        return host
