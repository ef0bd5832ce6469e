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

from models.dialects import Dialect
from models.dialects.image_names import SoughtText, begins_word
from models.enums import SpaceState, Visibility
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


_ALL = 2**62
"""A limit that none is, for what is to be read once: else each place is made out as often as it is spoken of."""

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
    # Cut before anything is joined to them: each range has as many as the page.
    hits = f'SELECT * FROM ({part(statement, wanted)}) AS hits ORDER BY "place", "id" LIMIT {wanted.limit}'
    sql = (
        f'SELECT {FOUND_IMAGES.select_list} FROM ({hits}) AS hit JOIN "repository" r ON r."id" = hit."id"'
        f'{REPOSITORY_JOINS} ORDER BY hit."place", hit."id"'
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
    text, (place, last_id) = wanted.search.text, wanted.after
    if wanted.begins_at(met) and place[1:] >= text:
        # Without the text's own lower bound, from which SQLite would read on.
        behind = f"({statement.bind(place[1:])}, {statement.bind(last_id)})"
        conditions = [*conditions, f'(n."{column}", n."repository_id") > {behind}']
        conditions += _begins(statement, f'n."{column}"', text, is_behind=True)
    else:
        conditions = [*conditions, *_begins(statement, f'n."{column}"', text)]
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
    """Return what is found in spaces that are looked at whole: those that stand and aren't open to everybody."""
    search = wanted.search
    closed = [
        f"s.\"state\" <> '{SpaceState.VANISHED.value}'",
        f'NOT (s."visibility" = \'{Visibility.PUBLIC.value}\' AND i."workspace_id" IS NULL)',
    ]
    if search.integration_id is not None:
        closed.append(f's."integration_id" = {statement.bind(search.integration_id)}')
    space_ids = " UNION ".join(
        'SELECT s."id" FROM "space" s JOIN "integration" i ON i."id" = s."integration_id"'
        f" WHERE {' AND '.join([condition, *closed])}"
        for condition in search.further.spaces_of_own(statement)
    )
    if search.integration_id is not None:
        conditions = _begins(statement, 'r."name"', search.text)
        place = f"'{Met.NAME.value}' || r.\"name\""
    else:
        text = statement.bind(search.text)
        conditions = [f'{statement.dialect.position}(r."name", {text}) > 0']
        place = _place(statement.dialect, text, has_within=len(search.text) >= LEAST_CHARACTERS_WITHIN)
    met = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    behind = f"({statement.bind(wanted.after[0])}, {statement.bind(wanted.after[1])})"
    return (
        f'SELECT * FROM (SELECT r."id", {place} AS "place" FROM {statement.dialect.repositories_in(space_ids)}{met}'
        f" LIMIT {_ALL}) AS placed"
        f' WHERE placed."place" IS NOT NULL AND (placed."place", placed."id") > {behind}'
        f' ORDER BY placed."place", placed."id" LIMIT {wanted.limit}'
    )


def _place(dialect: Dialect, text: str, *, has_within: bool) -> str:
    """Return an expression: the place of a name (`r`) that holds a text.

    Null where no word begins with it, unless `has_within`.
    """
    name, position = 'r."name"', dialect.position
    last_segment = dialect.last_segment(name)
    within = f" ELSE '{Met.WITHIN.value}'" if has_within else ""
    return (
        f"CASE WHEN {position}({last_segment}, {text}) = 1 THEN '{Met.LAST_SEGMENT.value}' || {last_segment}"
        f" WHEN {position}({name}, {text}) = 1 THEN '{Met.NAME.value}' || {name}"
        f" WHEN {begins_word(position, name, text)} THEN '{Met.WORD.value}'{within} END"
    )


def _begins(statement: Statement, expression: str, text: str, *, is_behind: bool = False) -> list[str]:
    """Return conditions on a text: it begins with another one; with `is_behind`, if it isn't less than that."""
    if not text:
        return []
    end = f"{expression} < {statement.bind(text[:-1] + chr(ord(text[-1]) + 1))}"
    return [end] if is_behind else [f"{expression} >= {statement.bind(text)}", end]
