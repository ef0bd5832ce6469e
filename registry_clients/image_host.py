"""What stands before the first slash of an image's name.

Source: the reference grammar of Distribution, `domain [":" port]`, as documented for `reference.Named`.
"""

import re

from yarl import URL

MAX_IMAGE_HOST_CHARACTERS = 255

_COMPONENT = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_IMAGE_HOST = re.compile(rf"(?:{_COMPONENT}(?:\.{_COMPONENT})*|\[[a-fA-F0-9:]+\])(?::[0-9]{{1,5}})?")


class InvalidImageHost(ValueError):
    """What was typed can't stand before the slash of an image's name. ``message`` says what can."""

    def __init__(self) -> None:
        self.message = "An image host is written host or host:port, such as registry.example.com:5000."
        super().__init__(self.message)


def parse_image_host(text: str) -> str:
    """Return the host in its one form: lower case, the default port of https dropped.

    Raises InvalidImageHost.
    """
    text = text.strip()
    if len(text) > MAX_IMAGE_HOST_CHARACTERS or not _IMAGE_HOST.fullmatch(text):
        raise InvalidImageHost
    return text.lower().removesuffix(":443")


def image_host_of(url: URL) -> str:
    """Return the image host of a registry by its address: host, and port where it is not the default.

    The host as it goes over the wire: an image's name has no other letters than ASCII's.
    """
    host = url.raw_host or ""
    host = f"[{host}]" if ":" in host else host
    return host if url.explicit_port is None else f"{host}:{url.explicit_port}"
