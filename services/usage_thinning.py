"""A history is told ever more coarsely the older it is: which of its points may go."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

FINE_FOR = timedelta(days=2)
HOURLY_FOR = timedelta(days=14)
DAILY_FOR = timedelta(days=400)

_HOUR_SECONDS = 3600
_DAY_SECONDS = 24 * _HOUR_SECONDS


def to_be_forgotten(points: Sequence[tuple[int, datetime]], now: datetime) -> list[int]:
    """Return the ids of the points of one history that may go, oldest first as they are given.

    Of what is older than two days the last of each hour stays, older than two weeks that of each day. Of what is
    older than 400 days the last point stays: it tells what was held when the rest began.
    """
    kept: dict[tuple[int, int], int] = {}
    for id_, moment in points:
        age, second = now - moment, int(moment.timestamp())
        if age <= FINE_FOR:
            kept[1, second] = id_
        elif age <= HOURLY_FOR:
            kept[_HOUR_SECONDS, second // _HOUR_SECONDS] = id_
        elif age <= DAILY_FOR:
            kept[_DAY_SECONDS, second // _DAY_SECONDS] = id_
        else:
            kept[0, 0] = id_
    staying = set(kept.values())
    return [id_ for id_, _ in points if id_ not in staying]
