"""`python -m benchmarks.profiles`: where the time of a large and of a small query goes, on both databases."""

from __future__ import annotations

import asyncio
import cProfile
import logging
import platform
import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass

import structlog

from benchmarks.application import OpenApplication, open_application, post
from benchmarks.dashboard import DASHBOARD
from benchmarks.databases import both_kinds
from benchmarks.report import milliseconds
from benchmarks.rooms import ROOMS, Function, Row, rows_of, seconds_by_room, short_path
from benchmarks.seeded_platform import seed_platform
from benchmarks.small_queries import FIELDS, LIST
from server import garbage_collection

MOST_FUNCTIONS = 25

PROFILED = (("the dashboard", DASHBOARD, 60), (f"a list of {FIELDS} fields", LIST, 1_000))
"""What is asked, and how often."""


@dataclass(frozen=True, slots=True)
class Profiled:
    """What was seen of a query."""

    what: str
    answers: int
    seconds: float
    """The middle time of an answer while nobody looked."""
    rows: Mapping[Function, Row]

    @property
    def profiled_seconds(self) -> float:
        """What an answer took on average under the profiler."""
        return sum(row[2] for row in self.rows.values()) / self.answers


async def _profiled(application: OpenApplication, what: str, query: str, answers: int) -> Profiled:
    async def ask() -> None:
        await post(application.app, application.token, query)

    times = []
    for _ in range(answers):
        started = time.perf_counter()
        await ask()
        times.append(time.perf_counter() - started)
    profile = cProfile.Profile()
    with profile:
        for _ in range(answers):
            await ask()
    return Profiled(what, answers, statistics.median(times), rows_of(profile))


async def _all() -> list[Profiled]:
    found = []
    with both_kinds() as kinds:
        for kind in kinds:
            async with open_application(kind=kind) as application:
                await seed_platform(application)
                # As `serve` has it.
                garbage_collection.settle()
                for what, query, answers in PROFILED:
                    found.append(await _profiled(application, f"{kind.name}: {what}", query, answers))
    return found


def _functions(profiled: Profiled) -> str:
    """Return the functions with most time of their own, for each answer."""
    rows = sorted(profiled.rows.items(), key=lambda item: item[1][2], reverse=True)[:MOST_FUNCTIONS]
    lines = [f"{'own µs':>9}  {'calls':>8}  function"]
    for (file, line, name), (_, calls, own_seconds, _, _) in rows:
        where = name if file == "~" else f"{short_path(file)}:{line} {name}"
        lines.append(f"{own_seconds / profiled.answers * 1e6:9.1f}  {calls / profiled.answers:8.1f}  {where}")
    return "\n".join(lines)


def _rooms(profiles: list[Profiled]) -> str:
    """Return the share of each room in each profile, in Markdown."""
    shares = [seconds_by_room(profiled.rows) for profiled in profiles]
    totals = [sum(each.values()) for each in shares]
    rooms = {room for room, _, _ in ROOMS} | {room for each in shares for room in each}
    in_order = sorted(rooms, key=lambda room: shares[0][room] / totals[0], reverse=True)
    rows = [
        ["Room", *(profiled.what for profiled in profiles)],
        *(
            [room, *(f"{each[room] / total:.1%}" for each, total in zip(shares, totals, strict=True))]
            for room in in_order
        ),
        ["an answer, under the profiler", *(milliseconds(profiled.profiled_seconds) for profiled in profiles)],
        ["an answer, without it", *(milliseconds(profiled.seconds) for profiled in profiles)],
    ]
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([lines[0], f"|{'---|' + '---:|' * len(profiles)}", *lines[1:]])


def main() -> None:
    """Print the functions with most time of their own, and how the time is divided among the rooms."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    profiles = asyncio.run(_all())
    print(f"Python {platform.python_version()}, asyncio's own loop.")
    for profiled in profiles:
        print(f"\n{profiled.what}, {profiled.answers} answers\n{_functions(profiled)}")
    print(f"\n{_rooms(profiles)}")


if __name__ == "__main__":
    main()
