"""Having artifacts, tags and repositories deleted at their registry, so that afterwards it is known what is true."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol, runtime_checkable

from registry_clients.errors import RegistryError, TimedOut
from registry_clients.protocol import DeletesArtifacts, DeletesRepositories, DeletesTags, ListsArtifacts
from registry_clients.refusals import DeletionRefused, NoDeletion
from services.lost_answers import OutcomeUnknown, is_done

LATER_PAUSES_SECONDS = (2.0, 4.0, 8.0)
"""Before each further look at what became of a deletion that took too long: a repository goes artifact by artifact."""


@runtime_checkable
class ContentClient(ListsArtifacts, DeletesArtifacts, Protocol):
    """What a client must be able to do."""


async def delete_artifact(client: ContentClient, repository_name: str, digest: str) -> None:
    """Delete an artifact with its tags; one that is gone is fine.

    Raises DeletionRefused and RegistryError, after which nothing is done, and OutcomeUnknown.
    """

    async def is_gone() -> bool:
        return await client.look_at_artifact(repository_name, digest) is None

    await _delete(client.delete_artifact(repository_name, digest), is_gone)


async def delete_tag(client: ContentClient, repository_name: str, name: str) -> None:
    """Delete a tag alone; one that is gone is fine. Raises as `delete_artifact` does."""
    if not isinstance(client, DeletesTags):
        raise DeletionRefused(
            NoDeletion.NOT_OFFERED, "This registry deletes whole artifacts only, with all their tags."
        )

    async def is_gone() -> bool:
        return await client.look_at_artifact(repository_name, name) is None

    await _delete(client.delete_tag(repository_name, name), is_gone)


async def delete_repository(client: ContentClient, repository_name: str) -> None:
    """Delete a repository with all that it holds; one that is gone is fine. Raises as `delete_artifact` does."""
    if not isinstance(client, DeletesRepositories):
        raise DeletionRefused(NoDeletion.NOT_OFFERED, "This registry deletes no repositories.")

    async def is_gone() -> bool:
        return await client.list_artifacts(repository_name, page_size=1) is None

    await _delete(client.delete_repository(repository_name), is_gone)


async def _delete(deletion: Awaitable[None], is_gone: Callable[[], Awaitable[bool]]) -> None:
    try:
        await deletion
    except RegistryError as error:
        if await is_done(is_gone, error):
            return
        if not isinstance(error, TimedOut):
            raise
        # It may well be at it still.
        for seconds in LATER_PAUSES_SECONDS:
            await asyncio.sleep(seconds)
            try:
                if await is_gone():
                    return
            except RegistryError:
                continue
        raise OutcomeUnknown(error) from error
