"""SQLite: one process, one connection, one writer."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum
from typing import Any

import orjson

from models.dialects.dialect import PLAN_MEASUREMENTS, open_hooks
from models.dialects.image_names import SoughtText
from models.dialects.sqlite_image_names import MAKE_IMAGE_NAMES, PARTS_TABLE, ids_of_names_with, last_segment


class SQLite:
    """SQLite, as Tortoise stores into it: times as ISO text in UTC, JSON as text, booleans as 0 and 1."""

    name = "sqlite"
    # One connection serves the one process, and its lock makes transactions serial: nothing to skip or lock.
    skip_locked = ""
    lock_rows = ""
    # Tortoise begins deferred: one that reads first would fail when another process (the command line, beside
    # the server) writes in between, and no timeout helps. Begun anew, it waits for its turn instead.
    begin: tuple[str, ...] = ("COMMIT", "BEGIN IMMEDIATE")
    migration_lock: str | None = None
    claim_lock: str | None = None
    access_lock: str | None = None
    event_channel: str | None = None
    # WHERE TRUE keeps ON from being taken for a join's.
    move_versions = (
        'INSERT INTO "table_version" ("name", "version") SELECT value, 1 FROM json_each(?1) WHERE TRUE'
        ' ON CONFLICT ("name") DO UPDATE SET "version" = "table_version"."version" + 1'
    )
    # Altering a column makes the table anew and drops the old one, which with foreign keys on deletes, by cascade,
    # every row that refers to it. They can only be switched outside a transaction.
    begin_migration: tuple[str, ...] = ("COMMIT", "PRAGMA foreign_keys = OFF", "BEGIN IMMEDIATE")
    end_migration: tuple[str, ...] = ("PRAGMA foreign_keys = ON",)
    broken_references: str | None = "PRAGMA foreign_key_check"
    after_migration: Mapping[str, tuple[str, ...]] = {
        "0005_usage": (PLAN_MEASUREMENTS,),
        "0006_image_names": MAKE_IMAGE_NAMES,
        "0007_hooks": (open_hooks("lower(hex(randomblob(16)))"),),
    }

    # What FTS5 keeps is an index, though it lies in tables.
    table_names = f"SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB '{PARTS_TABLE}*'"

    position = "instr"

    def placeholder(self, number: int) -> str:
        """Return `?1`, `?2`, …: numbered, so that one parameter can stand in two places."""
        return f"?{number}"

    def moment(self, placeholder: str) -> str:
        """Return a placeholder that is said to be a time."""
        return placeholder

    def parameter(self, value: object) -> Any:
        """Return the value as Tortoise would have stored it, so that comparisons hold."""
        if isinstance(value, datetime):
            return value.astimezone(UTC).isoformat(" ")
        if isinstance(value, Enum):
            return value.value
        return value

    # The time, aware and in UTC.
    datetime = staticmethod(datetime.fromisoformat)

    def json(self, value: Any) -> Any:
        """Return the decoded text."""
        return orjson.loads(value)

    def list_parameter(self, values: Sequence[int] | Sequence[str]) -> Any:
        """Return the values as JSON text."""
        return orjson.dumps(list(values)).decode()

    def is_one_of(self, expression: str, placeholder: str, values: Sequence[int] | Sequence[str]) -> str:
        """Return the condition, by json_each."""
        return f"{expression} IN (SELECT value FROM json_each({placeholder}))"

    def parents(self, placeholder: str) -> str:
        """Return the values of a JSON array; json_each has an `id` of its own, which is another thing."""
        return f"(SELECT value AS id FROM json_each({placeholder})) AS parents"

    def page_of_each(
        self, ids: str, *, select_list: str, source: str, membership: str, record_id: str, ordering: str, limit: int
    ) -> str:
        """Return the statement, by a subquery for each parent: there is no lateral join here.

        CROSS JOIN has SQLite begin with the parents. The names within the subquery hide the outer ones.
        """
        return (
            f"SELECT {select_list} FROM {self.parents(ids)} CROSS JOIN {source} WHERE {record_id} IN"
            f" (SELECT {record_id} FROM {source} WHERE {membership}"
            f" ORDER BY {ordering} LIMIT {limit}) ORDER BY {ordering}"
        )

    def ids_of_names_with(self, sought: SoughtText, bind: Callable[[object], str]) -> str:
        """Return the statement, by FTS5."""
        return ids_of_names_with(sought, bind)

    def last_segment(self, name: str) -> str:
        """Return the expression."""
        return last_segment(name)

    def repositories_in(self, space_ids: str) -> str:
        """Return the source; CROSS JOIN has SQLite begin with the spaces."""
        return f'({space_ids}) AS within CROSS JOIN "repository" r ON r."space_id" = within."id"'
