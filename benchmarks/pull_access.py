"""May a namespace pull an image: among 100,000 spaces against among 1,000, and against one statement by hand."""

from __future__ import annotations

import random
import statistics
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import orjson

from benchmarks.application import OpenApplication, open_application, post
from benchmarks.handwritten import handwritten_pull_access
from benchmarks.report import Finding, compared
from benchmarks.timing import median_seconds
from models.database import Database
from models.enums import HealthStatus
from tests.seeding import seed_integrations, seed_spaces
from tests.tenant_seeding import seed_bindings, seed_workspaces, space_ids

INTEGRATIONS = 50
SPACES_FEW, SPACES_MANY = 1_000, 100_000
WORKSPACES, NAMESPACES_EACH = 1_000, 3
BINDINGS = 10_000
ROUNDS = 40
SERIES = 7

QUERY = """
query ($name: String!, $image: String!) {
  pullAccess(namespace: { name: $name }, image: $image) { isAllowed reason explanation }
}"""


async def run() -> list[Finding]:
    """Return what an answer costs in a small and a large world, and written by hand; the middle of several series."""
    async with AsyncExitStack() as resources:
        few = await resources.enter_async_context(open_application())
        many = await resources.enter_async_context(open_application())
        asked_of_few, asked_of_many = await _seed(few, SPACES_FEW), await _seed(many, SPACES_MANY)
        database = many.services.database
        await _require_no_scan(database, lambda: post(many.app, many.token, QUERY, asked_of_many))
        by_hand = handwritten_pull_access(database)
        ways: list[Callable[[], Awaitable[bytes]]] = [
            lambda: post(many.app, many.token, QUERY, asked_of_many),
            lambda: post(few.app, few.token, QUERY, asked_of_few),
            lambda: post(by_hand, many.token, QUERY, asked_of_many),
        ]
        for way in ways:
            answer = orjson.loads(await way())["data"]["pullAccess"]
            assert (answer["isAllowed"], answer["reason"]) == (True, "BOUND")
        series = [await median_seconds(ways, ROUNDS) for _ in range(SERIES)]
    ours, small, hand = (statistics.median(each) for each in zip(*series, strict=True))
    what = f"May it pull, of {SPACES_MANY:,} spaces with {BINDINGS:,} bindings"
    return [
        compared(what, ours, f"of {SPACES_FEW:,} spaces", small),
        Finding("The same, lowest and highest of the series", _spread(series, 1)),
        compared(what, ours, "one statement written by hand, no login", hand),
        Finding("The same, lowest and highest of the series", _spread(series, 2)),
    ]


async def _seed(application: OpenApplication, spaces: int) -> dict[str, str]:
    """Fill a database; return the namespace and the image to ask for, which is bound."""
    database = application.services.database
    urls = [f"http://127.0.0.1:1/r{number}" for number in range(INTEGRATIONS)]
    ids = await seed_integrations(database, urls, status=HealthStatus.HEALTHY, first_probe_in=timedelta(minutes=50))
    names = [f"space-{number:05}" for number in range(spaces // INTEGRATIONS)]
    await seed_spaces(database, dict.fromkeys(ids, names))
    workspaces = await seed_workspaces(database, WORKSPACES, namespaces_each=NAMESPACES_EACH)
    every_space = await space_ids(database)
    chance = random.Random(1)
    pairs = {(every_space[0], workspaces[500])}
    while len(pairs) < BINDINGS:
        pairs.add((chance.choice(every_space), chance.choice(workspaces)))
    await seed_bindings(database, sorted(pairs))
    return {"name": "workspace-00500-1", "image": "registry-00000.example/space-00000/app/web:1.0"}


async def _require_no_scan(database: Database, ask: Callable[[], Awaitable[object]]) -> None:
    """Fail when a statement of an answer reads a whole table that grows."""
    fetch = database.fetch
    plans: list[str] = []

    async def explained(sql: str, *parameters: object) -> Sequence[Any]:
        plans.extend(row["detail"] for row in await fetch(f"EXPLAIN QUERY PLAN {sql}", *parameters))
        return await fetch(sql, *parameters)

    database.fetch = explained  # type: ignore[method-assign]
    try:
        await ask()
    finally:
        del database.fetch
    # Spaces, bindings, workspaces and namespaces, by the names that they have in the statements.
    assert not [plan for plan in plans if plan.split()[:2] in [["SCAN", name] for name in "sbwn"]], plans
    assert any("USING INDEX space_by_integration" in plan for plan in plans), plans


def _spread(series: Sequence[Sequence[float]], other: int) -> str:
    ratios = [each[0] / each[other] for each in series]
    return f"{min(ratios):.2f} to {max(ratios):.2f} times"
