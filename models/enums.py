"""The words of the stored model. GraphQL shows the same names, so they are part of the surface."""

from enum import StrEnum


class RegistryKind(StrEnum):
    """What software a registry is."""

    HARBOR = "HARBOR"
    DOCKER_REGISTRY = "DOCKER_REGISTRY"


class IntegrationOrigin(StrEnum):
    """How an integration came to be."""

    INTEGRATED = "INTEGRATED"
    MANAGED = "MANAGED"


class HealthStatus(StrEnum):
    """Whether a registry can be used now."""

    HEALTHY = "HEALTHY"
    UNHEALTHY = "UNHEALTHY"
    UNKNOWN = "UNKNOWN"


class HealthReason(StrEnum):
    """Why a registry is not healthy, or why it refused what was asked of it."""

    NAME_NOT_RESOLVED = "NAME_NOT_RESOLVED"
    CONNECTION_REFUSED = "CONNECTION_REFUSED"
    CONNECTION_FAILED = "CONNECTION_FAILED"
    TIMED_OUT = "TIMED_OUT"
    TLS_NOT_TRUSTED = "TLS_NOT_TRUSTED"
    CERTIFICATE_EXPIRED = "CERTIFICATE_EXPIRED"
    UNAUTHORIZED = "UNAUTHORIZED"
    NOT_AN_ADMINISTRATOR = "NOT_AN_ADMINISTRATOR"
    OTHER_KIND = "OTHER_KIND"
    COMPONENT_UNHEALTHY = "COMPONENT_UNHEALTHY"
    STORAGE_UNREADABLE = "STORAGE_UNREADABLE"
    READ_ONLY = "READ_ONLY"
    UNEXPECTED_ANSWER = "UNEXPECTED_ANSWER"
    ADDRESS_REFUSED = "ADDRESS_REFUSED"
    NOT_CHECKED_YET = "NOT_CHECKED_YET"


class StaleReason(StrEnum):
    """Why the mirror of an integration is doubted."""

    MOST_SPACES_GONE = "MOST_SPACES_GONE"


class Visibility(StrEnum):
    """Who may pull from a space: every namespace, or those of bound workspaces."""

    PUBLIC = "PUBLIC"
    PRIVATE = "PRIVATE"


class SpaceState(StrEnum):
    """Whether a space stands at its registry."""

    PRESENT = "PRESENT"
    DECLARED = "DECLARED"
    VANISHED = "VANISHED"


class Role(StrEnum):
    """What the bearer of a credential may do."""

    PLATFORM_ADMIN = "PLATFORM_ADMIN"
    WORKSPACE_MEMBER = "WORKSPACE_MEMBER"


class EventType(StrEnum):
    """What has happened."""

    INTEGRATION_ADDED = "INTEGRATION_ADDED"
    INTEGRATION_UPDATED = "INTEGRATION_UPDATED"
    INTEGRATION_REMOVED = "INTEGRATION_REMOVED"
    INTEGRATION_DOUBTED = "INTEGRATION_DOUBTED"
    INTEGRATION_TRUSTED = "INTEGRATION_TRUSTED"
    HEALTH_CHANGED = "HEALTH_CHANGED"
    SPACE_ADDED = "SPACE_ADDED"
    SPACE_VANISHED = "SPACE_VANISHED"
    SPACE_VISIBILITY_CHANGED = "SPACE_VISIBILITY_CHANGED"
    IMAGE_PUSHED = "IMAGE_PUSHED"
    IMAGE_DELETED = "IMAGE_DELETED"
    TAG_CHANGED = "TAG_CHANGED"
    ACCESS_TOKEN_CREATED = "ACCESS_TOKEN_CREATED"  # noqa: S105 (a name, not a secret)
    ACCESS_TOKEN_REVOKED = "ACCESS_TOKEN_REVOKED"  # noqa: S105


ADMINISTRATORS_EVENT_TYPES = frozenset({EventType.ACCESS_TOKEN_CREATED, EventType.ACCESS_TOKEN_REVOKED})
"""Events that only platform administrators may see."""


class AuditOutcome(StrEnum):
    """How a mutation ended. STARTED stays when the server died before it knew."""

    STARTED = "STARTED"
    SUCCEEDED = "SUCCEEDED"
    REFUSED = "REFUSED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
