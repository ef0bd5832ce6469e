"""What registries say when they refuse or fail: the shape that all kinds share, parsed without ever raising.

Source: the OCI distribution specification, `{"errors": [{"code", "message", "detail"}]}`.
"""

from dataclasses import dataclass

import orjson

from registry_clients.errors import printable

# What Go, nginx and Apache say to plain HTTP on a TLS port; to aiohttp it is a 400 like any other.
_PLAIN_HTTP_TO_TLS = (
    b"HTTP request to an HTTPS server",
    b"plain HTTP request was sent to HTTPS",
    b"speaking plain HTTP",
)


@dataclass(frozen=True, slots=True)
class ErrorEntry:
    """One of the errors in a registry's answer. ``detail`` is left out on purpose: it shows server paths."""

    code: str
    message: str


def parse_errors(body: bytes) -> tuple[ErrorEntry, ...]:
    """Return the errors that an answer names; none when it is not of that shape. Never raises."""
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        return ()
    entries = answer.get("errors") if isinstance(answer, dict) else None
    if not isinstance(entries, list):
        return ()
    return tuple(
        ErrorEntry(code=str(entry.get("code") or ""), message=str(entry.get("message") or ""))
        for entry in entries[:10]
        if isinstance(entry, dict)
    )


def registry_message(body: bytes, content_type: str) -> str | None:
    """Return a registry's own words out of an answer of failure, for administrators; None when it has none.

    Taken are code and message of its errors, or a line of plain text; never a web page, never `detail`.
    """
    entries = parse_errors(body)
    if entries:
        return printable("; ".join(f"{entry.code}: {entry.message}".strip(": ") for entry in entries))
    if content_type.partition(";")[0].strip().lower() == "text/plain" or body.startswith(b"Client sent"):
        return printable(body[:2000].decode("utf-8", errors="replace"))
    return None


def says_plain_http_to_tls(body: bytes) -> bool:
    """Say whether an answer means that we spoke plain HTTP to a port that wants TLS."""
    return any(sign in body[:2000] for sign in _PLAIN_HTTP_TO_TLS)
