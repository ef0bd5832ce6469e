"""Writing into the mirror what people did to spaces, within a transaction, with its events and what is lost by it.

Whoever calls these holds the integration and `access_writing.lock_access`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from models.database import Transaction
from models.enums import EventType, SpaceState, Visibility
from models.integration import Integration
from models.queries.spaces import SPACES, spaces_by_id
from models.reading import Statement
from models.records import SpaceRecord
from registry_clients.records import FoundSpace
from services.access_writing import held_bindings, revoke, tell_of_spaces
from services.event_making import space_event
from services.losses import NOTHING, Losses, losses_of_spaces


@dataclass(frozen=True, slots=True)
class Doing:
    """Who does something, and when it was so at the registry: looks that began before know less."""

    by: str
    at: datetime


async def write_made(transaction: Transaction, integration: Integration, found: FoundSpace, doing: Doing) -> int:
    """Write a space that was made at the registry and return its id. One that a look has found already stays so."""
    known = await _find(transaction, integration.id, found.external_id)
    if known is None:
        visibility = Visibility.PUBLIC if found.is_public else Visibility.PRIVATE
        id_ = await _insert(transaction, integration.id, found, visibility, SpaceState.PRESENT, doing.at)
        _tell(transaction, EventType.SPACE_ADDED, integration, id_, found, visibility, doing)
    else:
        # That has told of it, too.
        id_ = known.id
    await write_looked_at(transaction, {id_: doing.at})
    return id_


async def write_declared(
    transaction: Transaction, integration: Integration, name: str, visibility: Visibility, doing: Doing
) -> int | None:
    """Write a space that is expected at its registry and return its id; None when one of that name stands.

    One that vanished is the same space: who was bound to it is bound again.
    """
    known = await _find(transaction, integration.id, name)
    found = FoundSpace(external_id=name, name=name, is_public=None)
    if known is None:
        id_ = await _insert(transaction, integration.id, found, visibility, SpaceState.DECLARED, doing.at)
    elif known.is_standing:
        return None
    else:
        id_ = known.id
        await _update(transaction, [id_], state=SpaceState.DECLARED, visibility=visibility)
    _tell(transaction, EventType.SPACE_DECLARED, integration, id_, found, visibility, doing)
    if known is not None:
        await tell_of_spaces(transaction, [id_], doing.at, EventType.BINDING_RESUMED)
    return id_


async def write_visibility(
    transaction: Transaction,
    integrations: Mapping[int, Integration],
    before: Sequence[SpaceRecord],
    visibility: Visibility,
    seen_at: Mapping[int, datetime],
    doing: Doing,
) -> Losses:
    """Write that spaces are open or closed, and return what is lost by it, compared with how they were before.

    ``before`` are spaces that stand now. ``seen_at`` has when the registry did it, of those that it keeps itself.
    """
    present = await spaces_by_id(transaction, [record.id for record in before])
    newer = await _looked_at_later(transaction, seen_at)
    changed = [record for id_, record in present.items() if record.visibility is not visibility and id_ not in newer]
    ids = [record.id for record in changed]
    losses = NOTHING
    if visibility is Visibility.PRIVATE:
        # A look may have been quicker, and have seen them closed: what is lost by that is lost by this all the same.
        early = [
            record.id
            for record in before
            if record.visibility is Visibility.PUBLIC and present[record.id].visibility is Visibility.PRIVATE
        ]
        await _update(transaction, early, visibility=Visibility.PUBLIC)
        losses = await losses_of_spaces(transaction, _these([*ids, *early]), bindings_stay=True)
        await _update(transaction, early, visibility=Visibility.PRIVATE)
    await _update(transaction, ids, visibility=visibility)
    await write_looked_at(transaction, seen_at)
    for record in changed:
        integration = integrations[record.integration_id]
        _tell(transaction, EventType.SPACE_VISIBILITY_CHANGED, integration, record.id, record, visibility, doing)
    await tell_of_spaces(transaction, ids, doing.at, None)
    return losses


async def write_deleted(
    transaction: Transaction, integration: Integration, before: SpaceRecord, doing: Doing
) -> Losses:
    """Write that a space was deleted at its registry, take its bindings back, and return what is lost by it."""
    # A look may have been quicker, and have found it gone: what is lost by that is lost by this all the same.
    await _update(transaction, [before.id], state=before.state)
    losses = await _take_back(transaction, before, doing)
    await _update(transaction, [before.id], state=SpaceState.VANISHED)
    place = transaction.dialect.placeholder
    await transaction.execute(
        f'UPDATE "space" SET "last_seen_at" = {place(1)} WHERE "id" = {place(2)}', doing.at, before.id
    )
    await write_looked_at(transaction, {before.id: doing.at})
    await transaction.execute(f'DELETE FROM "repository" WHERE "space_id" = {place(1)}', before.id)
    _tell(transaction, EventType.SPACE_DELETED, integration, before.id, before, before.visibility, doing)
    return losses


async def write_taken_back(
    transaction: Transaction, integration: Integration, before: SpaceRecord, doing: Doing
) -> Losses:
    """Forget a space that was declared and never came, with its bindings; return what is lost by it."""
    losses = await _take_back(transaction, before, doing)
    await transaction.execute(f'DELETE FROM "space" WHERE "id" = {transaction.dialect.placeholder(1)}', before.id)
    _tell(transaction, EventType.SPACE_DELETED, integration, before.id, before, before.visibility, doing)
    return losses


async def was_deleted_since(transaction: Transaction, space: SpaceRecord, since: datetime) -> bool:
    """Return whether somebody deleted a space from here, rather than that a look missed it."""
    place = transaction.dialect.placeholder
    rows = await transaction.fetch(
        f'SELECT 1 FROM "event" WHERE "integration_id" = {place(1)} AND "space_id" = {place(2)}'
        f' AND "type" = {place(3)} AND "occurred_at" >= {place(4)}',
        space.integration_id,
        space.id,
        EventType.SPACE_DELETED,
        since,
    )
    return bool(rows)


async def repository_count(transaction: Transaction, space_id: int) -> int:
    """Return how many repositories a space has in the mirror."""
    place = transaction.dialect.placeholder(1)
    rows = await transaction.fetch(f'SELECT COUNT(*) AS count FROM "repository" WHERE "space_id" = {place}', space_id)
    return int(rows[0]["count"])


async def _take_back(transaction: Transaction, space: SpaceRecord, doing: Doing) -> Losses:
    losses = await losses_of_spaces(transaction, _these([space.id]), bindings_stay=False)
    bindings = await held_bindings(transaction, lambda statement: [f'b."space_id" = {statement.bind(space.id)}'])
    await revoke(transaction, bindings, doing.at, doing.by)
    return losses


async def _find(transaction: Transaction, integration_id: int, external_id: str) -> SpaceRecord | None:
    records = await SPACES.all(
        transaction,
        lambda statement: [
            f's."integration_id" = {statement.bind(integration_id)}',
            f's."external_id" = {statement.bind(external_id)}',
        ],
    )
    return records[0] if records else None


async def _insert(
    transaction: Transaction,
    integration_id: int,
    found: FoundSpace,
    visibility: Visibility,
    state: SpaceState,
    now: datetime,
) -> int:
    values = ", ".join(transaction.dialect.placeholder(number) for number in range(1, 7))
    rows = await transaction.returning(
        'INSERT INTO "space" ("integration_id", "external_id", "name", "visibility", "state", "created_at")'
        f' VALUES ({values}) RETURNING "id"',
        integration_id,
        found.external_id,
        found.name,
        visibility,
        state,
        now,
    )
    return int(rows[0]["id"])


async def _update(
    transaction: Transaction,
    ids: Sequence[int],
    *,
    state: SpaceState | None = None,
    visibility: Visibility | None = None,
) -> None:
    if not ids:
        return
    statement = Statement(transaction.dialect)
    given = {"state": state, "visibility": visibility}
    changes = ", ".join(f'"{name}" = {statement.bind(value)}' for name, value in given.items() if value is not None)
    condition = statement.is_one_of('"id"', ids)
    await transaction.execute(f'UPDATE "space" SET {changes} WHERE {condition}', *statement.values)


async def write_looked_at(transaction: Transaction, moments: Mapping[int, datetime]) -> None:
    """Keep looks that began before from undoing what is written: they know less."""
    place = transaction.dialect.placeholder
    await transaction.execute_many(
        f'UPDATE "space" SET "looked_at" = {place(1)}'
        f' WHERE "id" = {place(2)} AND ("looked_at" IS NULL OR "looked_at" < {place(1)})',
        [(moment, id_) for id_, moment in moments.items()],
    )


async def _looked_at_later(transaction: Transaction, moments: Mapping[int, datetime]) -> set[int]:
    """Return which spaces somebody else has looked at, or changed, after these moments."""
    if not moments:
        return set()
    statement = Statement(transaction.dialect)
    condition = statement.is_one_of('"id"', sorted(moments))
    rows = await transaction.fetch(
        f'SELECT "id", "looked_at" FROM "space" WHERE "looked_at" IS NOT NULL AND {condition}', *statement.values
    )
    read_time = transaction.dialect.datetime
    return {row["id"] for row in rows if read_time(row["looked_at"]) > moments[row["id"]]}


def _these(ids: Sequence[int]) -> Callable[[Statement], Sequence[str]]:
    return lambda statement: [statement.is_one_of('s."id"', ids)]


def _tell(
    transaction: Transaction,
    type_: EventType,
    integration: Integration,
    space_id: int,
    space: FoundSpace | SpaceRecord,
    visibility: Visibility,
    doing: Doing,
) -> None:
    transaction.events.append(
        space_event(
            type_,
            doing.at,
            integration,
            space_id,
            space_name=space.name,
            space_external_id=space.external_id,
            visibility=visibility.value,
            by=doing.by,
        )
    )
