"""Reading bindings, and how far they have been made true."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from models.queries.sight import EVERYTHING, Sight
from models.reading import Order, Readable, RecordReader, Statement
from models.records import BindingRecord, RegistryEnforcementRecord

BINDINGS = RecordReader(
    BindingRecord,
    '"binding" b',
    {
        **{
            name: f'b."{name}"'
            for name in ["id", "space_id", "workspace_id", "bound_by", "bound_at", "revoked_at", "version"]
        },
        "integration_id": 's."integration_id"',
        "space_state": 's."state"',
        "space_visibility": 's."visibility"',
        "registry_kind": 'i."kind"',
    },
    joins=' LEFT JOIN "space" s ON s."id" = b."space_id" LEFT JOIN "integration" i ON i."id" = s."integration_id"',
)

REGISTRY_ENFORCEMENTS = RecordReader(
    RegistryEnforcementRecord,
    '"registry_enforcement" t',
    {
        name: f't."{name}"'
        for name in [
            "workspace_id",
            "integration_id",
            "desired_version",
            "applied_version",
            "failure",
            "changed_at",
            "next_attempt_at",
        ]
    },
)

OLDEST_FIRST = Order('b."id"', "id", 'b."id"')


@dataclass(frozen=True, slots=True)
class BindingConditions:
    """What bindings must meet."""

    sight: Sight = EVERYTHING

    def __call__(self, statement: Statement) -> Sequence[str]:
        """Return the conditions as SQL."""
        return self.sight.bindings(statement)


async def bindings_by_id(readable: Readable, ids: Sequence[int], sight: Sight = EVERYTHING) -> dict[int, BindingRecord]:
    """Return those of the bindings that exist and are seen, by id."""
    records = await BINDINGS.all(
        readable, lambda statement: [statement.is_one_of('b."id"', ids), *sight.bindings(statement)]
    )
    return {record.id: record for record in records}


async def registry_enforcements(
    readable: Readable, keys: Sequence[tuple[int, int]]
) -> dict[tuple[int, int], RegistryEnforcementRecord]:
    """Return how far bindings have been made true, by workspace and integration."""
    wanted = set(keys)
    workspaces = sorted({workspace_id for workspace_id, _ in wanted})
    integrations = sorted({integration_id for _, integration_id in wanted})
    records = await REGISTRY_ENFORCEMENTS.all(
        readable,
        lambda statement: [
            statement.is_one_of('t."workspace_id"', workspaces),
            statement.is_one_of('t."integration_id"', integrations),
        ],
    )
    found = {(record.workspace_id, record.integration_id): record for record in records}
    return {key: record for key, record in found.items() if key in wanted}
