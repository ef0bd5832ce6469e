"""What reads return: frozen records, a fifth of the cost of full models, and safe to share."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models.enums import (
    AuditOutcome,
    BindingState,
    EventType,
    HealthReason,
    HealthStatus,
    IntegrationOrigin,
    RegistryKind,
    Role,
    SpaceState,
    StaleReason,
    Visibility,
)


@dataclass(frozen=True, slots=True)
class HealthRecord:
    """How an integration is, or was when something happened."""

    integration_id: int
    status: HealthStatus
    reason: HealthReason | None
    message: str | None
    registry_message: str | None
    since: datetime | None
    checked_at: datetime | None
    latency_milliseconds: float | None
    components: list[dict[str, Any]] | None


@dataclass(frozen=True, slots=True)
class IntegrationRecord:
    """An integration with its health, without its password."""

    id: int
    name: str
    name_key: str
    description: str | None
    kind: RegistryKind
    origin: IntegrationOrigin
    workspace_id: int | None
    url: str
    image_host: str
    username: str | None
    has_password: bool
    token_realm: str | None
    ca_certificate_pem: str | None
    is_verification_skipped: bool
    looked_at: datetime | None
    stale_since: datetime | None
    stale_reason: StaleReason | None
    stale_message: str | None
    created_by: str
    created_at: datetime
    updated_at: datetime
    health_status: HealthStatus
    health_reason: HealthReason | None
    health_message: str | None
    health_registry_message: str | None
    health_since: datetime | None
    health_checked_at: datetime | None
    health_latency_milliseconds: float | None
    health_components: list[dict[str, Any]] | None
    version: str | None
    is_read_only: bool

    @property
    def health(self) -> HealthRecord:
        """The health, as a record of its own."""
        return HealthRecord(
            integration_id=self.id,
            status=self.health_status,
            reason=self.health_reason,
            message=self.health_message,
            registry_message=self.health_registry_message,
            since=self.health_since,
            checked_at=self.health_checked_at,
            latency_milliseconds=self.health_latency_milliseconds,
            components=self.health_components,
        )


@dataclass(frozen=True, slots=True)
class HealthCheckRecord:
    """One probe."""

    id: int
    integration_id: int
    checked_at: datetime
    is_good: bool
    reason: HealthReason | None
    message: str | None
    registry_message: str | None
    latency_milliseconds: float | None


@dataclass(frozen=True, slots=True)
class SpaceRecord:
    """A space of the mirror."""

    id: int
    integration_id: int
    external_id: str
    name: str
    visibility: Visibility
    state: SpaceState
    last_seen_at: datetime | None
    created_at: datetime
    image_host: str
    registry_kind: RegistryKind
    integration_workspace_id: int | None

    @property
    def is_standing(self) -> bool:
        """Whether it is at its registry, or expected there."""
        return self.state is not SpaceState.VANISHED


@dataclass(frozen=True, slots=True)
class PullableSpaceRecord(SpaceRecord):
    """A space as one that the namespaces of a workspace may pull from."""

    workspace_id: int


@dataclass(frozen=True, slots=True)
class RepositoryRecord:
    """A repository of the mirror."""

    id: int
    space_id: int
    name: str
    artifact_count: int | None
    pull_count: int | None
    updated_at: datetime | None
    created_at: datetime
    image_host: str


@dataclass(frozen=True, slots=True)
class RoutineCredentialRecord:
    """With what routine reads are made: the reader's name, or None and why the administrator's serves."""

    integration_id: int
    username: str | None
    failure: str | None


@dataclass(frozen=True, slots=True)
class WorkspaceRecord:
    """A tenant."""

    id: int
    name: str
    name_key: str
    external_id: str | None
    labels: dict[str, str]
    created_by: str
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None


@dataclass(frozen=True, slots=True)
class NamespaceRecord:
    """A namespace of a workspace."""

    id: int
    workspace_id: int
    cluster: str
    name: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class BindingRecord:
    """A binding, with what its state follows from."""

    id: int
    space_id: int
    workspace_id: int
    integration_id: int
    bound_by: str
    bound_at: datetime
    revoked_at: datetime | None
    version: int
    space_state: SpaceState
    space_visibility: Visibility
    registry_kind: RegistryKind

    @property
    def state(self) -> BindingState:
        """How it stands; only an active one gives access."""
        if self.revoked_at is not None:
            return BindingState.REVOKING
        return BindingState.SUSPENDED if self.space_state is SpaceState.VANISHED else BindingState.ACTIVE


@dataclass(frozen=True, slots=True)
class RegistryEnforcementRecord:
    """How far the bindings of a workspace have been made true at a registry."""

    workspace_id: int
    integration_id: int
    desired_version: int
    applied_version: int
    failure: str | None
    changed_at: datetime
    next_attempt_at: datetime | None


@dataclass(frozen=True, slots=True)
class EventRecord:
    """One thing that has happened."""

    position: int
    type: EventType
    occurred_at: datetime
    integration_id: int | None
    workspace_id: int | None
    space_id: int | None
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class AuditEventRecord:
    """One mutation of one viewer."""

    id: int
    occurred_at: datetime
    finished_at: datetime | None
    viewer_name: str
    viewer_role: Role
    access_token_id: int | None
    mutation: str
    input: dict[str, Any]
    is_dry_run: bool
    outcome: AuditOutcome
    error_codes: list[str]
    request_id: str


@dataclass(frozen=True, slots=True)
class AccessTokenRecord:
    """An access token, without the token."""

    id: int
    name: str
    role: Role
    workspace_id: int | None
    created_by: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
