"""The overview: how much there is of everything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import strawberry

from models.queries.overview import BindingCounts, IntegrationCounts, SpaceCounts, StorageSums
from resolvers.context import Info
from resolvers.loaders import IntegrationByIdLoader
from resolvers.loading import loaded
from resolvers.overview_loader import OverviewLoader, OverviewPart
from resolvers.public_errors import bad_input
from schema.enums import HealthStatus, RegistryKind
from schema.integration import Integration
from schema.node import MOST_ITEMS
from schema.scalars import ByteSize, Count

MOST_INTEGRATIONS = 100


@dataclass(frozen=True, slots=True)
class OverviewRoot:
    """What stands behind the overview: nothing but by which keys its parts are loaded."""

    integrations: OverviewPart = OverviewPart.INTEGRATIONS
    spaces: OverviewPart = OverviewPart.SPACES
    storage: OverviewPart = OverviewPart.STORAGE
    workspaces: OverviewPart = OverviewPart.WORKSPACES
    bindings: OverviewPart = OverviewPart.BINDINGS


@strawberry.type(description="How many integrations have a health.")
class HealthCount:
    """A number for a health."""

    status: HealthStatus = strawberry.field(description="This health.")
    count: Count = strawberry.field(description="So many have it.")


@strawberry.type(description="How many integrations are of a kind.")
class KindCount:
    """A number for a kind."""

    kind: RegistryKind = strawberry.field(description="This kind.")
    count: Count = strawberry.field(description="So many are of it.")


@strawberry.type(description="How much an integration stores.")
class IntegrationStorage:
    """An integration and its bytes."""

    integration_id: strawberry.Private[int]
    integration: Integration = loaded(
        IntegrationByIdLoader, key="integration_id", required="integration", description="This integration."
    )
    storage_bytes: ByteSize = strawberry.field(description="So much, as last measured.")


def _by_health(_: OverviewRoot, counts: IntegrationCounts) -> list[HealthCount]:
    found: Counter[HealthStatus] = Counter()
    for (_kind, status), count in counts.by_kind_and_health.items():
        found[status] += count
    return [HealthCount(status=status, count=Count(found[status])) for status in HealthStatus]


def _by_kind(_: OverviewRoot, counts: IntegrationCounts) -> list[KindCount]:
    found: Counter[RegistryKind] = Counter()
    for (kind, _status), count in counts.by_kind_and_health.items():
        found[kind] += count
    return [KindCount(kind=kind, count=Count(found[kind])) for kind in RegistryKind]


def _integration_count(_: OverviewRoot, counts: IntegrationCounts) -> int:
    return sum(counts.by_kind_and_health.values())


def _private_spaces(_: OverviewRoot, counts: SpaceCounts) -> int:
    return counts.all - counts.public


def _storage_bytes(_: OverviewRoot, sums: StorageSums) -> int:
    return sum(sums.bytes_by_integration_id.values())


def _spaces(name: str) -> Callable[[OverviewRoot, SpaceCounts], int]:
    return lambda _, counts: int(getattr(counts, name))


def _bindings(name: str) -> Callable[[OverviewRoot, BindingCounts], int]:
    return lambda _, counts: int(getattr(counts, name))


async def _by_integration(
    info: Info,
    first: Annotated[int, strawberry.argument(description="How many: 10 by default, 100 at most.")] = 10,
) -> list[IntegrationStorage]:
    if not 1 <= first <= MOST_INTEGRATIONS:
        raise bad_input(f"first must be between 1 and {MOST_INTEGRATIONS}; it is {first}.")
    parts = await info.context.loader(OverviewLoader).load_keys([OverviewPart.STORAGE])
    sums: StorageSums = parts[OverviewPart.STORAGE]
    largest = list(sums.bytes_by_integration_id.items())[:first]
    return [IntegrationStorage(integration_id=id_, storage_bytes=ByteSize(size)) for id_, size in largest]


def _part(part: str, description: str, made_by: Callable[[Any, Any], Any] | None = None) -> Any:
    return loaded(OverviewLoader, key=part, description=description, made_by=made_by)


@strawberry.type(description="How much there is of everything, as far as you may see.")
class Overview:
    """The overview."""

    integration_count: Count = _part("integrations", "How many integrations there are.", _integration_count)
    integrations_by_health: list[HealthCount] = _part(
        "integrations", "How many have each health, those that none has included.", _by_health
    )
    integrations_by_kind: list[KindCount] = _part(
        "integrations", "How many are of each kind, those that none is of included.", _by_kind
    )
    space_count: Count = _part("spaces", "How many spaces stand at registries, or are expected there.", _spaces("all"))
    public_space_count: Count = _part("spaces", "Those that every namespace may pull from.", _spaces("public"))
    private_space_count: Count = _part("spaces", "Those that only bound workspaces may pull from.", _private_spaces)
    unbound_private_space_count: Count = _part(
        "spaces", "Private ones that are given to no workspace.", _spaces("unbound_private")
    )
    storage_bytes: ByteSize = _part(
        "storage",
        "How much is stored, as last measured: to platform administrators by the registries in all, to others by the "
        "spaces that they may see, which may have blobs in common. What was never measured is left out.",
        _storage_bytes,
    )
    storage_bytes_by_integration: list[IntegrationStorage] = strawberry.field(
        resolver=_by_integration,
        description="The same by integration, those that store the most first.",
        metadata={MOST_ITEMS: MOST_INTEGRATIONS},
    )
    workspace_count: Count = _part("workspaces", "How many workspaces there are.")
    binding_count: Count = _part("bindings", "How many bindings stand.", _bindings("standing"))
    failed_enforcement_count: Count = _part(
        "bindings", "How many bindings could not be made true at their registry.", _bindings("failed")
    )
    pending_revocation_count: Count = _part(
        "bindings", "How many were taken away, and are not yet confirmed to be.", _bindings("revoking")
    )
    measured_at: datetime | None = _part(
        "storage", "When the oldest figure in `storageBytes` was measured.", lambda _, sums: sums.measured_at
    )
