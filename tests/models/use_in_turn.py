"""A database that is used by one release after the other, and what it holds before and after a migration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from models.database import Database
from models.migrate import known_migrations, migrate
from tests.databases import every_row
from tests.models.made_tables import indexes, named_rows, references
from tests.models.releases import IN_USE, release_with

Rows = Mapping[str, Iterable[Mapping[str, Any]]]


def in_any_order(rows: Rows) -> dict[str, list[list[tuple[str, Any]]]]:
    """Return rows such that two of these are equal when the same are stored."""
    return {table: sorted((sorted(row.items()) for row in found), key=repr) for table, found in rows.items()}


def require_kept(before: Rows, after: Rows, added: Mapping[str, Mapping[str, Any]], new_tables: set[str]) -> None:
    """Fail unless all rows are as before but for the columns that were added, and the new tables empty."""
    expected = {table: [{**row, **added.get(table, {})} for row in rows] for table, rows in before.items()}
    found = {table: list(rows) for table, rows in after.items()}
    # What was applied is all that the table of migrations tells of.
    assert len(found.pop("tortoise_migrations")) == len(expected.pop("tortoise_migrations")) + 1
    assert in_any_order(found) == in_any_order({**expected, **{table: [] for table in new_tables}})


def primary_keys(database: Database, tables: Iterable[str]) -> set[str]:
    """Return the indexes of tables' ids: SQLite has none where a whole number is the key."""
    return {f"{table} unique id" for table in tables} if database.dialect.name == "postgres" else set()


@dataclass(frozen=True, slots=True)
class Everything:
    """What a database holds and what it is made of."""

    rows: dict[str, list[dict[str, Any]]]
    indexes: set[str]
    references: set[str]


async def everything(database: Database) -> Everything:
    """Return what the database holds now."""
    return Everything(await named_rows(database), await indexes(database), await references(database))


class Releases:
    """Brings a database from one release to the next."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._folder = folder
        self._monkeypatch = monkeypatch

    async def migrate_to(self, database: Database, name: str) -> None:
        """Migrate to a release, from the one before."""
        names = [known for known in known_migrations() if known <= name]
        assert await migrate(database, release_with(self._folder, self._monkeypatch, names)) == names[-1:]

    async def use_until(self, database: Database, name: str) -> None:
        """Migrate an empty database to each release until one, and use it there; every table has rows at the end."""
        for known in known_migrations():
            if known <= name:
                await self.migrate_to(database, known)
                await IN_USE[known](database)
        assert [table for table, rows in (await every_row(database)).items() if not rows] == []
