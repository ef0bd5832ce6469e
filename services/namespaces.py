"""Giving namespaces to workspaces and taking them away, within a transaction that holds the lock of access."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from models.database import NewEvent, Transaction
from models.enums import EventType
from models.queries.workspaces import NAMESPACES, workspaces_by_id
from models.reading import Statement
from models.records import NamespaceRecord, WorkspaceRecord
from models.workspace import Namespace
from services.event_making import workspace_event
from services.losses import NOTHING, Losses, losses_of_namespaces
from services.user_errors import NamespaceTaken, UserError, UserErrors
from services.workspace_input import NamespaceName

NAMESPACES_PATH = ("input", "namespaces")


async def namespaces_of(transaction: Transaction, workspace_id: int) -> list[NamespaceRecord]:
    """Return the namespaces of a workspace, by cluster and name."""
    records = await NAMESPACES.all(
        transaction, lambda statement: [f'n."workspace_id" = {statement.bind(workspace_id)}']
    )
    return sorted(records, key=name_of)


async def give_namespaces(
    transaction: Transaction, workspace: WorkspaceRecord, names: Sequence[NamespaceName], now: datetime, by: str
) -> None:
    """Give namespaces to a workspace; its own are passed over. Raises UserErrors with NamespaceTaken."""
    held = await _holders_of(transaction, names)
    taken = {name: holder for name, holder in held.items() if holder != workspace.id}
    if taken:
        holders = await workspaces_by_id(transaction, sorted(set(taken.values())))
        errors: list[UserError] = [
            NamespaceTaken(name.cluster, name.name, holders[taken[name]], (*NAMESPACES_PATH, str(index)))
            for index, name in enumerate(names)
            if name in taken
        ]
        raise UserErrors(errors)
    new = [name for name in names if name not in held]
    await Namespace.bulk_create(
        [Namespace(workspace_id=workspace.id, cluster=name.cluster, name=name.name, created_at=now) for name in new],
        using_db=transaction.connection,
    )
    transaction.events += [_event(EventType.NAMESPACE_ADDED, now, workspace, name, by) for name in new]


async def take_namespaces(
    transaction: Transaction,
    workspace: WorkspaceRecord,
    namespaces: Sequence[NamespaceRecord],
    now: datetime,
    by: str,
) -> Losses:
    """Take namespaces from a workspace and return what they lose."""
    if not namespaces:
        return NOTHING
    ids = [namespace.id for namespace in namespaces]
    losses = await losses_of_namespaces(transaction, ids)
    statement = Statement(transaction.dialect)
    condition = statement.is_one_of('"id"', ids)
    await transaction.execute(f'DELETE FROM "namespace" WHERE {condition}', *statement.values)
    transaction.events += [
        _event(EventType.NAMESPACE_REMOVED, now, workspace, name_of(namespace), by) for namespace in namespaces
    ]
    return losses


def name_of(record: NamespaceRecord) -> NamespaceName:
    """Return a namespace as a person names it."""
    return NamespaceName(record.cluster, record.name)


async def _holders_of(transaction: Transaction, names: Sequence[NamespaceName]) -> dict[NamespaceName, int]:
    """Return whose the namespaces are, of those that belong to a workspace."""
    records = await NAMESPACES.all(
        transaction,
        lambda statement: [
            statement.is_one_of('n."cluster"', sorted({name.cluster for name in names})),
            statement.is_one_of('n."name"', sorted({name.name for name in names})),
        ],
    )
    wanted = set(names)
    return {name_of(record): record.workspace_id for record in records if name_of(record) in wanted}


def _event(type_: EventType, now: datetime, workspace: WorkspaceRecord, name: NamespaceName, by: str) -> NewEvent:
    return workspace_event(type_, now, workspace.id, workspace.name, by, cluster=name.cluster, namespace_name=name.name)
