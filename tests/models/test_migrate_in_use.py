"""Each migration comes to a database that was in use, and takes nothing of it away."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest

from models.access_token import AccessToken
from models.database import Database, NewEvent, Transaction
from models.enums import AuditOutcome, EventType, Role
from models.event import AuditEvent, Event
from models.migrate import known_migrations, migrate
from models.workspace import Workspace
from tests.databases import NOON, add_integration, empty, every_row, opened
from tests.models.made_tables import require_references, tables_and_indexes
from tests.models.releases import (
    ROWS_OF_FIRST,
    Row,
    store,
    transact,
    use_the_second,
    use_the_third,
)
from tests.models.use_in_turn import Releases, everything, primary_keys, require_kept

FIRST, SECOND, THIRD = "0001_initial", "0002_readers_feeds_repositories", "0003_workspaces_bindings_scopes"
FOURTH, FIFTH, SIXTH, HOOKS = "0004_table_versions", "0005_usage", "0006_image_names", "0007_hooks"


@pytest.fixture
def releases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Releases:
    """What brings a database from one release to the next."""
    folder = tmp_path / "releases"
    folder.mkdir()
    return Releases(folder, monkeypatch)


def test_readers_feeds_and_repositories_come_to_a_database_in_use(
    empty_database_address: str, releases: Releases
) -> None:
    async def main() -> None:
        async with opened(empty_database_address) as database:
            await releases.use_until(database, FIRST)
            before = await everything(database)

            await releases.migrate_to(database, SECOND)

            after = await everything(database)
            new_tables = {"change_feed", "reader_credential", "repository"}
            require_kept(before.rows, after.rows, {"space": {"looked_at": None}}, new_tables)
            assert before.indexes - after.indexes == set()
            assert after.indexes - before.indexes == primary_keys(database, ["repository"]) | {
                "change_feed unique integration_id",
                "change_feed read_at",
                "reader_credential unique integration_id",
                "reader_credential next_check_at",
                "repository unique space_id,name",
            }
            assert before.references - after.references == set()
            assert after.references - before.references == {
                "change_feed.integration_id integration CASCADE",
                "reader_credential.integration_id integration CASCADE",
                "repository.space_id space CASCADE",
            }
            await require_references(database)
            # And new rows find their place behind those that were there.
            await use_the_second(database)

    asyncio.run(main())


def test_workspaces_bindings_and_scopes_come_to_a_database_in_use(
    empty_database_address: str, releases: Releases
) -> None:
    async def main() -> None:
        async with opened(empty_database_address) as database:
            await releases.use_until(database, SECOND)
            before = await everything(database)

            await releases.migrate_to(database, THIRD)

            after = await everything(database)
            new_tables = {"binding", "namespace", "registry_enforcement", "workspace"}
            new_columns: dict[str, dict[str, Any]] = {
                "integration": {"scope": 0, "workspace_id": None},
                "image_host": {"scope": 0},
                "access_token": {"workspace_id": None},
                "event": {"workspace_id": None, "space_id": None},
            }
            require_kept(before.rows, after.rows, new_columns, new_tables)
            assert before.indexes - after.indexes == {
                "image_host unique host",
                "integration unique name_key",
                "integration unique url",
            }
            assert after.indexes - before.indexes == primary_keys(database, new_tables) | {
                "image_host unique host,scope",
                "integration unique name_key,scope",
                "integration unique url,scope",
                "binding unique space_id,workspace_id",
                "binding workspace_id,id",
                "binding space_id,id",
                "namespace unique cluster,name",
                "namespace workspace_id,cluster,name,id",
                "registry_enforcement unique workspace_id,integration_id",
                "registry_enforcement integration_id",
                "space visibility,name,id",
                "workspace unique name_key",
                "workspace unique external_id",
                "workspace name_key,id",
                "workspace created_at,id",
            }
            assert before.references - after.references == set()
            assert after.references - before.references == {
                "access_token.workspace_id workspace SET NULL",
                "binding.space_id space CASCADE",
                "binding.workspace_id workspace CASCADE",
                "integration.workspace_id workspace RESTRICT",
                "namespace.workspace_id workspace CASCADE",
                "registry_enforcement.integration_id integration CASCADE",
                "registry_enforcement.workspace_id workspace CASCADE",
            }
            await require_references(database)
            await use_the_third(database)

    asyncio.run(main())


def test_table_versions_come_to_a_database_in_use(empty_database_address: str, releases: Releases) -> None:
    async def main() -> None:
        async with opened(empty_database_address) as database:
            await releases.use_until(database, THIRD)
            before = await everything(database)

            await releases.migrate_to(database, FOURTH)

            after = await everything(database)
            require_kept(before.rows, after.rows, {}, {"table_version"})
            assert before.indexes - after.indexes == set()
            assert after.indexes - before.indexes <= primary_keys(database, {"table_version"}) | {
                "table_version unique name"
            }
            assert after.references == before.references

    asyncio.run(main())


@pytest.mark.parametrize("emptied", [False, True])
def test_the_id_of_what_was_gone_before_never_comes_again(
    empty_database_address: str, releases: Releases, emptied: bool
) -> None:
    async def main() -> None:
        async with opened(empty_database_address) as database:
            await releases.use_until(database, SECOND)
            if emptied:
                await transact(database, lambda transaction: transaction.execute('DELETE FROM "integration"'))
            assert THIRD in await migrate(database)
            # Events still tell of the third, and would tell of whatever had its id.
            assert await add_integration(database, "new") == 4

    asyncio.run(main())


def test_names_addresses_and_hosts_are_unique_within_a_scope(empty_database_address: str, releases: Releases) -> None:
    async def take(database: Database, scope: int, name_key: str, url: str, host: str) -> None:
        integration: Row = {**ROWS_OF_FIRST["integration"][0], "name_key": name_key, "url": url, "scope": scope}
        image_host: Row = {"host": host, "scope": scope, "integration_id": 1, "is_primary": False}
        await store(database, {"integration": [integration], "image_host": [image_host]})

    async def main() -> None:
        async with opened(empty_database_address) as database:
            await releases.use_until(database, SECOND)
            await releases.migrate_to(database, THIRD)
            taken = ("one", "https://one.example", "one.example")
            await take(database, 9, *taken)
            before = await every_row(database)
            for scope in (0, 9):
                for place, name in enumerate(taken):
                    names = ["free", "https://free.example", "free.example"]
                    names[place] = name
                    with pytest.raises(Exception, match=r"(?i)unique"):
                        await take(database, scope, *names)
            assert await every_row(database) == before
            await take(database, 9, "free", "https://free.example", "free.example")

    asyncio.run(main())


def test_usage_comes_to_a_database_in_use(empty_database_address: str, releases: Releases) -> None:
    async def main() -> None:
        async with opened(empty_database_address) as database:
            await releases.use_until(database, FOURTH)
            before = await everything(database)
            integrations = {row["id"]: row["created_at"] for row in before.rows["integration"]}

            await releases.migrate_to(database, FIFTH)

            after = await everything(database)
            # Each is to be measured, and has been since it came.
            measurements = after.rows.pop("usage_measurement")
            assert {row["integration_id"]: row["next_at"] for row in measurements} == integrations
            assert all(row["whole_at"] is None and row["lease_until"] is None for row in measurements)
            new = {
                *("integration_usage", "space_usage", "usage_point", "usage_hint"),
                *("measured_tag", "measured_artifact", "space_blob"),
            }
            require_kept(before.rows, after.rows, {}, new)
            assert before.indexes <= after.indexes
            assert before.references <= after.references

    asyncio.run(main())


def test_image_names_come_to_a_database_in_use(empty_database_address: str, releases: Releases) -> None:
    async def main() -> None:
        async with opened(empty_database_address) as database:
            await releases.use_until(database, FIFTH)
            before = await everything(database)

            await releases.migrate_to(database, SIXTH)

            after = await everything(database)
            # What was there is searched for at once, but for what lies in a space that vanished.
            names = after.rows.pop("image_name")
            assert [(row["repository_id"], row["integration_id"], bool(row["is_open"])) for row in names] == [
                (1, 1, False)
            ]
            assert [(row["name"], row["last_segment"]) for row in names] == [("team/app", "app")]
            require_kept(before.rows, after.rows, {}, set())
            assert before.indexes <= after.indexes
            by_part = {"image_name (an expression)"} if database.dialect.name == "postgres" else set()
            assert after.indexes - before.indexes == by_part | {
                "image_name unique repository_id",
                "image_name is_open,last_segment,repository_id",
                "image_name is_open,name,repository_id",
                "image_name integration_id,is_open,name,repository_id",
            }
            assert after.references - before.references == {"image_name.repository_id repository CASCADE"}
            await require_references(database)

    asyncio.run(main())


def test_hooks_come_to_a_database_in_use(empty_database_address: str, releases: Releases) -> None:
    async def main() -> None:
        async with opened(empty_database_address) as database:
            await releases.use_until(database, SIXTH)
            before = await everything(database)
            sending = {row["id"] for row in before.rows["integration"] if row["kind"] == "DOCKER_REGISTRY"}

            await releases.migrate_to(database, HOOKS)

            after = await everything(database)
            hooks = after.rows.pop("hook")
            assert {row["integration_id"] for row in hooks} == sending == {2, 4}
            assert len({row["public_id"] for row in hooks}) == 2
            assert all(re.fullmatch("[0-9a-f]{32}", row["public_id"]) for row in hooks)
            # Nothing is taken before somebody asks for a secret.
            assert all(row["secret_hash"] is None and row["last_received_at"] is None for row in hooks)
            require_kept(before.rows, after.rows, {}, set())
            assert before.indexes - after.indexes == set()
            assert after.indexes - before.indexes == {"hook unique integration_id", "hook unique public_id"}
            assert before.references - after.references == set()
            assert after.references - before.references == {"hook.integration_id integration CASCADE"}

    asyncio.run(main())


def test_what_goes_with_a_space_an_integration_and_a_workspace(empty_database_address: str, releases: Releases) -> None:
    async def delete(database: Database, table: str, row_id: int) -> None:
        await transact(database, lambda t: t.execute(f'DELETE FROM "{table}" WHERE "id" = {row_id}'))

    async def ids(database: Database, table: str) -> list[int]:
        return [row["id"] for row in await database.fetch(f'SELECT "id" FROM "{table}" ORDER BY "id"')]

    async def main() -> None:
        async with opened(empty_database_address) as database:
            await releases.use_until(database, THIRD)
            await delete(database, "space", 1)
            assert await ids(database, "binding") == [2, 3, 4]

            # The third space is its own as well.
            await delete(database, "integration", 1)
            assert await ids(database, "binding") == [2, 4]
            assert await ids(database, "registry_enforcement") == [2, 3]

            before = await every_row(database)
            with pytest.raises(Exception, match=r"(?i)foreign key"):
                await delete(database, "workspace", 1)
            assert await every_row(database) == before

            await delete(database, "integration", 4)
            await delete(database, "workspace", 1)
            assert await ids(database, "namespace") == [2]
            assert await ids(database, "binding") == [4]
            assert await ids(database, "registry_enforcement") == [3]
            assert await ids(database, "integration") == [2]
            tokens = await database.fetch('SELECT "id", "workspace_id" FROM "access_token" ORDER BY "id"')
            assert [tuple(row) for row in tokens] == [(1, None), (2, None), (3, None)]

    asyncio.run(main())


def test_every_role_and_event_is_stored(empty_database_address: str, releases: Releases) -> None:
    async def write(transaction: Transaction) -> None:
        workspace = await Workspace.create(
            name="W", name_key="w", labels={}, created_by="admin", created_at=NOON, updated_at=NOON
        )
        for role in Role:
            await AccessToken.create(
                name=role,
                role=role,
                workspace=workspace,
                token_hash=role,
                created_by="admin",
                created_at=NOON,
                expires_at=NOON,
            )
            await AuditEvent.create(
                occurred_at=NOON,
                viewer_name=role,
                viewer_role=role,
                mutation="bindSpace",
                input={},
                outcome=AuditOutcome.STARTED,
                error_codes=[],
                request_id="new",
            )
        transaction.events.extend(NewEvent(event_type, NOON, 1, {}, workspace.id, 2) for event_type in EventType)

    async def read(_: Transaction) -> list[list[Any]]:
        tokens = AccessToken.filter(workspace_id=1).order_by("id").values_list("role", flat=True)
        audited = AuditEvent.filter(request_id="new").order_by("id").values_list("viewer_role", flat=True)
        events = Event.filter(workspace_id=1, space_id=2).order_by("position").values_list("type", flat=True)
        return [list(await rows) for rows in (tokens, audited, events)]

    async def main() -> None:
        async with opened(empty_database_address) as database:
            await releases.use_until(database, SECOND)
            assert THIRD in await migrate(database)
            await database.transact(write)
            assert await database.transact(read) == [list(Role), list(Role), list(EventType)]

    asyncio.run(main())


def test_release_by_release_makes_what_one_migration_makes(empty_database_address: str, releases: Releases) -> None:
    async def main() -> None:
        async with opened(empty_database_address) as database:
            assert await migrate(database) == known_migrations()
            at_once = await tables_and_indexes(database)
        await empty(empty_database_address)
        async with opened(empty_database_address) as database:
            await releases.use_until(database, known_migrations()[-1])
            assert await tables_and_indexes(database) == at_once

    asyncio.run(main())
