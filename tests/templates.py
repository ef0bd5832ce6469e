"""Databases that are migrated already, to begin with: migrating one takes a second, copying one takes nothing."""

from __future__ import annotations

import asyncio
import atexit
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from models.database import Database
from models.migrate import migrate
from server.settings import DATABASE_FILE

_made: list[Path] = []


async def migrate_at(address: str) -> None:
    """Migrate the database at a Tortoise address."""
    database = await Database.open(address)
    try:
        await migrate(database)
    finally:
        await database.close()


def copy_migrated_sqlite(file: Path) -> None:
    """Put a migrated database where there is none yet. The first of a process is made, the others are copies of it."""
    if file.exists():
        return
    if not _made:
        folder = Path(tempfile.mkdtemp(prefix="integrated-registry-template-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        # In a thread of its own: a browser's driver may keep a loop running in this one.
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, migrate_at(f"sqlite://{folder / DATABASE_FILE}")).result()
        _made.append(folder / DATABASE_FILE)
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.copyfile(_made[0], file)
    file.chmod(0o600)
