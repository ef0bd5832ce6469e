"""Making, opening, closing and deleting spaces: at their registry first, then here.

Where the registry makes spaces itself, its answer decides, and the mirror follows. Where it doesn't, a space can be
declared before its first image, and who may pull from it is kept here alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from models.database import Database, Transaction
from models.enums import SpaceState, Visibility
from models.queries.spaces import space_by_name, spaces_by_id
from models.records import SpaceRecord
from registry_clients import refusals
from registry_clients.records import FoundSpace
from services.administering import administered_integration
from services.background import Undertakings
from services.clock import Clock
from services.dry_run import transact_or_try
from services.feed_claims import look_at_everything_soon
from services.losses import Losses
from services.registry_connections import RegistryConnections
from services.registry_turns import new_deadline
from services.space_asking import SpaceClient, create_space, delete_space, require_absent
from services.space_input import NewSpace, makes_spaces, require_makeable
from services.space_registries import SpaceRegistries, gone, locked_for_spaces, told
from services.space_rights import changeable_spaces
from services.space_visibility import ChangedSpaces, VisibilityChanger
from services.space_writing import (
    Doing,
    repository_count,
    was_deleted_since,
    write_declared,
    write_deleted,
    write_made,
    write_taken_back,
)
from services.user_errors import NotFound, SpaceNameTaken, SpaceNotEmpty
from services.viewer import Viewer

EMPTY_IT_FIRST = "Delete what it holds at the registry first."
GOES_BY_ITSELF = "A Docker Registry's space goes with its last image."

PATIENCE_SECONDS = 10.0
"""How long the server, when it stops, waits for changes that are under way."""

INTEGRATION_PATH = ("input", "integrationId")
NAME_PATH = ("input", "name")
ID_PATH = ("input", "id")


@dataclass(frozen=True, slots=True)
class DeletedSpace:
    """A space as it was, and what is lost with it."""

    space: SpaceRecord
    losses: Losses


class SpaceChanger:
    """Changes spaces. What was begun comes to its end, whether or not somebody waits for it."""

    def __init__(self, database: Database, connections: RegistryConnections, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._registries = SpaceRegistries(database, connections, clock)
        self._visibilities = VisibilityChanger(database, self._registries, clock)
        self._undertakings = Undertakings()

    async def end(self) -> None:
        """Return when all that is under way has ended; what takes too long is cancelled."""
        await self._undertakings.end(PATIENCE_SECONDS)

    async def create(self, new: NewSpace, viewer: Viewer) -> SpaceRecord:
        """Make a space at its registry, or declare one where spaces are only found.

        Raises NotFound, Forbidden, UserErrors for what no such registry takes, SpaceNameTaken, SpaceRefused,
        RegistryRefused.
        """
        return await self._undertakings.carry_out("create space", self._create(new, viewer))

    async def set_visibility(
        self, ids: Sequence[int], visibility: Visibility, dry_run: bool, viewer: Viewer
    ) -> ChangedSpaces:
        """Open or close spaces, at their registries where these know of it; each that can be done is.

        Raises InvalidInput, and UserErrors with NotFound, Forbidden and InvalidInput, each for the id that is meant:
        then nothing was done. Raises RegistryRefused when others are changing the same spaces and take too long.
        """
        return await self._undertakings.carry_out(
            "set visibility", self._visibilities.change(ids, visibility, dry_run, viewer)
        )

    async def delete(self, space_id: int, dry_run: bool, viewer: Viewer) -> DeletedSpace:
        """Delete an empty space at its registry, or take back one that was declared, with its bindings.

        Raises UserErrors with NotFound, Forbidden, or InvalidInput for one that is gone already; SpaceNotEmpty,
        SpaceRefused, RegistryRefused.
        """
        return await self._undertakings.carry_out("delete space", self._delete(space_id, dry_run, viewer))

    async def _create(self, new: NewSpace, viewer: Viewer) -> SpaceRecord:
        integration = await administered_integration(self._database, viewer, new.integration_id, INTEGRATION_PATH)
        require_makeable(new, integration.kind)
        try:
            if makes_spaces(integration.kind):
                space_id = await self._make(new, viewer.name)
            else:
                space_id = await self._declare(new, viewer.name)
        except _NameHeld as error:
            holder = await space_by_name(self._database, new.integration_id, new.name, viewer.sight)
            raise SpaceNameTaken(new.name, holder, NAME_PATH) from error
        made = await spaces_by_id(self._database, [space_id])
        if space_id not in made:
            raise NotFound("integration", INTEGRATION_PATH)
        return made[space_id]

    async def _make(self, new: NewSpace, by: str) -> int:
        is_public = new.visibility is Visibility.PUBLIC

        async def ask(client: SpaceClient) -> FoundSpace:
            return await create_space(client, new.name, is_public=is_public, quota_limit_bytes=new.storage_limit_bytes)

        deadline = new_deadline()
        with told(INTEGRATION_PATH, NAME_PATH):
            async with self._registries.turn([(new.integration_id, new.name)], deadline):
                target = await self._registries.target(new.integration_id, INTEGRATION_PATH)
                try:
                    await self._registries.ask(target, lambda client: require_absent(client, new.name), deadline)
                    async with self._registries.followed([new.integration_id]):
                        found = await self._registries.ask(target, ask, deadline)
                        return await self._write_made(new.integration_id, found, Doing(by, self._clock()))
                except refusals.SpaceNameHeld as error:
                    raise _NameHeld from error

    async def _write_made(self, integration_id: int, found: FoundSpace, doing: Doing) -> int:
        async def work(transaction: Transaction) -> int:
            integrations = await locked_for_spaces(transaction, [integration_id])
            if integration_id not in integrations:
                raise NotFound("integration", INTEGRATION_PATH)
            looked_at = integrations[integration_id].looked_at
            if looked_at is not None and looked_at > doing.at:
                # Everything was looked at since: it may be gone again, or the registry be another.
                await look_at_everything_soon(transaction, integration_id, self._clock())
            return await write_made(transaction, integrations[integration_id], found, doing)

        return await self._database.transact(work)

    async def _declare(self, new: NewSpace, by: str) -> int:
        async def work(transaction: Transaction) -> int:
            integrations = await locked_for_spaces(transaction, [new.integration_id])
            if new.integration_id not in integrations:
                raise NotFound("integration", INTEGRATION_PATH)
            doing = Doing(by, self._clock())
            integration = integrations[new.integration_id]
            space_id = await write_declared(transaction, integration, new.name, new.visibility, doing)
            if space_id is None:
                raise _NameHeld
            return space_id

        return await self._database.transact(work)

    async def _delete(self, space_id: int, dry_run: bool, viewer: Viewer) -> DeletedSpace:
        space = await self._changeable(self._database, space_id, viewer)
        if not makes_spaces(space.registry_kind):
            return await self._take_back(space_id, dry_run, viewer)
        deadline = new_deadline()
        with told(ID_PATH):
            async with self._registries.turn([(space.integration_id, space.name)], deadline):
                # Somebody may have deleted it while we waited.
                space = await self._changeable(self._database, space_id, viewer)
                return await self._delete_kept(space, dry_run, viewer.name, deadline)

    async def _delete_kept(self, space: SpaceRecord, dry_run: bool, by: str, deadline: float) -> DeletedSpace:
        began_at = self._clock()
        target = await self._registries.target(space.integration_id, ID_PATH)
        found = FoundSpace(space.external_id, space.name, space.visibility is Visibility.PUBLIC)

        async def require_empty(client: SpaceClient) -> None:
            held = await client.look_at_repositories(found)
            if held:
                raise SpaceNotEmpty(space.name, len(held), EMPTY_IT_FIRST, ID_PATH)

        async def ask(client: SpaceClient) -> None:
            try:
                await delete_space(client, found)
            except refusals.SpaceNotEmpty:
                # Filled since it was looked at. Emptied again, it goes.
                await require_empty(client)
                await delete_space(client, found)

        async def work(transaction: Transaction) -> DeletedSpace:
            integrations = await locked_for_spaces(transaction, [space.integration_id])
            present = (await spaces_by_id(transaction, [space.id])).get(space.id)
            if present is None or space.integration_id not in integrations:
                raise NotFound("space", ID_PATH)
            if not present.is_standing and await was_deleted_since(transaction, space, began_at):
                raise gone(space.name, ID_PATH)
            doing = Doing(by, self._clock())
            return DeletedSpace(
                space, await write_deleted(transaction, integrations[space.integration_id], space, doing)
            )

        await self._registries.ask(target, require_empty, deadline)
        if dry_run:
            return await transact_or_try(self._database, work, is_dry_run=True)
        async with self._registries.followed([space.integration_id]):
            await self._registries.ask(target, ask, deadline)
            return await self._database.transact(work)

    async def _take_back(self, space_id: int, dry_run: bool, viewer: Viewer) -> DeletedSpace:
        async def work(transaction: Transaction) -> DeletedSpace:
            space = await self._changeable(transaction, space_id, viewer)
            integrations = await locked_for_spaces(transaction, [space.integration_id])
            # As it is now that nobody changes it.
            space = await self._changeable(transaction, space_id, viewer)
            if space.state is SpaceState.PRESENT:
                count = await repository_count(transaction, space_id)
                raise SpaceNotEmpty(space.name, count, GOES_BY_ITSELF, ID_PATH)
            doing = Doing(viewer.name, self._clock())
            losses = await write_taken_back(transaction, integrations[space.integration_id], space, doing)
            return DeletedSpace(space, losses)

        return await transact_or_try(self._database, work, is_dry_run=dry_run)

    async def _changeable(self, readable: Database | Transaction, space_id: int, viewer: Viewer) -> SpaceRecord:
        return (await changeable_spaces(readable, {space_id: ID_PATH}, viewer))[space_id]


class _NameHeld(Exception):
    """There is a space of that name."""
