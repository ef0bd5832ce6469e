"""Bringing the tables up to date."""

from __future__ import annotations

import pkgutil
from functools import partial
from types import ModuleType

from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.migrations.executor import MigrationExecutor
from tortoise.migrations.loader import MigrationLoader
from tortoise.migrations.recorder import MigrationRecorder
from tortoise.migrations.schema_editor.base import BaseSchemaEditor
from tortoise.migrations.schema_editor.sqlite import SqliteSchemaEditor

from models import migrations
from models.database import Database, Transaction, apps
from models.index_keeping_editor import IndexKeepingSqliteEditor


class SchemaTooNew(Exception):
    """The database was migrated by a newer release than this one; nothing was written."""

    def __init__(self, unknown: list[str]) -> None:
        super().__init__(
            f"The database was migrated by a newer release (unknown here: {', '.join(unknown)}). "
            "Start that release, or restore an older backup."
        )
        self.unknown = unknown


class BrokenReferences(Exception):
    """A migration would leave rows that refer to rows which are not there; nothing was written."""

    def __init__(self, tables: list[str]) -> None:
        super().__init__(f"The migration would leave broken references in: {', '.join(tables)}.")
        self.tables = tables


async def migrate(database: Database, package: ModuleType = migrations) -> list[str]:
    """Apply what is missing, all in one transaction, and return the names of what was applied.

    Replicas that start together wait for the first. Killed at any moment it has happened whole or not at
    all: Tortoise by itself records a migration after the transaction that applied it.

    Raises SchemaTooNew when the database knows a migration that we don't, BrokenReferences.
    """
    return await database.migrate(partial(_migrate, package=package))


async def applied_migrations(database: Database) -> list[str]:
    """Return the names of the applied migrations, in order; none for a database that was never migrated."""
    return await database.transact(_applied)


def known_migrations(package: ModuleType = migrations) -> list[str]:
    """Return the names of the migrations that a release brings, in order."""
    return sorted(module.name for module in pkgutil.iter_modules(package.__path__))


async def _migrate(transaction: Transaction, package: ModuleType) -> list[str]:
    if transaction.dialect.migration_lock is not None:
        await transaction.fetch(transaction.dialect.migration_lock)
    known = known_migrations(package)
    before = await _applied(transaction)
    unknown = sorted(set(before) - set(known))
    if unknown:
        raise SchemaTooNew(unknown)
    missing = [name for name in known if name not in before]
    if missing:
        await _Executor(transaction.connection, package).migrate(direction="forward")
    for name in missing:
        for statement in transaction.dialect.after_migration.get(name, ()):
            await transaction.connection.execute_query(statement)
    if missing and transaction.dialect.broken_references is not None:
        broken = await transaction.fetch(transaction.dialect.broken_references)
        if broken:
            raise BrokenReferences(sorted({row["table"] for row in broken}))
    return missing


async def _applied(transaction: Transaction) -> list[str]:
    tables = await transaction.fetch(transaction.dialect.table_names)
    if "tortoise_migrations" not in {row["name"] for row in tables}:
        return []
    rows = await transaction.fetch("""SELECT "name" FROM "tortoise_migrations" WHERE "app" = 'models'""")
    return sorted(row["name"] for row in rows)


class _Recorder(MigrationRecorder):
    """Makes its table inside our transaction.

    Tortoise's own does it by a script, before which Python's sqlite3 commits what is open: the rest of the
    migration would then stand outside of any transaction, and a kill would leave half of it.
    """

    async def ensure_schema(self, schema_editor: BaseSchemaEditor) -> None:
        statement = schema_editor._get_model_sql_data(self.model).table_sql
        statement = statement.replace("CREATE TABLE", "CREATE TABLE IF NOT EXISTS", 1)
        for part in filter(str.strip, statement.split(";")):
            await schema_editor.client.execute_query(part)


class _Executor(MigrationExecutor):
    """Tortoise's executor, within a transaction that is there already."""

    def __init__(self, connection: BaseDBAsyncClient, package: ModuleType) -> None:
        config = apps(connection.connection_name)
        config["models"]["migrations"] = package.__name__
        super().__init__(connection, config)
        self.recorder = _Recorder(connection)
        self.loader = MigrationLoader(config, self.recorder, load=False)

    async def migrate(self, *arguments: object, **options: object) -> None:
        """Make the table of migrations first.

        The loader reads it before Tortoise would make it, and passes over the error, which on PostgreSQL would
        abort our transaction.
        """
        await self.recorder.ensure_schema(self._schema_editor(atomic=False))
        await super().migrate(*arguments, **options)  # type: ignore[arg-type]

    def _schema_editor(self, atomic: bool = True, collect_sql: bool = False) -> BaseSchemaEditor:
        editor = super()._schema_editor(atomic=atomic, collect_sql=collect_sql)
        if isinstance(editor, SqliteSchemaEditor):
            return IndexKeepingSqliteEditor(self.connection, atomic=atomic, collect_sql=collect_sql)
        return editor
