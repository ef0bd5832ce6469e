"""Having spaces made, opened, closed and deleted at their registry, so that afterwards it is known what is true.

An answer can get lost after the registry has done what was asked. Then it is asked again how things stand; what
can't be found out is said to be unknown, never guessed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol, runtime_checkable

from registry_clients import refusals
from registry_clients.errors import (
    AddressRefused,
    CertificateExpired,
    ConnectionRefused,
    CredentialRejected,
    NameNotResolved,
    ReadOnly,
    RegistryError,
    TlsNotTrusted,
)
from registry_clients.protocol import ChangesSpaces, LooksAtSpaces
from registry_clients.records import FoundSpace

LOOK_PAUSES_SECONDS = (0.0, 0.3, 0.7, 1.5)
"""Before each look at what became of a change: one that is slow may still be under way."""

NOTHING_DONE = (
    NameNotResolved,
    ConnectionRefused,
    TlsNotTrusted,
    CertificateExpired,
    AddressRefused,
    ReadOnly,
)
"""After these the registry has done nothing: it was not reached, or it said so."""


@runtime_checkable
class SpaceClient(ChangesSpaces, LooksAtSpaces, Protocol):
    """What a client must be able to do."""


class OutcomeUnknown(Exception):
    """Something was asked, the answer was lost, and nobody could say afterwards whether it was done.

    ``error`` is that which was met, and says so.
    """

    def __init__(self, error: RegistryError) -> None:
        message = (
            f"{error.message} Whether it was done is not known. What is shown here follows as soon as the registry"
            " answers."
        )
        super().__init__(message)
        self.error = type(error)(message, registry_message=error.registry_message, http_status=error.http_status)


async def require_absent(client: SpaceClient, name: str) -> None:
    """Raise refusals.SpaceNameHeld when the registry has a space of that name; RegistryError when it doesn't tell."""
    if await client.look_at_space(name) is not None:
        raise refusals.SpaceNameHeld(name, "There is a space of that name.")


async def create_space(client: SpaceClient, name: str, *, is_public: bool, quota_limit_bytes: int | None) -> FoundSpace:
    """Make a space, of a name that was just seen to be absent, and return it.

    Raises refusals.SpaceRefused and RegistryError, after which nothing is done, and OutcomeUnknown.
    """
    try:
        return await client.create_space(name, is_public=is_public, quota_limit_bytes=quota_limit_bytes)
    except RegistryError as error:
        made: list[FoundSpace] = []

        async def is_made() -> bool:
            # It wasn't there a moment ago, and is just as it was asked for.
            found = await client.look_at_space(name)
            made[:] = [found] if found is not None and found.is_public == is_public else []
            return bool(made)

        if await _is_done(is_made, error):
            return made[0]
        raise


async def set_visibility(client: SpaceClient, space: FoundSpace, *, is_public: bool) -> bool:
    """Open or close a space, unless it is already as wanted; return whether the registry changed it.

    Raises refusals.SpaceGone and RegistryError as `create_space` does.
    """

    async def is_so() -> bool:
        found = await client.look_at_space(space.name)
        if found is None or found.external_id != space.external_id:
            raise refusals.SpaceGone(space.name, "There is no such space any more.")
        return found.is_public == is_public

    # What we know may be old: how it is, and that it is this one, is the registry's to say.
    if await is_so():
        return False
    try:
        await client.set_visibility(space, is_public=is_public)
    except RegistryError as error:
        if not await _is_done(is_so, error):
            raise
    return True


async def delete_space(client: SpaceClient, space: FoundSpace) -> None:
    """Delete an empty space; one that is gone already is fine.

    Raises refusals.SpaceNotEmpty and RegistryError as `create_space` does.
    """

    async def is_gone() -> bool:
        found = await client.look_at_space(space.name)
        return found is None or found.external_id != space.external_id

    # What we know may be old: another may have its id by now, at a registry that was set up anew.
    if await is_gone():
        return
    try:
        await client.delete_space(space)
    except refusals.SpaceGone:
        return
    except RegistryError as error:
        if not await _is_done(is_gone, error):
            raise


async def _is_done(look: Callable[[], Awaitable[bool]], error: RegistryError) -> bool:
    """Return whether a change was made although its answer was an error. Raises OutcomeUnknown."""
    if isinstance(error, NOTHING_DONE):
        return False
    is_refused = isinstance(error, CredentialRejected)
    is_known = False
    # Who refuses a credential has done nothing after its answer: one look is enough.
    for seconds in LOOK_PAUSES_SECONDS[:1] if is_refused else LOOK_PAUSES_SECONDS:
        await asyncio.sleep(seconds)
        try:
            if await look():
                return True
            is_known = True
        except RegistryError:
            is_known = False
    if is_known or is_refused:
        return False
    raise OutcomeUnknown(error) from error
