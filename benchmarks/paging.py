"""The thousandth page of a list, against its first."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import orjson

from benchmarks.application import open_application, post
from benchmarks.report import Finding, compared
from benchmarks.timing import median_seconds
from models.enums import HealthStatus
from tests.seeding import seed_integrations, seed_spaces

INTEGRATIONS = 50
SPACES = 100_000
PAGE = 100
ROUNDS = 40

QUERY = """
query ($after: Cursor) {
  spaces(first: 100, after: $after) { nodes { id name } pageInfo { endCursor hasNextPage } }
}"""


async def run() -> list[Finding]:
    """Return what both pages cost, and that all pages together are the whole list."""
    async with open_application() as application:
        database = application.services.database
        urls = [f"http://127.0.0.1:1/r{number}" for number in range(INTEGRATIONS)]
        ids = await seed_integrations(database, urls, status=HealthStatus.HEALTHY, first_probe_in=timedelta(minutes=50))
        each = SPACES // INTEGRATIONS
        await seed_spaces(database, {id_: [f"space-{number:05}" for number in range(each)] for id_ in ids})

        async def page(after: str | None) -> Any:
            answer = await post(application.app, application.token, QUERY, {"after": after})
            return orjson.loads(answer)["data"]["spaces"]

        started = time.perf_counter()
        cursor: str | None = None
        seen: set[str] = set()
        for _ in range(SPACES // PAGE - 1):
            found = await page(cursor)
            seen.update(node["id"] for node in found["nodes"])
            cursor = found["pageInfo"]["endCursor"]
        walk_seconds = time.perf_counter() - started
        last = await page(cursor)
        seen.update(node["id"] for node in last["nodes"])
        assert (len(seen), last["pageInfo"]["hasNextPage"]) == (SPACES, False)
        behind, first = await median_seconds([lambda: page(cursor), lambda: page(None)], ROUNDS)
    return [
        compared(f"Page {SPACES // PAGE:,} of {SPACES:,} spaces", behind, "page 1", first),
        Finding(f"All {SPACES // PAGE:,} pages, one after the other", f"{walk_seconds:.1f} s"),
    ]
