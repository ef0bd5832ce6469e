"""Many workspaces, namespaces and bindings at once, straight into the database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from models.database import Database, Transaction


async def seed_workspaces(database: Database, count: int, *, namespaces_each: int = 0) -> list[int]:
    """Write workspaces named `workspace-00000` and so on, with namespaces of the cluster `default`; return their ids.

    The namespaces are named as the workspace, and `-0`, `-1`, … behind.
    """
    now = datetime.now(UTC)
    names = [f"workspace-{number:05}" for number in range(count)]

    async def work(transaction: Transaction) -> list[int]:
        place = transaction.dialect.placeholder
        await transaction.execute_many(
            'INSERT INTO "workspace" ("name", "name_key", "labels", "created_by", "created_at", "updated_at")'
            f" VALUES ({place(1)}, {place(2)}, '{{}}', 'seeding', {place(3)}, {place(4)})",
            [(name, name, now, now) for name in names],
        )
        rows = await transaction.fetch('SELECT "id", "name" FROM "workspace"')
        id_of = {row["name"]: int(row["id"]) for row in rows}
        await transaction.execute_many(
            'INSERT INTO "namespace" ("workspace_id", "cluster", "name", "created_at")'
            f" VALUES ({place(1)}, 'default', {place(2)}, {place(3)})",
            [(id_of[name], f"{name}-{number}", now) for name in names for number in range(namespaces_each)],
        )
        return [id_of[name] for name in names]

    return await database.transact(work)


async def seed_bindings(database: Database, pairs: Sequence[tuple[int, int]]) -> None:
    """Write a binding, active and never enforced, for each pair of a space and a workspace."""
    now = datetime.now(UTC)

    async def work(transaction: Transaction) -> None:
        place = transaction.dialect.placeholder
        await transaction.execute_many(
            'INSERT INTO "binding" ("space_id", "workspace_id", "bound_by", "bound_at", "granted_version", "version")'
            f" VALUES ({place(1)}, {place(2)}, 'seeding', {place(3)}, 1, 1)",
            [(space_id, workspace_id, now) for space_id, workspace_id in pairs],
        )

    await database.transact(work)


async def space_ids(database: Database) -> list[int]:
    """Return the ids of all spaces, in their order."""
    return [int(row["id"]) for row in await database.fetch('SELECT "id" FROM "space" ORDER BY "id"')]
