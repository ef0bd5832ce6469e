"""Reading where registries send their notifications."""

from __future__ import annotations

from collections.abc import Sequence

from models.reading import Readable, RecordReader, Statement
from models.records import HookRecord

HOOKS = RecordReader(
    HookRecord,
    '"hook" h JOIN "integration" i ON i."id" = h."integration_id"',
    {
        "integration_id": 'h."integration_id"',
        "registry_kind": 'i."kind"',
        "public_id": 'h."public_id"',
        "has_secret": 'h."secret_hash" IS NOT NULL',
        "last_received_at": 'h."last_received_at"',
    },
)


async def hooks_of_integrations(
    database: Readable, ids: Sequence[int], brought_by: Sequence[int] | None = None
) -> dict[int, HookRecord]:
    """Return the hooks of those integrations whose kind sends notifications, by the integrations' ids.

    With `brought_by`, only of integrations that these workspaces brought.
    """

    def conditions(statement: Statement) -> Sequence[str]:
        wanted = [statement.is_one_of('h."integration_id"', ids)]
        return wanted if brought_by is None else [*wanted, statement.is_one_of('i."workspace_id"', brought_by)]

    return {record.integration_id: record for record in await HOOKS.all(database, conditions)}
