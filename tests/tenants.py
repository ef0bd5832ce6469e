"""Two workspaces, A and B, each with a registry of its own beside the platform's: who sees what is tried on them.

Everything is named for whom it is there. What somebody sees follows from the sets of names below.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from models.binding import Binding
from models.database import NewEvent, Transaction
from models.enums import (
    EventType,
    HealthStatus,
    IntegrationOrigin,
    RegistryKind,
    Role,
    SpaceState,
    UsageMethod,
    Visibility,
)
from models.hook import Hook
from models.integration import PLATFORM_SCOPE, HealthCheck, ImageHost, Integration, IntegrationHealth
from models.queries.events import log_span
from models.reader_credential import ReaderCredential
from models.space import Repository, Space
from models.usage import IntegrationUsage
from models.workspace import Namespace, Workspace
from resolvers.global_ids import global_id
from tests.serving import RunningServer

LONG = timedelta(days=300)
WORKSPACES = ("A", "B")
GONE_ID = 10**9
"""The id of what is no longer there, which events still name."""

PLATFORM, OWN_OF_A, OWN_OF_B = "registry", "registry of A", "registry of B"

OPEN = "open"
CLOSED = "closed"
BOUND_TO_A = "bound to A"
BOUND_TO_B = "bound to B"
SHARED = "shared"
SUSPENDED_OF_A = "suspended of A"
REVOKING_OF_A = "revoking of A"
OPEN_AND_VANISHED = "open and vanished"
SPACES: dict[str, tuple[str, Visibility, SpaceState, Sequence[str]]] = {
    OPEN: (PLATFORM, Visibility.PUBLIC, SpaceState.PRESENT, ()),
    CLOSED: (PLATFORM, Visibility.PRIVATE, SpaceState.PRESENT, ()),
    BOUND_TO_A: (PLATFORM, Visibility.PRIVATE, SpaceState.PRESENT, ("A",)),
    BOUND_TO_B: (PLATFORM, Visibility.PRIVATE, SpaceState.PRESENT, ("B",)),
    SHARED: (PLATFORM, Visibility.PRIVATE, SpaceState.DECLARED, ("A", "B")),
    SUSPENDED_OF_A: (PLATFORM, Visibility.PRIVATE, SpaceState.VANISHED, ("A",)),
    REVOKING_OF_A: (PLATFORM, Visibility.PRIVATE, SpaceState.PRESENT, ("A",)),
    OPEN_AND_VANISHED: (PLATFORM, Visibility.PUBLIC, SpaceState.VANISHED, ()),
    "own of A": (OWN_OF_A, Visibility.PRIVATE, SpaceState.PRESENT, ()),
    "own of A, open": (OWN_OF_A, Visibility.PUBLIC, SpaceState.PRESENT, ()),
    "own of A, bound": (OWN_OF_A, Visibility.PRIVATE, SpaceState.PRESENT, ("A",)),
    "own of B": (OWN_OF_B, Visibility.PRIVATE, SpaceState.PRESENT, ()),
    "own of B, open": (OWN_OF_B, Visibility.PUBLIC, SpaceState.PRESENT, ()),
}
"""Where each space is, whether it is open, whether it stands, and to whom it is bound."""

TO_ALL = {OPEN, OPEN_AND_VANISHED}
TO_A = TO_ALL | {BOUND_TO_A, SHARED, SUSPENDED_OF_A, REVOKING_OF_A, "own of A", "own of A, open", "own of A, bound"}
TO_B = TO_ALL | {BOUND_TO_B, SHARED, "own of B", "own of B, open"}


@dataclass(frozen=True, slots=True)
class Seen:
    """What somebody is to see, by name."""

    role: Role
    workspace: str | None
    spaces: set[str]
    integrations: set[str]

    @property
    def workspaces(self) -> set[str]:
        """Own ones; all for a platform administrator."""
        if self.role is Role.PLATFORM_ADMIN:
            return set(WORKSPACES)
        return set() if self.workspace is None else {self.workspace}

    def sees_event_of(self, workspace: str | None, space: str | None) -> bool:
        """Return whether an event is seen that is of a workspace, or of a space."""
        if workspace is not None:
            return workspace in self.workspaces
        return space is None or space in self.spaces


VIEWERS = {
    "platform admin": Seen(Role.PLATFORM_ADMIN, None, set(SPACES), {PLATFORM, OWN_OF_A, OWN_OF_B}),
    "admin of A": Seen(Role.WORKSPACE_ADMIN, "A", TO_A, {PLATFORM, OWN_OF_A}),
    "member of A": Seen(Role.WORKSPACE_MEMBER, "A", TO_A, {PLATFORM, OWN_OF_A}),
    "member of B": Seen(Role.WORKSPACE_MEMBER, "B", TO_B, {PLATFORM, OWN_OF_B}),
    "member of nothing": Seen(Role.WORKSPACE_MEMBER, None, TO_ALL, {PLATFORM}),
}


@dataclass(slots=True)
class Tenants:
    """What was stored: keys by name, and the viewers' tokens."""

    server: RunningServer
    workspaces: dict[str, int] = field(default_factory=dict)
    namespaces: dict[str, int] = field(default_factory=dict)
    integrations: dict[str, int] = field(default_factory=dict)
    spaces: dict[str, int] = field(default_factory=dict)
    repositories: dict[str, int] = field(default_factory=dict)
    bindings: dict[tuple[str, str], int] = field(default_factory=dict)
    """By space and workspace."""

    tokens: dict[str, str] = field(default_factory=dict)
    token_ids: dict[str, int] = field(default_factory=dict)

    def ids(self, type_name: str, keys: dict[str, int]) -> list[str]:
        """Return the global ids of everything of a type, in the order in which it was stored."""
        return [global_id(type_name, key) for key in keys.values()]

    def cursor(self) -> str:
        """Return the cursor of what has happened so far: a stream from there on misses nothing that comes."""
        services = self.server.services
        return services.events.cursor(self.server.run(log_span(services.database)).last)

    def space_event(self, name: str, moment: datetime, type_: EventType = EventType.IMAGE_PUSHED) -> NewEvent:
        """Return an event of a space, as the services make it."""
        integration = SPACES[name][0]
        data = {"integration_name": integration, "space_name": name, "visibility": SPACES[name][1].value}
        return NewEvent(
            type_,
            moment,
            self.integrations[integration],
            data | {"repository_name": f"{name}/app", "reference": "1"},
            workspace_id=self.workspaces.get(brought_by(integration) or ""),
            space_id=self.spaces[name],
        )

    def write_events(self, *events: NewEvent) -> None:
        """Write events in one transaction."""

        async def work(transaction: Transaction) -> None:
            transaction.events.extend(events)

        self.server.run(self.server.services.database.transact(work))


def brought_by(integration: str) -> str | None:
    """Return the workspace that brought an integration; None for the platform's."""
    return {OWN_OF_A: "A", OWN_OF_B: "B"}.get(integration)


def store_tenants(server: RunningServer) -> Tenants:
    """Store everything, as if nothing had happened: no event is written but those of the tokens."""
    tenants = Tenants(server)
    services = server.services
    now = services.clock()

    async def work(_: Transaction) -> None:
        await _store_workspaces(tenants, now)
        for name in (PLATFORM, OWN_OF_A, OWN_OF_B):
            await _store_integration(tenants, name, now)
        for name in SPACES:
            await _store_space(tenants, name, now)

    server.run(services.database.transact(work))
    for name, seen in VIEWERS.items():
        tenants.tokens[name] = f"irat_{name.replace(' ', '-')}"
        workspace_id = None if seen.workspace is None else tenants.workspaces[seen.workspace]
        # Stored, not created: one who is in no workspace is from before there were any.
        record = server.run(
            services.access_tokens.store(tenants.tokens[name], name, seen.role, now + LONG, "the test", workspace_id)
        )
        tenants.token_ids[name] = record.id
    return tenants


def clear_tenants(server: RunningServer) -> None:
    """Take away every integration, workspace and token, whoever made it, but the first token."""

    async def work(transaction: Transaction) -> None:
        for table in ("integration", "workspace"):
            await transaction.execute(f'DELETE FROM "{table}"')
        await transaction.execute("""DELETE FROM "access_token" WHERE "name" <> 'admin'""")

    server.run(server.services.database.transact(work))


async def _store_workspaces(tenants: Tenants, now: datetime) -> None:
    for name in WORKSPACES:
        workspace = await Workspace.create(
            name=name, name_key=name.lower(), labels={}, created_by="the test", created_at=now, updated_at=now
        )
        tenants.workspaces[name] = workspace.id
        for number in range(3):
            namespace = await Namespace.create(
                workspace=workspace, cluster="c", name=f"{name.lower()}{number}", created_at=now
            )
            tenants.namespaces[namespace.name] = namespace.id


async def _store_integration(tenants: Tenants, name: str, now: datetime) -> None:
    workspace = brought_by(name)
    workspace_id = None if workspace is None else tenants.workspaces[workspace]
    scope = PLATFORM_SCOPE if workspace_id is None else workspace_id
    integration = await Integration.create(
        name=name,
        name_key=name.lower(),
        workspace_id=workspace_id,
        scope=scope,
        kind=RegistryKind.DOCKER_REGISTRY,
        origin=IntegrationOrigin.INTEGRATED,
        # Nothing listens there, so that a check changes its health.
        url=f"http://127.0.0.1:1/{len(tenants.integrations)}",
        next_synchronization_at=tenants.server.services.monitor.first_probe_at(now),
        created_by="the test",
        created_at=now,
        updated_at=now,
    )
    tenants.integrations[name] = integration.id
    for host, is_primary in ((f"{integration.id}.example", True), (f"alias-{integration.id}.example", False)):
        await ImageHost.create(host=host, scope=scope, integration=integration, is_primary=is_primary)
    await IntegrationHealth.create(
        integration=integration,
        status=HealthStatus.UNKNOWN,
        registry_message="the registry's own words",
        components=[{"name": "core", "is_healthy": True, "message": "the registry's own words"}],
        since=now,
        next_probe_at=tenants.server.services.monitor.first_probe_at(now),
    )
    await HealthCheck.create(
        integration=integration, checked_at=now, is_good=False, registry_message="the registry's own words"
    )
    await IntegrationUsage.create(
        integration=integration, space_count=1, storage_bytes=10, method=UsageMethod.REFERENCED_BLOBS, measured_at=now
    )
    await Hook.create(integration=integration, public_id=f"{integration.id:032x}")
    await ReaderCredential.create(
        integration=integration,
        failure="there is none",
        next_check_at=tenants.server.services.monitor.first_probe_at(now),
    )


async def _store_space(tenants: Tenants, name: str, now: datetime) -> None:
    integration, visibility, state, workspaces = SPACES[name]
    space = await Space.create(
        integration_id=tenants.integrations[integration],
        external_id=name,
        name=name,
        visibility=visibility,
        state=state,
        created_at=now,
    )
    tenants.spaces[name] = space.id
    repository = await Repository.create(space=space, name=f"{name}/app", created_at=now)
    tenants.repositories[name] = repository.id
    for workspace in workspaces:
        is_revoked = name == REVOKING_OF_A
        binding = await Binding.create(
            space=space,
            workspace_id=tenants.workspaces[workspace],
            bound_by="the test",
            bound_at=now,
            revoked_by="the test" if is_revoked else None,
            revoked_at=now if is_revoked else None,
            granted_version=1,
            version=2 if is_revoked else 1,
        )
        tenants.bindings[name, workspace] = binding.id
