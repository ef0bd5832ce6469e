"""What reads return: frozen records, a fifth of the cost of full models, and safe to share."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec import Struct

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
    UsageMethod,
    Visibility,
)


class HealthRecord(Struct, frozen=True, gc=False):
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


class PresentHealthRecord(HealthRecord, frozen=True, gc=False):
    """How an integration is now, with what else its last good check told."""

    version: str | None
    is_read_only: bool


class IntegrationRecord(Struct, frozen=True, gc=False):
    """An integration, without its password."""

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


class HealthCheckRecord(Struct, frozen=True, gc=False):
    """One probe."""

    id: int
    integration_id: int
    checked_at: datetime
    is_good: bool
    reason: HealthReason | None
    message: str | None
    registry_message: str | None
    latency_milliseconds: float | None


class SpaceRecord(Struct, frozen=True, gc=False):
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


class PullableSpaceRecord(SpaceRecord, frozen=True, gc=False):
    """A space as one that the namespaces of a workspace may pull from."""

    workspace_id: int


class RepositoryRecord(Struct, frozen=True, gc=False):
    """A repository of the mirror."""

    id: int
    space_id: int
    name: str
    artifact_count: int | None
    pull_count: int | None
    updated_at: datetime | None
    created_at: datetime
    integration_id: int
    image_host: str


class UsageRecord(Struct, frozen=True, gc=False):
    """What an integration or a space, whose id is `owner_id`, holds. `is_stale`: it could not be measured since."""

    owner_id: int
    space_count: int
    repository_count: int | None
    artifact_count: int | None
    storage_bytes: int | None
    quota_used_bytes: int | None
    quota_limit_bytes: int | None
    method: UsageMethod
    growth_bytes_per_week: int | None
    measured_at: datetime
    is_stale: bool


class UsagePointRecord(Struct, frozen=True, gc=False):
    """What an integration or a space held from a moment on."""

    owner_id: int
    measured_at: datetime
    repository_count: int | None
    artifact_count: int | None
    storage_bytes: int | None
    quota_used_bytes: int | None


class RoutineCredentialRecord(Struct, frozen=True, gc=False):
    """With what routine reads are made: the reader's name, or None and why the administrator's serves."""

    integration_id: int
    username: str | None
    failure: str | None


class WorkspaceRecord(Struct, frozen=True, gc=False):
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


class NamespaceRecord(Struct, frozen=True, gc=False):
    """A namespace of a workspace."""

    id: int
    workspace_id: int
    cluster: str
    name: str
    created_at: datetime


class BindingRecord(Struct, frozen=True, gc=False):
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


class RegistryEnforcementRecord(Struct, frozen=True, gc=False):
    """How far the bindings of a workspace have been made true at a registry."""

    workspace_id: int
    integration_id: int
    desired_version: int
    applied_version: int
    failure: str | None
    changed_at: datetime
    next_attempt_at: datetime | None


class EventRecord(Struct, frozen=True, gc=False):
    """One thing that has happened."""

    position: int
    type: EventType
    occurred_at: datetime
    integration_id: int | None
    workspace_id: int | None
    space_id: int | None
    data: dict[str, Any]


class AuditEventRecord(Struct, frozen=True, gc=False):
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


class AccessTokenRecord(Struct, frozen=True, gc=False):
    """An access token, without the token."""

    id: int
    name: str
    role: Role
    workspace_id: int | None
    created_by: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
