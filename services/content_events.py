"""What happened in repositories whose registry keeps no log of it: told by what tags named before, and name now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from models.database import Transaction
from models.enums import EventType
from models.integration import Integration
from models.reading import Statement
from services.event_making import space_event
from services.told_deletions import told_from_here


@dataclass(frozen=True, slots=True)
class RepositoryReading:
    """What was read of a repository: the digests that its tags name, and those that they named when last read."""

    repository_id: int
    repository_name: str
    space_id: int
    known_tags: Mapping[str, str]
    tags: Mapping[str, str]
    blobs: Mapping[str, Mapping[str, int]]
    """The bytes of what was read for the first time, by artifact."""

    deleted: frozenset[str]
    """Artifacts that are no longer there."""


async def tell_of_changes(
    transaction: Transaction, integration_id: int, readings: Sequence[RepositoryReading], occurred_at: datetime
) -> None:
    """Write an event for each change, in the transaction that writes what was read.

    They are those that a registry with a log tells of: an image that is new in its repository is pushed, one that is
    there under another name already has a tag set; one that is gone is deleted, and of one that is still there only
    a tag was taken away. What was deleted from here has been told of.
    """
    told = [(reading, list(_changes(reading))) for reading in readings]
    told = [(reading, changes) for reading, changes in told if changes]
    integration = await Integration.get_or_none(id=integration_id) if told else None
    if integration is None:
        return
    names = await _space_names(transaction, {reading.space_id for reading, _ in told})
    happened = [
        (
            is_deletion,
            space_event(
                type_,
                occurred_at,
                integration,
                reading.space_id,
                space_name=names[reading.space_id],
                repository_name=reading.repository_name,
                reference=reference,
            ),
        )
        for reading, changes in told
        for type_, reference, is_deletion in changes
    ]
    deletions = [event for is_deletion, event in happened if is_deletion]
    known = {id(deletions[place]) for place in await told_from_here(transaction, integration_id, deletions)}
    transaction.events += [event for _, event in happened if id(event) not in known]


def _changes(reading: RepositoryReading) -> Iterator[tuple[EventType, str, bool]]:
    """Return what has happened, to which tag or digest, and whether that is gone."""
    known = set(reading.known_tags.values())
    for tag, digest in sorted(reading.tags.items()):
        if reading.known_tags.get(tag) != digest:
            yield (EventType.TAG_CHANGED if digest in known else EventType.IMAGE_PUSHED), tag, False
            known.add(digest)
    for digest in sorted(reading.deleted):
        yield EventType.IMAGE_DELETED, digest, True
    for tag in sorted(reading.known_tags.keys() - reading.tags.keys()):
        if reading.known_tags[tag] not in reading.deleted:
            yield EventType.TAG_CHANGED, tag, True


async def _space_names(transaction: Transaction, space_ids: set[int]) -> Mapping[int, str]:
    statement = Statement(transaction.dialect)
    condition = statement.is_one_of('"id"', sorted(space_ids))
    rows = await transaction.fetch(f'SELECT "id", "name" FROM "space" WHERE {condition}', *statement.values)
    return {row["id"]: row["name"] for row in rows}
