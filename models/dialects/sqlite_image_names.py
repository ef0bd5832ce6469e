"""The index of image names on SQLite: its parts are kept by FTS5.

FTS5 keeps ids by part and no names (`content=''`), since these lie in `image_name`. It reads ids in their order, as
far as wanted; the id there is that of the repository, and above it whether everybody may pull it, so that each of the
two is read alone. Source: https://www.sqlite.org/fts5.html (contentless tables, the trigram tokenizer, `detail`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from models.dialects.image_names import (
    ROWS_TO_RENEW,
    STANDS_OTHERWISE,
    SoughtText,
    is_held,
    marked_name,
    rows_of_images,
)

PARTS_TABLE: Final = "image_name_part"

_ID_BITS = 40
_ID_MASK = (1 << _ID_BITS) - 1


def last_segment(name: str) -> str:
    """Return an expression: what stands behind the last slash of a name.

    Trimmed of all its characters that aren't slashes, a name ends with its last slash.
    """
    return f"substr({name}, length(rtrim({name}, replace({name}, '/', ''))) + 1)"


_LAST_SEGMENT = last_segment('r."name"')
_OF_REPOSITORY = rows_of_images(_LAST_SEGMENT, 'r."id" = NEW."id"')
_OF_SPACE = rows_of_images(_LAST_SEGMENT, 'r."space_id" = NEW."id"')


def _entry(row: str) -> str:
    """Return the values of a row for the index of parts."""
    marked = marked_name(f'{row}."name"')
    return f'{row}."is_open" << {_ID_BITS} | {row}."repository_id", {marked}'


FILL_IMAGE_NAMES: Final = (rows_of_images(_LAST_SEGMENT, "TRUE"),)
"""Statements that store the rows of what there is already."""

MAKE_IMAGE_NAMES: Final = (
    # What is left out of the index: where in a name a part stands, and how long names are.
    f'CREATE VIRTUAL TABLE "{PARTS_TABLE}" USING fts5("name", content=\'\', detail=none, columnsize=0,'
    " tokenize='trigram case_sensitive 1')",
    f'CREATE TRIGGER "image_name_added" AFTER INSERT ON "image_name" BEGIN'
    f' INSERT INTO "{PARTS_TABLE}" ("rowid", "name") VALUES ({_entry("NEW")}); END',
    # FTS5 is told what it was told before, or it could not find what to take away.
    f'CREATE TRIGGER "image_name_taken" AFTER DELETE ON "image_name" BEGIN'
    f' INSERT INTO "{PARTS_TABLE}" ("{PARTS_TABLE}", "rowid", "name") VALUES (\'delete\', {_entry("OLD")}); END',
    f'CREATE TRIGGER "image_name_of_repository" AFTER INSERT ON "repository" BEGIN {_OF_REPOSITORY}; END',
    'CREATE TRIGGER "image_name_of_space" AFTER UPDATE OF "visibility", "state" ON "space"'
    f" WHEN {STANDS_OTHERWISE} BEGIN {ROWS_TO_RENEW}; {_OF_SPACE}; END",
    *FILL_IMAGE_NAMES,
)
"""Statements that make the index of parts, keep all in step, and store the rows of what there is already."""


def ids_of_names_with(sought: SoughtText, bind: Callable[[object], str]) -> str:
    """Return a statement: the ids of repositories whose names hold a text, the first by their ids."""
    parts = bind(" AND ".join(f'"{part}"' for part in sought.parts()))
    text = bind(sought.text)
    selects = []
    for is_open in (False, True) if sought.is_open is None else (sought.is_open,):
        behind = bind((is_open << _ID_BITS) + sought.behind_id)
        end = bind((is_open + 1) << _ID_BITS)
        # CROSS JOIN has SQLite begin with the parts.
        selects.append(
            f'SELECT * FROM (SELECT n."repository_id" AS id FROM "{PARTS_TABLE}" p CROSS JOIN "image_name" n'
            f' ON n."repository_id" = p."rowid" & {_ID_MASK} WHERE p."{PARTS_TABLE}" MATCH {parts}'
            f' AND p."rowid" > {behind} AND p."rowid" < {end} AND {is_held("instr", text, is_word=sought.is_word)}'
            f' ORDER BY p."rowid" LIMIT {sought.limit})'
        )
    return " UNION ALL ".join(selects)
