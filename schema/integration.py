"""Integrations: types, filter and order."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import Annotated

import strawberry

from models.enums import HealthStatus as Status
from models.queries.integrations import BY_CREATION, BY_NAME, IntegrationConditions
from models.queries.sight import Sight
from models.reading import Order
from models.records import IntegrationRecord, PresentHealthRecord, RoutineCredentialRecord
from resolvers.context import Info, RequestContext
from resolvers.hook_loader import HookByIntegrationIdLoader
from resolvers.integration_loaders import BoundWorkspaceCountByIntegrationIdLoader
from resolvers.loaders import (
    HealthByIntegrationIdLoader,
    ImageHostAliasesByIntegrationIdLoader,
    RoutineCredentialByIntegrationIdLoader,
    SpaceCountByIntegrationIdLoader,
    SpacePageLoader,
    SpaceTotalLoader,
)
from resolvers.loading import loaded
from resolvers.paging import page_request
from resolvers.usage_loaders import HistoryOfIntegrationLoader, UsageByIntegrationIdLoader
from resolvers.workspace_loaders import WorkspaceByIdLoader
from schema.arguments import checked_text, keys_or_nothing
from schema.connection import After, Connection, First, ListRequest, nested_list
from schema.enums import (
    HealthStatus,
    IntegrationLabel,
    IntegrationOrigin,
    OrderDirection,
    RegistryKind,
    RoutineCredentialKind,
    StaleReason,
    describe,
)
from schema.health import Health
from schema.hook import HookSetup
from schema.node import Node, RecordBacked
from schema.ordering import directed
from schema.scalars import URL
from schema.space import Space, SpaceFilter, SpaceOrder, space_conditions, space_order
from schema.usage import Usage, UsagePoint, usage_history
from schema.workspace import Workspace


@strawberry.type(description="Whom this server trusts when it speaks to a registry.")
class TlsSettings:
    """TLS settings."""

    ca_certificate_pem: str | None = strawberry.field(description="Certificates to trust instead of the system's, PEM.")
    is_verification_skipped: bool = strawberry.field(
        description="Whether any certificate is taken. Anybody on the way could then read the credential."
    )


@strawberry.type(description="Why the list of spaces of an integration is doubted.")
class Staleness:
    """A doubt."""

    since: datetime = strawberry.field(description="When the doubt began.")
    reason: StaleReason = strawberry.field(description="Why.")
    message: str = strawberry.field(description="Why, and what ends it, in a sentence.")


DOUBTED = "Many spaces were not there at the last look. The list is from before."


def _routine_reason(root: strawberry.Parent[RoutineCredentialRecord]) -> str | None:
    return root.failure if root.username is None else None


def _routine_kind(root: strawberry.Parent[RoutineCredentialRecord]) -> RoutineCredentialKind:
    return RoutineCredentialKind.ADMINISTRATOR if root.username is None else RoutineCredentialKind.READER_ROBOT


@strawberry.type(description="With what this server makes its routine reads of a registry.")
class RoutineCredential:
    """The routine credential."""

    kind: RoutineCredentialKind = strawberry.field(resolver=_routine_kind, description="Whose it is.")
    username: str | None = strawberry.field(description="The reader's name; null when there is none.")
    reason: str | None = strawberry.field(
        resolver=_routine_reason, description="Why the administrator's serves; null when it doesn't."
    )


def _url(root: strawberry.Parent[IntegrationRecord], info: Info) -> URL | None:
    return URL(root.url) if info.context.scope.administers(root.workspace_id) else None


def _username(root: strawberry.Parent[IntegrationRecord], info: Info) -> str | None:
    return root.username if info.context.scope.administers(root.workspace_id) else None


def _token_realm(root: strawberry.Parent[IntegrationRecord], info: Info) -> URL | None:
    if root.token_realm is None or not info.context.scope.administers(root.workspace_id):
        return None
    return URL(root.token_realm)


def _synchronized_at(root: strawberry.Parent[IntegrationRecord]) -> datetime | None:
    return root.looked_at


def _labels(record: IntegrationRecord, health: PresentHealthRecord) -> list[IntegrationLabel]:
    labels = [IntegrationLabel[record.origin.value]]
    if health.status is not Status.UNKNOWN:
        labels.append(IntegrationLabel[health.status.value])
    if health.is_read_only:
        labels.append(IntegrationLabel.READ_ONLY)
    if record.stale_since is not None:
        labels.append(IntegrationLabel.STALE)
    return labels


def _stale(root: strawberry.Parent[IntegrationRecord], info: Info) -> Staleness | None:
    if root.stale_since is None or root.stale_reason is None:
        return None
    # How many spaces there are is not for everybody.
    told = root.stale_message if info.context.scope.administers(root.workspace_id) else None
    return Staleness(since=root.stale_since, reason=root.stale_reason, message=told or DOUBTED)


def _tls(root: strawberry.Parent[IntegrationRecord], info: Info) -> TlsSettings | None:
    if not info.context.scope.administers(root.workspace_id):
        return None
    return TlsSettings(ca_certificate_pem=root.ca_certificate_pem, is_verification_skipped=root.is_verification_skipped)


def _version(_: IntegrationRecord, health: PresentHealthRecord) -> str | None:
    return health.version


def _spaces(
    context: RequestContext,
    first: First = None,
    after: After = None,
    filter: Annotated[  # noqa: A002 (the surface's word)
        SpaceFilter | None, strawberry.argument(description="Which spaces.")
    ] = None,
    order_by: Annotated[
        SpaceOrder | None, strawberry.argument(description="In which order; by name where it is left out.")
    ] = None,
) -> ListRequest:
    return ListRequest(space_conditions(filter, context.scope.sight), page_request(first, after, space_order(order_by)))


@strawberry.type(description="A registry that the platform knows.")
class Integration(RecordBacked, Node):
    """An integration."""

    record = IntegrationRecord

    name: str = strawberry.field(description="What people call it; unique in its scope, whatever its case.")
    description: str | None = strawberry.field(description="What it is for.")
    kind: RegistryKind = strawberry.field(description="What software it is.")
    origin: IntegrationOrigin = strawberry.field(description="How it came to be integrated.")
    scope: Workspace | None = loaded(
        WorkspaceByIdLoader,
        key="workspace_id",
        description="The workspace that brought it, for whose namespaces alone it counts; null for the platform's.",
    )
    url: URL | None = strawberry.field(
        resolver=_url,
        description="How this server reaches it. Administrators see it.",
    )
    image_host: str = strawberry.field(
        description="What stands before the first slash of its images' names: host[:port]."
    )
    image_host_aliases: list[str] = loaded(
        ImageHostAliasesByIntegrationIdLoader,
        key="id",
        description="Further hosts under which its images are pulled.",
    )
    labels: list[IntegrationLabel] = loaded(
        HealthByIntegrationIdLoader,
        key="id",
        required="integration",
        made_by=_labels,
        description="What a tile shows of it.",
    )
    health: Health = loaded(
        HealthByIntegrationIdLoader,
        key="id",
        required="integration",
        description="Whether it can be used now, and if not, why.",
    )
    version: str | None = loaded(
        HealthByIntegrationIdLoader,
        key="id",
        required="integration",
        made_by=_version,
        description="Its version, where it tells.",
    )
    username: str | None = strawberry.field(
        resolver=_username,
        description="With which user this server signs in there. Administrators see it.",
    )
    token_realm: URL | None = strawberry.field(
        resolver=_token_realm,
        description="The token server on another host that may see the credential. Administrators see it.",
    )
    routine_credential: RoutineCredential | None = loaded(
        RoutineCredentialByIntegrationIdLoader,
        key="id",
        description="With what routine reads are made, where there is a choice. Administrators see it.",
    )
    stale: Staleness | None = strawberry.field(
        resolver=_stale, description="Why its list of spaces is doubted; null when it is not."
    )
    tls: TlsSettings | None = strawberry.field(
        resolver=_tls, description="Whom this server trusts there. Administrators see it."
    )
    space_count: int = loaded(SpaceCountByIntegrationIdLoader, key="id", description="How many spaces it holds.")
    bound_workspace_count: int = loaded(
        BoundWorkspaceCountByIntegrationIdLoader,
        key="id",
        description="To how many workspaces its spaces are given, of those that you may see.",
    )
    spaces: Connection[Space] = nested_list(
        _spaces, SpacePageLoader, SpaceTotalLoader, description="The spaces that it holds."
    )
    usage: Usage | None = loaded(
        UsageByIntegrationIdLoader,
        key="id",
        description="What it holds in all, as last measured; null until it was. Administrators see it. "
        "What it stores is less than what its spaces do together, which may have blobs in common.",
    )
    usage_history: list[UsagePoint] | None = usage_history(
        HistoryOfIntegrationLoader,
        description="What it held, oldest first: a point for each step in which that changed. Administrators see it.",
    )
    hook: HookSetup | None = loaded(
        HookByIntegrationIdLoader,
        key="id",
        description="How it tells of its changes at once; null for kinds that send no notifications."
        " Administrators see it.",
    )
    synchronized_at: datetime | None = strawberry.field(
        resolver=_synchronized_at,
        description="When its spaces were last looked at.",
    )
    created_at: datetime = strawberry.field(description="When it was integrated.")
    updated_at: datetime = strawberry.field(
        description="When it was last changed by somebody. Give it as `expectedUpdatedAt` to change it safely."
    )


@strawberry.input(description="Which integrations.")
class IntegrationFilter:
    """What integrations must meet."""

    text: str | None = strawberry.field(default=None, description="Part of the name, whatever its case.")
    kinds: list[RegistryKind] | None = strawberry.field(default=None, description="Of one of these kinds.")
    origins: list[IntegrationOrigin] | None = strawberry.field(default=None, description="Of one of these origins.")
    health_statuses: list[HealthStatus] | None = strawberry.field(
        default=None, description="With one of these healths."
    )
    workspace_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="Brought by one of these workspaces."
    )
    is_platform: bool | None = strawberry.field(
        default=None, description="true: the platform's alone; false: those that workspaces brought."
    )


class IntegrationOrderField(Enum):
    """What they can be sorted by."""

    NAME = "NAME"
    CREATED_AT = "CREATED_AT"


describe(
    IntegrationOrderField,
    "What integrations can be sorted by.",
    {"NAME": "Their name.", "CREATED_AT": "When they were integrated."},
)


@strawberry.input(description="In which order.")
class IntegrationOrder:
    """An order of integrations."""

    field: IntegrationOrderField = strawberry.field(description="Sorted by this.")
    direction: OrderDirection = strawberry.field(default=OrderDirection.ASC, description="From this end.")


def integration_conditions(given: IntegrationFilter | None, sight: Sight) -> IntegrationConditions:
    """Return the conditions that a filter stands for, of what may be seen."""
    if given is None:
        return IntegrationConditions(sight=sight)
    return IntegrationConditions(
        text=checked_text(given.text),
        kinds=None if given.kinds is None else tuple(given.kinds),
        origins=None if given.origins is None else tuple(given.origins),
        health_statuses=None if given.health_statuses is None else tuple(given.health_statuses),
        workspace_ids=keys_or_nothing(given.workspace_ids, "Workspace"),
        is_platform=given.is_platform,
        sight=sight,
    )


def integration_order(given: IntegrationOrder | None) -> Order:
    """Return the order that is asked for, by name where none is."""
    if given is None:
        return BY_NAME
    return directed(
        {IntegrationOrderField.NAME: BY_NAME, IntegrationOrderField.CREATED_AT: BY_CREATION}[given.field],
        given.direction,
    )
