"""Which redirects are followed: those that stay in the same place.

A registry that moved should be given by its new address: else it would get a credential that was meant for
another, and answer for whatever the old one was checked for.
"""

from yarl import URL

from registry_clients.endpoint import shown_host
from registry_clients.errors import UnexpectedAnswer

MAX_REDIRECTS = 3

# What changes something is not sent twice, to two places.
_METHODS = frozenset({"GET", "HEAD"})
_STATUSES = frozenset({301, 302, 303, 307, 308})


def is_redirect(status: int) -> bool:
    """Say whether an answer sends us elsewhere."""
    return status in _STATUSES


def redirect_target(method: str, url: URL, status: int, location: str | None) -> URL:
    """Return where to go on: the same origin, or the same host from plain http to https.

    Raises UnexpectedAnswer for any other place, which it names, and for methods other than GET and HEAD.
    """
    host = shown_host(url)
    try:
        target = url.join(URL(location)) if location else None
    except ValueError:
        target = None
    if target is None or not target.raw_host or target.scheme not in ("http", "https"):
        raise UnexpectedAnswer(f"{host} redirects to nowhere.", http_status=status)
    if method not in _METHODS or not (target.origin() == url.origin() or _is_upgrade(url, target)):
        raise UnexpectedAnswer(
            f"{host} redirects to {target.scheme}://{shown_host(target)}: give the address that it leads to.",
            http_status=status,
        )
    # A user name in a redirect is somebody else's idea of who we are; a fragment is never sent.
    return target.with_user(None).with_fragment(None)


def _is_upgrade(url: URL, target: URL) -> bool:
    # Another port is another server, the two default ports apart.
    is_same_place = target.port == url.port or (url.is_default_port() and target.is_default_port())
    return (url.scheme, target.scheme) == ("http", "https") and target.raw_host == url.raw_host and is_same_place
