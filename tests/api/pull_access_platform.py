"""A platform to ask who may pull what: two tenants, three registries of the platform's, one that a tenant brought."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from models.binding import Binding
from models.database import Transaction
from models.enums import HealthStatus, IntegrationOrigin, RegistryKind, Role, SpaceState, Visibility
from models.integration import PLATFORM_SCOPE, ImageHost, Integration, IntegrationHealth
from models.names import fold_name
from models.space import Space
from models.workspace import Namespace
from tests.databases import NOON
from tests.serving import RunningServer
from tests.workspaces import add_workspace, token_in

NEVER = timedelta(days=3650)


@dataclass(frozen=True, slots=True)
class Platform:
    """The server, and the ids of what is there."""

    server: RunningServer
    plain_id: int
    shop_id: int
    bank_id: int

    def token(self, workspace_id: int | None, role: Role = Role.WORKSPACE_MEMBER) -> str:
        """Return a token of somebody in a workspace, or in none."""
        database = self.server.services.database
        if workspace_id is not None:
            return token_in(self.server, workspace_id, role)
        passing_id = self.server.run(add_workspace(database, "Passing"))
        token = token_in(self.server, passing_id, role)
        # As the database leaves it when the workspace goes.
        self.server.run(
            database.transact(lambda work: work.execute(f'DELETE FROM "workspace" WHERE "id" = {passing_id}'))
        )
        return token


def platform_on(server: RunningServer) -> Platform:
    """Store the platform in the database of a server, and return it."""
    database = server.services.database
    shop_id = server.run(add_workspace(database, "Shop"))
    bank_id = server.run(add_workspace(database, "Bank"))
    private, public = Visibility.PRIVATE, Visibility.PUBLIC
    present, declared, vanished = SpaceState.PRESENT, SpaceState.DECLARED, SpaceState.VANISHED

    async def fill(_: Transaction) -> int:
        for name, workspace_id in (("shop-web", shop_id), ("bank-web", bank_id)):
            await Namespace.create(workspace_id=workspace_id, cluster="default", name=name, created_at=NOON)
        plain = await _integration("Plain", RegistryKind.DOCKER_REGISTRY, None, "plain.example", "mirror.example:5000")
        harbor = await _integration("Harbor", RegistryKind.HARBOR, None, "harbor.example")
        hub = await _integration("Hub", RegistryKind.DOCKER_REGISTRY, None, "docker.io")
        own = await _integration("Own", RegistryKind.DOCKER_REGISTRY, shop_id, "own.example", "plain.example")
        await _space(plain, "open", public, present)
        await _space(plain, "secret", private, present)
        await _space(plain, "team", private, present, shop_id)
        await _space(plain, "library", private, present, shop_id)
        await _space(plain, "later", private, declared, shop_id)
        await _space(plain, "gone", private, vanished, shop_id)
        await _space(plain, "back", private, present, shop_id, is_taken_back=True)
        await _space(harbor, "team", private, vanished, shop_id, external_id="7")
        await _space(harbor, "team", private, present, external_id="8")
        await _space(harbor, "opened", public, present, external_id="9")
        await _space(hub, "library", public, present)
        await _space(hub, "team", private, present, shop_id)
        await _space(own, "mine", private, present, shop_id)
        await _space(own, "rest", private, present)
        await _space(own, "open", public, present)
        await _space(own, "only-there", public, present)
        return plain

    plain_id = server.run(database.transact(fill))
    return Platform(server, plain_id, shop_id, bank_id)


async def _integration(name: str, kind: RegistryKind, workspace_id: int | None, *hosts: str) -> int:
    scope = workspace_id or PLATFORM_SCOPE
    integration = await Integration.create(
        name=name,
        name_key=fold_name(name),
        workspace_id=workspace_id,
        scope=scope,
        kind=kind,
        origin=IntegrationOrigin.INTEGRATED,
        url=f"https://{name}.example",
        next_synchronization_at=NOON + NEVER,
        created_by="the test",
        created_at=NOON,
        updated_at=NOON,
    )
    for host in hosts:
        await ImageHost.create(host=host, scope=scope, integration=integration, is_primary=host == hosts[0])
    await IntegrationHealth.create(integration=integration, status=HealthStatus.UNKNOWN, next_probe_at=NOON + NEVER)
    return int(integration.id)


async def _space(
    integration_id: int,
    name: str,
    visibility: Visibility,
    state: SpaceState,
    bound_to: int | None = None,
    *,
    is_taken_back: bool = False,
    external_id: str | None = None,
) -> None:
    space = await Space.create(
        integration_id=integration_id,
        external_id=external_id or name,
        name=name,
        visibility=visibility,
        state=state,
        created_at=NOON,
    )
    if bound_to is not None:
        await Binding.create(
            space=space,
            workspace_id=bound_to,
            bound_by="the test",
            bound_at=NOON,
            revoked_at=NOON if is_taken_back else None,
            granted_version=1,
            version=1,
        )
