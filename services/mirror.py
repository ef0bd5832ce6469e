"""Writing what was seen at a registry into the mirror: spaces and repositories, with the events of each change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from models.database import Transaction
from models.enums import EventType, SpaceState, Visibility
from models.integration import Integration
from models.reading import Statement
from registry_clients.records import FoundRepository, FoundSpace, RegistryContents
from services.access_writing import lock_access, tell_of_spaces
from services.event_making import integration_event, space_event
from services.mirror_doubts import doubt, is_doubtful
from services.usage_hints import Hint, note_hints
from services.user_errors import MirrorDoubted


@dataclass(frozen=True, slots=True)
class SynchronizationResult:
    """What a look changed in the mirror."""

    added_space_count: int
    vanished_space_count: int
    doubt: MirrorDoubted | None = None


@dataclass(frozen=True, slots=True)
class SpaceLook:
    """What was seen of one name: the space that has it, None when none has, and its repositories."""

    name: str
    space: FoundSpace | None
    repositories: tuple[FoundRepository, ...] = ()


@dataclass(frozen=True, slots=True)
class KnownSpace:
    """A space as the mirror has it."""

    id: int
    external_id: str
    name: str
    visibility: Visibility
    state: SpaceState
    looked_at: datetime | None


@dataclass(slots=True)
class _Changes:
    """What is to be written of spaces."""

    new: list[FoundSpace] = field(default_factory=list)
    returned: list[tuple[KnownSpace, FoundSpace]] = field(default_factory=list)
    opened_or_closed: list[tuple[KnownSpace, Visibility]] = field(default_factory=list)
    gone: list[KnownSpace] = field(default_factory=list)
    replaced: list[KnownSpace] = field(default_factory=list)
    """Of which another has the external id now: none changes its name, so the registry is another, or began anew."""


async def write_full_look(
    transaction: Transaction,
    integration: Integration,
    contents: RegistryContents,
    looked_at: datetime,
    *,
    accept_loss: bool,
) -> SynchronizationResult:
    """Write what a look at everything found, or, when most of it is gone, the doubt alone."""
    known = await known_spaces(transaction, integration.id)
    newer = _looked_at_after(known, looked_at)
    still_there = newer | {space.external_id for space in contents.spaces if not _is_another(known, space)}
    standing = [space for space in known.values() if space.state is SpaceState.PRESENT]
    gone = [space for space in standing if space.external_id not in still_there]
    if is_doubtful(len(gone), len(standing)) and not accept_loss:
        await doubt(transaction, integration, looked_at, len(gone), len(standing))
        return SynchronizationResult(0, 0, MirrorDoubted(len(gone), len(standing), ("input", "id")))
    seen = [space for space in contents.spaces if space.external_id not in newer]
    changes = _compare(known, seen)
    changes.gone = gone
    await _write_changes(transaction, integration, changes, looked_at)
    repositories = [found for found in contents.repositories if found.space_external_id not in newer]
    await _write_repositories(
        transaction, integration.id, {space.external_id for space in seen}, repositories, looked_at
    )
    if integration.stale_since is not None:
        transaction.events.append(integration_event(EventType.INTEGRATION_TRUSTED, looked_at, integration))
    await Integration.filter(id=integration.id).update(
        looked_at=looked_at, stale_since=None, stale_reason=None, stale_message=None
    )
    return SynchronizationResult(len(changes.new) + len(changes.returned), len(gone))


async def write_space_looks(
    transaction: Transaction, integration: Integration, looks: Iterable[SpaceLook], looked_at: datetime
) -> None:
    """Write what looks at single spaces found; a name that none has any more, or another, was seen to be gone."""
    if integration.looked_at is not None and integration.looked_at > looked_at:
        # A look at everything that began later was quicker, and knows better.
        return
    known = await known_spaces(transaction, integration.id)
    newer = _looked_at_after(known, looked_at)
    looks = [look for look in looks if look.space is None or look.space.external_id not in newer]
    seen = [look.space for look in looks if look.space is not None]
    seen_ids = {space.external_id for space in seen}
    names = {look.name for look in looks}
    changes = _compare(known, seen)
    still_there = newer | {space.external_id for space in seen if not _is_another(known, space)}
    changes.gone = [
        space
        for space in known.values()
        if (space.name in names or space.external_id in seen_ids)
        and space.external_id not in still_there
        and space.state is SpaceState.PRESENT
    ]
    await _write_changes(transaction, integration, changes, looked_at)
    repositories = [repository for look in looks if look.space is not None for repository in look.repositories]
    await _write_repositories(transaction, integration.id, seen_ids, repositories, looked_at)
    # Something was said to have changed there, if not what the mirror knows of it.
    present = await space_ids(transaction, integration.id, seen_ids)
    await note_hints(transaction, integration.id, {(space_id, "") for space_id in present.values()}, looked_at)
    touched = seen_ids | {space.external_id for space in changes.gone}
    await _write_looked_at(transaction, integration.id, touched, looked_at)


async def write_found_repositories(
    transaction: Transaction, integration: Integration, found: RegistryContents, looked_at: datetime
) -> None:
    """Write repositories that were looked for by their names, and their spaces; nothing else is taken to be gone.

    Looks at everything that began earlier leave them there.
    """
    if integration.looked_at is not None and integration.looked_at > looked_at:
        # A look at everything that began later was quicker, and knows better.
        return
    known = await known_spaces(transaction, integration.id)
    newer = _looked_at_after(known, looked_at)
    seen = {space.external_id: space for space in found.spaces if space.external_id not in newer}
    changes = _compare(known, seen.values())
    await _write_changes(transaction, integration, changes, looked_at)
    came = {*(space.external_id for space in changes.new), *(space.external_id for space, _ in changes.returned)}
    await _write_looked_at(transaction, integration.id, came, looked_at)
    ids = await space_ids(transaction, integration.id, set(seen))
    names = [
        (ids[repository.space_external_id], repository.name)
        for repository in found.repositories
        if repository.space_external_id in ids
    ]
    place = transaction.dialect.placeholder
    await transaction.execute_many(
        'INSERT INTO "repository" ("space_id", "name", "created_at")'
        f' VALUES ({place(1)}, {place(2)}, {place(3)}) ON CONFLICT ("space_id", "name") DO NOTHING',
        [(space_id, name, looked_at) for space_id, name in names],
    )
    await note_hints(transaction, integration.id, names, looked_at)


async def known_spaces(transaction: Transaction, integration_id: int) -> dict[str, KnownSpace]:
    """Return the spaces that the mirror has of an integration, by external id."""
    place = transaction.dialect.placeholder(1)
    rows = await transaction.fetch(
        'SELECT "id", "external_id", "name", "visibility", "state", "looked_at" FROM "space"'
        f' WHERE "integration_id" = {place}',
        integration_id,
    )
    read_time = transaction.dialect.datetime
    return {
        row["external_id"]: KnownSpace(
            id=row["id"],
            external_id=row["external_id"],
            name=row["name"],
            visibility=Visibility(row["visibility"]),
            state=SpaceState(row["state"]),
            looked_at=None if row["looked_at"] is None else read_time(row["looked_at"]),
        )
        for row in rows
    }


def _looked_at_after(known: Mapping[str, KnownSpace], looked_at: datetime) -> set[str]:
    """Return what was looked at on its own after this look had begun: that is known better already."""
    return {
        space.external_id for space in known.values() if space.looked_at is not None and space.looked_at > looked_at
    }


def _compare(known: Mapping[str, KnownSpace], seen: Iterable[FoundSpace]) -> _Changes:
    changes = _Changes()
    for found in seen:
        space = known.get(found.external_id)
        if space is None or _is_another(known, found):
            changes.new.append(found)
            changes.replaced += [] if space is None else [space]
            continue
        if space.state is not SpaceState.PRESENT:
            changes.returned.append((space, found))
        # Where the registry has no visibility of its own, ours stays.
        visibility = space.visibility if found.is_public is None else _visibility(found)
        if visibility is not space.visibility:
            changes.opened_or_closed.append((space, visibility))
    return changes


def _is_another(known: Mapping[str, KnownSpace], found: FoundSpace) -> bool:
    """Return whether a space has the external id of one that we know, and is another."""
    space = known.get(found.external_id)
    return space is not None and space.name != found.name


def _visibility(found: FoundSpace) -> Visibility:
    # One found on a registry that has no visibility of its own begins private.
    return Visibility.PUBLIC if found.is_public else Visibility.PRIVATE


async def _write_changes(
    transaction: Transaction, integration: Integration, changes: _Changes, looked_at: datetime
) -> None:
    if changes.returned or changes.opened_or_closed or changes.gone:
        await lock_access(transaction)
    place = transaction.dialect.placeholder
    # Their ids make room; a project with such an id there is none.
    await transaction.execute_many(
        f'UPDATE "space" SET "external_id" = {place(1)} WHERE "id" = {place(2)}',
        [(f"replaced-{space.id}", space.id) for space in changes.replaced],
    )
    values = ", ".join(place(number) for number in range(1, 7))
    await transaction.execute_many(
        'INSERT INTO "space" ("integration_id", "external_id", "name", "visibility", "state", "created_at")'
        f" VALUES ({values})",
        [
            (integration.id, found.external_id, found.name, _visibility(found), SpaceState.PRESENT, looked_at)
            for found in changes.new
        ],
    )
    await _set_state(transaction, [space for space, _ in changes.returned], SpaceState.PRESENT, None)
    await transaction.execute_many(
        f'UPDATE "space" SET "visibility" = {place(1)} WHERE "id" = {place(2)}',
        [(visibility, space.id) for space, visibility in changes.opened_or_closed],
    )
    await _set_state(transaction, changes.gone, SpaceState.VANISHED, integration.looked_at or looked_at)
    new_ids = await space_ids(transaction, integration.id, {found.external_id for found in changes.new})
    known = [*(space for space, _ in changes.returned), *changes.gone]
    hints = {(space_id, "") for space_id in [*new_ids.values(), *(space.id for space in known)]}
    await note_hints(transaction, integration.id, hints, looked_at)
    await _tell_changes(transaction, integration, changes, new_ids, looked_at)


async def _tell_changes(
    transaction: Transaction,
    integration: Integration,
    changes: _Changes,
    new_ids: Mapping[str, int],
    looked_at: datetime,
) -> None:
    def tell(type_: EventType, space_id: int, space: FoundSpace | KnownSpace, visibility: Visibility) -> None:
        transaction.events.append(
            space_event(
                type_,
                looked_at,
                integration,
                space_id,
                space_name=space.name,
                space_external_id=space.external_id,
                visibility=visibility.value,
            )
        )

    for found in changes.new:
        tell(EventType.SPACE_ADDED, new_ids[found.external_id], found, _visibility(found))
    for space, found in changes.returned:
        visibility = space.visibility if found.is_public is None else _visibility(found)
        tell(EventType.SPACE_ADDED, space.id, found, visibility)
    returned = {space.id for space, _ in changes.returned}
    changed = [(space, visibility) for space, visibility in changes.opened_or_closed if space.id not in returned]
    for space, visibility in changed:
        tell(EventType.SPACE_VISIBILITY_CHANGED, space.id, space, visibility)
    for space in changes.gone:
        tell(EventType.SPACE_VANISHED, space.id, space, space.visibility)
    resumed = [space.id for space, _ in changes.returned if space.state is SpaceState.VANISHED]
    await tell_of_spaces(transaction, resumed, looked_at, EventType.BINDING_RESUMED)
    await tell_of_spaces(transaction, [space.id for space, _ in changed], looked_at, None)
    await tell_of_spaces(transaction, [space.id for space in changes.gone], looked_at, EventType.BINDING_SUSPENDED)


async def space_ids(transaction: Transaction, integration_id: int, external_ids: set[str]) -> dict[str, int]:
    """Return the ids of spaces in the mirror, by external id; those that it doesn't have are left out."""
    if not external_ids:
        return {}
    statement = Statement(transaction.dialect)
    owner = statement.bind(integration_id)
    condition = statement.is_one_of('"external_id"', sorted(external_ids))
    rows = await transaction.fetch(
        f'SELECT "id", "external_id" FROM "space" WHERE "integration_id" = {owner} AND {condition}', *statement.values
    )
    return {row["external_id"]: row["id"] for row in rows}


async def _set_state(
    transaction: Transaction, spaces: Sequence[KnownSpace], state: SpaceState, last_seen_at: datetime | None
) -> None:
    if not spaces:
        return
    statement = Statement(transaction.dialect)
    changes = f'"state" = {statement.bind(state)}'
    if last_seen_at is not None:
        changes += f', "last_seen_at" = {statement.bind(last_seen_at)}'
    condition = statement.is_one_of('"id"', [space.id for space in spaces])
    await transaction.execute(f'UPDATE "space" SET {changes} WHERE {condition}', *statement.values)


async def _write_looked_at(
    transaction: Transaction, integration_id: int, external_ids: set[str], looked_at: datetime
) -> None:
    """Have looks at everything that began earlier leave spaces as they are."""
    if not external_ids:
        return
    statement = Statement(transaction.dialect)
    moment, owner = statement.bind(looked_at), statement.bind(integration_id)
    condition = statement.is_one_of('"external_id"', sorted(external_ids))
    await transaction.execute(
        f'UPDATE "space" SET "looked_at" = {moment} WHERE "integration_id" = {owner} AND {condition}',
        *statement.values,
    )


async def _write_repositories(
    transaction: Transaction,
    integration_id: int,
    space_external_ids: set[str],
    found: Sequence[FoundRepository],
    looked_at: datetime,
) -> None:
    """Write the repositories of spaces that were looked at: what is new, what changed, what is no longer there.

    Those have their spaces measured again.
    """
    if not space_external_ids:
        return
    spaces = await space_ids(transaction, integration_id, space_external_ids)
    statement = Statement(transaction.dialect)
    owner = statement.bind(integration_id)
    condition = statement.is_one_of('s."external_id"', sorted(space_external_ids))
    rows = await transaction.fetch(
        'SELECT r."id", r."space_id", r."name", r."artifact_count", r."pull_count", r."updated_at", r."created_at"'
        ' FROM "repository" r JOIN "space" s ON s."id" = r."space_id"'
        f' WHERE s."integration_id" = {owner} AND {condition}',
        *statement.values,
    )
    read_time = transaction.dialect.datetime
    present = {
        (row["space_id"], row["name"]): (
            row["id"],
            (
                row["artifact_count"],
                row["pull_count"],
                None if row["updated_at"] is None else read_time(row["updated_at"]),
            ),
        )
        for row in rows
    }
    # What came while this look was under way may have come behind it.
    newer = {(row["space_id"], row["name"]) for row in rows if read_time(row["created_at"]) > looked_at}
    new, changed = [], []
    hints: set[Hint] = set()
    for repository in found:
        space_id = spaces.get(repository.space_external_id)
        if space_id is None:
            continue
        figures = (repository.artifact_count, repository.pull_count, repository.updated_at)
        kept = present.pop((space_id, repository.name), None)
        if kept is None:
            new.append((space_id, repository.name, *figures, looked_at))
            hints.add((space_id, repository.name))
        elif kept[1] != figures:
            changed.append((*figures, kept[0]))
            hints.add((space_id, repository.name))
    gone = {key: repository_id for key, (repository_id, _) in present.items() if key not in newer}
    hints |= gone.keys()
    place = transaction.dialect.placeholder
    values = ", ".join(place(number) for number in range(1, 7))
    await transaction.execute_many(
        'INSERT INTO "repository" ("space_id", "name", "artifact_count", "pull_count", "updated_at", "created_at")'
        f" VALUES ({values})",
        new,
    )
    await transaction.execute_many(
        f'UPDATE "repository" SET "artifact_count" = {place(1)}, "pull_count" = {place(2)},'
        f' "updated_at" = {place(3)} WHERE "id" = {place(4)}',
        changed,
    )
    await transaction.execute_many(
        f'DELETE FROM "repository" WHERE "id" = {place(1)}', [(repository_id,) for repository_id in gone.values()]
    )
    await note_hints(transaction, integration_id, hints, looked_at)
