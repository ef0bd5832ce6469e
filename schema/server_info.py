"""What the server says of itself, and of the kinds of registries it knows."""

from __future__ import annotations

import strawberry

from registry_clients.kind import KindDescription
from schema.enums import RegistryAbility, RegistryKind


def _kind(root: strawberry.Parent[KindDescription]) -> RegistryKind:
    return RegistryKind(root.kind.value)


def _abilities(root: strawberry.Parent[KindDescription]) -> list[RegistryAbility]:
    return sorted(root.abilities)


@strawberry.type(description="A kind of registry and what it can do, so that a frontend hides what can't be done.")
class RegistryKindInfo:
    """One kind."""

    kind: RegistryKind = strawberry.field(resolver=_kind, description="Which.")
    title: str = strawberry.field(description="Its name for people.")
    description: str = strawberry.field(description="What it is, in a sentence or two.")
    abilities: list[RegistryAbility] = strawberry.field(resolver=_abilities, description="What it can do.")
    requires_credential: bool = strawberry.field(description="Whether it needs a username and a password.")
    is_supported: bool = strawberry.field(description="Whether it can be integrated by now.")


@strawberry.type(description="What the server says of itself.")
class ServerInfo:
    """The server."""

    version: str = strawberry.field(description="Its release.")
    probe_interval_seconds: float = strawberry.field(description="How often each registry is checked.")
    synchronization_interval_seconds: float = strawberry.field(
        description="How often each registry's spaces are looked at."
    )
