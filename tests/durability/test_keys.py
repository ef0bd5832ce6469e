"""The key to the stored passwords: a wrong one changes nothing, and rotation loses none at whatever moment it dies."""

from __future__ import annotations

import asyncio
import hashlib
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from models.database import Transaction
from models.integration import Integration
from server.assembly import open_database
from server.settings import DATABASE_FILE, read_settings
from services.clock import utc_now
from services.credential_cipher import EncryptionKey, WrongKey, format_keys, parse_keys
from services.installation import credential_purpose, ensure_installation
from tests.databases import NOON, add_integration, every_row
from tests.dying import NEVER
from tests.server.commands import run_command
from tests.server.processes import TIMEOUT_SECONDS, environment
from tests.templates import copy_migrated_sqlite

NAMES = ("one", "two", "three")
ROOT = Path(__file__).parent.parent.parent


async def store_passwords(data: Path, database_settings: dict[str, Any]) -> None:
    """Make an installation with a password for each integration."""
    if not database_settings:
        await asyncio.to_thread(copy_migrated_sqlite, data / DATABASE_FILE)
    async with open_database(read_settings({}, data=data, **database_settings)) as (database, cipher):
        await ensure_installation(database, cipher, utc_now)
        for name in NAMES:
            await add_integration(database, name)

        async def work(_: Transaction) -> None:
            for row in await Integration.all():
                row.username = "robot"
                row.password_encrypted = cipher.encrypt(f"planted {row.name}", credential_purpose(row.url))
                row.updated_at = NOON
                await row.save()

        await database.transact(work)


async def read_passwords(data: Path, database_settings: dict[str, Any]) -> dict[str, str]:
    """Return the password of each integration, as the next start would read it."""
    async with open_database(read_settings({}, data=data, **database_settings)) as (database, cipher):
        return {
            row["name"]: cipher.decrypt(row["password_encrypted"], credential_purpose(row["url"]))
            for row in await database.fetch('SELECT "name", "url", "password_encrypted" FROM "integration"')
        }


async def stored(data: Path, database_settings: dict[str, Any]) -> dict[str, list[tuple[Any, ...]]]:
    """Return every row."""
    async with open_database(read_settings({}, data=data, **database_settings)) as (database, _):
        return await every_row(database)


PASSWORDS = {name: f"planted {name}" for name in NAMES}


def as_environment(database_settings: dict[str, Any]) -> dict[str, str]:
    """Return the settings as a command takes them."""
    return {name.upper(): str(value) for name, value in database_settings.items()}


def hashes(folder: Path) -> dict[str, str]:
    """Return what each file of a folder holds."""
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(folder.iterdir())}


@contextmanager
def other_key(data: Path, key_id: str | None = None) -> Iterator[None]:
    """Put another key in the place of the right one, as long as the block."""
    file = data / "encryption-keys"
    right = file.read_text()
    made = EncryptionKey.generate()
    file.write_text(format_keys((made if key_id is None else EncryptionKey(key_id, made.key),)))
    yield
    file.write_text(right)


@pytest.mark.parametrize("command", [["serve", "--port", "0"], ["migrate"], ["key", "rotate"], ["token", "list"]])
def test_a_wrong_key_ends_the_start_and_nothing_is_written(
    tmp_path: Path, database_settings: dict[str, Any], command: list[str]
) -> None:
    data = tmp_path / "data"
    asyncio.run(store_passwords(data, database_settings))
    key_id = parse_keys((data / "encryption-keys").read_text())[0].key_id
    (data / "lock").touch()
    rows = asyncio.run(stored(data, database_settings))
    # Another key, and another one that bears the right one's name.
    for name in (None, key_id):
        with other_key(data, name):
            before = hashes(data)
            done = run_command(*command, data=data, settings=as_environment(database_settings))
            assert done.returncode == 2
            assert f"encrypted with the key {key_id}, and the key given is another or missing" in done.stderr
            assert hashes(data) == before
    assert asyncio.run(stored(data, database_settings)) == rows
    assert asyncio.run(read_passwords(data, database_settings)) == PASSWORDS


def test_a_password_moved_to_another_row_is_not_read(tmp_path: Path, database_settings: dict[str, Any]) -> None:
    async def main() -> None:
        async with open_database(read_settings({}, data=tmp_path, **database_settings)) as (database, cipher):
            place = database.dialect.placeholder
            moved = await database.fetch("""SELECT "password_encrypted" FROM "integration" WHERE "name" = 'one'""")
            await database.transact(
                lambda transaction: transaction.execute(
                    f"""UPDATE "integration" SET "password_encrypted" = {place(1)} WHERE "name" = 'two'""",
                    moved[0]["password_encrypted"],
                )
            )
            row = (await database.fetch("""SELECT * FROM "integration" WHERE "name" = 'two'"""))[0]
            with pytest.raises(WrongKey):
                cipher.decrypt(row["password_encrypted"], credential_purpose(row["url"]))

    asyncio.run(store_passwords(tmp_path, database_settings))
    asyncio.run(main())


def rotate(data: Path, database_settings: dict[str, Any], moment: int) -> int | None:
    """Rotate the key, dying at a moment; return how many there were, None when it died."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.durability.dying_command", str(moment), "key", "rotate"],
        cwd=ROOT,
        env=environment(data, as_environment(database_settings)),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
    )
    assert done.returncode == (0 if moment == NEVER else -signal.SIGKILL), done.stderr
    return int(done.stdout.split()[-1]) if moment == NEVER else None


def die_and_read(data: Path, database_settings: dict[str, Any], moments: Callable[[int], Iterable[int]]) -> None:
    """Rotate once to the end, then die at moments out of so many; every password is read after each."""
    asyncio.run(store_passwords(data, database_settings))
    before = (data / "encryption-keys").read_text()
    count = rotate(data, database_settings, NEVER)
    assert count is not None
    after = (data / "encryption-keys").read_text()
    assert len(parse_keys(after)) == 1
    assert parse_keys(after) != parse_keys(before)
    assert asyncio.run(read_passwords(data, database_settings)) == PASSWORDS
    for moment in moments(count):
        rotate(data, database_settings, moment)
        assert asyncio.run(read_passwords(data, database_settings)) == PASSWORDS
    # And what was left of it is cleared up by the next that ends well.
    rotate(data, database_settings, NEVER)
    assert len(parse_keys((data / "encryption-keys").read_text())) == 1
    assert asyncio.run(read_passwords(data, database_settings)) == PASSWORDS


def test_rotation_that_dies_at_a_random_moment_loses_nothing(tmp_path: Path, database_settings: dict[str, Any]) -> None:
    die_and_read(tmp_path, database_settings, lambda count: random.sample(range(count // 3, count + 1), 3))


@pytest.mark.soak
def test_rotation_that_dies_at_any_moment_loses_nothing(tmp_path: Path, database_settings: dict[str, Any]) -> None:
    die_and_read(tmp_path, database_settings, lambda count: range(1, count + 1))
