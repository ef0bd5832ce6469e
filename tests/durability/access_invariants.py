"""What must hold of who may pull what, whatever was done by whom at once, and wherever it was cut off."""

from __future__ import annotations

from collections.abc import Sequence

from models.database import Database
from models.enums import SpaceState, Visibility
from models.queries.events import log_span
from models.queries.sight import EVERYTHING
from models.records import EventRecord
from services.pull_access import pull_access
from services.workspace_input import NamespaceName
from tests.durability.access_replay import AccessState, all_events, replay, stored_state

REFERENCES = (
    ("space", "integration_id", "integration"),
    ("image_host", "integration_id", "integration"),
    ("integration_health", "integration_id", "integration"),
    ("namespace", "workspace_id", "workspace"),
    ("binding", "space_id", "space"),
    ("binding", "workspace_id", "workspace"),
    ("registry_enforcement", "workspace_id", "workspace"),
    ("registry_enforcement", "integration_id", "integration"),
    ("integration", "workspace_id", "workspace"),
    ("access_token", "workspace_id", "workspace"),
)
"""Table, column, and the table that it refers to."""

TARGETS = """
SELECT b."id" FROM "binding" b JOIN "space" s ON s."id" = b."space_id"
LEFT JOIN "registry_enforcement" t ON t."workspace_id" = b."workspace_id" AND t."integration_id" = s."integration_id"
WHERE t."id" IS NULL OR b."granted_version" > b."version" OR b."version" > t."desired_version"
OR t."attempted_version" > t."desired_version" OR t."applied_version" > t."attempted_version"
OR b."revoked_at" IS NOT NULL AND t."attempted_version" < b."granted_version" """
"""Bindings that do not fit their target; one that was taken away stays only where it may be in force."""

BEING_DELETED = """
SELECT w."id" FROM "workspace" w WHERE w."deleted_at" IS NOT NULL AND (
  EXISTS (SELECT 1 FROM "namespace" n WHERE n."workspace_id" = w."id")
  OR EXISTS (SELECT 1 FROM "integration" i WHERE i."workspace_id" = w."id")
  OR EXISTS (SELECT 1 FROM "binding" b WHERE b."workspace_id" = w."id" AND b."revoked_at" IS NULL)
  OR EXISTS (SELECT 1 FROM "access_token" t WHERE t."workspace_id" = w."id" AND t."revoked_at" IS NULL))"""
"""Workspaces that are being deleted and have something still."""

HOMELESS_TOKENS = """
SELECT "id" FROM "access_token" WHERE "workspace_id" IS NULL AND "revoked_at" IS NULL AND "role" <> 'PLATFORM_ADMIN'"""


async def require_access_whole(database: Database) -> list[EventRecord]:
    """Fail unless everything holds; return all events."""
    await _require_no_orphans(database)
    for name, statement in {
        "bindings without their target": TARGETS,
        "workspaces that are not emptied": BEING_DELETED,
        "tokens of no workspace": HOMELESS_TOKENS,
        "pairs bound twice": 'SELECT "space_id" FROM "binding" GROUP BY "space_id", "workspace_id" HAVING COUNT(*) > 1',
        "namespaces twice": 'SELECT "name" FROM "namespace" GROUP BY "cluster", "name" HAVING COUNT(*) > 1',
    }.items():
        assert [tuple(row) for row in await database.fetch(statement)] == [], name
    events = await all_events(database)
    span = await log_span(database)
    assert [event.position for event in events] == list(range(1, span.last + 1))
    told = replay(events)
    assert told == await stored_state(database)
    for binding in told.bindings.values():
        assert binding.is_suspended == (told.spaces[binding.space_id].state is SpaceState.VANISHED)
    return events


async def _require_no_orphans(database: Database) -> None:
    if database.dialect.broken_references is not None:
        assert [tuple(row) for row in await database.fetch(database.dialect.broken_references)] == []
    for table, column, parent in REFERENCES:
        orphans = await database.fetch(
            f'SELECT "{column}" FROM "{table}" WHERE "{column}" IS NOT NULL AND "{column}" NOT IN'
            f' (SELECT "id" FROM "{parent}")'
        )
        assert [tuple(row) for row in orphans] == [], f"{table}.{column}"


async def require_pull_access_agrees(
    database: Database, told: AccessState, namespaces: Sequence[NamespaceName], names: Sequence[str]
) -> int:
    """Fail unless each namespace may pull from a space of each name at each registry as was told; return how many may.

    A registry's image host is its name below `example`.
    """
    allowed = 0
    for namespace in namespaces:
        for host in {facts.name for facts in told.integrations.values()}:
            for name in names:
                answer = await pull_access(database, namespace, f"{host}.example/{name}/app:1", EVERYTHING)
                assert answer.is_allowed == _may_pull(told, namespace, host, name), answer
                allowed += answer.is_allowed
    return allowed


def _may_pull(told: AccessState, namespace: NamespaceName, host: str, name: str) -> bool:
    workspace_id = told.namespaces.get((namespace.cluster, namespace.name))
    scopes = {facts.workspace_id: id_ for id_, facts in told.integrations.items() if facts.name == host}
    registry = scopes.get(None, scopes.get(workspace_id) if workspace_id is not None else None)
    return any(
        space.integration_id == registry
        and space.name == name
        and space.state is not SpaceState.VANISHED
        and (
            space.visibility is Visibility.PUBLIC
            or any(
                (binding.space_id, binding.workspace_id) == (id_, workspace_id) for binding in told.bindings.values()
            )
        )
        for id_, space in told.spaces.items()
    )


async def deadlock_count(database: Database) -> int:
    """Return how many deadlocks PostgreSQL had to break."""
    if database.dialect.name != "postgres":
        return 0
    rows = await database.fetch("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
    return int(rows[0]["deadlocks"])
