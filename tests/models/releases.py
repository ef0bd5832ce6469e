"""Databases of earlier releases: made by their migrations alone, and filled by SQL.

Today's models have columns that the tables of those releases have not.
"""

from __future__ import annotations

import importlib
import random
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import TypeVar

import pytest

from models import migrations
from models.database import Database, Transaction

T = TypeVar("T")

Row = Mapping[str, str | int | bool | float | None]
Rows = Mapping[str, Sequence[Row]]
"""Rows by their tables, in the order in which they can be stored."""

NOON = "2026-03-01 12:00:00+00:00"
LATER = "2026-03-01 13:00:00+00:00"


def release_with(folder: Path, monkeypatch: pytest.MonkeyPatch, names: Iterable[str]) -> ModuleType:
    """Return a package of our migrations of these names alone."""
    package = folder / f"migrations_{random.getrandbits(32):x}"
    package.mkdir()
    (package / "__init__.py").touch()
    for name in names:
        (package / f"{name}.py").write_text((Path(migrations.__path__[0]) / f"{name}.py").read_text())
    monkeypatch.syspath_prepend(folder)
    return importlib.import_module(package.name)


async def transact(database: Database, work: Callable[[Transaction], Awaitable[T]]) -> T:
    """Run work in a transaction, on tables that may be older than the versions of tables."""
    return await database._own(database._run(work, database.dialect.begin))


async def store(database: Database, rows: Rows) -> None:
    """Store rows in one transaction."""

    async def work(transaction: Transaction) -> None:
        for table, stored in rows.items():
            for row in stored:
                columns = ", ".join(f'"{column}"' for column in row)
                values = ", ".join(_literal(value) for value in row.values())
                await transaction.execute(f'INSERT INTO "{table}" ({columns}) VALUES ({values})')

    await transact(database, work)


def _literal(value: str | float | bool | None) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    # Booleans as both databases write them.
    return str(value)


ROWS_OF_FIRST: Rows = {
    "installation": [{"id": 1, "uid": "1f" * 8, "event_epoch": "a1b2", "key_check": "checked", "created_at": NOON}],
    "event_position": [{"id": 1, "position": 3}],
    "access_token": [
        {
            "name": name,
            "role": role,
            "token_hash": name * 8,
            "created_by": "somebody",
            "created_at": NOON,
            "expires_at": LATER,
            "revoked_at": revoked_at,
        }
        for name, role, revoked_at in (("admin", "PLATFORM_ADMIN", None), ("member", "WORKSPACE_MEMBER", LATER))
    ],
    "audit_event": [
        {
            "occurred_at": NOON,
            "finished_at": LATER,
            "viewer_name": "admin",
            "viewer_role": "PLATFORM_ADMIN",
            "access_token_id": 1,
            "mutation": "addIntegration",
            "input": '{"name": "One"}',
            "is_dry_run": False,
            "outcome": "REFUSED",
            "error_codes": '["NAME_TAKEN"]',
            "request_id": "r1",
        }
    ],
    "integration": [
        {
            "name": "One",
            "name_key": "one",
            "description": "with all there is",
            "kind": "HARBOR",
            "origin": "INTEGRATED",
            "url": "https://one.example",
            "username": "robot$one",
            "password_encrypted": "secret",
            "token_realm": "https://one.example/token",
            "ca_certificate_pem": "certificate",
            "is_verification_skipped": True,
            "next_synchronization_at": LATER,
            "synchronization_lease_until": LATER,
            "looked_at": NOON,
            "stale_since": NOON,
            "stale_reason": "MOST_SPACES_GONE",
            "stale_message": "it's doubted",
            "created_by": "admin",
            "created_at": NOON,
            "updated_at": LATER,
        },
        *(
            {
                "name": name.title(),
                "name_key": name,
                "kind": "DOCKER_REGISTRY",
                "origin": "MANAGED",
                "url": f"https://{name}.example",
                "is_verification_skipped": False,
                "next_synchronization_at": LATER,
                "created_by": "admin",
                "created_at": NOON,
                "updated_at": NOON,
            }
            for name in ("two", "gone")
        ),
    ],
    "health_check": [
        {"integration_id": 1, "checked_at": NOON, "is_good": True, "latency_milliseconds": 2.5},
        {"integration_id": 2, "checked_at": NOON, "is_good": False, "reason": "TIMED_OUT", "message": "slow"},
    ],
    "image_host": [
        {"host": "one.example", "integration_id": 1, "is_primary": True},
        {"host": "alias.example", "integration_id": 1, "is_primary": False},
        {"host": "two.example", "integration_id": 2, "is_primary": True},
    ],
    "integration_health": [
        {
            "integration_id": 1,
            "status": "UNHEALTHY",
            "reason": "COMPONENT_UNHEALTHY",
            "message": "a component is unwell",
            "registry_message": "core: down",
            "since": NOON,
            "checked_at": LATER,
            "latency_milliseconds": 2.5,
            "components": '[{"name": "core"}]',
            "version": "2.13",
            "is_read_only": True,
            "bad_checks_in_row": 3,
            "next_probe_at": LATER,
            "lease_until": LATER,
        },
        {
            "integration_id": 2,
            "status": "UNKNOWN",
            "is_read_only": False,
            "bad_checks_in_row": 0,
            "next_probe_at": LATER,
        },
    ],
    "space": [
        {
            "integration_id": integration_id,
            "external_id": "team",
            "name": "team",
            "visibility": visibility,
            "state": state,
            "last_seen_at": last_seen_at,
            "created_at": NOON,
        }
        for integration_id, visibility, state, last_seen_at in (
            (1, "PRIVATE", "PRESENT", None),
            (2, "PUBLIC", "VANISHED", LATER),
        )
    ],
    "event": [
        {"position": 1, "type": "ACCESS_TOKEN_CREATED", "occurred_at": NOON, "data": '{"name": "admin"}'},
        {"position": 2, "type": "INTEGRATION_ADDED", "occurred_at": NOON, "integration_id": 1, "data": "{}"},
        {"position": 3, "type": "INTEGRATION_REMOVED", "occurred_at": NOON, "integration_id": 3, "data": "{}"},
    ],
}
"""A row of each sort as the first release stored it, and an integration that is to go: see `use_the_first`."""


async def use_the_first(database: Database) -> None:
    """Leave the database as the first release may have: every table has rows, and the newest integration is gone."""
    await store(database, ROWS_OF_FIRST)
    await transact(database, lambda transaction: transaction.execute("""DELETE FROM "integration" WHERE "id" = 3"""))


ROWS_OF_SECOND: Rows = {
    "change_feed": [
        {"integration_id": 1, "position": 17, "failure": "lost", "read_at": NOON, "changed_at": NOON},
    ],
    "reader_credential": [
        {
            "integration_id": 1,
            "external_id": "9",
            "username": "robot$reader",
            "password_encrypted": "secret",
            "administrator_refusals": 1,
            "next_check_at": LATER,
        }
    ],
    "repository": [
        {
            "space_id": 1,
            "name": "team/app",
            "artifact_count": 2,
            "pull_count": 30,
            "updated_at": NOON,
            "created_at": NOON,
        },
        {"space_id": 2, "name": "team/app", "created_at": NOON},
    ],
    "space": [
        {
            "integration_id": 1,
            "external_id": "other",
            "name": "other",
            "visibility": "PUBLIC",
            "state": "DECLARED",
            "looked_at": NOON,
            "created_at": LATER,
        }
    ],
    "event": [
        {"position": 4, "type": "IMAGE_PUSHED", "occurred_at": LATER, "integration_id": 1, "data": '{"tag": "1"}'}
    ],
}
"""What the second release added, to a database that the first has used."""


async def use_the_second(database: Database) -> None:
    """Go on with a database that the first release has used, and the second has migrated."""
    await store(database, ROWS_OF_SECOND)
    await transact(database, lambda transaction: transaction.execute('UPDATE "event_position" SET "position" = 4'))


ROWS_OF_THIRD: Rows = {
    "workspace": [
        {
            "name": name.title(),
            "name_key": name,
            "external_id": external_id,
            "labels": "{}",
            "created_by": "admin",
            "created_at": NOON,
            "updated_at": NOON,
        }
        for name, external_id in (("blue", "b"), ("red", None))
    ],
    "namespace": [
        {"workspace_id": workspace_id, "cluster": "east", "name": f"team-{workspace_id}", "created_at": NOON}
        for workspace_id in (1, 2)
    ],
    "binding": [
        {
            "space_id": space_id,
            "workspace_id": workspace_id,
            "bound_by": "admin",
            "bound_at": NOON,
            "granted_version": 1,
            "version": 1,
        }
        for space_id, workspace_id in ((1, 1), (2, 1), (3, 2), (2, 2))
    ],
    "registry_enforcement": [
        {
            "workspace_id": workspace_id,
            "integration_id": integration_id,
            "desired_version": 1,
            "attempted_version": 0,
            "applied_version": 0,
            "changed_at": NOON,
        }
        for workspace_id, integration_id in ((1, 1), (1, 2), (2, 2))
    ],
    "access_token": [
        {
            "name": "blue",
            "role": "WORKSPACE_ADMIN",
            "workspace_id": 1,
            "token_hash": "blue" * 8,
            "created_by": "admin",
            "created_at": NOON,
            "expires_at": LATER,
        }
    ],
    "integration": [
        {**ROWS_OF_FIRST["integration"][1], "name": "Own", "url": "https://own.example", "workspace_id": 1, "scope": 1}
    ],
    "event": [
        {
            "position": 5,
            "type": "BINDING_CREATED",
            "occurred_at": LATER,
            "integration_id": 1,
            "workspace_id": 1,
            "space_id": 1,
            "data": "{}",
        }
    ],
}
"""What the third release added: two workspaces, the first with a registry of its own, which is the fourth."""


async def use_the_third(database: Database) -> None:
    """Go on with a database that the second release has used, and the third has migrated."""
    await store(database, ROWS_OF_THIRD)
    await transact(database, lambda transaction: transaction.execute('UPDATE "event_position" SET "position" = 5'))


async def use_the_fourth(database: Database) -> None:
    """Go on with a database that the third release has used, and the fourth has migrated."""
    await store(database, {"table_version": [{"name": "space", "version": 3}]})


ROWS_OF_FIFTH: Rows = {
    "integration_usage": [
        {
            "integration_id": 2,
            "space_count": 1,
            "repository_count": 1,
            "storage_bytes": 9_000_000_000,
            "method": "REFERENCED_BLOBS",
            "measured_at": NOON,
            "is_stale": False,
        }
    ],
    "space_usage": [
        {"space_id": 2, "storage_bytes": 9_000_000_000, "method": "REFERENCED_BLOBS", "measured_at": NOON},
    ],
    "usage_point": [
        {"integration_id": 2, "space_id": space_id, "measured_at": NOON, "slot": 5_900_000, "storage_bytes": 9}
        for space_id in (None, 2)
    ],
    "usage_hint": [{"space_id": 2, "repository_name": "team/app", "noted_at": LATER}],
    "measured_tag": [{"repository_id": 2, "name": "1", "digest": "sha256:1"}],
    "measured_artifact": [{"integration_id": 2, "digest": "sha256:1", "blobs": '{"sha256:1": 9000000000}'}],
    "space_blob": [{"space_id": 2, "digest": "sha256:1", "size_bytes": 9_000_000_000}],
}
"""What the fifth release added; when integrations are to be measured, its migration has written."""


async def use_the_fifth(database: Database) -> None:
    """Go on with a database that the fourth release has used, and the fifth has migrated."""
    await store(database, ROWS_OF_FIFTH)


async def use_the_sixth(database: Database) -> None:
    """Go on with a database that the sixth release has migrated: with another repository, whose name is searched."""
    repository: Row = {"space_id": 1, "name": "team/later", "created_at": LATER}
    await store(database, {"repository": [repository]})


async def use_the_hooks(database: Database) -> None:
    """Go on with a database in which the migration has given hooks to integrations that send notifications."""
    await transact(
        database,
        lambda transaction: transaction.execute(
            f"""UPDATE "hook" SET "secret_hash" = 'hash', "rotated_at" = '{NOON}', "last_received_at" = '{LATER}'"""
            ' WHERE "integration_id" = 2'
        ),
    )


async def use_the_eighth(database: Database) -> None:
    """Go on with a database that finds tags by what they name: with another one for what has a name already."""
    await store(database, {"measured_tag": [{"repository_id": 2, "name": "2", "digest": "sha256:1"}]})


IN_USE: Mapping[str, Callable[[Database], Awaitable[None]]] = {
    "0001_initial": use_the_first,
    "0002_readers_feeds_repositories": use_the_second,
    "0003_workspaces_bindings_scopes": use_the_third,
    "0004_table_versions": use_the_fourth,
    "0005_usage": use_the_fifth,
    "0006_image_names": use_the_sixth,
    "0007_hooks": use_the_hooks,
    "0008_measured_tag_by_digest": use_the_eighth,
}
"""How a database is used after each migration, in their order."""
