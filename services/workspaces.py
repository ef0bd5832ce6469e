"""Workspaces and their namespaces: made, kept in step with the platform's own tenants, changed, deleted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from models.database import Database, Transaction
from models.enums import EventType
from models.names import fold_name
from models.queries.workspaces import WORKSPACES, workspaces_by_id
from models.reading import Statement
from models.records import NamespaceRecord, WorkspaceRecord
from models.workspace import Workspace
from services.access_tokens import AccessTokens
from services.access_writing import held_bindings, is_in_force_somewhere, lock_access, revoke
from services.clock import Clock
from services.dry_run import transact_or_try
from services.event_making import workspace_event
from services.input_rules import checked_name
from services.left_out import LEFT_OUT, Left
from services.losses import NOTHING, Losses
from services.namespaces import NAMESPACES_PATH, give_namespaces, name_of, namespaces_of, take_namespaces
from services.registry_input import InputErrors
from services.user_errors import (
    ExternalIdTaken,
    InvalidInput,
    NotFound,
    Path,
    UserError,
    UserErrors,
    WorkspaceHasIntegrations,
    WorkspaceNameTaken,
    WorkspaceUpdateConflict,
)
from services.workspace_input import NamespaceName, checked_external_id, checked_labels, checked_namespaces

NAME_PATH = ("input", "name")
EXTERNAL_ID_PATH = ("input", "externalId")
LABELS_PATH = ("input", "labels")


@dataclass(frozen=True, slots=True)
class WorkspaceInput:
    """What a workspace is to be, as typed; what is left out stays, or begins empty."""

    name: str | Left = LEFT_OUT
    external_id: str | Left | None = LEFT_OUT
    labels: Sequence[tuple[str, str]] | Left = LEFT_OUT
    namespaces: Sequence[NamespaceName] | Left = LEFT_OUT
    expected_updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ChangedWorkspace:
    """A workspace as it is now, or was when it was deleted, and what is lost with what was taken from it.

    It is None in a dry run that would make it.
    """

    workspace: WorkspaceRecord | None
    namespaces: tuple[NamespaceRecord, ...] = ()
    losses: Losses = NOTHING
    is_created: bool = False


@dataclass(frozen=True, slots=True)
class _Parsed:
    name: str | None
    external_id: str | Left | None
    labels: Mapping[str, str] | None
    namespaces: tuple[NamespaceName, ...] | None
    expected_updated_at: datetime | None = field(default=None)


class WorkspaceKeeper:
    """Everything about workspaces. All of it is platform administrators' work."""

    def __init__(self, database: Database, clock: Clock, access_tokens: AccessTokens) -> None:
        self._database = database
        self._clock = clock
        self._access_tokens = access_tokens

    async def create(self, given: WorkspaceInput, by: str) -> ChangedWorkspace:
        """Make a workspace. Raises UserErrors, WorkspaceNameTaken, ExternalIdTaken."""
        parsed = _parse(given)

        async def work(transaction: Transaction) -> ChangedWorkspace:
            await lock_access(transaction)
            created = await self._create(transaction, parsed, by)
            return ChangedWorkspace(created, is_created=True)

        return await self._database.transact(work)

    async def update(self, workspace_id: int, given: WorkspaceInput, by: str) -> ChangedWorkspace:
        """Change a workspace. Raises NotFound, WorkspaceUpdateConflict, UserErrors and what `create` raises."""
        parsed = _parse(given)

        async def work(transaction: Transaction) -> ChangedWorkspace:
            await lock_access(transaction)
            present = await _present(transaction, workspace_id, ("input", "id"))
            _require_standing(present, ("input", "id"))
            return ChangedWorkspace(await self._update(transaction, present, parsed, by))

        return await self._database.transact(work)

    async def upsert(self, external_id: str, given: WorkspaceInput, dry_run: bool, by: str) -> ChangedWorkspace:
        """Make the workspace of an external id what it is to be: the same call again changes nothing.

        A list of namespaces is the whole list: what is missing in it is taken away. One that is being deleted stands
        again. Raises UserErrors, with NamespaceTaken too, WorkspaceNameTaken, WorkspaceUpdateConflict, and NotFound
        when one was read that is gone.
        """
        parsed = _parse(replace(given, external_id=external_id))

        async def work(transaction: Transaction) -> ChangedWorkspace:
            await lock_access(transaction)
            found = await WORKSPACES.all(
                transaction, lambda statement: [f'w."external_id" = {statement.bind(external_id)}']
            )
            if not found and parsed.expected_updated_at is not None:
                # Who has read it would make it anew, though somebody has deleted it since.
                raise NotFound("workspace", EXTERNAL_ID_PATH)
            if not found and parsed.name is None:
                raise InvalidInput("There is no workspace of this external id yet: give its name.", NAME_PATH)
            if found:
                workspace = await self._update(transaction, found[0], parsed, by)
            else:
                workspace = await self._create(transaction, parsed, by)
            losses = NOTHING
            if parsed.namespaces is not None:
                wanted = set(parsed.namespaces)
                present = await namespaces_of(transaction, workspace.id)
                missing = [record for record in present if name_of(record) not in wanted]
                losses = await take_namespaces(transaction, workspace, missing, self._clock(), by)
                await give_namespaces(transaction, workspace, parsed.namespaces, self._clock(), by)
            if dry_run:
                # What is shown is what stands; of one that would be made there is nothing to show.
                return ChangedWorkspace(found[0] if found else None, losses=losses, is_created=not found)
            return ChangedWorkspace(workspace, losses=losses, is_created=not found)

        return await transact_or_try(self._database, work, is_dry_run=dry_run)

    async def delete(self, workspace_id: int, dry_run: bool, by: str) -> ChangedWorkspace:
        """Delete a workspace with its namespaces, bindings and access tokens; or say what would be lost.

        Where something that it was given may be in force, it stands, being deleted, until that is taken away.
        Raises NotFound, WorkspaceHasIntegrations.
        """

        async def work(transaction: Transaction) -> ChangedWorkspace:
            await lock_access(transaction)
            workspace = await _present(transaction, workspace_id, ("input", "id"))
            place = transaction.dialect.placeholder(1)
            brought = await transaction.fetch(
                f'SELECT COUNT(*) AS count FROM "integration" WHERE "workspace_id" = {place}', workspace_id
            )
            if brought[0]["count"]:
                raise WorkspaceHasIntegrations(workspace, int(brought[0]["count"]), ("input", "id"))
            losses = await self._delete(transaction, workspace, by)
            return ChangedWorkspace(workspace, losses=losses)

        return await transact_or_try(self._database, work, is_dry_run=dry_run)

    async def add_namespaces(self, workspace_id: int, namespaces: Sequence[NamespaceName], by: str) -> ChangedWorkspace:
        """Give namespaces to a workspace, all or none; its own are no error. Raises NotFound, UserErrors."""
        checked = checked_namespaces(namespaces, NAMESPACES_PATH)

        async def work(transaction: Transaction) -> ChangedWorkspace:
            await lock_access(transaction)
            workspace = await _present(transaction, workspace_id, ("input", "workspaceId"))
            _require_standing(workspace, ("input", "workspaceId"))
            await give_namespaces(transaction, workspace, checked, self._clock(), by)
            by_name = {name_of(record): record for record in await namespaces_of(transaction, workspace.id)}
            return ChangedWorkspace(workspace, tuple(by_name[name] for name in checked))

        return await self._database.transact(work)

    async def remove_namespaces(
        self, workspace_id: int, namespaces: Sequence[NamespaceName], dry_run: bool, by: str
    ) -> ChangedWorkspace:
        """Take namespaces from a workspace, all or none. Raises NotFound, UserErrors for each that it doesn't have.

        Returns the namespaces as they were.
        """
        checked = checked_namespaces(namespaces, NAMESPACES_PATH)

        async def work(transaction: Transaction) -> ChangedWorkspace:
            await lock_access(transaction)
            workspace = await _present(transaction, workspace_id, ("input", "workspaceId"))
            by_name = {name_of(record): record for record in await namespaces_of(transaction, workspace.id)}
            errors: list[UserError] = [
                InvalidInput(f"“{workspace.name}” has no such namespace.", (*NAMESPACES_PATH, str(index)))
                for index, name in enumerate(checked)
                if name not in by_name
            ]
            if errors:
                raise UserErrors(errors)
            removed = [by_name[name] for name in checked]
            losses = await take_namespaces(transaction, workspace, removed, self._clock(), by)
            return ChangedWorkspace(workspace, tuple(removed), losses)

        return await transact_or_try(self._database, work, is_dry_run=dry_run)

    async def _create(self, transaction: Transaction, parsed: _Parsed, by: str) -> WorkspaceRecord:
        if parsed.name is None:
            raise AssertionError("a new workspace has a name")
        external_id = None if isinstance(parsed.external_id, Left) else parsed.external_id
        await _require_free(transaction, parsed.name, external_id, but_by=None)
        now = self._clock()
        workspace = await Workspace.create(
            name=parsed.name,
            name_key=fold_name(parsed.name),
            external_id=external_id,
            labels=parsed.labels or {},
            created_by=by,
            created_at=now,
            updated_at=now,
        )
        transaction.events.append(workspace_event(EventType.WORKSPACE_CREATED, now, workspace.id, workspace.name, by))
        return (await workspaces_by_id(transaction, [workspace.id]))[workspace.id]

    async def _update(
        self, transaction: Transaction, present: WorkspaceRecord, parsed: _Parsed, by: str
    ) -> WorkspaceRecord:
        """Write what is different; nothing is written, and nothing told, where nothing is."""
        if parsed.expected_updated_at is not None and parsed.expected_updated_at != present.updated_at:
            raise WorkspaceUpdateConflict(present, ("input", "expectedUpdatedAt"))
        name = present.name if parsed.name is None else parsed.name
        external_id = present.external_id if isinstance(parsed.external_id, Left) else parsed.external_id
        labels = present.labels if parsed.labels is None else dict(parsed.labels)
        wanted = (name, external_id, labels, None)
        if wanted == (present.name, present.external_id, present.labels, present.deleted_at):
            return present
        await _require_free(transaction, name, external_id, but_by=present.id)
        now = self._clock()
        await Workspace.filter(id=present.id).update(
            name=name,
            name_key=fold_name(name),
            external_id=external_id,
            labels=labels,
            updated_at=now,
            deleted_at=None,
        )
        transaction.events.append(workspace_event(EventType.WORKSPACE_UPDATED, now, present.id, name, by))
        return (await workspaces_by_id(transaction, [present.id]))[present.id]

    async def _delete(self, transaction: Transaction, workspace: WorkspaceRecord, by: str) -> Losses:
        now = self._clock()
        namespaces = await namespaces_of(transaction, workspace.id)
        losses = await take_namespaces(transaction, workspace, namespaces, now, by)

        def its_own(statement: Statement) -> Sequence[str]:
            return [f'b."workspace_id" = {statement.bind(workspace.id)}']

        await revoke(transaction, await held_bindings(transaction, its_own), now, by)
        await self._access_tokens.revoke_all_of(transaction, workspace.id, by)
        is_deleted_already = workspace.deleted_at is not None
        if not is_deleted_already:
            transaction.events.append(
                workspace_event(EventType.WORKSPACE_DELETED, now, workspace.id, workspace.name, by)
            )
        if not await is_in_force_somewhere(transaction, workspace.id):
            await Workspace.filter(id=workspace.id).delete()
        elif not is_deleted_already:
            await Workspace.filter(id=workspace.id).update(deleted_at=now, updated_at=now)
        return losses


def _parse(given: WorkspaceInput) -> _Parsed:
    """Return what a workspace is to be. Raises UserErrors."""
    errors = InputErrors()
    name = external_id = labels = namespaces = None
    if not isinstance(given.name, Left):
        given_name = given.name
        name = errors.take(lambda: checked_name(given_name, NAME_PATH), NAME_PATH)
    if not isinstance(given.external_id, Left):
        given_id = given.external_id
        external_id = errors.take(lambda: checked_external_id(given_id, EXTERNAL_ID_PATH), EXTERNAL_ID_PATH)
    if not isinstance(given.labels, Left):
        given_labels = given.labels
        labels = errors.take(lambda: checked_labels(given_labels, LABELS_PATH), LABELS_PATH)
    if not isinstance(given.namespaces, Left):
        given_namespaces = given.namespaces
        namespaces = errors.take(lambda: checked_namespaces(given_namespaces, NAMESPACES_PATH), NAMESPACES_PATH)
    errors.raise_any()
    return _Parsed(
        name=name,
        external_id=given.external_id if isinstance(given.external_id, Left) else external_id,
        labels=labels,
        namespaces=namespaces,
        expected_updated_at=given.expected_updated_at,
    )


def _require_standing(workspace: WorkspaceRecord, path: Path) -> None:
    if workspace.deleted_at is not None:
        raise InvalidInput(f"The workspace “{workspace.name}” is being deleted.", path)


async def _present(transaction: Transaction, workspace_id: int, path: Path) -> WorkspaceRecord:
    found = await workspaces_by_id(transaction, [workspace_id])
    if workspace_id not in found:
        raise NotFound("workspace", path)
    return found[workspace_id]


async def _require_free(transaction: Transaction, name: str, external_id: str | None, but_by: int | None) -> None:
    """Raise WorkspaceNameTaken or ExternalIdTaken when another workspace has one."""
    key = fold_name(name)
    by_name = await WORKSPACES.all(transaction, lambda statement: [f'w."name_key" = {statement.bind(key)}'])
    for holder in by_name:
        if holder.id != but_by:
            raise WorkspaceNameTaken(holder, NAME_PATH)
    if external_id is None:
        return
    by_id = await WORKSPACES.all(transaction, lambda statement: [f'w."external_id" = {statement.bind(external_id)}'])
    for holder in by_id:
        if holder.id != but_by:
            raise ExternalIdTaken(external_id, holder, EXTERNAL_ID_PATH)
