"""Notifications: what registries tell us unasked has us look there at once.

They are hints and no more. What they name is looked at, and what is seen is written; one that is forged, repeated, out
of order or lost makes nothing wrong, and nothing is missed for good: everything is looked at every few minutes too.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from models.database import Database, Transaction
from models.enums import SpaceState
from models.hook import Hook
from models.reading import Statement
from registry_clients.records import NotifiedChange
from services.clock import Clock
from services.hooks import OpenHook
from services.integration_locks import lock_integration
from services.notified_repositories import NotifiedRepositories
from services.usage_hints import Hint, note_hints, tag_hint

RECEIVED_AT_STEP = timedelta(minutes=1)
"""How often it is written when something was received: each time, answers that tell of it have to be made anew."""


class Notifications:
    """Takes notifications in."""

    def __init__(self, database: Database, clock: Clock, notified: NotifiedRepositories) -> None:
        self._database = database
        self._clock = clock
        self._notified = notified

    async def take(self, hook: OpenHook, changes: Sequence[NotifiedChange]) -> None:
        """Have what changed looked at soon. When this returns, that is certain of every repository that is known.

        One that isn't is looked for right afterwards; a server that dies before has a look at everything find it.
        """
        now = self._clock()
        is_time_due = hook.last_received_at is None or not (
            timedelta(0) <= now - hook.last_received_at < RECEIVED_AT_STEP
        )
        if not changes and not is_time_due:
            return

        async def work(transaction: Transaction) -> dict[str, int]:
            await lock_integration(transaction, hook.integration_id)
            known = await _known(transaction, hook.integration_id, changes)
            hints = {
                _hint(known[change.repository_name], change) for change in changes if change.repository_name in known
            }
            await note_hints(transaction, hook.integration_id, hints, now)
            if is_time_due:
                await _write_received_at(hook.integration_id, now)
            return known

        known = await self._database.transact(work)
        self._notified.expect(hook.integration_id, changes, known)


def _hint(space_id: int, change: NotifiedChange) -> Hint:
    if change.tag is None:
        return space_id, change.repository_name
    # Of many tags, one is to be asked for.
    return tag_hint(space_id, change.repository_name, change.tag)


async def _known(transaction: Transaction, integration_id: int, changes: Sequence[NotifiedChange]) -> dict[str, int]:
    """Return those of the repositories that the mirror has, and of which space each is."""
    if not changes:
        return {}
    statement = Statement(transaction.dialect)
    owner, present = statement.bind(integration_id), statement.bind(SpaceState.PRESENT)
    its_space = statement.is_one_of('s."external_id"', sorted({change.space_external_id for change in changes}))
    named = statement.is_one_of('r."name"', sorted({change.repository_name for change in changes}))
    rows = await transaction.fetch(
        'SELECT r."space_id", r."name" FROM "repository" r JOIN "space" s ON s."id" = r."space_id"'
        f' WHERE s."integration_id" = {owner} AND {its_space} AND s."state" = {present} AND {named}',
        *statement.values,
    )
    return {row["name"]: row["space_id"] for row in rows}


async def _write_received_at(integration_id: int, now: datetime) -> None:
    await Hook.filter(integration_id=integration_id).update(last_received_at=now)
