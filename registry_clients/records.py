"""What registries tell us, as frozen records."""

from dataclasses import dataclass

from registry_clients.kind import RegistryKind


@dataclass(frozen=True, slots=True)
class Verification:
    """A registry is what it was said to be, and what we have is enough to use it.

    ``version`` is None where the registry doesn't tell. ``is_credential_verified`` is False when there is no
    credential, or when the registry let us in without asking for it: then nobody knows whether it is good.
    """

    kind: RegistryKind
    version: str | None
    is_credential_verified: bool


@dataclass(frozen=True, slots=True)
class ComponentHealth:
    """One part of a registry, by its own account. ``message`` is its words, for administrators."""

    name: str
    is_healthy: bool
    message: str | None = None


@dataclass(frozen=True, slots=True)
class ProbeAnswer:
    """A registry works. ``latency_milliseconds`` is the time of its lightest call, connecting included."""

    latency_milliseconds: float
    version: str | None
    is_read_only: bool
    components: tuple[ComponentHealth, ...] = ()


@dataclass(frozen=True, slots=True)
class FoundSpace:
    """A space as it stands at the registry.

    ``external_id`` is what it is known by there, for good: a name reused is another space where the registry
    has ids of its own. ``is_public`` is None where the registry has no such notion. ``repository_names`` are
    whole names as they are pulled, sorted, where the list comes with the spaces, else empty.
    """

    external_id: str
    name: str
    is_public: bool | None
    repository_names: tuple[str, ...] = ()
