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


class UsageMethod(StrEnum):
    """How it was measured what is stored; figures of different methods can't be compared."""

    REGISTRY_STATISTICS = "REGISTRY_STATISTICS"
    PROJECT_SUMMARY = "PROJECT_SUMMARY"
    REFERENCED_BLOBS = "REFERENCED_BLOBS"


class Role(StrEnum):
    """What the bearer of a credential may do."""

    PLATFORM_ADMIN = "PLATFORM_ADMIN"
    WORKSPACE_ADMIN = "WORKSPACE_ADMIN"
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
    SPACE_DECLARED = "SPACE_DECLARED"
    SPACE_DELETED = "SPACE_DELETED"
    SPACE_VISIBILITY_CHANGED = "SPACE_VISIBILITY_CHANGED"
    IMAGE_PUSHED = "IMAGE_PUSHED"
    IMAGE_DELETED = "IMAGE_DELETED"
    TAG_CHANGED = "TAG_CHANGED"
    USAGE_CHANGED = "USAGE_CHANGED"
    WORKSPACE_CREATED = "WORKSPACE_CREATED"
    WORKSPACE_UPDATED = "WORKSPACE_UPDATED"
    WORKSPACE_DELETED = "WORKSPACE_DELETED"
    NAMESPACE_ADDED = "NAMESPACE_ADDED"
    NAMESPACE_REMOVED = "NAMESPACE_REMOVED"
    BINDING_CREATED = "BINDING_CREATED"
    BINDING_REVOKED = "BINDING_REVOKED"
    BINDING_SUSPENDED = "BINDING_SUSPENDED"
    BINDING_RESUMED = "BINDING_RESUMED"
    ACCESS_TOKEN_CREATED = "ACCESS_TOKEN_CREATED"  # noqa: S105 (a name, not a secret)
    ACCESS_TOKEN_REVOKED = "ACCESS_TOKEN_REVOKED"  # noqa: S105


ADMINISTRATORS_EVENT_TYPES = frozenset(
    {EventType.USAGE_CHANGED, EventType.ACCESS_TOKEN_CREATED, EventType.ACCESS_TOKEN_REVOKED}
)
"""Events that only platform administrators may see."""


SPACE_EVENT_TYPES = frozenset(
    {
        EventType.SPACE_ADDED,
        EventType.SPACE_VANISHED,
        EventType.SPACE_DECLARED,
        EventType.SPACE_DELETED,
        EventType.SPACE_VISIBILITY_CHANGED,
        EventType.IMAGE_PUSHED,
        EventType.IMAGE_DELETED,
        EventType.TAG_CHANGED,
    }
)
"""Events that tell of one space: who may not see it doesn't see them."""


class BindingState(StrEnum):
    """How a binding stands."""

    ACTIVE = "ACTIVE"
    REVOKING = "REVOKING"
    SUSPENDED = "SUSPENDED"


class EnforcementState(StrEnum):
    """How far something decided is true at one place."""

    NOT_APPLICABLE = "NOT_APPLICABLE"
    ENFORCED = "ENFORCED"
    NOT_ENFORCEABLE = "NOT_ENFORCEABLE"
    PENDING = "PENDING"
    FAILED = "FAILED"


class PullAccessReason(StrEnum):
    """Why an image may be pulled, or not."""

    SPACE_IS_PUBLIC = "SPACE_IS_PUBLIC"
    BOUND = "BOUND"
    NOT_BOUND = "NOT_BOUND"
    UNKNOWN_REGISTRY = "UNKNOWN_REGISTRY"
    UNKNOWN_SPACE = "UNKNOWN_SPACE"
    UNKNOWN_NAMESPACE = "UNKNOWN_NAMESPACE"
    INVALID_IMAGE = "INVALID_IMAGE"


class AuditOutcome(StrEnum):
    """How a mutation ended. STARTED stays when the server died before it knew."""

    STARTED = "STARTED"
    SUCCEEDED = "SUCCEEDED"
    REFUSED = "REFUSED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
