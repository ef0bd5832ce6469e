"""What every registry client does, and what some do.

Abilities beyond the basic three calls are protocols of their own: ask `isinstance(client, ListsSpaces)`.
All calls raise `registry_clients.errors.RegistryError` and nothing else, CancelledError apart.
"""

from typing import Protocol, runtime_checkable

from registry_clients.kind import RegistryKind
from registry_clients.records import FoundSpace, ProbeAnswer, Verification


class RegistryClient(Protocol):
    """One registry, with one credential. May be used by many tasks at once."""

    @property
    def kind(self) -> RegistryKind:
        """What kind of registry this client speaks to."""
        ...

    async def verify(self) -> Verification:
        """Find out whether this is such a registry, and whether the credential is enough for what we do.

        Asks afresh, whatever was learned before. Raises OtherKind, CredentialRejected, NotAnAdministrator or
        what else keeps the registry from being used.
        """
        ...

    async def probe(self) -> ProbeAnswer:
        """Find out whether the registry works now; never retries. Raises the reason when it doesn't."""
        ...

    async def aclose(self) -> None:
        """Close the connections; calls under way fail. May be called twice."""
        ...


@runtime_checkable
class ListsSpaces(Protocol):
    """A client that can tell which spaces there are."""

    async def list_spaces(self) -> tuple[FoundSpace, ...]:
        """Return every space, sorted by name: all of them, or an error, never a part."""
        ...
