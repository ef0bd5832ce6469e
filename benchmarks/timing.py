"""Timing several ways of doing one thing against each other."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence

WARM_UP_ROUNDS = 3


async def median_seconds(ways: Sequence[Callable[[], Awaitable[object]]], rounds: int) -> list[float]:
    """Return the median time of each way."""
    return [statistics.median(taken) for taken in await paired_seconds(ways, rounds)]


async def paired_seconds(
    ways: Sequence[Callable[[], Awaitable[object]]], rounds: int, *, in_a_row: int = 1
) -> list[list[float]]:
    """Return the times of each way, round by round.

    They take turns, so that a slow moment of the machine hits them all. Several in a row find the caches of the
    processor filled by the one before; a single one finds them swept by the collection.
    """
    times: list[list[float]] = [[] for _ in ways]
    for number in range(WARM_UP_ROUNDS + rounds):
        for way, taken in zip(ways, times, strict=True):
            gc.collect()
            started = time.perf_counter()
            for _ in range(in_a_row):
                await way()
            if number >= WARM_UP_ROUNDS:
                taken.append((time.perf_counter() - started) / in_a_row)
    return times
