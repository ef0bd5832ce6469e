"""Bodies of requests, read whole within bounds."""

from __future__ import annotations

import asyncio

from starlette.requests import Request


class BodyTooLarge(Exception):
    """There is more, or there was said to be more, than may be read. The rest isn't waited for."""


class BodyTooSlow(Exception):
    """It didn't come in time. The rest isn't waited for."""


async def read_body(request: Request, max_bytes: int, timeout_seconds: float) -> bytes:
    """Return the body of a request. Raises BodyTooLarge, BodyTooSlow, and ClientDisconnect when the client leaves."""
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and (len(declared) > 15 or int(declared) > max_bytes):
        raise BodyTooLarge
    body = bytearray()
    try:
        async with asyncio.timeout(timeout_seconds):
            async for chunk in request.stream():
                body += chunk
                if len(body) > max_bytes:
                    raise BodyTooLarge
    except TimeoutError as error:
        raise BodyTooSlow from error
    return bytes(body)
