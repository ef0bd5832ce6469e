"""Everything that the GraphQL surface calls, handed in as one."""

from dataclasses import dataclass

from models.database import Database
from services.access_tokens import AccessTokens
from services.audit import AuditLog
from services.binding import Binder
from services.clock import Clock
from services.deleting import ContentDeleter
from services.event_log import EventLog
from services.health import HealthMonitor
from services.hooks import Hooks
from services.integrating import Integrator
from services.live_contents import LiveContents
from services.notifications import Notifications
from services.registry_check import Reaches
from services.spaces import SpaceChanger
from services.synchronization import Synchronizer
from services.updating import IntegrationUpdater
from services.workspaces import WorkspaceKeeper


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """What clients may know of the server itself."""

    version: str
    address: str
    """Where it is reached, as far as it knows: without a slash at the end."""

    probe_interval_seconds: float
    synchronization_interval_seconds: float


@dataclass(frozen=True, slots=True)
class Services:
    """The use cases, put together once at start."""

    database: Database
    clock: Clock
    access_tokens: AccessTokens
    audit: AuditLog
    events: EventLog
    monitor: HealthMonitor
    synchronizer: Synchronizer
    reaches: Reaches
    hooks: Hooks
    notifications: Notifications
    integrator: Integrator
    updater: IntegrationUpdater
    workspaces: WorkspaceKeeper
    binder: Binder
    space_changer: SpaceChanger
    content_deleter: ContentDeleter
    live_contents: LiveContents
    facts: ServerFacts
