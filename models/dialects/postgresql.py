"""PostgreSQL: as many processes as wanted."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum
from typing import Any

import orjson

from models.dialects.dialect import PLAN_MEASUREMENTS, open_hooks
from models.dialects.image_names import SoughtText
from models.dialects.postgresql_image_names import MAKE_IMAGE_NAMES, ids_of_names_with, last_segment


class PostgreSQL:
    """PostgreSQL by asyncpg."""

    name = "postgres"
    skip_locked = " FOR UPDATE SKIP LOCKED"
    # Not FOR UPDATE: that would also hold up whoever inserts a row that refers to these.
    lock_rows = " FOR NO KEY UPDATE"
    begin: tuple[str, ...] = ()
    # Migrations of Tortoise take no lock of their own: three replicas at once failed. The number is ours.
    migration_lock: str | None = "SELECT pg_advisory_xact_lock(7236412001)"
    claim_lock: str | None = "SELECT pg_advisory_xact_lock(7236412002)"
    access_lock: str | None = "SELECT pg_advisory_xact_lock(7236412003)"
    event_channel: str | None = "integrated_registry_events"
    # In order, so that no two wait for each other.
    move_versions = (
        'INSERT INTO "table_version" ("name", "version") SELECT name, 1 FROM unnest($1::text[]) AS written (name)'
        ' ORDER BY name ON CONFLICT ("name") DO UPDATE SET "version" = "table_version"."version" + 1'
    )
    begin_migration: tuple[str, ...] = ()
    end_migration: tuple[str, ...] = ()
    broken_references: str | None = None
    # Names sort by their bytes, as on SQLite and whatever the database's locale, and the indexes serve it.
    after_migration: Mapping[str, tuple[str, ...]] = {
        "0001_initial": (
            'ALTER TABLE "integration" ALTER COLUMN "name_key" TYPE VARCHAR(400) COLLATE "C"',
            'ALTER TABLE "space" ALTER COLUMN "name" TYPE VARCHAR(255) COLLATE "C"',
        ),
        "0002_readers_feeds_repositories": (
            'ALTER TABLE "repository" ALTER COLUMN "name" TYPE VARCHAR(512) COLLATE "C"',
        ),
        "0003_workspaces_bindings_scopes": (
            'ALTER TABLE "workspace" ALTER COLUMN "name_key" TYPE VARCHAR(400) COLLATE "C"',
            'ALTER TABLE "namespace" ALTER COLUMN "cluster" TYPE VARCHAR(63) COLLATE "C"',
            'ALTER TABLE "namespace" ALTER COLUMN "name" TYPE VARCHAR(63) COLLATE "C"',
        ),
        "0005_usage": (PLAN_MEASUREMENTS,),
        "0006_image_names": MAKE_IMAGE_NAMES,
        "0007_hooks": (open_hooks("replace(gen_random_uuid()::text, '-', '')"),),
    }

    table_names = "SELECT tablename AS name FROM pg_catalog.pg_tables WHERE schemaname = current_schema()"

    position = "strpos"

    def placeholder(self, number: int) -> str:
        """Return `$1`, `$2`, …"""
        return f"${number}"

    def moment(self, placeholder: str) -> str:
        """Return a placeholder that is said to be a time."""
        return f"{placeholder}::timestamptz"

    def parameter(self, value: object) -> Any:
        """Return the value; asyncpg takes times and booleans as they are."""
        return value.value if isinstance(value, Enum) else value

    def datetime(self, value: Any) -> datetime:
        """Return the time in UTC."""
        moment: datetime = value
        return moment.astimezone(UTC)

    def json(self, value: Any) -> Any:
        """Return the decoded value; asyncpg hands JSON over as text."""
        return orjson.loads(value) if isinstance(value, str | bytes) else value

    def list_parameter(self, values: Sequence[int] | Sequence[str]) -> Any:
        """Return the values as a list, which asyncpg sends as an array."""
        return list(values)

    def is_one_of(self, expression: str, placeholder: str, values: Sequence[int] | Sequence[str]) -> str:
        """Return the condition, by an array."""
        element = "text" if values and isinstance(values[0], str) else "bigint"
        return f"{expression} = ANY({placeholder}::{element}[])"

    def parents(self, placeholder: str) -> str:
        """Return the ids of an array, with their places."""
        return f"unnest({placeholder}::bigint[]) WITH ORDINALITY AS parents (id, place)"

    def page_of_each(
        self, ids: str, *, select_list: str, source: str, membership: str, record_id: str, ordering: str, limit: int
    ) -> str:
        """Return the statement, by a lateral join: each parent's rows are read from an index as far as needed."""
        return (
            f"SELECT each_page.* FROM {self.parents(ids)}"
            f" CROSS JOIN LATERAL (SELECT {select_list}, ROW_NUMBER() OVER (ORDER BY {ordering}) AS place_in_page"
            f" FROM {source} WHERE {membership} ORDER BY {ordering} LIMIT {limit}) AS each_page"
            " ORDER BY parents.place, each_page.place_in_page"
        )

    def ids_of_names_with(self, sought: SoughtText, bind: Callable[[object], str]) -> str:
        """Return the statement, by GIN and a function that reads block by block."""
        return ids_of_names_with(sought, bind)

    def last_segment(self, name: str) -> str:
        """Return the expression."""
        return last_segment(name)

    def repositories_in(self, space_ids: str) -> str:
        """Return the source, by a lateral join: for many spaces PostgreSQL would rather read all repositories."""
        return (
            f'({space_ids}) AS within CROSS JOIN LATERAL (SELECT o."id", o."name" FROM "repository" o'
            ' WHERE o."space_id" = within."id" OFFSET 0) AS r'
        )
