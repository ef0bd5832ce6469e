"""Bringing the tables up to date."""

from __future__ import annotations

import pkgutil

from tortoise.migrations.executor import MigrationExecutor

from models import migrations
from models.database import Database, Transaction, apps


class SchemaTooNew(Exception):
    """The database was migrated by a newer release than this one; nothing was written."""

    def __init__(self, unknown: list[str]) -> None:
        super().__init__(
            f"The database was migrated by a newer release (unknown here: {', '.join(unknown)}). "
            "Start that release, or restore an older backup."
        )
        self.unknown = unknown


async def migrate(database: Database) -> list[str]:
    """Apply what is missing, all in one transaction, and return the names of what was applied.

    Replicas that start together wait for the first. Killed at any moment it has happened whole or not at
    all: Tortoise by itself records a migration after the transaction that applied it.

    Raises SchemaTooNew when the database knows a migration that we don't.
    """
    return await database.transact(_migrate)


async def applied_migrations(database: Database) -> list[str]:
    """Return the names of the applied migrations, in order; none for a database that was never migrated."""
    return await database.transact(_applied)


def known_migrations() -> list[str]:
    """Return the names of the migrations that this release brings, in order."""
    return sorted(module.name for module in pkgutil.iter_modules(migrations.__path__))


async def _migrate(transaction: Transaction) -> list[str]:
    if transaction.dialect.migration_lock is not None:
        await transaction.fetch(transaction.dialect.migration_lock)
    before = await _applied(transaction)
    unknown = sorted(set(before) - set(known_migrations()))
    if unknown:
        raise SchemaTooNew(unknown)
    missing = [name for name in known_migrations() if name not in before]
    if missing:
        executor = MigrationExecutor(transaction.connection, apps(transaction.connection.connection_name))
        # Its first query meets a missing table and passes over the error, which on PostgreSQL would abort our
        # transaction: make the table before.
        await executor.recorder.ensure_schema(executor._schema_editor(atomic=False))
        await executor.migrate(direction="forward")
    if known_migrations()[0] in missing:
        for statement in transaction.dialect.after_first_migration:
            await transaction.connection.execute_script(statement)
    return missing


async def _applied(transaction: Transaction) -> list[str]:
    tables = await transaction.fetch(transaction.dialect.table_names)
    if "tortoise_migrations" not in {row["name"] for row in tables}:
        return []
    rows = await transaction.fetch("""SELECT "name" FROM "tortoise_migrations" WHERE "app" = 'models'""")
    return sorted(row["name"] for row in rows)
