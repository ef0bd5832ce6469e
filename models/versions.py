"""Which tables statements write and read, and whether any was written since."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tortoise import Tortoise
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.fields.base import OnDelete
from tortoise.fields.relational import ForeignKeyFieldInstance
from tortoise.models import Model

if TYPE_CHECKING:
    from models.database import Database
    from models.dialects import Dialect

_WRITTEN = re.compile(r'\b(?:INSERT\s+(?:OR\s+\w+\s+)?INTO|UPDATE|DELETE\s+FROM)\s+"(\w+)"', re.IGNORECASE)
_DELETED_FROM = re.compile(r'\bDELETE\s+FROM\s+"(\w+)"', re.IGNORECASE)
_READ = re.compile(r'\b(?:FROM|JOIN)\s+"(\w+)"', re.IGNORECASE)
_MOST_STATEMENTS = 1024

_WRITING_METHODS: Final = ("execute_insert", "execute_many", "execute_query", "execute_query_dict", "execute_script")

_REACHING: Final = (OnDelete.CASCADE, OnDelete.SET_NULL, OnDelete.SET_DEFAULT)

Versions = Mapping[str, int]
"""The version of each table that was ever written."""


@lru_cache(_MOST_STATEMENTS)
def read_tables(sql: str) -> frozenset[str]:
    """Return the tables that a reading statement of ours names."""
    return frozenset(_READ.findall(sql))


@lru_cache(_MOST_STATEMENTS)
def written_tables(sql: str) -> frozenset[str]:
    """Return the tables that a statement of ours writes, those included whose rows go or change with deleted ones."""
    written = set(_WRITTEN.findall(sql))
    for table in _DELETED_FROM.findall(sql):
        written |= _depending_on(table)
    return frozenset(written)


def note_writes(client: BaseDBAsyncClient, into: set[str]) -> None:
    """Have the tables that a connection writes added to a set."""

    def noting(method: Any) -> Any:
        async def execute(query: str, *arguments: Any) -> Any:
            into.update(written_tables(query))
            return await method(query, *arguments)

        return execute

    for name in _WRITING_METHODS:
        setattr(client, name, noting(getattr(client, name)))


def are_unchanged(tables: Iterable[str], then: Versions, now: Versions) -> bool:
    """Return whether tables are as they were at another look."""
    return then is now or all(then.get(table) == now.get(table) for table in tables)


class WatchedReads:
    """Reads from a database, and remembers which tables."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.tables: set[str] = set()

    @property
    def dialect(self) -> Dialect:
        """What the SQL must be like."""
        return self._database.dialect

    async def fetch(self, sql: str, *parameters: object) -> Sequence[Any]:
        """Return the rows of a reading statement."""
        self.tables |= read_tables(sql)
        return await self._database.fetch(sql, *parameters)


class CommitWatch:
    """Tells whether anything was committed to a SQLite database since it was last asked, by whatever process.

    It is asked on the loop: SQLite looks into memory that all its connections share, which takes a few microseconds
    and waits for nobody. Source: https://www.sqlite.org/pragma.html#pragma_data_version
    """

    def __init__(self, file: str) -> None:
        address = f"{Path(file).absolute().as_uri()}?mode=ro"
        self._connection = sqlite3.connect(address, uri=True, timeout=0, isolation_level=None)
        self._seen: int | None = None

    def has_changed(self) -> bool:
        """Return whether something was committed since the last call, or may have been."""
        try:
            version: int = self._connection.execute("PRAGMA data_version").fetchone()[0]
        except sqlite3.OperationalError:
            # Locked: whoever holds it, is about to change something.
            self._seen = None
            return True
        is_changed, self._seen = version != self._seen, version
        return is_changed

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()


@lru_cache(maxsize=256)
def _depending_on(table: str) -> frozenset[str]:
    """Return the tables whose rows refer to rows of a table and go, or change, with them."""
    found: set[str] = set()
    waiting = [table]
    while waiting:
        referred = waiting.pop()
        for model in _models():
            if model._meta.db_table not in found and any(
                field.related_model._meta.db_table == referred and field.on_delete in _REACHING
                for field in model._meta.fields_map.values()
                if isinstance(field, ForeignKeyFieldInstance)
            ):
                found.add(model._meta.db_table)
                waiting.append(model._meta.db_table)
    return frozenset(found)


def _models() -> Iterable[type[Model]]:
    models: dict[str, type[Model]] = Tortoise.apps["models"]
    return models.values()
