"""Opening and closing spaces, many at once: each that can be done is done, and of the others it is said why not."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from models.database import Database, Transaction
from models.enums import Visibility
from models.queries.spaces import spaces_by_id
from models.records import SpaceRecord
from registry_clients import refusals
from registry_clients.errors import RegistryError, TimedOut
from registry_clients.records import FoundSpace
from services.clock import Clock
from services.dry_run import transact_or_try
from services.losses import Losses
from services.lost_answers import OutcomeUnknown
from services.registry_connections import RegistryTarget
from services.registry_turns import NamedThing, new_deadline
from services.space_asking import set_visibility
from services.space_input import keeps_visibility, require_spaces
from services.space_registries import (
    AskingError,
    SpaceRegistries,
    gone,
    is_answered,
    locked_for_spaces,
    told,
    user_error_of,
)
from services.space_rights import changeable_spaces
from services.space_writing import Doing, write_visibility
from services.user_errors import NotFound, Path, UserError
from services.viewer import Viewer

CHANGES_AT_ONCE = 4
"""Of the spaces of one registry: each costs it a hundred milliseconds."""

IDS_PATH = ("input", "ids")


@dataclass(frozen=True, slots=True)
class ChangedSpaces:
    """The spaces that are as they were wanted, what is lost by that, and why the others aren't."""

    spaces: tuple[SpaceRecord, ...]
    losses: Losses
    errors: tuple[UserError, ...]


@dataclass(frozen=True, slots=True)
class _Written:
    """What a transaction made of spaces; those that it left alone, with the reason by id."""

    spaces: dict[int, SpaceRecord]
    losses: Losses
    errors: dict[int, UserError]


class VisibilityChanger:
    """Opens and closes spaces."""

    def __init__(self, database: Database, registries: SpaceRegistries, clock: Clock) -> None:
        self._database = database
        self._registries = registries
        self._clock = clock

    async def change(self, ids: Sequence[int], visibility: Visibility, dry_run: bool, viewer: Viewer) -> ChangedSpaces:
        """Open or close spaces; see `SpaceChanger.set_visibility`."""
        require_spaces(ids)
        paths = {id_: (*IDS_PATH, str(index)) for index, id_ in enumerate(ids)}
        before = await changeable_spaces(self._database, paths, viewer)
        if dry_run:
            return _result(paths, await self._write(before, paths, visibility, {}, viewer.name, dry_run=True), {})
        kept = [id_ for id_, record in before.items() if keeps_visibility(record.registry_kind)]
        deadline = new_deadline()
        with told(IDS_PATH):
            async with self._registries.turn([_key(before[id_]) for id_ in kept], deadline):
                # Others may have changed them while we waited.
                before = await changeable_spaces(self._database, paths, viewer)
                asked = [before[id_] for id_ in kept]
                async with self._registries.followed({record.integration_id for record in asked}):
                    outcomes = await self._ask_all(asked, visibility is Visibility.PUBLIC, deadline)
                    return await self._write_outcomes(before, paths, visibility, outcomes, viewer.name)

    async def _write_outcomes(
        self,
        before: Mapping[int, SpaceRecord],
        paths: Mapping[int, Path],
        visibility: Visibility,
        outcomes: Mapping[int, datetime | AskingError],
        by: str,
    ) -> ChangedSpaces:
        seen_at = {id_: outcome for id_, outcome in outcomes.items() if isinstance(outcome, datetime)}
        failed = {id_: outcome for id_, outcome in outcomes.items() if not isinstance(outcome, datetime)}
        done = {id_: record for id_, record in before.items() if id_ not in failed}
        written = await self._write(done, paths, visibility, seen_at, by, dry_run=False)
        unclear = {before[id_].integration_id for id_, error in failed.items() if not is_answered(error)}
        if unclear:
            await self._registries.look_soon(unclear)
        return _result(paths, written, {id_: user_error_of(error, paths[id_]) for id_, error in failed.items()})

    async def _ask_all(
        self, spaces: Sequence[SpaceRecord], is_public: bool, deadline: float
    ) -> dict[int, datetime | AskingError]:
        """Return when each space was as wanted at its registry, or what came of it instead, by id."""
        if not spaces:
            return {}
        targets = await self._registries.targets(sorted({space.integration_id for space in spaces}))
        limits = {id_: asyncio.Semaphore(CHANGES_AT_ONCE) for id_ in targets}

        async def ask(space: SpaceRecord) -> datetime | AskingError:
            target = targets.get(space.integration_id)
            if target is None:
                # Removed meanwhile, and its spaces with it.
                return refusals.SpaceGone(space.name, "There is no such space any more.")
            try:
                async with asyncio.timeout_at(deadline):
                    await limits[space.integration_id].acquire()
            except TimeoutError:
                return TimedOut(f"{target.endpoint.host} takes too long: it was not asked to change this space.")
            try:
                return await self._ask(target, space, is_public, deadline)
            except (RegistryError, OutcomeUnknown, refusals.SpaceRefused) as error:
                return error
            finally:
                limits[space.integration_id].release()

        async with asyncio.TaskGroup() as group:
            tasks = {space.id: group.create_task(ask(space), name="set visibility") for space in spaces}
        return {id_: task.result() for id_, task in tasks.items()}

    async def _ask(self, target: RegistryTarget, space: SpaceRecord, is_public: bool, deadline: float) -> datetime:
        found = FoundSpace(space.external_id, space.name, space.visibility is Visibility.PUBLIC)
        began_at = self._clock()
        is_changed = await self._registries.ask(
            target, lambda client: set_visibility(client, found, is_public=is_public), deadline
        )
        # What was only looked at is known as of when that began, as from every look.
        return self._clock() if is_changed else began_at

    async def _write(
        self,
        before: Mapping[int, SpaceRecord],
        paths: Mapping[int, Path],
        visibility: Visibility,
        seen_at: Mapping[int, datetime],
        by: str,
        *,
        dry_run: bool,
    ) -> _Written:
        async def work(transaction: Transaction) -> _Written:
            integrations = await locked_for_spaces(transaction, (record.integration_id for record in before.values()))
            present = await spaces_by_id(transaction, list(before))
            errors: dict[int, UserError] = {}
            for id_, record in before.items():
                if id_ not in present:
                    errors[id_] = NotFound("space", paths[id_])
                elif not present[id_].is_standing:
                    errors[id_] = gone(record.name, paths[id_])
            standing = [record for id_, record in before.items() if id_ not in errors]
            now = self._clock()
            moments = {id_: moment for id_, moment in seen_at.items() if id_ not in errors}
            losses = await write_visibility(transaction, integrations, standing, visibility, moments, Doing(by, now))
            ids = [record.id for record in standing]
            spaces = {id_: before[id_] for id_ in ids} if dry_run else await spaces_by_id(transaction, ids)
            return _Written(spaces, losses, errors)

        return await transact_or_try(self._database, work, is_dry_run=dry_run)


def _key(space: SpaceRecord) -> NamedThing:
    return space.integration_id, space.name


def _result(ids: Iterable[int], written: _Written, failed: Mapping[int, UserError]) -> ChangedSpaces:
    errors = {**written.errors, **failed}
    return ChangedSpaces(
        spaces=tuple(written.spaces[id_] for id_ in ids if id_ in written.spaces),
        losses=written.losses,
        errors=tuple(errors[id_] for id_ in ids if id_ in errors),
    )
