"""The enums of the surface, each value described."""

from __future__ import annotations

from enum import Enum, StrEnum

import strawberry

from models.enums import (
    AuditOutcome,
    BindingState,
    EnforcementState,
    EventType,
    HealthReason,
    HealthStatus,
    IntegrationOrigin,
    PullAccessReason,
    RegistryKind,
    Role,
    SpaceState,
    StaleReason,
    UsageMethod,
    Visibility,
)
from registry_clients.kind import Ability as RegistryAbility
from registry_clients.refusals import NoDeletion as DeletionRefusalReason

__all__ = [
    "AuditOutcome",
    "BindingState",
    "DeletionRefusalReason",
    "EnforcementState",
    "EventType",
    "HealthReason",
    "HealthStatus",
    "IntegrationLabel",
    "IntegrationOrigin",
    "OrderDirection",
    "PullAccessReason",
    "RegistryAbility",
    "RegistryKind",
    "Role",
    "RoutineCredentialKind",
    "SpaceState",
    "StaleReason",
    "UsageMethod",
    "UsageResolution",
    "Visibility",
    "describe",
]


def describe(enum: type[Enum], description: str, values: dict[str, str], name: str | None = None) -> None:
    """Make an enum one of the surface; every value must be described. Raises KeyError otherwise."""
    strawberry.enum(enum, name=name, description=description)
    for value in enum.__strawberry_definition__.values:  # type: ignore[attr-defined]
        value.description = values[value.name]


describe(
    RegistryKind,
    "What software a registry is.",
    {
        "HARBOR": "Harbor. Its projects are spaces.",
        "DOCKER_REGISTRY": "The plain registry, Distribution. First segments of repository names are spaces.",
    },
)
describe(
    RegistryAbility,
    "Something that one kind of registry can do and another may not.",
    {
        "LIST_SPACES": "Tells which spaces it holds.",
        "CREATE_SPACES": "Spaces can be created.",
        "SET_VISIBILITY": "Holds a space public or private by itself.",
        "DELETE_SPACES": "Spaces can be deleted.",
        "QUOTAS": "A space can have a storage limit.",
        "STORAGE_TOTALS": "Tells how much it stores.",
        "DELETE_ARTIFACTS": "Artifacts can be deleted.",
        "DELETE_TAGS": "A tag can be deleted while its artifact stays, whatever the version.",
        "DELETE_REPOSITORIES": "A repository can be deleted with all that it holds.",
        "CHANGE_FEED": "Keeps a log of changes that we follow.",
        "NOTIFICATIONS": "Can notify us of changes.",
        "PULL_CREDENTIALS": "Can make credentials for pulling from chosen spaces.",
        "TOKEN_SERVER": "Lets another server, such as this one, decide who may pull.",
        "VULNERABILITY_SCANS": "Scans artifacts for vulnerabilities.",
        "COMPONENT_HEALTH": "Tells the health of its parts.",
        "READ_ONLY_MODE": "Can be put into read-only mode, and says so.",
        "VERSION": "Tells its version.",
    },
    name="RegistryAbility",
)
describe(
    DeletionRefusalReason,
    "Why something in a repository isn't deleted.",
    {
        "IMMUTABLE": "A rule at the registry keeps a tag, and with it its artifact and its repository.",
        "IN_USE": "Something else there needs it, as an index needs its images.",
        "SWITCHED_OFF": "The registry was set up so that nothing can be deleted.",
        "NOT_OFFERED": "Such a registry, or its version, doesn't delete such a thing by itself.",
        "OTHER": "What the registry says is all there is to know.",
    },
    name="DeletionRefusalReason",
)
describe(
    IntegrationOrigin,
    "How an integration came to be.",
    {"INTEGRATED": "By a person.", "MANAGED": "Found on a cluster that the platform runs."},
)
describe(
    HealthStatus,
    "Whether a registry can be used now.",
    {
        "HEALTHY": "It answered the last check.",
        "UNHEALTHY": "Two checks in a row failed, and none has succeeded since.",
        "UNKNOWN": "It was not checked yet.",
    },
)
describe(
    HealthReason,
    "Why a registry is not healthy, or why it refused what was asked of it.",
    {
        "NAME_NOT_RESOLVED": "Its name leads to no address.",
        "CONNECTION_REFUSED": "Nothing listens at its port.",
        "CONNECTION_FAILED": "The connection broke, or there is no way to it.",
        "TIMED_OUT": "It did not answer in time.",
        "TLS_NOT_TRUSTED": "Its certificate is not trusted, or is for another name.",
        "CERTIFICATE_EXPIRED": "Its certificate has expired, or is not valid yet.",
        "UNAUTHORIZED": "It wants a credential, or another one.",
        "NOT_AN_ADMINISTRATOR": "The credential is good but not an administrator's.",
        "OTHER_KIND": "It is a registry of another kind, or none.",
        "COMPONENT_UNHEALTHY": "It says that a part of it is not healthy.",
        "STORAGE_UNREADABLE": "It can't read what it stores.",
        "READ_ONLY": "It takes no changes at present.",
        "UNEXPECTED_ANSWER": "What it answered is not what a registry answers.",
        "ADDRESS_REFUSED": "This server does not connect to such addresses.",
        "NOT_CHECKED_YET": "It was not checked yet.",
    },
)
describe(
    StaleReason,
    "Why the list of spaces is doubted.",
    {"MOST_SPACES_GONE": "At the last look all or most spaces were missing at once."},
)
describe(
    Visibility,
    "Who may pull from a space.",
    {"PUBLIC": "Every namespace.", "PRIVATE": "The namespaces of bound workspaces."},
)
describe(
    SpaceState,
    "Whether a space stands at its registry.",
    {
        "PRESENT": "It was there at the last look.",
        "DECLARED": "It is expected, and has no image yet.",
        "VANISHED": "It was there once and is no longer.",
    },
)
describe(
    Role,
    "What the bearer of an access token may do.",
    {
        "PLATFORM_ADMIN": "Everything.",
        "WORKSPACE_ADMIN": "What a member may, and integrate registries for the own workspace alone.",
        "WORKSPACE_MEMBER": "See the own workspace, what it may pull, and the registries, without what is for"
        " administrators.",
    },
)
describe(
    EventType,
    "What has happened.",
    {
        "INTEGRATION_ADDED": "A registry was integrated.",
        "INTEGRATION_UPDATED": "An integration was changed.",
        "INTEGRATION_REMOVED": "An integration was removed.",
        "INTEGRATION_DOUBTED": "Most spaces of an integration were missing at once; its list is stale.",
        "INTEGRATION_TRUSTED": "The list of an integration is no longer stale.",
        "HEALTH_CHANGED": "The health of an integration changed.",
        "SPACE_ADDED": "A space was found, or made.",
        "SPACE_VANISHED": "A space is no longer there.",
        "SPACE_DECLARED": "A space was declared before its first image.",
        "SPACE_DELETED": "A space was deleted, or its declaration taken back.",
        "SPACE_VISIBILITY_CHANGED": "A space was opened to everybody, or closed.",
        "IMAGE_PUSHED": "An image was pushed.",
        "IMAGE_DELETED": "An image was deleted.",
        "TAG_CHANGED": "A tag was set or taken away.",
        "WORKSPACE_CREATED": "A workspace was created.",
        "WORKSPACE_UPDATED": "A workspace was changed.",
        "WORKSPACE_DELETED": "A workspace was deleted.",
        "NAMESPACE_ADDED": "A namespace was given to a workspace.",
        "NAMESPACE_REMOVED": "A namespace no longer belongs to a workspace.",
        "BINDING_CREATED": "A space was bound to a workspace.",
        "BINDING_REVOKED": "A space was taken away from a workspace.",
        "BINDING_SUSPENDED": "A bound space vanished: its binding grants nothing until it is back.",
        "BINDING_RESUMED": "A bound space is back, and so is what its binding grants.",
        "USAGE_CHANGED": "An integration was measured, and holds something else than before. Administrators see it.",
        "ACCESS_TOKEN_CREATED": "An access token was created. Administrators see it.",
        "ACCESS_TOKEN_REVOKED": "An access token was revoked. Administrators see it.",
    },
)
describe(
    BindingState,
    "How a binding stands.",
    {
        "ACTIVE": "It gives access.",
        "REVOKING": "It was taken away and gives no access; it is not yet confirmed everywhere that it is gone.",
        "SUSPENDED": "Its space vanished from the registry. It gives access again if the same space comes back.",
    },
)
describe(
    EnforcementState,
    "How far a decision is true at one place.",
    {
        "NOT_APPLICABLE": "There is nothing to make true: the space is public.",
        "ENFORCED": "It is true there.",
        "NOT_ENFORCEABLE": "This place has no means to make it true.",
        "PENDING": "It is not true there yet.",
        "FAILED": "The last try to make it true failed.",
    },
)
describe(
    PullAccessReason,
    "Why an image may be pulled, or not.",
    {
        "SPACE_IS_PUBLIC": "Its space is public: every namespace may pull.",
        "BOUND": "Its space is bound to the workspace of the namespace.",
        "NOT_BOUND": "Its space is private and not bound to the workspace of the namespace.",
        "UNKNOWN_REGISTRY": "No integrated registry has this image host.",
        "UNKNOWN_SPACE": "The registry has no such space that the namespace could pull from.",
        "UNKNOWN_NAMESPACE": "The namespace belongs to no workspace, and the space is not public.",
        "INVALID_IMAGE": "This is no image reference.",
    },
)
describe(
    AuditOutcome,
    "How a mutation ended.",
    {
        "STARTED": "It runs still, or the server ended before it could write how it went.",
        "SUCCEEDED": "It was done.",
        "REFUSED": "It was refused, with the errors named.",
        "FAILED": "A fault of the server; the log has it under the request id.",
        "CANCELLED": "It ran out of time.",
    },
)


class IntegrationLabel(StrEnum):
    """What a tile shows of an integration."""

    INTEGRATED = "INTEGRATED"
    MANAGED = "MANAGED"
    HEALTHY = "HEALTHY"
    UNHEALTHY = "UNHEALTHY"
    READ_ONLY = "READ_ONLY"
    STALE = "STALE"


describe(
    IntegrationLabel,
    "What a tile shows of an integration.",
    {
        "INTEGRATED": "Integrated by a person.",
        "MANAGED": "Found on a cluster that the platform runs.",
        "HEALTHY": "Can be used now.",
        "UNHEALTHY": "Can't be used now.",
        "READ_ONLY": "Takes no changes at present.",
        "STALE": "Its list of spaces is doubted.",
    },
)


class RoutineCredentialKind(StrEnum):
    """Whose credential routine reads are made with."""

    READER_ROBOT = "READER_ROBOT"
    ADMINISTRATOR = "ADMINISTRATOR"


describe(
    RoutineCredentialKind,
    "Whose credential routine reads are made with.",
    {
        "READER_ROBOT": "One that this server made for itself, which can only read and not pull.",
        "ADMINISTRATOR": "The administrator's, since there is no other.",
    },
)


class UsageResolution(Enum):
    """In what steps a history is told."""

    FIVE_MINUTES = "FIVE_MINUTES"
    HOUR = "HOUR"
    DAY = "DAY"


describe(
    UsageResolution,
    "In what steps a history is told.",
    {
        "FIVE_MINUTES": "Every five minutes: kept for two days.",
        "HOUR": "Every hour: kept for two weeks.",
        "DAY": "Every day, in UTC: kept for 400 days.",
    },
)
describe(
    UsageMethod,
    "How it was measured what is stored. Figures of different methods can't be compared.",
    {
        "REGISTRY_STATISTICS": "The registry's own total: what is stored and not yet collected, each blob once.",
        "PROJECT_SUMMARY": "What the space's quota counts. Blobs that spaces have in common count in each of them.",
        "REFERENCED_BLOBS": "The distinct blobs that tags lead to, manifests included. What has no tag is not seen.",
    },
)


class OrderDirection(Enum):
    """Which end of a list comes first."""

    ASC = "ASC"
    DESC = "DESC"


describe(
    OrderDirection,
    "Which end of a list comes first.",
    {"ASC": "Smallest, or earliest, first.", "DESC": "Largest, or latest, first."},
)
