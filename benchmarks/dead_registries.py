"""A list while one registry in ten is a black hole, against the same list while all are well."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import strawberry
from starlette.types import ASGIApp

from benchmarks.application import KEEPING_NOTHING, post
from benchmarks.registries_apart import registries_apart
from benchmarks.report import Finding, compared
from schema.schema import build_schema
from server.application import build_application
from server.assembly import running_services
from server.data_folder import ADMIN_TOKEN_FILE
from server.metrics import Metrics
from server.settings import read_settings
from tests.seeding import seed_integrations
from tests.servers.fake_registries import black_hole

REGISTRIES = 1000
SETTLING_SECONDS = 20.0
QUERIES = 100
ROUNDS = 2
PAUSE_SECONDS = 0.1

QUERY = "{ integrations(first: 100) { nodes { id name labels health { status reason since } } } }"


async def run() -> list[Finding]:
    """Return the middle and the slowest of many answers in both states, which take turns."""
    schema = build_schema()
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


async def _answer_seconds(schema: strawberry.Schema, urls: Sequence[str]) -> list[float]:
    with tempfile.TemporaryDirectory() as folder:
        settings = read_settings({}, data=Path(folder), console=False)
        async with running_services(settings) as services:
            app: ASGIApp = build_application(settings, services, schema, KEEPING_NOTHING, asyncio.Event(), Metrics())
            token = (settings.data / ADMIN_TOKEN_FILE).read_text().strip()
            await seed_integrations(services.database, urls, spread_over=settings.probe_interval)
            await asyncio.sleep(SETTLING_SECONDS)
            times = []
            for _ in range(QUERIES):
                started = time.perf_counter()
                await post(app, token, QUERY)
                times.append(time.perf_counter() - started)
                # Spread over an interval, so that every kind of moment is among them.
                await asyncio.sleep(PAUSE_SECONDS)
            return times


def _slowest_of_20(times: list[float]) -> float:
    return statistics.quantiles(times, n=20)[-1]
