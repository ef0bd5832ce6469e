"""Health, as clients see it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import strawberry

from models.enums import HealthReason as Reason
from models.records import HealthCheckRecord, HealthRecord
from resolvers.context import Info
from resolvers.loaders import ChecksOfIntegration, HealthCheckLoader, IntegrationByIdLoader
from resolvers.permission import Access
from resolvers.public_errors import bad_input
from schema.enums import HealthReason, HealthStatus
from schema.node import backed

MOST_CHECKS = 100


def _registry_message(root: strawberry.Parent[HealthRecord | HealthCheckRecord], info: Info) -> str | None:
    return root.registry_message if info.context.scope.is_platform_admin else None


REASONS = {
    Reason.NAME_NOT_RESOLVED: "Its host's name can't be resolved.",
    Reason.CONNECTION_REFUSED: "It refuses connections.",
    Reason.CONNECTION_FAILED: "Connections to it fail.",
    Reason.TIMED_OUT: "It doesn't answer in time.",
    Reason.TLS_NOT_TRUSTED: "Its certificate is not trusted.",
    Reason.CERTIFICATE_EXPIRED: "Its certificate has expired.",
    Reason.UNAUTHORIZED: "It doesn't accept this server's credential.",
    Reason.NOT_AN_ADMINISTRATOR: "This server's credential is not an administrator's there.",
    Reason.OTHER_KIND: "It is a registry of another kind.",
    Reason.COMPONENT_UNHEALTHY: "A part of it doesn't work.",
    Reason.STORAGE_UNREADABLE: "It can't read what it stores.",
    Reason.READ_ONLY: "It takes no changes at present.",
    Reason.UNEXPECTED_ANSWER: "It doesn't answer as a registry does.",
    Reason.ADDRESS_REFUSED: "Its address may not be used.",
    Reason.NOT_CHECKED_YET: "It has not been checked yet.",
}
"""What those are told who don't administer a registry: the whole message names its address, and parts of it."""


def _message(root: strawberry.Parent[HealthRecord | HealthCheckRecord], info: Info) -> Any:
    # At once, for those who ask most: a coroutine for each of many registries costs more than all the rest.
    if root.message is None or info.context.scope.is_platform_admin:
        return root.message
    return _message_to(root, info)


async def _message_to(root: HealthRecord | HealthCheckRecord, info: Info) -> str | None:
    if await _administers(info, root.integration_id):
        return root.message
    return None if root.reason is None else REASONS[root.reason]


async def _administers(info: Info, integration_id: int) -> bool:
    scope = info.context.scope
    if scope.is_platform_admin:
        return True
    if not Access.WORKSPACE_ADMINISTRATORS.is_granted_to(scope):
        return False
    integration = await info.context.loader(IntegrationByIdLoader).load(integration_id)
    return integration is not None and scope.administers(integration.workspace_id)


async def _components(root: strawberry.Parent[HealthRecord], info: Info) -> list[HealthComponent] | None:
    if root.components is None or not await _administers(info, root.integration_id):
        return None
    return [
        HealthComponent(
            name=component["name"], is_healthy=component["is_healthy"], registry_message=component["message"]
        )
        for component in root.components
    ]


def _component_message(root: strawberry.Parent[HealthComponent], info: Info) -> str | None:
    return root.registry_message if info.context.scope.is_platform_admin else None


async def _checks(
    root: strawberry.Parent[HealthRecord],
    info: Info,
    last: Annotated[int, strawberry.argument(description="How many: 10 by default, 100 at most.")] = 10,
) -> list[HealthCheck]:
    if not 1 <= last <= MOST_CHECKS:
        raise bad_input(f"last must be between 1 and {MOST_CHECKS}; it is {last}.")
    key = ChecksOfIntegration(root.integration_id, last)
    return [backed(HealthCheck, check) for check in await info.context.loader(HealthCheckLoader).load(key)]


@strawberry.type(description="A part of a registry, by the registry's own account.")
class HealthComponent:
    """One component."""

    name: str = strawberry.field(description="What the registry calls it.")
    is_healthy: bool = strawberry.field(description="Whether the registry says that it is well.")
    registry_message: strawberry.Private[str | None]
    message: str | None = strawberry.field(
        resolver=_component_message, description="What the registry says of it. Platform administrators see it."
    )


@strawberry.type(description="One check of a registry.")
class HealthCheck:
    """One probe."""

    checked_at: datetime = strawberry.field(description="When.")
    is_good: bool = strawberry.field(description="Whether the registry could be used then.")
    reason: HealthReason | None = strawberry.field(description="Why not; null for a good check.")
    message: str | None = strawberry.field(resolver=_message, description="Why not, in a sentence.")
    registry_message: str | None = strawberry.field(
        resolver=_registry_message, description="The registry's own words. Platform administrators see them."
    )
    latency_milliseconds: float | None = strawberry.field(description="How long it took, in milliseconds.")


@strawberry.type(description="Whether a registry can be used, and if not, why.")
class Health:
    """How an integration is."""

    status: HealthStatus = strawberry.field(description="Whether it can be used now.")
    reason: HealthReason | None = strawberry.field(description="Why not; null when healthy.")
    message: str | None = strawberry.field(
        resolver=_message,
        description="Why not, in a sentence; to administrators with what it was about, and what to do.",
    )
    registry_message: str | None = strawberry.field(
        resolver=_registry_message, description="The registry's own words. Platform administrators see them."
    )
    since: datetime | None = strawberry.field(description="Since when it has this status.")
    checked_at: datetime | None = strawberry.field(description="When it was last checked.")
    latency_milliseconds: float | None = strawberry.field(description="How long the last check took, in milliseconds.")
    components: list[HealthComponent] | None = strawberry.field(
        resolver=_components,
        description="The registry's parts, where it tells of them. Administrators see them.",
    )
    checks: list[HealthCheck] = strawberry.field(
        resolver=_checks, description="The single checks of the last day, newest first."
    )
