"""Reading workspaces and their namespaces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from models.names import fold_name
from models.queries.sight import EVERYTHING, Sight
from models.reading import Order, Readable, RecordReader, Statement
from models.records import NamespaceRecord, WorkspaceRecord

WORKSPACES = RecordReader(
    WorkspaceRecord,
    '"workspace" w',
    {
        name: f'w."{name}"'
        for name in [
            "id",
            "name",
            "name_key",
            "external_id",
            "labels",
            "created_by",
            "created_at",
            "updated_at",
            "deleted_at",
        ]
    },
)

NAMESPACES = RecordReader(
    NamespaceRecord,
    '"namespace" n',
    {name: f'n."{name}"' for name in ["id", "workspace_id", "cluster", "name", "created_at"]},
)

BY_NAME = Order('w."name_key"', "name_key", 'w."id"')
BY_CREATION = Order('w."created_at"', "created_at", 'w."id"', is_time=True)
NAMESPACES_BY_CREATION = Order('n."id"', "id", 'n."id"')


@dataclass(frozen=True, slots=True)
class WorkspaceConditions:
    """What workspaces must meet; None is no condition."""

    text: str | None = None
    external_ids: tuple[str, ...] | None = None
    sight: Sight = EVERYTHING

    def __call__(self, statement: Statement) -> Sequence[str]:
        """Return the conditions as SQL."""
        conditions = list(self.sight.workspaces(statement))
        if self.text:
            conditions.append(statement.contains('w."name_key"', fold_name(self.text)))
        if self.external_ids is not None:
            conditions.append(statement.is_one_of('w."external_id"', self.external_ids))
        return conditions


async def workspaces_by_id(
    readable: Readable, ids: Sequence[int], sight: Sight = EVERYTHING
) -> dict[int, WorkspaceRecord]:
    """Return those of the workspaces that exist and are seen, by id."""
    records = await WORKSPACES.all(
        readable, lambda statement: [statement.is_one_of('w."id"', ids), *sight.workspaces(statement)]
    )
    return {record.id: record for record in records}


async def workspace_by_name(readable: Readable, name: str, sight: Sight) -> WorkspaceRecord | None:
    """Return the workspace of that name, whatever its case."""
    records = await WORKSPACES.all(
        readable,
        lambda statement: [f'w."name_key" = {statement.bind(fold_name(name))}', *sight.workspaces(statement)],
    )
    return records[0] if records else None


async def namespaces_by_id(readable: Readable, ids: Sequence[int], sight: Sight) -> dict[int, NamespaceRecord]:
    """Return those of the namespaces that exist and are seen, by id."""
    records = await NAMESPACES.all(
        readable, lambda statement: [statement.is_one_of('n."id"', ids), *sight.namespaces(statement)]
    )
    return {record.id: record for record in records}
