"""The kinds of database that the product runs on, each with as many empty databases as are wanted."""

from __future__ import annotations

import asyncio
import secrets
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers.postgresql import PostgreSQLServer, running_postgresql


@dataclass(frozen=True, slots=True)
class DatabaseKind:
    """SQLite, or a PostgreSQL that runs."""

    name: str
    server: PostgreSQLServer | None = None

    @asynccontextmanager
    async def empty(self) -> AsyncIterator[str | None]:
        """Make an empty database for the block; yield its address as settings take it, None for the embedded one."""
        if self.server is None:
            yield None
            return
        database = self.server.database(f"benchmark_{secrets.token_hex(6)}", is_empty=True)
        # Making and dropping one runs a loop of its own, which needs a thread of its own.
        address = await asyncio.to_thread(database.__enter__)
        try:
            yield address
        finally:
            await asyncio.to_thread(database.__exit__, None, None, None)


SQLITE = DatabaseKind("SQLite")


@contextmanager
def both_kinds() -> Iterator[tuple[DatabaseKind, DatabaseKind]]:
    """Yield SQLite, and a PostgreSQL that runs on a folder of its own until the end of the block."""
    with (
        tempfile.TemporaryDirectory(prefix="integrated-registry-postgresql-") as folder,
        running_postgresql(Path(folder)) as server,
    ):
        yield SQLITE, DatabaseKind("PostgreSQL", server)
