"""Writing into the mirror what people deleted in repositories, within a transaction, with its events."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from models.database import NewEvent, Transaction
from models.enums import EventType
from models.integration import Integration
from models.queries.spaces import spaces_by_id
from models.records import RepositoryRecord, SpaceRecord
from services.event_making import space_event
from services.feed_claims import follow_closely, look_at_everything_soon
from services.integration_locks import locked_integration
from services.measured_content import forget_tags
from services.space_writing import Doing, write_looked_at
from services.told_deletions import is_told_since
from services.usage_hints import note_hints


@dataclass(frozen=True, slots=True)
class Begun:
    """When a deletion began, and how far the log of events was by then."""

    at: datetime
    position: int


async def write_artifact_deleted(
    transaction: Transaction, repository: RepositoryRecord, digest: str, begun: Begun, doing: Doing
) -> bool:
    """Write that an artifact was deleted; False when its space, or the integration, was taken away meanwhile."""
    return await _write(transaction, repository, EventType.IMAGE_DELETED, digest, begun, doing)


async def write_tag_deleted(
    transaction: Transaction, repository: RepositoryRecord, name: str, begun: Begun, doing: Doing
) -> bool:
    """Write that a tag was deleted; False when its space, or the integration, was taken away meanwhile."""
    return await _write(transaction, repository, EventType.TAG_CHANGED, name, begun, doing)


async def write_repository_deleted(
    transaction: Transaction, repository: RepositoryRecord, begun: Begun, doing: Doing
) -> bool:
    """Write that a repository was deleted, which one event tells for all that it held.

    False when its space, or the integration, was taken away meanwhile.
    """
    if not await _write(transaction, repository, EventType.IMAGE_DELETED, None, begun, doing):
        return False
    place = transaction.dialect.placeholder
    # By its name: a look may have found it again meanwhile.
    await transaction.execute(
        f'DELETE FROM "repository" WHERE "space_id" = {place(1)} AND "name" = {place(2)}',
        repository.space_id,
        repository.name,
    )
    # Looks that began while it was still there don't bring it back. Not those that began later: these know better.
    await write_looked_at(transaction, {repository.space_id: begun.at})
    return True


async def write_doubted(
    transaction: Transaction, repository: RepositoryRecord, now: datetime, *, is_mirrored: bool
) -> None:
    """Have a repository looked at and measured soon, of which it isn't known what was deleted.

    ``is_mirrored`` says that what was to be deleted is in the mirror.
    """
    held = await _held(transaction, repository)
    if held is not None:
        await _look_soon(transaction, repository, now)
        if is_mirrored:
            await look_at_everything_soon(transaction, repository.integration_id, now)


async def _write(
    transaction: Transaction,
    repository: RepositoryRecord,
    type_: EventType,
    reference: str | None,
    begun: Begun,
    doing: Doing,
) -> bool:
    held = await _held(transaction, repository)
    if held is None:
        return False
    # First: until the end nobody tells of what a measurement finds.
    await _look_soon(transaction, repository, doing.at)
    if reference is not None:
        await forget_tags(transaction, repository.id, reference)
    event = _event(type_, *held, repository, reference, doing)
    if not await is_told_since(transaction, event, begun.position):
        transaction.events.append(event)
    return True


async def _held(transaction: Transaction, repository: RepositoryRecord) -> tuple[Integration, SpaceRecord] | None:
    """Return the integration, which nobody else changes until the end, and the space; None when one is gone."""
    integration = await locked_integration(transaction, repository.integration_id)
    space = (await spaces_by_id(transaction, [repository.space_id])).get(repository.space_id)
    return None if integration is None or space is None else (integration, space)


async def _look_soon(transaction: Transaction, repository: RepositoryRecord, now: datetime) -> None:
    # A registry's log tells how many artifacts are left.
    await follow_closely(transaction, repository.integration_id, now)
    await note_hints(transaction, repository.integration_id, {(repository.space_id, repository.name)}, now)


def _event(
    type_: EventType,
    integration: Integration,
    space: SpaceRecord,
    repository: RepositoryRecord,
    reference: str | None,
    doing: Doing,
) -> NewEvent:
    return space_event(
        type_,
        doing.at,
        integration,
        space.id,
        space_name=space.name,
        repository_name=repository.name,
        reference=reference,
        by=doing.by,
    )
