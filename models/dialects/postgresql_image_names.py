"""The index of image names on PostgreSQL: its parts are kept by GIN, which every server has.

GIN finds the rows that have several parts, all of them at once and in no order. A part counts within a block of ids
alone: blocks are read one after the other, so that no more is read than wanted, however many names have a part.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from models.dialects.image_names import (
    ROWS_TO_RENEW,
    STANDS_OTHERWISE,
    WORD_MARK,
    SoughtText,
    is_held,
    marked_name,
    rows_of_images,
)

_BLOCK_BITS = 15
"""A block has 32,768 ids: all of one are read in some tens of milliseconds, a million ids have 31."""

_PART_BITS = 24
_OPEN_PART, _CLOSED_PART = 1, 0
"""Parts that names don't have, for whether everybody may pull it."""


def last_segment(name: str) -> str:
    """Return an expression: what stands behind the last slash of a name."""
    return f"substring({name} FROM '[^/]*$')"


_LAST_SEGMENT = last_segment('r."name"')

_PARTS_FUNCTION = f"""
CREATE FUNCTION image_name_parts("id" bigint, "is_open" boolean, "name" text) RETURNS bigint[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    marked bytea := convert_to({marked_name("name")}, 'UTF8');
    block bigint := (id >> {_BLOCK_BITS}) << {_PART_BITS};
    part bigint := {int.from_bytes(WORD_MARK.encode())};
    parts bigint[] := ARRAY[block | CASE WHEN is_open THEN {_OPEN_PART} ELSE {_CLOSED_PART} END];
BEGIN
    FOR place IN {len(WORD_MARK)} .. length(marked) - 1 LOOP
        part := (part << 8 | get_byte(marked, place)) & {(1 << _PART_BITS) - 1};
        parts[place] := block | part;
    END LOOP;
    RETURN parts;
END $$
"""

_SEARCH_FUNCTION = f"""
CREATE FUNCTION image_names_with(parts integer[], behind bigint, sought text, is_word boolean, wanted integer)
RETURNS SETOF bigint LANGUAGE plpgsql STABLE ROWS 10 SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    block bigint;
    id bigint;
BEGIN
    WHILE wanted > 0 LOOP
        SELECT n."repository_id" >> {_BLOCK_BITS} INTO block FROM "image_name" n
            WHERE n."repository_id" > behind ORDER BY n."repository_id" LIMIT 1;
        EXIT WHEN NOT FOUND;
        FOR id IN
            SELECT n."repository_id" FROM "image_name" n
            WHERE image_name_parts(n."repository_id", n."is_open", n."name")
                @> ARRAY(SELECT block << {_PART_BITS} | part FROM unnest(parts) AS part)
            AND n."repository_id" > behind
            AND CASE WHEN is_word THEN {is_held("strpos", "sought", is_word=True)}
                ELSE {is_held("strpos", "sought", is_word=False)} END
            -- The sum keeps PostgreSQL from reading all names in this order instead.
            ORDER BY n."repository_id" + 0 LIMIT wanted
        LOOP
            RETURN NEXT id;
            wanted := wanted - 1;
        END LOOP;
        behind := ((block + 1) << {_BLOCK_BITS}) - 1;
    END LOOP;
END $$
"""

# The space is held as it is until the transaction ends: who opens or closes it meanwhile waits, then finds the row.
_REPOSITORY_FUNCTION = f"""
CREATE FUNCTION image_name_of_repository() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM "space" WHERE "id" = NEW."space_id" FOR SHARE;
    {rows_of_images(_LAST_SEGMENT, 'r."id" = NEW."id"')};
    RETURN NULL;
END $$
"""

# What is asked in here could stand in the trigger. Then no migration could alter those columns.
_SPACE_FUNCTION = f"""
CREATE FUNCTION image_name_of_space() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF {STANDS_OTHERWISE} THEN
        {ROWS_TO_RENEW};
        {rows_of_images(_LAST_SEGMENT, 'r."space_id" = NEW."id"')};
    END IF;
    RETURN NULL;
END $$
"""

FILL_IMAGE_NAMES: Final = (
    rows_of_images(_LAST_SEGMENT, "TRUE"),
    # What is new waits in a list that each search reads whole: it is kept as short as it can be.
    'CREATE INDEX "image_name_by_part" ON "image_name" USING gin (image_name_parts("repository_id", "is_open", "name"))'
    " WITH (gin_pending_list_limit = 64)",
)
"""Statements that store the rows of what there is already, and then make the index of parts."""

MAKE_IMAGE_NAMES: Final = (
    'ALTER TABLE "image_name" ALTER COLUMN "name" TYPE VARCHAR(512) COLLATE "C"',
    'ALTER TABLE "image_name" ALTER COLUMN "last_segment" TYPE VARCHAR(512) COLLATE "C"',
    _PARTS_FUNCTION,
    _SEARCH_FUNCTION,
    _REPOSITORY_FUNCTION,
    _SPACE_FUNCTION,
    'CREATE TRIGGER "image_name_of_repository" AFTER INSERT ON "repository"'
    " FOR EACH ROW EXECUTE FUNCTION image_name_of_repository()",
    'CREATE TRIGGER "image_name_of_space" AFTER UPDATE ON "space" FOR EACH ROW EXECUTE FUNCTION image_name_of_space()',
    *FILL_IMAGE_NAMES,
)
"""Statements that keep all in step from now on, store the rows of what there is, and make the index of parts."""


def ids_of_names_with(sought: SoughtText, bind: Callable[[object], str]) -> str:
    """Return a statement: the ids of repositories whose names hold a text, the first by their ids."""
    parts = [int.from_bytes(part.encode()) for part in sought.parts()]
    if sought.is_open is not None:
        parts.append(_OPEN_PART if sought.is_open else _CLOSED_PART)
    return (
        f"SELECT found.id FROM image_names_with({bind(parts)}, {bind(sought.behind_id)}, {bind(sought.text)},"
        f" {bind(sought.is_word)}, {bind(sought.limit)}) AS found (id)"
    )
