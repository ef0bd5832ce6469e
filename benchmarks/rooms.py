"""In which part of the house the time of a profile was spent."""

from __future__ import annotations

import cProfile
import pstats
import sysconfig
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias, cast

Function: TypeAlias = tuple[str, int, str]
"""File, line and name; what is built in has the file `~`."""

Row: TypeAlias = tuple[int, int, float, float, Mapping[Function, tuple[int, int, float, float]]]
"""Calls without and with recursion, own time, time with callees, and the same by caller; times in seconds."""

WAITING = "handing over to the database, and waiting for it"
DRIVER = "database driver"
STATEMENTS = "writing statements"
RECORDS = "making records"
LOADERS = "resolvers and loaders"
EXECUTOR = "executor"
WRITING = "writing JSON"
ENGINE = "engine, limits, documents"
LOGIN = "login and versions"
METRICS = "metrics"
HTTP = "HTTP and middleware"
LOOP = "event loop"
BACKGROUND = "background work"
BENCHMARK = "the benchmark"

ROOMS: tuple[tuple[str, str, str], ...] = (
    # Room, how a file's path begins, and how the function's name does. The first that fits counts.
    # SQLite works in a thread, which has the interpreter once it was told what to do; PostgreSQL in a process, which on
    # few cores takes one from us.
    (WAITING, "~", "<method 'poll' of 'select.epoll'"),
    (WAITING, "~", "<method 'put_nowait' of '_queue.SimpleQueue'"),
    (WAITING, "~", "<method 'send' of '_socket.socket'"),
    (WRITING, "~", "<orjson.dumps"),
    (WRITING, "~", "<built-in method orjson.dumps"),
    # asyncpg's reading of what came is compiled, and seen only as a part of who calls it. There is no other socket.
    (DRIVER, "asyncio/selector_events.py", "_read_ready__"),
    (DRIVER, "aiosqlite/", ""),
    (DRIVER, "asyncpg/", ""),
    (DRIVER, "tortoise/", ""),
    (DRIVER, "models/database.py", "fetch"),
    (DRIVER, "models/database.py", "_fetch"),
    (DRIVER, "models/database.py", "_require_use"),
    (LOGIN, "models/database.py", "versions"),
    (LOGIN, "models/database.py", "_look_at_versions"),
    (LOGIN, "models/batched_look.py", ""),
    (LOGIN, "models/versions.py", "has_changed"),
    (LOGIN, "server/authentication.py", ""),
    (LOGIN, "services/access_tokens.py", ""),
    (RECORDS, "models/reading.py", ""),
    (RECORDS, "models/records.py", ""),
    (RECORDS, "models/dialects/", "datetime"),
    (RECORDS, "models/dialects/", "json"),
    (STATEMENTS, "models/", ""),
    (EXECUTOR, "execution/", ""),
    (ENGINE, "graphql/language/", ""),
    (ENGINE, "graphql/validation/", ""),
    (EXECUTOR, "graphql/", ""),
    (LOADERS, "resolvers/", ""),
    (LOADERS, "schema/", ""),
    (LOADERS, "strawberry/", ""),
    (LOADERS, "aiodataloader/", ""),
    (METRICS, "server/measured_engine.py", ""),
    (METRICS, "server/request_metrics.py", ""),
    (METRICS, "prometheus_client/", ""),
    (HTTP, "server/graphql/http.py", ""),
    (HTTP, "server/graphql/endpoint.py", ""),
    (HTTP, "server/graphql/media_types.py", ""),
    (HTTP, "server/graphql/sessions.py", ""),
    (ENGINE, "server/graphql/", ""),
    (HTTP, "server/", ""),
    (HTTP, "starlette/", ""),
    (HTTP, "structlog/", ""),
    (LOOP, "asyncio/", ""),
    (LOOP, "selectors.py", ""),
    (BACKGROUND, "services/", ""),
    (BENCHMARK, "benchmarks/", ""),
)

_ROOTS = tuple(
    f"{root}/" for root in (sysconfig.get_path("purelib"), Path(__file__).parents[1], sysconfig.get_path("stdlib"))
)


def rows_of(profile: cProfile.Profile) -> dict[Function, Row]:
    """Return what a profile has seen of each function."""
    return cast("dict[Function, Row]", pstats.Stats(profile).stats)  # type: ignore[attr-defined]


def short_path(file: str) -> str:
    """Return the path of a file from its package on."""
    for root in _ROOTS:
        if file.startswith(root):
            return file.removeprefix(root)
    return file


def seconds_by_room(rows: Mapping[Function, Row]) -> Counter[str]:
    """Return the own time of all functions by room, in seconds.

    What belongs to no room, built in or of the standard library mostly, counts where it was called from.
    """
    found: Counter[str] = Counter()
    for function, (_, _, own_seconds, _, _) in rows.items():
        for room, share in _shares(rows, function, ()).items():
            found[room] += share * own_seconds  # type: ignore[assignment]
    return found


def _shares(rows: Mapping[Function, Row], function: Function, behind: tuple[Function, ...]) -> dict[str, float]:
    """Return how a function's time is divided among the rooms; all shares together are 1."""
    room = _room(function)
    if room is not None:
        return {room: 1.0}
    callers = {
        caller: own_seconds
        for caller, (_, _, own_seconds, _) in rows[function][4].items()
        if caller in rows and caller != function and caller not in behind
    }
    total = sum(callers.values())
    if not total:
        return {"nobody's": 1.0}
    shares: dict[str, float] = {}
    for caller, own_seconds in callers.items():
        for name, share in _shares(rows, caller, (*behind, function)).items():
            shares[name] = shares.get(name, 0.0) + share * own_seconds / total
    return shares


def _room(function: Function) -> str | None:
    file, _, name = function
    path = short_path(file)
    return next((room for room, start, named in ROOMS if path.startswith(start) and name.startswith(named)), None)
