"""The whole application in this process, called without a network in between."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import strawberry
from starlette.types import ASGIApp, Message

from benchmarks.databases import SQLITE, DatabaseKind
from schema.schema import build_schema
from server.application import build_application
from server.assembly import running_services
from server.data_folder import ADMIN_TOKEN_FILE
from server.graphql.limits import Limits
from server.metrics import Metrics
from server.settings import read_settings
from services.services import Services

PATH = "/graphql"
HOST = b"127.0.0.1"
KEEPING_NOTHING = Limits(max_kept_answers_bytes=0)


@dataclass(frozen=True, slots=True)
class OpenApplication:
    """The application, and what stands behind it."""

    app: ASGIApp
    schema: strawberry.Schema
    services: Services
    token: str


@asynccontextmanager
async def open_application(
    limits: Limits = KEEPING_NOTHING, kind: DatabaseKind = SQLITE
) -> AsyncIterator[OpenApplication]:
    """Open it on an empty database; it probes nobody as long as nothing is due.

    By default every answer is made anew, however often the same is asked.
    """
    schema = build_schema()
    with tempfile.TemporaryDirectory() as folder:
        async with kind.empty() as database_url:
            settings = read_settings(
                {}, data=Path(folder), database_url=database_url, probe_interval_seconds=3600, console=False
            )
            async with running_services(settings) as services:
                app = build_application(settings, services, schema, limits, asyncio.Event(), Metrics())
                token = (settings.data / ADMIN_TOKEN_FILE).read_text().strip()
                yield OpenApplication(app, schema, services, token)


async def post(app: ASGIApp, token: str, query: str, variables: dict[str, Any] | None = None) -> bytes:
    """Send a GraphQL operation to an ASGI application; return the body of an answer that must be good."""
    body = orjson.dumps({"query": query, "variables": variables or {}})
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": PATH,
        "raw_path": PATH.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [
            (b"host", HOST),
            (b"authorization", f"Bearer {token}".encode()),
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
        ],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "state": {},
    }
    request: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]
    status = 0
    answer = bytearray()

    async def receive() -> Message:
        if request:
            return request.pop()
        # Nobody hangs up.
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
        else:
            answer.extend(message.get("body", b""))

    await app(scope, receive, send)
    assert status == 200, bytes(answer)[:500]
    assert b'"errors"' not in answer[:200], bytes(answer)[:500]
    return bytes(answer)
