"""Reading the mirror of repositories, and with what registries are read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from models.names import fold_name
from models.queries.sight import EVERYTHING, Sight
from models.reading import Order, Readable, RecordReader, Statement
from models.records import RepositoryRecord, RoutineCredentialRecord

REPOSITORIES = RecordReader(
    RepositoryRecord,
    '"repository" r',
    {
        **{
            name: f'r."{name}"'
            for name in ["id", "space_id", "name", "artifact_count", "pull_count", "updated_at", "created_at"]
        },
        "integration_id": 's."integration_id"',
        "image_host": 'p."host"',
    },
    joins=' LEFT JOIN "space" s ON s."id" = r."space_id"'
    ' LEFT JOIN "image_host" p ON p."integration_id" = s."integration_id" AND p."is_primary"',
)

ROUTINE_CREDENTIALS = RecordReader(
    RoutineCredentialRecord,
    '"reader_credential" c',
    {name: f'c."{name}"' for name in ["integration_id", "username", "failure"]},
)

BY_NAME = Order('r."name"', "name", 'r."id"')


@dataclass(frozen=True, slots=True)
class RepositoryConditions:
    """What repositories must meet; None is no condition."""

    text: str | None = None

    def __call__(self, statement: Statement) -> Sequence[str]:
        """Return the conditions as SQL."""
        return [] if not self.text else [statement.contains('r."name"', fold_name(self.text))]


async def repositories_by_id(
    database: Readable, ids: Sequence[int], sight: Sight = EVERYTHING
) -> dict[int, RepositoryRecord]:
    """Return those of the repositories that exist and are seen, by id."""
    records = await REPOSITORIES.all(
        database, lambda statement: [statement.is_one_of('r."id"', ids), *sight.repositories(statement)]
    )
    return {record.id: record for record in records}


async def routine_credentials(
    database: Readable, ids: Sequence[int], brought_by: Sequence[int] | None = None
) -> dict[int, RoutineCredentialRecord]:
    """Return with what the integrations are read, of those whose kind has credentials for reading alone.

    With `brought_by`, only of integrations that these workspaces brought.
    """

    def conditions(statement: Statement) -> Sequence[str]:
        wanted = statement.is_one_of('c."integration_id"', ids)
        if brought_by is None:
            return [wanted]
        own = statement.is_one_of('i."workspace_id"', brought_by)
        return [
            wanted,
            f'EXISTS (SELECT 1 FROM "integration" i WHERE i."id" = c."integration_id" AND {own})',
        ]

    records = await ROUTINE_CREDENTIALS.all(database, conditions)
    return {record.integration_id: record for record in records}
