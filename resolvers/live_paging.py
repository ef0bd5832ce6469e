"""Pages of lists that registries keep: by the registry's own pages, so that the fiftieth is read without the others.

A place is behind so many items of one of the registry's pages. As long as a client asks for as many as before, each
page here is one of the registry's; else what is asked for may lie in two of them, and a page may hold less than was
asked for and have a next one all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from msgspec import Struct

from registry_clients.records import ArtifactPage
from resolvers.paging import MOST_FIRST, checked_first, cursor_parts, invalid_cursor, written_cursor
from services.live_answers import Told

MOST_PAGES = 100_000_000
MOST_SKIPPED = 1_000_000


@dataclass(frozen=True, slots=True)
class Place:
    """Behind the first `skipped` items of a page of the registry's, which count from 1 and hold `page_size`."""

    page: int
    page_size: int
    skipped: int = 0


@dataclass(frozen=True, slots=True)
class LivePageRequest:
    """At most `first` items behind a place. `mark` says of which list."""

    mark: str
    first: int
    place: Place
    is_behind_cursor: bool

    @property
    def pages(self) -> range:
        """Which of the registry's pages it may take: one, or two."""
        page = self.place.page
        is_within_one = self.place.skipped == 0 or self.place.skipped + self.first <= self.place.page_size
        return range(page, page + (1 if is_within_one else 2))


class LivePage(Struct, frozen=True):
    """What stands behind a connection of a live list."""

    items: Sequence[Any]
    behind: Sequence[Place]
    """The place behind each item."""

    end: Place
    """Where to go on, also where there are no items."""

    mark: str
    has_next_page: bool
    has_previous_page: bool
    total_count: int | None
    as_of: datetime
    is_stale: bool

    def cursor(self, place: Place) -> str:
        """Return the cursor of a place in this list."""
        return written_cursor(self.mark, place.page, place.page_size, place.skipped)


def live_page_request(mark: str, first: int | None, after: str | None) -> LivePageRequest:
    """Return what to read. Raises PublicError for a number out of range and a cursor of something else."""
    count = checked_first(first)
    if after is None:
        return LivePageRequest(mark, count, Place(1, count), is_behind_cursor=False)
    return LivePageRequest(mark, count, _aligned(_place(mark, after), count), is_behind_cursor=True)


def page_of(
    request: LivePageRequest,
    told: Sequence[Told[ArtifactPage]],
    items_of: Callable[[Told[ArtifactPage]], Sequence[Any]],
    *,
    is_counted: bool,
) -> LivePage:
    """Return what is asked for, out of the registry's pages that it takes.

    `is_counted` says that these count what is listed.
    """
    items: list[Any] = []
    behind: list[Place] = []
    for number, page in zip(request.pages, told, strict=True):
        of_page = items_of(page)
        items += of_page
        behind += [Place(number, request.place.page_size, place + 1) for place in range(len(of_page))]
        if of_page:
            behind[-1] = Place(number + 1, request.place.page_size)
    begin, end = request.place.skipped, request.place.skipped + request.first
    taken = behind[begin:end]
    return LivePage(
        items=items[begin:end],
        behind=taken,
        end=taken[-1] if taken else Place(request.pages[-1] + 1, request.place.page_size),
        mark=request.mark,
        has_next_page=len(items) > end or not told[-1].value.is_last,
        has_previous_page=request.is_behind_cursor,
        total_count=told[0].value.total_count if is_counted else None,
        as_of=min(page.as_of for page in told),
        is_stale=any(page.is_stale for page in told),
    )


def listed_page(
    mark: str, first: int | None, after: str | None, items: Sequence[Any], as_of: datetime, *, is_stale: bool
) -> LivePage:
    """Return a page of a list that is there as a whole. Raises PublicError as `live_page_request` does."""
    count = checked_first(first)
    begin = 0 if after is None else _place(mark, after).skipped
    taken = items[begin : begin + count]
    behind = [Place(1, MOST_FIRST, begin + number + 1) for number in range(len(taken))]
    return LivePage(
        items=taken,
        behind=behind,
        end=behind[-1] if behind else Place(1, MOST_FIRST, begin),
        mark=mark,
        has_next_page=begin + count < len(items),
        has_previous_page=after is not None,
        total_count=len(items),
        as_of=as_of,
        is_stale=is_stale,
    )


def _aligned(place: Place, page_size: int) -> Place:
    """Return the same place by pages of another size, where one of them begins there."""
    before = (place.page - 1) * place.page_size
    if place.skipped or before % page_size:
        return place
    return Place(before // page_size + 1, page_size)


def _place(mark: str, cursor: str) -> Place:
    try:
        found, *numbers = cursor_parts(cursor)
        page, page_size, skipped = numbers
    except (ValueError, TypeError) as error:
        raise invalid_cursor() from error
    if found != mark or any(type(number) is not int for number in numbers):
        raise invalid_cursor()
    if not (1 <= page <= MOST_PAGES and 1 <= page_size <= MOST_FIRST and 0 <= skipped <= MOST_SKIPPED):
        raise invalid_cursor()
    return Place(page, page_size, skipped)
