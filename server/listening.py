"""The socket to listen on: bound before anything else is begun, so that a taken port is known at once."""

from __future__ import annotations

import os
import socket


class CannotListen(Exception):
    """The address can't be listened on: taken, not ours, or not allowed."""

    def __init__(self, host: str, port: int, why: str) -> None:
        super().__init__(f"Can't listen on {shown(host)}:{port}: {why}. Give another with HOST or PORT.")


def bound_socket(host: str, port: int) -> socket.socket:
    """Return a socket bound to the first address of a host; it refuses connections until it is listened on.

    Port 0 takes a free one. Raises CannotListen.
    """
    try:
        (family, _, _, _, address), *_ = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6 and host == "::":
                # "Every address" means IPv4 as well, whatever the system's default.
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            listener.bind(address)
        except BaseException:
            listener.close()
            raise
    except OSError as error:
        # A failed lookup has numbers of its own (EAI_…), the rest has errno's.
        why = error.strerror if isinstance(error, socket.gaierror) else os.strerror(error.errno or 0)
        raise CannotListen(host, port, why or "unknown host") from error
    except UnicodeError as error:
        raise CannotListen(host, port, "this is no host name") from error
    listener.setblocking(False)
    return listener


def shown(host: str) -> str:
    """Return a host as it stands in an address: IPv6 in brackets."""
    return f"[{host}]" if ":" in host and not host.startswith("[") else host
