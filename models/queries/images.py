"""Searching the names of images: ranked, in pages, and over what may be seen alone.

A name is met in one of four ways, the best counts. What begins with the text is sorted by what follows it, so that
what is the text itself comes first; the rest comes in the order in which it was first seen. Each way is an order of its
own, read as far as a page needs it. What everybody may pull is read from indexes; what somebody may see besides is
looked at whole: that costs what it holds, some microseconds for each repository.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from models.dialects.image_names import SoughtText, begins_word, is_held
from models.queries.repositories import REPOSITORY_COLUMNS, REPOSITORY_JOINS
from models.queries.sight import EVERYTHING, Sight
from models.queries.spaces import PullableOfOwn
from models.reading import Order, Page, PageRequest, Readable, RecordReader, Statement
from models.records import FoundImageRecord

FOUND_IMAGES = RecordReader(
    FoundImageRecord, '"repository" r', {**REPOSITORY_COLUMNS, "place": 'hit."place"'}, joins=REPOSITORY_JOINS
)

BEST_FIRST = Order("image", "place", "id")

LEAST_CHARACTERS_WITHIN = 3
"""From this many characters on, a text is also looked for where no word begins."""


class Met(Enum):
    """How a name is met by a text, best first. With what follows, each stands at the beginning of a `place`."""

    LAST_SEGMENT = "0"
    """Its last segment begins with it."""

    NAME = "1"
    """It begins with it."""

    WORD = "2"
    """Another of its words begins with it: what stands behind one of / - _ and a full stop."""

    WITHIN = "3"
    """It holds it somewhere else."""


_WITH_WHAT_FOLLOWS = (Met.LAST_SEGMENT, Met.NAME)


@dataclass(frozen=True, slots=True)
class ImageSearch:
    """What is looked for, and among what."""

    text: str
    """As it stands in names: of ASCII characters; empty only with `integration_id`."""

    integration_id: int | None = None
    """Look for names that begin with the text, and at this registry alone; None: anywhere in names, at all."""

    further: Sight | PullableOfOwn = EVERYTHING
    """What is found besides what is open to everybody: what is seen, or what the namespaces of a workspace may pull."""

    @property
    def is_limited(self) -> bool:
        """Whether not everything may be found."""
        return self.further != EVERYTHING


def is_place(text: str) -> bool:
    """Return whether this is the place of something that was found."""
    return text in (Met.WORD.value, Met.WITHIN.value) or text[:1] in {met.value for met in _WITH_WHAT_FOLLOWS}


async def found_images(readable: Readable, search: ImageSearch, request: PageRequest) -> Page[FoundImageRecord]:
    """Return a page of what is found. Its cost doesn't depend on its place."""
    wanted = _Wanted(search, request.first + 1, request.after or ("", 0))
    found: list[FoundImageRecord] = []
    if search.is_limited:
        found += await _read(readable, wanted, _in_further_spaces)
    for last, part in _parts(wanted):
        found += await _read(readable, wanted, part)
        found.sort(key=lambda record: (record.place, record.id))
        # What is still to be read stands behind these.
        if sum(record.place[0] <= last.value for record in found) >= wanted.limit:
            break
    return Page(
        records=found[: request.first],
        has_next_page=len(found) > request.first,
        has_previous_page=request.after is not None,
        order=request.order,
    )


@dataclass(frozen=True, slots=True)
class _Wanted:
    """The search, how many are wanted, and the place and the id behind which they stand."""

    search: ImageSearch
    limit: int
    after: tuple[Any, int]

    def begins_at(self, met: Met) -> bool:
        """Return whether the page begins among names that are met like this."""
        return bool(self.after[0].startswith(met.value))

    def is_past(self, met: Met) -> bool:
        """Return whether the page begins behind all names that are met like this."""
        return bool(self.after[0][:1] > met.value)


_Part = Callable[[Statement, _Wanted], str]


def _parts(wanted: _Wanted) -> Iterator[tuple[Met, _Part]]:
    """Yield what is read of indexes, in its order, each with the last way of being met that it covers."""
    if not wanted.is_past(Met.NAME):
        yield Met.NAME, _by_beginning
    if wanted.search.integration_id is not None:
        return
    if not wanted.is_past(Met.WORD):
        yield Met.WORD, _by_word
    if len(wanted.search.text) >= LEAST_CHARACTERS_WITHIN:
        yield Met.WITHIN, _by_part


async def _read(readable: Readable, wanted: _Wanted, part: _Part) -> list[FoundImageRecord]:
    """Return the records of a statement's hits: rows of `id` and `place`."""
    statement = Statement(readable.dialect)
    hits = part(statement, wanted)
    sql = (
        f'SELECT {FOUND_IMAGES.select_list} FROM ({hits}) AS hit JOIN "repository" r ON r."id" = hit."id"'
        f'{REPOSITORY_JOINS} ORDER BY hit."place", hit."id" LIMIT {wanted.limit}'
    )
    return FOUND_IMAGES.read(readable.dialect, await readable.fetch(sql, *statement.values))


def _by_beginning(statement: Statement, wanted: _Wanted) -> str:
    """Return what names or last segments begin with: one range of an index for each, open and not."""
    search = wanted.search
    if search.integration_id is not None:
        of_registry = f'n."integration_id" = {statement.bind(search.integration_id)}'
        return " UNION ALL ".join(_ranges(statement, wanted, Met.NAME, "name", [of_registry]))
    ranges: Iterable[str] = ()
    if not wanted.is_past(Met.LAST_SEGMENT):
        ranges = _ranges(statement, wanted, Met.LAST_SEGMENT, "last_segment", [])
    better = " AND ".join(_begins(statement, 'n."last_segment"', search.text))
    return " UNION ALL ".join([*ranges, *_ranges(statement, wanted, Met.NAME, "name", [f"NOT ({better})"])])


def _ranges(statement: Statement, wanted: _Wanted, met: Met, column: str, conditions: Sequence[str]) -> Iterator[str]:
    """Yield statements: names of which a column begins with the text, in its order, open to everybody or not."""
    conditions = [*conditions, *_begins(statement, f'n."{column}"', wanted.search.text)]
    if wanted.begins_at(met):
        place, last_id = wanted.after
        behind = f"({statement.bind(place[1:])}, {statement.bind(last_id)})"
        conditions.append(f'(n."{column}", n."repository_id") > {behind}')
    for is_open in (True,) if wanted.search.is_limited else (True, False):
        where = " AND ".join([f'n."is_open" = {statement.bind(is_open)}', *conditions])
        yield (
            f'SELECT * FROM (SELECT n."repository_id" AS "id", \'{met.value}\' || n."{column}" AS "place"'
            f' FROM "image_name" n WHERE {where} ORDER BY n."{column}", n."repository_id" LIMIT {wanted.limit})'
            f" AS {column}_{int(is_open)}"
        )


def _by_word(statement: Statement, wanted: _Wanted) -> str:
    return _held(statement, wanted, Met.WORD)


def _by_part(statement: Statement, wanted: _Wanted) -> str:
    return _held(statement, wanted, Met.WITHIN)


def _held(statement: Statement, wanted: _Wanted, met: Met) -> str:
    """Return names that hold the text in another place than a beginning."""
    sought = SoughtText(
        text=wanted.search.text,
        is_word=met is Met.WORD,
        is_open=True if wanted.search.is_limited else None,
        behind_id=wanted.after[1] if wanted.begins_at(met) else 0,
        limit=wanted.limit,
    )
    ids = statement.dialect.ids_of_names_with(sought, statement.bind)
    return f'SELECT held."id", \'{met.value}\' AS "place" FROM ({ids}) AS held'


def _in_further_spaces(statement: Statement, wanted: _Wanted) -> str:
    """Return what is found in spaces that are looked at whole."""
    search = wanted.search
    conditions = search.further.spaces_of_own(statement)
    further = " UNION ".join(f'SELECT s."id" FROM "space" s WHERE {condition}' for condition in conditions)
    conditions = ['NOT n."is_open"']
    if search.integration_id is not None:
        conditions.append(f'n."integration_id" = {statement.bind(search.integration_id)}')
        conditions += _begins(statement, 'n."name"', search.text)
        place = f"'{Met.NAME.value}' || n.\"name\""
    else:
        place = _place(statement, search.text)
    behind = f"({statement.bind(wanted.after[0])}, {statement.bind(wanted.after[1])})"
    return (
        f'SELECT * FROM (SELECT n."repository_id" AS "id", {place} AS "place" FROM ({further}) AS further'
        ' JOIN "repository" o ON o."space_id" = further."id" JOIN "image_name" n ON n."repository_id" = o."id"'
        f' WHERE {" AND ".join(conditions)}) AS placed WHERE placed."place" IS NOT NULL'
        f' AND (placed."place", placed."id") > {behind} ORDER BY placed."place", placed."id" LIMIT {wanted.limit}'
    )


def _place(statement: Statement, text: str) -> str:
    """Return an expression: the place of a name (`n`), null where it isn't met."""
    position, given = statement.dialect.position, statement.bind(text)
    word = begins_word(position, 'n."name"', given)
    ways = [
        f'{position}(n."last_segment", {given}) = 1 THEN \'{Met.LAST_SEGMENT.value}\' || n."last_segment"',
        f'{position}(n."name", {given}) = 1 THEN \'{Met.NAME.value}\' || n."name"',
        f"{word} THEN '{Met.WORD.value}'",
    ]
    if len(text) >= LEAST_CHARACTERS_WITHIN:
        ways.append(f"{is_held(position, given, is_word=False)} THEN '{Met.WITHIN.value}'")
    return f"CASE{''.join(f' WHEN {way}' for way in ways)} END"


def _begins(statement: Statement, expression: str, text: str) -> list[str]:
    """Return conditions on a text: it begins with another one."""
    if not text:
        return []
    end = text[:-1] + chr(ord(text[-1]) + 1)
    return [f"{expression} >= {statement.bind(text)}", f"{expression} < {statement.bind(end)}"]
