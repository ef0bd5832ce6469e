"""Lists that come in pages: whole, though they change while they are read.

Harbor pages by offset: an entry that is deleted meanwhile moves all behind it up by one, and the first of the next
page is never seen. To lose a project that way would look as if it were gone. So a walk counts only when nothing
moved; else it is repeated.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import structlog

from registry_clients.errors import TimedOut, UnexpectedAnswer
from registry_clients.transport import RegistryResponse

# More is 422; 0 and -1 give everything in one answer, of any size.
PAGE_SIZE = 100
MAX_PAGES = 10_000
MAX_WALKS = 3
PROGRESS_PAGES = 10
"""After so many pages each, the log says how far a list has been read: a large one takes a minute or more."""

LIST_DEADLINE_SECONDS = 600

log = structlog.get_logger("registries")

Entry = TypeVar("Entry")


@dataclass(frozen=True, slots=True)
class Page(Generic[Entry]):
    """A page as it came. ``total_count`` is Harbor's own count, None when it is missing or no number."""

    entries: tuple[Entry, ...]
    total_count: int | None


@dataclass(frozen=True, slots=True)
class _Walk(Generic[Entry]):
    entries: dict[str, Entry]
    is_steady: bool


def total_count_of(response: RegistryResponse) -> int | None:
    """Return `X-Total-Count`, None when there is no such number."""
    text = response.headers.get("X-Total-Count", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


async def list_everything(
    read_page: Callable[[int], Awaitable[Page[Entry]]], key: Callable[[Entry], str], host: str
) -> tuple[Entry, ...]:
    """Return every entry of a list, each once by its key. Pages count from 1.

    A list that never stands still is the union of three walks: what went meanwhile may still be in it, nothing that
    stood all the time is left out. Raises UnexpectedAnswer when it goes in circles or has no end, TimedOut after ten
    minutes.
    """
    try:
        async with asyncio.timeout(LIST_DEADLINE_SECONDS):
            return await _steady(read_page, key, host)
    except TimeoutError as error:
        raise TimedOut(f"{host} did not list all within {LIST_DEADLINE_SECONDS} seconds.") from error


async def _steady(
    read_page: Callable[[int], Awaitable[Page[Entry]]], key: Callable[[Entry], str], host: str
) -> tuple[Entry, ...]:
    seen: dict[str, Entry] = {}
    before: dict[str, Entry] | None = None
    for _ in range(MAX_WALKS):
        walk = await _walk(read_page, key, host)
        # The same twice: the count is wrong or missing, not the list.
        if walk.is_steady or (before is not None and before.keys() == walk.entries.keys()):
            return tuple(walk.entries.values())
        before = walk.entries
        seen.update(walk.entries)
    return tuple(seen.values())


async def _walk(
    read_page: Callable[[int], Awaitable[Page[Entry]]], key: Callable[[Entry], str], host: str
) -> _Walk[Entry]:
    began = time.monotonic()
    entries: dict[str, Entry] = {}
    totals: set[int | None] = set()
    for number in range(1, MAX_PAGES + 1):
        page = await read_page(number)
        totals.add(page.total_count)
        new = {key(entry): entry for entry in page.entries}
        is_full = len(page.entries) >= PAGE_SIZE
        if is_full and new.keys() <= entries.keys():
            raise UnexpectedAnswer(f"{host} answers with the same page again and again.")
        entries.update(new)
        # A full page may be followed by more, whatever the count says; a short one as well, if the count says so.
        is_last = not is_full and page.total_count is not None and len(entries) >= page.total_count
        if is_last or not page.entries:
            is_steady = totals == {len(entries)} or (number == 1 and is_last)
            return _Walk(entries, is_steady)
        if number % PROGRESS_PAGES == 0:
            seconds = round(time.monotonic() - began, 1)
            log.info("long list", host=host, read=len(entries), of=page.total_count, seconds=seconds)
    raise UnexpectedAnswer(f"{host} answers with a list without an end.")
