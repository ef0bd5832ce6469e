"""Answers while some registries are black holes, against the same while all are well, and against the deadline."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import strawberry

from benchmarks.application import KEEPING_NOTHING, OpenApplication, post
from benchmarks.registries_apart import registries_apart
from benchmarks.report import Finding, compared, spread
from benchmarks.timing import paired_seconds
from schema.schema import build_schema
from server.application import build_application
from server.assembly import running_services
from server.data_folder import ADMIN_TOKEN_FILE
from server.metrics import Metrics
from server.settings import read_settings
from tests.api.live_platform import DASHBOARD, get_old, seed, tag_all
from tests.seeding import seed_integrations
from tests.servers.fake_registries import black_hole, running_fake_registries

REGISTRIES = 1000
SETTLING_SECONDS = 20.0
QUERIES = 100
ROUNDS = 2
PAUSE_SECONDS = 0.1

FEW = 50
FEW_QUERIES = 60
DEADLINE_SECONDS = 2.0
DEADLINE_ROUNDS = 5

QUERY = "{ integrations(first: 100) { nodes { id name labels health { status reason since } } } }"


async def run() -> list[Finding]:
    """Return how answers fare with dead registries among many, and among few that are asked while somebody waits."""
    schema = build_schema()
    return [*await _among_many(schema), await _stored_alone(schema), await _at_the_deadline(schema)]


async def _among_many(schema: strawberry.Schema) -> list[Finding]:
    """Return the middle and the slowest of many answers in both states, which take turns."""
    with registries_apart() as registries, black_hole() as hole:
        names = [f"r{number}" for number in range(REGISTRIES)]
        all_well = [registries.url(name) for name in names]
        mixed = [f"{hole}/{name}" if name.endswith("0") else registries.url(name) for name in names]
        living: list[float] = []
        with_dead: list[float] = []
        for _ in range(ROUNDS):
            living += await _answer_seconds(schema, all_well)
            with_dead += await _answer_seconds(schema, mixed)
    what = f"A list of 100 of {REGISTRIES:,} registries, one in ten a black hole"
    return [
        compared(f"{what}: median", statistics.median(with_dead), "all well", statistics.median(living)),
        compared(f"{what}: slowest of 20", _slowest_of_20(with_dead), "all well", _slowest_of_20(living)),
    ]


async def _stored_alone(schema: strawberry.Schema) -> Finding:
    """Return how a dashboard of stored fields fares with ten dead of fifty, while all of them are probed."""
    with registries_apart() as registries, black_hole() as hole:
        urls = [registries.url(f"r{number}") for number in range(FEW)]
        async with _opened(schema) as well, _opened(schema) as mixed:
            await seed(well.services, urls)
            await seed(mixed.services, _with_dead(urls, hole))
            for each in (well, mixed):
                await each.services.database.transact(
                    lambda work: work.execute('UPDATE "integration_health" SET "next_probe_at" = "since"')
                )
            await asyncio.sleep(SETTLING_SECONDS)
            stored = {"first": FEW, "ids": []}
            with_dead, living = await paired_seconds(
                [
                    lambda: post(mixed.app, mixed.token, DASHBOARD, stored),
                    lambda: post(well.app, well.token, DASHBOARD, stored),
                ],
                FEW_QUERIES,
            )
    what = f"A dashboard of {FEW} integrations, stored fields alone, ten of them dead"
    return spread(what, with_dead, "all well", living)


async def _at_the_deadline(schema: strawberry.Schema) -> Finding:
    """Return when a dashboard comes that shows artifacts of fifty, ten of which have died and nobody knows it yet."""
    taken = []
    with running_fake_registries() as registries, ExitStack() as dead:
        names = [f"r{number}" for number in range(FEW)]
        tag_all(registries, names)
        async with _opened(schema) as application:
            _, repository_ids = await seed(application.services, [registries.url(name) for name in names])
            variables = {"first": FEW, "ids": repository_ids}
            await post(application.app, application.token, DASHBOARD, variables)
            for name in names[::5]:
                dead.enter_context(registries.holding(name))
            for _ in range(DEADLINE_ROUNDS):
                get_old(application.services)
                started = time.perf_counter()
                answer = await post(application.app, application.token, DASHBOARD, variables)
                taken.append(time.perf_counter() - started)
                # Of each both artifacts and tags.
                assert answer.count(b'"isStale":true') == 2 * len(names[::5])
    what = f"A dashboard of {FEW} integrations with artifacts of each, ten of them dead: slowest of {DEADLINE_ROUNDS}"
    return compared(what, max(taken), "the deadline", DEADLINE_SECONDS)


def _with_dead(urls: Sequence[str], hole: str) -> list[str]:
    return [f"{hole}/{number}" if number % 5 == 0 else url for number, url in enumerate(urls)]


@asynccontextmanager
async def _opened(schema: strawberry.Schema) -> AsyncIterator[OpenApplication]:
    """Open the application as it is served, but that it makes each answer anew."""
    with tempfile.TemporaryDirectory() as folder:
        settings = read_settings({}, data=Path(folder), console=False, live_deadline_seconds=DEADLINE_SECONDS)
        async with running_services(settings) as services:
            app = build_application(settings, services, schema, KEEPING_NOTHING, asyncio.Event(), Metrics())
            token = (settings.data / ADMIN_TOKEN_FILE).read_text().strip()
            yield OpenApplication(app, schema, services, token)


async def _answer_seconds(schema: strawberry.Schema, urls: Sequence[str]) -> list[float]:
    async with _opened(schema) as application:
        interval = application.services.monitor.interval
        await seed_integrations(application.services.database, urls, spread_over=interval)
        await asyncio.sleep(SETTLING_SECONDS)
        times = []
        for _ in range(QUERIES):
            started = time.perf_counter()
            await post(application.app, application.token, QUERY)
            times.append(time.perf_counter() - started)
            # Spread over an interval, so that every kind of moment is among them.
            await asyncio.sleep(PAUSE_SECONDS)
        return times


def _slowest_of_20(times: list[float]) -> float:
    return statistics.quantiles(times, n=20)[-1]
