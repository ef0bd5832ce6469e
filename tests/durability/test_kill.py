"""kill -9 under a loop of changes, again and again: what was acknowledged is there, and nothing half-made."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from models.database import Database
from server.assembly import open_database
from server.settings import read_settings
from tests.databases import until
from tests.durability.mutation_loop import Book, MutationLoop
from tests.durability.stored_state import require_audited, require_kept, require_whole
from tests.server.processes import running_process
from tests.servers.fake_registries import FakeRegistries, running_fake_registries

KILLS = 5
CHANGES_BETWEEN_KILLS = 40
CLIENTS = 3
SOAK_MINUTES = float(os.environ.get("SOAK_MINUTES", "60"))
"""How long the long form goes on, for each kind of database."""


def test_what_was_acknowledged_survives_kills(tmp_path: Path, database_settings: dict[str, Any]) -> None:
    with running_fake_registries() as registries:
        kill_and_look(tmp_path, database_settings, registries, lambda kills, _: kills < KILLS)


@pytest.mark.soak
def test_what_was_acknowledged_survives_kills_for_long(tmp_path: Path, database_settings: dict[str, Any]) -> None:
    with running_fake_registries() as registries:
        kill_and_look(
            tmp_path, database_settings, registries, lambda _, started: time.monotonic() < started + 60 * SOAK_MINUTES
        )


def kill_and_look(folder: Path, database_settings: dict[str, Any], registries: FakeRegistries, goes_on: Any) -> None:
    """Start the server, change things, kill it, look at what is stored; and again."""
    book = Book()
    loops = [MutationLoop(book, registries, str(client)) for client in range(CLIENTS)]
    settings = {name.upper(): value for name, value in database_settings.items()}
    # Probes come often, so that they are hit as well.
    settings |= {"PROBE_INTERVAL_SECONDS": "1", "CONSOLE": "false"}
    started = time.monotonic()
    kills = 0
    while goes_on(kills, started):
        kill_once(folder, settings, loops)
        kills += 1
        asyncio.run(look(folder / "data", database_settings, book))
    assert book.acknowledged > kills
    print(f"{kills} kills, {book.acknowledged} acknowledged changes, all there")  # noqa: T201


def kill_once(folder: Path, settings: dict[str, str], loops: list[MutationLoop]) -> None:
    """Run a server under load and kill it after a random number of changes, in the middle of the others."""
    left = random.randint(1, CHANGES_BETWEEN_KILLS)
    lock, is_over = threading.Lock(), threading.Event()
    with running_process(folder, settings=settings) as server:

        def count_down() -> None:
            nonlocal left
            with lock:
                left -= 1
                if left == 0:
                    # At once, or a moment later: others are anywhere in theirs.
                    threading.Timer(random.uniform(0, 0.05), server.process.send_signal, [signal.SIGKILL]).start()

        with ThreadPoolExecutor(len(loops)) as pool:
            running = [pool.submit(loop.run, server, is_over, count_down) for loop in loops]
            for each in running:
                each.result()
        assert server.process.wait(30) == -signal.SIGKILL


async def is_alone(database: Database) -> bool:
    """Return whether nobody else is connected to the database."""
    others = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    return not await database.fetch(others)


async def look(data: Path, database_settings: dict[str, Any], book: Book) -> None:
    """Open what is stored as the next start would, and fail when something is missing or half-made."""
    async with open_database(read_settings({}, data=data, **database_settings)) as (database, cipher):
        if database.dialect.name == "postgres":
            # What the dead server had sent may be going on in the database still.
            await until(partial(is_alone, database))
        await require_whole(database)
        await require_kept(database, cipher, book)
        await require_audited(database, book)
