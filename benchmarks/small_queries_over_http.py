"""Small queries as clients see them: over connections that stay, to a server in another process.

What the server itself costs, uvicorn, is a part of both ways here.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial

import orjson

from benchmarks.answering_apart import AnsweringApart, answering_apart
from benchmarks.application import HOST, PATH
from benchmarks.databases import DatabaseKind, both_kinds
from benchmarks.report import Finding, spread
from benchmarks.small_queries import FIELDS, LIST, VIEWER

ROUNDS, WARM_UP_ROUNDS = 25, 3
CONNECTIONS = 8
ANSWERS = 40
"""In a round, over each connection."""


async def run() -> list[Finding]:
    """Return how a list of one statement and the viewer's name fare on each kind of database."""
    with both_kinds() as kinds:
        return [finding for kind in kinds for finding in await _measured(kind)]


async def _measured(kind: DatabaseKind) -> list[Finding]:
    with answering_apart(kind) as apart:
        findings = []
        for what, query, port in (
            (f"a list of {FIELDS} fields, one statement", LIST, apart.list_port),
            ("the viewer's name", VIEWER, apart.viewer_port),
        ):
            request = _request(apart.token, query)
            ours, by_hand = await _paired(
                apart, [partial(_ask_all, each, request) for each in (apart.product_port, port)]
            )
            told = f"{kind.name}, over HTTP: {what}"
            findings += [
                spread(f"{told}, {CONNECTIONS} clients", ours[0], "written by hand, no login", by_hand[0]),
                spread(f"{told}, processor time", ours[1], "written by hand, no login", by_hand[1]),
            ]
        return findings


Times = tuple[list[float], list[float]]
"""What an answer took, round by round: by the clock, and of the server's processor."""


async def _paired(apart: AnsweringApart, ways: list[Callable[[], Awaitable[None]]]) -> list[Times]:
    times: list[Times] = [([], []) for _ in ways]
    for number in range(WARM_UP_ROUNDS + ROUNDS):
        for way, (by_clock, of_processor) in zip(ways, times, strict=True):
            cpu_before, started = apart.cpu_seconds(), time.perf_counter()
            await way()
            seconds, cpu_seconds = time.perf_counter() - started, apart.cpu_seconds() - cpu_before
            if number >= WARM_UP_ROUNDS:
                by_clock.append(seconds / (CONNECTIONS * ANSWERS))
                of_processor.append(cpu_seconds / (CONNECTIONS * ANSWERS))
    return times


async def _ask_all(port: int, request: bytes) -> None:
    async with asyncio.TaskGroup() as group:
        for _ in range(CONNECTIONS):
            group.create_task(_ask(port, request))


async def _ask(port: int, request: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for _ in range(ANSWERS):
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 "), head
            length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
            assert b'"errors"' not in await reader.readexactly(length)
    finally:
        writer.close()
        await writer.wait_closed()


def _request(token: str, query: str) -> bytes:
    body = orjson.dumps({"query": query, "variables": {}})
    head = (
        f"POST {PATH} HTTP/1.1\r\nHost: {HOST.decode()}\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
