"""A world of `pull_access_worlds` as the database holds it, and as it is loaded from there."""

from __future__ import annotations

from collections.abc import Sequence

from models.database import Database, Transaction
from models.enums import HealthStatus, IntegrationOrigin
from models.integration import PLATFORM_SCOPE
from models.records import BindingRecord, IntegrationRecord, NamespaceRecord, SpaceRecord, WorkspaceRecord
from services.pull_access import AccessFacts
from tests.databases import NOON
from tests.services.pull_access_worlds import Registry, Space, Verdict, World


def workspace_name(workspace: int) -> str:
    """Return a name that nothing else has."""
    return f"the-workspace-{workspace}"


def facts_behind(world: World, due: Verdict) -> AccessFacts:
    """Return what stands behind a verdict, as it is loaded."""
    workspace, binding, registry, space = due.workspace, due.binding, due.registry, due.space
    return AccessFacts(
        registry=None if registry is None else _integration_record(registry),
        space=None if space is None else _space_record(space, world.registries),
        namespace=None if workspace is None else NamespaceRecord(1, workspace, "default", "web", NOON),
        workspace=None if workspace is None else _workspace_record(workspace),
        binding=None
        if binding is None or space is None or registry is None
        else BindingRecord(
            id=binding.id,
            space_id=space.id,
            workspace_id=binding.workspace,
            integration_id=registry.id,
            bound_by="somebody",
            bound_at=NOON,
            revoked_at=NOON if binding.is_taken_back else None,
            version=1,
            space_state=space.state,
            space_visibility=space.visibility,
            registry_kind=registry.kind,
        ),
    )


def _integration_record(registry: Registry) -> IntegrationRecord:
    unknown = dict.fromkeys(IntegrationRecord.__struct_fields__)
    known = {
        "id": registry.id,
        "name": registry.name,
        "kind": registry.kind,
        "workspace_id": registry.owner,
        "image_host": registry.hosts[0],
    }
    return IntegrationRecord(**{**unknown, **known})  # type: ignore[arg-type]


def _space_record(space: Space, registries: Sequence[Registry]) -> SpaceRecord:
    (registry,) = [each for each in registries if each.id == space.registry]
    return SpaceRecord(
        id=space.id,
        integration_id=space.registry,
        external_id=str(space.id),
        name=space.name,
        visibility=space.visibility,
        state=space.state,
        last_seen_at=None,
        created_at=NOON,
        image_host=registry.hosts[0],
        registry_kind=registry.kind,
        integration_workspace_id=registry.owner,
    )


def _workspace_record(workspace: int) -> WorkspaceRecord:
    name = workspace_name(workspace)
    return WorkspaceRecord(workspace, name, name, None, {}, "somebody", NOON, NOON, None)


async def store(database: Database, world: World) -> None:
    """Make a world what the database holds, under the same ids."""

    async def work(transaction: Transaction) -> None:
        for table in ("integration", "workspace"):
            await transaction.execute(f'DELETE FROM "{table}"')
        for table, rows in _rows(world).items():
            for row in rows:
                names = ", ".join(f'"{name}"' for name in row)
                places = ", ".join(transaction.dialect.placeholder(number) for number in range(1, len(row) + 1))
                await transaction.execute(f'INSERT INTO "{table}" ({names}) VALUES ({places})', *row.values())

    await database.transact(work)


def _rows(world: World) -> dict[str, list[dict[str, object]]]:
    created = {"created_by": "somebody", "created_at": NOON, "updated_at": NOON}
    return {
        "workspace": [
            {"id": each, "name": workspace_name(each), "name_key": workspace_name(each), "labels": "{}", **created}
            for each in world.workspaces
        ],
        "namespace": [
            {"workspace_id": owner, "cluster": cluster, "name": name, "created_at": NOON}
            for (cluster, name), owner in world.owners.items()
        ],
        "integration": [
            {
                "id": each.id,
                "name": each.name,
                "name_key": each.name,
                "workspace_id": each.owner,
                "scope": each.owner or PLATFORM_SCOPE,
                "kind": each.kind,
                "origin": IntegrationOrigin.INTEGRATED,
                "url": f"https://{each.name}.example",
                "is_verification_skipped": False,
                "next_synchronization_at": NOON,
                **created,
            }
            for each in world.registries
        ],
        "integration_health": [
            {
                "integration_id": each.id,
                "status": HealthStatus.UNKNOWN,
                "is_read_only": False,
                "bad_checks_in_row": 0,
                "next_probe_at": NOON,
            }
            for each in world.registries
        ],
        "image_host": [
            {
                "host": host,
                "scope": each.owner or PLATFORM_SCOPE,
                "integration_id": each.id,
                "is_primary": host == each.hosts[0],
            }
            for each in world.registries
            for host in each.hosts
        ],
        "space": [
            {
                "id": each.id,
                "integration_id": each.registry,
                "external_id": str(each.id),
                "name": each.name,
                "visibility": each.visibility,
                "state": each.state,
                "created_at": NOON,
            }
            for each in world.spaces
        ],
        "binding": [
            {
                "id": each.id,
                "space_id": each.space,
                "workspace_id": each.workspace,
                "bound_by": "somebody",
                "bound_at": NOON,
                "revoked_at": NOON if each.is_taken_back else None,
                "granted_version": 1,
                "version": 1,
            }
            for each in world.bindings
        ],
    }
