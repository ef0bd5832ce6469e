"""Bodies of requests, read whole within bounds."""

from __future__ import annotations

from starlette.requests import Request


class BodyTooLarge(Exception):
    """There is more, or there was said to be more, than may be read. The rest isn't waited for."""


async def read_body(request: Request, max_bytes: int) -> bytes:
    """Return the body of a request: bound the time that it may take.

    Raises BodyTooLarge, and ClientDisconnect when the client leaves.
    """
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and (len(declared) > 15 or int(declared) > max_bytes):
        raise BodyTooLarge
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > max_bytes:
            raise BodyTooLarge
    return bytes(body)
