"""Having spaces made, opened, closed and deleted at their registry, so that afterwards it is known what is true."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from registry_clients import refusals
from registry_clients.errors import RegistryError
from registry_clients.protocol import ChangesSpaces, LooksAtSpaces
from registry_clients.records import FoundSpace
from services.lost_answers import is_done


@runtime_checkable
class SpaceClient(ChangesSpaces, LooksAtSpaces, Protocol):
    """What a client must be able to do."""


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

        if await is_done(is_made, error):
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
        if not await is_done(is_so, error):
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
        if not await is_done(is_gone, error):
            raise
