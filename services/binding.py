"""Giving spaces to workspaces and taking them back, in batches: all of it or nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from models.database import Database, Transaction
from models.enums import EventType
from models.queries.bindings import BINDINGS, bindings_by_id
from models.queries.spaces import spaces_by_id
from models.queries.workspaces import workspaces_by_id
from models.reading import Statement
from models.records import BindingRecord, SpaceRecord, WorkspaceRecord
from services.access_writing import Target, held_bindings, lock_access, move_targets, revoke
from services.clock import Clock
from services.losses import Losses, losses_of_bindings
from services.user_errors import Forbidden, InvalidInput, NotFound, UserError, UserErrors
from services.viewer import Viewer

MOST_PAIRS = 100
MOST_BINDINGS = 100

Pair = tuple[int, int]
"""Space and workspace."""


@dataclass(frozen=True, slots=True)
class UnboundSpaces:
    """What is left of bindings that were taken away, as they are now, which of them are gone, and what is lost."""

    bindings: tuple[BindingRecord, ...]
    removed_ids: tuple[int, ...]
    losses: Losses


class Binder:
    """Binds and unbinds."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def bind(
        self, space_ids: Sequence[int], workspace_ids: Sequence[int], viewer: Viewer
    ) -> tuple[BindingRecord, ...]:
        """Give each of the spaces to each of the workspaces; return all of these bindings, new ones or not.

        What is bound stays as it is; what is being taken away is given again. Raises UserErrors with NotFound,
        InvalidInput, Forbidden, each for the id that is meant: then nothing was bound.
        """
        _require_each_once(space_ids, "spaceIds")
        _require_each_once(workspace_ids, "workspaceIds")
        if not space_ids or not workspace_ids:
            empty = "spaceIds" if not space_ids else "workspaceIds"
            raise InvalidInput("Give at least one space and one workspace.", ("input", empty))
        if len(space_ids) * len(workspace_ids) > MOST_PAIRS:
            raise InvalidInput(
                f"At most {MOST_PAIRS} pairs of space and workspace can be bound at once; "
                f"these are {len(space_ids) * len(workspace_ids)}.",
                ("input", "spaceIds"),
            )

        async def work(transaction: Transaction) -> tuple[BindingRecord, ...]:
            await lock_access(transaction)
            spaces = await spaces_by_id(transaction, space_ids, viewer.sight)
            workspaces = await workspaces_by_id(transaction, workspace_ids, viewer.sight)
            _require_bindable(space_ids, spaces, workspace_ids, workspaces, viewer)
            pairs = [(space_id, workspace_id) for space_id in space_ids for workspace_id in workspace_ids]
            present = await _bindings_of(transaction, pairs)
            wanted = [pair for pair in pairs if pair not in present or present[pair].revoked_at is not None]
            if wanted:
                targets = {pair: (pair[1], spaces[pair[0]].integration_id) for pair in wanted}
                await self._write(transaction, targets, present, viewer.name)
                present = await _bindings_of(transaction, pairs)
            return tuple(present[pair] for pair in pairs)

        return await self._database.transact(work)

    async def unbind(self, binding_ids: Sequence[int], dry_run: bool, viewer: Viewer) -> UnboundSpaces:
        """Take bindings back: all of them or, with `dry_run`, none. What was taken back already is no error.

        Raises UserErrors with NotFound, Forbidden.
        """
        _require_each_once(binding_ids, "bindingIds")
        if not 0 < len(binding_ids) <= MOST_BINDINGS:
            raise InvalidInput(f"Give 1 to {MOST_BINDINGS} bindings at once.", ("input", "bindingIds"))

        def these(statement: Statement) -> Sequence[str]:
            return [statement.is_one_of('b."id"', binding_ids)]

        async def work(transaction: Transaction) -> UnboundSpaces:
            await lock_access(transaction)
            bindings = await bindings_by_id(transaction, binding_ids, viewer.sight)
            spaces = await spaces_by_id(transaction, [binding.space_id for binding in bindings.values()])
            _require_unbindable(binding_ids, bindings, spaces, viewer)
            losses = await losses_of_bindings(transaction, these)
            if not dry_run:
                await revoke(transaction, await held_bindings(transaction, these), self._clock(), viewer.name)
                bindings = await bindings_by_id(transaction, binding_ids)
            return UnboundSpaces(
                bindings=tuple(bindings[id_] for id_ in binding_ids if id_ in bindings),
                removed_ids=tuple(id_ for id_ in binding_ids if id_ not in bindings),
                losses=losses,
            )

        return await self._database.transact(work)

    async def _write(
        self, transaction: Transaction, targets: Mapping[Pair, Target], present: Mapping[Pair, BindingRecord], by: str
    ) -> None:
        now = self._clock()
        versions = await move_targets(transaction, targets.values(), now)
        place = transaction.dialect.placeholder
        values = ", ".join(place(number) for number in range(1, 7))
        await transaction.execute_many(
            'INSERT INTO "binding" ("space_id", "workspace_id", "bound_by", "bound_at", "granted_version", "version")'
            f" VALUES ({values})",
            [
                (*pair, by, now, versions[target], versions[target])
                for pair, target in targets.items()
                if pair not in present
            ],
        )
        # Since when it is given stays: what an older version gave may still be in force somewhere.
        await transaction.execute_many(
            f'UPDATE "binding" SET "revoked_at" = NULL, "revoked_by" = NULL, "bound_by" = {place(1)},'
            f' "bound_at" = {place(2)}, "version" = {place(3)} WHERE "id" = {place(4)}',
            [(by, now, versions[target], present[pair].id) for pair, target in targets.items() if pair in present],
        )
        written = await held_bindings(transaction, partial(_between, list(targets)))
        transaction.events += [
            binding.event(EventType.BINDING_CREATED, now, by=by)
            for binding in written
            if (binding.space_id, binding.workspace_id) in targets
        ]


def _require_each_once(ids: Sequence[int], field: str) -> None:
    seen: set[int] = set()
    for index, id_ in enumerate(ids):
        if id_ in seen:
            raise InvalidInput("This is named twice: name each once.", ("input", field, str(index)))
        seen.add(id_)


def _require_bindable(
    space_ids: Sequence[int],
    spaces: Mapping[int, SpaceRecord],
    workspace_ids: Sequence[int],
    workspaces: Mapping[int, WorkspaceRecord],
    viewer: Viewer,
) -> None:
    errors: list[UserError] = []
    for index, workspace_id in enumerate(workspace_ids):
        path, workspace = ("input", "workspaceIds", str(index)), workspaces.get(workspace_id)
        if workspace is None:
            errors.append(NotFound("workspace", path))
        elif workspace.deleted_at is not None:
            errors.append(InvalidInput(f"The workspace “{workspace.name}” is being deleted.", path))
    for index, space_id in enumerate(space_ids):
        path, space = ("input", "spaceIds", str(index)), spaces.get(space_id)
        if space is None:
            errors.append(NotFound("space", path))
        elif not viewer.administers(space.integration_workspace_id):
            errors.append(Forbidden("Spaces of the platform's registries are bound by platform administrators.", path))
        elif space.integration_workspace_id is not None and set(workspace_ids) != {space.integration_workspace_id}:
            message = f"“{space.name}” lies at a registry that one workspace brought: it can be bound to that alone."
            errors.append(InvalidInput(message, path))
        elif not space.is_standing:
            errors.append(InvalidInput(f"The space “{space.name}” is no longer at its registry.", path))
    if errors:
        raise UserErrors(errors)


def _require_unbindable(
    binding_ids: Sequence[int],
    bindings: Mapping[int, BindingRecord],
    spaces: Mapping[int, SpaceRecord],
    viewer: Viewer,
) -> None:
    errors: list[UserError] = []
    for index, binding_id in enumerate(binding_ids):
        path, binding = ("input", "bindingIds", str(index)), bindings.get(binding_id)
        if binding is None:
            errors.append(NotFound("binding", path))
        elif not viewer.administers(spaces[binding.space_id].integration_workspace_id):
            message = "Spaces of the platform's registries are taken back by platform administrators."
            errors.append(Forbidden(message, path))
    if errors:
        raise UserErrors(errors)


async def _bindings_of(transaction: Transaction, pairs: Sequence[Pair]) -> dict[Pair, BindingRecord]:
    """Return those of the bindings that exist, by space and workspace."""
    records = await BINDINGS.all(transaction, partial(_between, pairs))
    return {(record.space_id, record.workspace_id): record for record in records}


def _between(pairs: Sequence[Pair], statement: Statement) -> Sequence[str]:
    """Return which bindings may be among the pairs."""
    return [
        statement.is_one_of('b."space_id"', sorted({space_id for space_id, _ in pairs})),
        statement.is_one_of('b."workspace_id"', sorted({workspace_id for _, workspace_id in pairs})),
    ]
