"""The tables are brought up to date once, whole, and whatever happens meanwhile."""

from __future__ import annotations

import asyncio
import importlib
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType

import pytest
from tortoise import Tortoise
from tortoise.fields.base import Field
from tortoise.migrations.autodetector import MigrationAutodetector
from tortoise.migrations.operations import AlterModelOptions
from tortoise.models import Model

from models.database import MODEL_MODULES, apps
from models.migrate import BrokenReferences, SchemaTooNew, known_migrations, migrate
from tests.databases import (
    DEADLINE_SECONDS,
    add_integration,
    count_rows,
    empty,
    every_row,
    migrated,
    opened,
    write_events,
)
from tests.dying import NEVER
from tests.models.made_tables import indexes, require_references, tables_and_indexes
from tests.models.releases import release_with

ROOT = Path(__file__).parent.parent.parent


def start_migration(address: str, moment: int) -> subprocess.Popen[str]:
    """Start a process that will migrate when it is told to, and dies at the moment."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.models.dying_migration", address, str(moment)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def run_migration(address: str, moment: int) -> str | None:
    """Return what a process that migrates says; None when it died on the way, as it should."""
    with start_migration(address, moment) as process:
        said, _ = process.communicate("go\n", timeout=DEADLINE_SECONDS)
    assert process.returncode == (0 if said else -signal.SIGKILL)
    return said or None


def test_migrating_twice_does_nothing_the_second_time(empty_database_address: str) -> None:
    async def main() -> None:
        async with opened(empty_database_address) as database:
            assert await migrate(database) == known_migrations()
        async with migrated(empty_database_address) as database:
            await add_integration(database, "one")
            await write_events(database, 1, 2)
            before = await every_row(database), await tables_and_indexes(database)
            assert await migrate(database) == []
            assert (await every_row(database), await tables_and_indexes(database)) == before

    asyncio.run(main())


def test_a_newer_schema_is_refused_and_nothing_is_written(empty_database_address: str) -> None:
    async def main() -> None:
        async with migrated(empty_database_address) as database:
            await database.transact(
                lambda transaction: transaction.execute(
                    """INSERT INTO "tortoise_migrations" ("app", "name", "applied_at")"""
                    """ VALUES ('models', '9999_newer', '2030-01-01T00:00:00Z')"""
                )
            )
            before = await every_row(database)
            with pytest.raises(SchemaTooNew) as caught:
                await migrate(database)
            assert caught.value.unknown == ["9999_newer"]
            assert await every_row(database) == before

    asyncio.run(main())


def test_killed_at_a_random_moment_the_next_start_migrates(empty_database_address: str) -> None:
    die_and_migrate(empty_database_address, lambda count: [random.randrange(2, count), count])


@pytest.mark.soak
def test_killed_at_any_moment_the_next_start_migrates(empty_database_address: str) -> None:
    die_and_migrate(empty_database_address, lambda count: range(1, count + 1))


def die_and_migrate(empty_database_address: str, moments: Callable[[int], Iterable[int]]) -> None:
    """Kill a migration at moments out of so many, each over an empty database, and migrate after each."""

    async def rows_and_tables(address: str) -> tuple[list[str], int]:
        async with opened(address) as database:
            if not await tables_and_indexes(database):
                return [], 0
            return await tables_and_indexes(database), await count_rows(database, "tortoise_migrations")

    said = run_migration(empty_database_address, NEVER)
    assert said is not None
    count = int(said.split()[0])
    whole = asyncio.run(rows_and_tables(empty_database_address))
    assert whole[1] == len(known_migrations())
    for moment in moments(count):
        asyncio.run(empty(empty_database_address))
        assert run_migration(empty_database_address, moment) is None
        # All of it is there, or nothing.
        assert asyncio.run(rows_and_tables(empty_database_address)) in (([], 0), whole)
        assert run_migration(empty_database_address, NEVER) is not None
        assert asyncio.run(rows_and_tables(empty_database_address)) == whole


def test_three_replicas_migrate_at_once(empty_postgresql_address: str) -> None:
    processes = [start_migration(empty_postgresql_address, NEVER) for _ in range(3)]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    applied = []
    for process in processes:
        said, _ = process.communicate(timeout=DEADLINE_SECONDS)
        assert process.returncode == 0
        applied.append(said.split()[1:])
    assert sorted(applied) == [[], [], known_migrations()]


def test_models_and_migrations_agree() -> None:
    async def main() -> None:
        await Tortoise.init(config={"connections": {"sqlite": "sqlite://:memory:"}, "apps": apps("sqlite")})
        try:
            assert Tortoise.apps is not None
            writers = await MigrationAutodetector(Tortoise.apps, apps("sqlite")).changes()
            found = [operation for writer in writers for operation in writer.operations]
            # Tortoise names a primary key that is a reference one way for models, another for migrations.
            alike = {
                *("ChangeFeed", "Hook", "ImageName", "IntegrationHealth", "IntegrationUsage", "ReaderCredential"),
                *("SpaceUsage",),
                "UsageMeasurement",
            }
            assert [o for o in found if not (isinstance(o, AlterModelOptions) and o.name in alike)] == []
        finally:
            await Tortoise.close_connections()

    asyncio.run(main())


def test_no_description_holds_what_statements_are_split_at() -> None:
    described: list[tuple[str, str | None]] = []
    for module in MODEL_MODULES:
        for model in vars(importlib.import_module(module)).values():
            if isinstance(model, type) and issubclass(model, Model) and model is not Model:
                described.append((model.__name__, model._meta.table_description))
                for name, field in model._meta.fields_map.items():
                    assert isinstance(field, Field)
                    described.append((f"{model.__name__}.{name}", field.description))
    assert len(described) > 20
    assert [name for name, text in described if text and ";" in text] == []


LATER = """
from tortoise import fields, migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("models", "{last}")]
    operations = [{operation}]
"""

WIDER_NAME = """
    ops.AlterField("Integration", "created_by", fields.CharField(max_length=300)),
    ops.AddField("Integration", "note", fields.TextField(null=True)),
    ops.AlterField("Space", "external_id", fields.CharField(max_length=300)),
"""
LOST_INTEGRATION = """
    ops.RunSQL('DELETE FROM "integration"')
"""

LOST_COLUMN = """
    ops.RemoveField("Event", "integration_id")
"""


def later_release(folder: Path, monkeypatch: pytest.MonkeyPatch, operation: str) -> ModuleType:
    """Return the migrations of a release that comes after this one."""
    known = known_migrations()
    package = release_with(folder, monkeypatch, known)
    later = LATER.format(last=known[-1], operation=operation)
    (Path(package.__path__[0]) / "9000_later.py").write_text(later)
    return package


def test_a_later_migration_keeps_the_rows_and_what_refers_to_them(
    empty_database_address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = later_release(tmp_path, monkeypatch, WIDER_NAME)

    async def main() -> None:
        async with migrated(empty_database_address) as database:
            await add_integration(database, "one")
            before, indexes_before = await every_row(database), await indexes(database)
            assert await migrate(database, package) == ["9000_later"]
            assert await indexes(database) == indexes_before
            after = await every_row(database)
            assert after.pop("integration") == [(*row, None) for row in before.pop("integration")]
            assert len(after.pop("tortoise_migrations")) == len(before.pop("tortoise_migrations")) + 1
            assert after == before
            await require_references(database)

    asyncio.run(main())


def test_an_index_goes_with_its_column_and_the_others_stay(
    empty_database_address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = later_release(tmp_path, monkeypatch, LOST_COLUMN)

    async def main() -> None:
        async with migrated(empty_database_address) as database:
            before = await indexes(database)
            assert await migrate(database, package) == ["9000_later"]
            after = await indexes(database)
            (gone,) = before - after
            # SQLite would take a column that isn't there for a text, and make an index over that.
            assert after <= before
            assert "event" in gone
            assert "integration_id" in gone

    asyncio.run(main())


def test_a_migration_that_breaks_references_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = later_release(tmp_path, monkeypatch, LOST_INTEGRATION)

    async def main() -> None:
        async with migrated(f"sqlite://{tmp_path}/file.sqlite3") as database:
            await add_integration(database, "one")
            before = await every_row(database)
            with pytest.raises(BrokenReferences) as caught:
                await migrate(database, package)
            assert caught.value.tables == ["image_host", "integration_health"]
            assert await every_row(database) == before
            await require_references(database)

    asyncio.run(main())


def test_names_sort_by_their_bytes_whatever_the_locale(postgresql_address: str) -> None:
    async def main() -> None:
        async with migrated(postgresql_address) as database:
            rows = await database.fetch(
                "SELECT table_name || '.' || column_name AS place FROM information_schema.columns"
                " WHERE table_schema = current_schema() AND collation_name = 'C'"
            )
            assert {row["place"] for row in rows} == {
                "integration.name_key",
                "space.name",
                "repository.name",
                "image_name.name",
                "image_name.last_segment",
                "workspace.name_key",
                "namespace.cluster",
                "namespace.name",
            }

    asyncio.run(main())
