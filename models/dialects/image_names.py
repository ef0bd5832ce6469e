"""The index of image names, as far as it is the same on both databases.

`image_name` has a row for each repository whose space stands; ordered indexes serve what begins a name or its last
segment. For what stands elsewhere in a name there is an index of its parts: all that are three characters long, of the
name with a mark before each word. It says which names may hold a text; the names themselves say which do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

WORD_MARK: Final = "^^"
"""Stands in the index before each word. Twice, so that with one character of the word it makes a part."""

WORD_SEPARATORS: Final = ("/", "-", "_", ".")
"""Behind each of these, and where a name begins, a word begins."""

_PART_CHARACTERS = 3
_MOST_PARTS = 8
"""A text is looked for by no more parts than these: enough to tell it from others, and each costs a look."""


@dataclass(frozen=True, slots=True)
class SoughtText:
    """A text that names hold elsewhere than where they, or their last segments, begin.

    It is of ASCII characters, at least three where words need not begin with it.
    """

    text: str
    is_word: bool
    """Whether a word begins with it; else none does."""

    is_open: bool | None
    """Of which repositories; None: of all."""

    behind_id: int
    """Of repositories with a greater id than this one."""

    limit: int

    def parts(self) -> list[str]:
        """Return parts that each name has which holds the text, the one with the fewest names wherever it may be."""
        marked = self.text
        for separator in WORD_SEPARATORS:
            marked = marked.replace(separator, separator + WORD_MARK)
        if self.is_word:
            marked = WORD_MARK + marked
        parts = dict.fromkeys(
            marked[start : start + _PART_CHARACTERS] for start in range(len(marked) - _PART_CHARACTERS + 1)
        )
        return _spread(list(parts))


def marked_name(name: str) -> str:
    """Return an expression: the name with a mark before each word."""
    for separator in WORD_SEPARATORS:
        name = f"replace({name}, '{separator}', '{separator}{WORD_MARK}')"
    return f"'{WORD_MARK}' || {name}"


def rows_of_images(last_segment: str, repositories: str) -> str:
    """Return a statement that stores the rows of repositories that meet a condition (`r`), if their spaces stand."""
    return (
        'INSERT INTO "image_name" ("repository_id", "integration_id", "is_open", "name", "last_segment")'
        ' SELECT r."id", s."integration_id", s."visibility" = \'PUBLIC\' AND i."workspace_id" IS NULL, r."name",'
        f' {last_segment} FROM "repository" r JOIN "space" s ON s."id" = r."space_id"'
        f' JOIN "integration" i ON i."id" = s."integration_id" WHERE {repositories} AND s."state" <> \'VANISHED\''
    )


ROWS_TO_RENEW: Final = (
    'DELETE FROM "image_name" WHERE "repository_id" IN (SELECT "id" FROM "repository" WHERE "space_id" = NEW."id")'
)
"""A statement that takes away the rows of the repositories of a space that was updated."""

STANDS_OTHERWISE: Final = (
    """(OLD."visibility" <> NEW."visibility" OR (OLD."state" = 'VANISHED') <> (NEW."state" = 'VANISHED'))"""
)
"""A condition on a space that was updated: the rows of its repositories are others now."""


def begins_word(position: str, name: str, text: str) -> str:
    """Return a condition: behind a separator, the text begins a word. `position` is the function that finds texts."""
    found = (f"{position}({name}, '{separator}' || {text}) > 0" for separator in WORD_SEPARATORS)
    return f"({' OR '.join(found)})"


def is_held(position: str, text: str, *, is_word: bool) -> str:
    """Return a condition on `n`: it holds a text as `SoughtText` says."""
    word = begins_word(position, 'n."name"', text)
    if is_word:
        return f'{word} AND {position}(n."name", {text}) <> 1 AND {position}(n."last_segment", {text}) <> 1'
    return f'{position}(n."name", {text}) > 1 AND NOT {word}'


def _spread(parts: list[str]) -> list[str]:
    """Return some of many, the first and the last among them."""
    if len(parts) <= _MOST_PARTS:
        return parts
    steps = _MOST_PARTS - 1
    return [parts[number * (len(parts) - 1) // steps] for number in range(_MOST_PARTS)]
