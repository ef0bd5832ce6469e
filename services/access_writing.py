"""Writing who may pull what, within a transaction: bindings come, go, rest, and their targets get new versions.

A target is one workspace at one registry. What is wanted there has a version, which every change of its bindings
moves; a binding that was taken away is deleted at once unless a version that gave it may have been applied.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from models.database import NewEvent, Transaction
from models.enums import EventType
from models.reading import Statement

TARGETS_AT_ONCE = 200

Target = tuple[int, int]
"""Workspace and integration."""


@dataclass(frozen=True, slots=True)
class HeldBinding:
    """A binding that was not taken away, with the names for its events."""

    id: int
    space_id: int
    space_name: str
    workspace_id: int
    workspace_name: str
    integration_id: int
    integration_name: str
    is_in_force_nowhere: bool
    """Whether no version that gives it has ever been tried to apply."""

    @property
    def target(self) -> Target:
        """Where it is made true."""
        return self.workspace_id, self.integration_id

    def event(self, type_: EventType, occurred_at: datetime, **data: object) -> NewEvent:
        """Return an event of it, which only the workspace's viewers see, and administrators."""
        names = {
            "binding_id": self.id,
            "space_name": self.space_name,
            "workspace_name": self.workspace_name,
            "integration_name": self.integration_name,
        }
        return NewEvent(
            type_,
            occurred_at,
            self.integration_id,
            {**names, **data},
            workspace_id=self.workspace_id,
            space_id=self.space_id,
        )


async def lock_access(transaction: Transaction) -> None:
    """Hold off all others who change who may pull what, until the transaction ends.

    Taken after the locks of integrations and before rows are touched, everywhere, so that none wait for each other.
    """
    if transaction.dialect.access_lock is not None:
        await transaction.fetch(transaction.dialect.access_lock)


async def held_bindings(transaction: Transaction, where: Callable[[Statement], Sequence[str]]) -> list[HeldBinding]:
    """Return the bindings (`b`, of spaces `s`) that meet conditions and were not taken away, oldest first."""
    statement = Statement(transaction.dialect)
    conditions = " AND ".join(['b."revoked_at" IS NULL', *where(statement)])
    rows = await transaction.fetch(
        'SELECT b."id", b."space_id", s."name" AS space_name, b."workspace_id", w."name" AS workspace_name,'
        ' s."integration_id", i."name" AS integration_name,'
        ' COALESCE(t."attempted_version", 0) < b."granted_version" AS is_in_force_nowhere FROM "binding" b'
        ' JOIN "space" s ON s."id" = b."space_id" JOIN "workspace" w ON w."id" = b."workspace_id"'
        ' JOIN "integration" i ON i."id" = s."integration_id" LEFT JOIN "registry_enforcement" t'
        ' ON t."workspace_id" = b."workspace_id" AND t."integration_id" = s."integration_id"'
        f' WHERE {conditions} ORDER BY b."id"',
        *statement.values,
    )
    return [
        HeldBinding(
            id=row["id"],
            space_id=row["space_id"],
            space_name=row["space_name"],
            workspace_id=row["workspace_id"],
            workspace_name=row["workspace_name"],
            integration_id=row["integration_id"],
            integration_name=row["integration_name"],
            is_in_force_nowhere=bool(row["is_in_force_nowhere"]),
        )
        for row in rows
    ]


async def is_in_force_somewhere(transaction: Transaction, workspace_id: int) -> bool:
    """Return whether a workspace has bindings that were taken away and may be in force all the same."""
    place = transaction.dialect.placeholder(1)
    rows = await transaction.fetch(f'SELECT 1 FROM "binding" WHERE "workspace_id" = {place} LIMIT 1', workspace_id)
    return bool(rows)


async def revoke(transaction: Transaction, bindings: Sequence[HeldBinding], now: datetime, by: str) -> None:
    """Take bindings away: at once those that are in force nowhere, the others stay as REVOKING."""
    versions = await move_targets(transaction, (binding.target for binding in bindings), now)
    gone = [binding.id for binding in bindings if binding.is_in_force_nowhere]
    statement = Statement(transaction.dialect)
    if gone:
        condition = statement.is_one_of('"id"', gone)
        await transaction.execute(f'DELETE FROM "binding" WHERE {condition}', *statement.values)
    place = transaction.dialect.placeholder
    await transaction.execute_many(
        f'UPDATE "binding" SET "revoked_at" = {place(1)}, "revoked_by" = {place(2)}, "version" = {place(3)}'
        f' WHERE "id" = {place(4)}',
        [(now, by, versions[binding.target], binding.id) for binding in bindings if not binding.is_in_force_nowhere],
    )
    transaction.events += [binding.event(EventType.BINDING_REVOKED, now, by=by) for binding in bindings]


async def tell_of_spaces(
    transaction: Transaction, space_ids: Sequence[int], now: datetime, type_: EventType | None
) -> None:
    """Give bindings whose spaces vanished, came back, or were opened or closed a new version, to be made true.

    `type_` is the event that is written for each of these bindings; None where the space's own event says it.
    """
    if not space_ids:
        return
    bindings = await held_bindings(transaction, lambda statement: [statement.is_one_of('b."space_id"', space_ids)])
    versions = await move_targets(transaction, (binding.target for binding in bindings), now)
    place = transaction.dialect.placeholder
    await transaction.execute_many(
        f'UPDATE "binding" SET "version" = {place(1)} WHERE "id" = {place(2)}',
        [(versions[binding.target], binding.id) for binding in bindings],
    )
    if type_ is not None:
        transaction.events += [binding.event(type_, now) for binding in bindings]


async def move_targets(transaction: Transaction, targets: Iterable[Target], now: datetime) -> dict[Target, int]:
    """Give each target its next version, and return it: what is wanted there has changed."""
    wanted = sorted(set(targets))
    versions: dict[Target, int] = {}
    for start in range(0, len(wanted), TARGETS_AT_ONCE):
        statement = Statement(transaction.dialect)
        moment = statement.moment(now)
        rows = ", ".join(
            f"({statement.bind(workspace_id)}, {statement.bind(integration_id)}, 1, 0, 0, {moment}, {moment})"
            for workspace_id, integration_id in wanted[start : start + TARGETS_AT_ONCE]
        )
        written = await transaction.returning(
            'INSERT INTO "registry_enforcement" ("workspace_id", "integration_id", "desired_version",'
            ' "attempted_version", "applied_version", "changed_at", "next_attempt_at")'
            f' VALUES {rows} ON CONFLICT ("workspace_id", "integration_id") DO UPDATE SET "desired_version" ='
            ' "registry_enforcement"."desired_version" + 1, "changed_at" = excluded."changed_at",'
            ' "next_attempt_at" = excluded."next_attempt_at"'
            ' RETURNING "workspace_id", "integration_id", "desired_version"',
            *statement.values,
        )
        versions |= {(row["workspace_id"], row["integration_id"]): row["desired_version"] for row in written}
    return versions
