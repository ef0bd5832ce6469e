"""Reading the mirror of spaces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from models.database import Database
from models.enums import SpaceState, Visibility
from models.names import fold_name
from models.reading import Order, RecordReader, Statement
from models.records import SpaceRecord

SPACES = RecordReader(
    SpaceRecord,
    '"space" s',
    {
        **{
            name: f's."{name}"'
            for name in ["id", "integration_id", "external_id", "name", "visibility", "state", "created_at"]
        },
        # Of one that stands there now, the last look is the time it was seen.
        "last_seen_at": ("""CASE WHEN s."state" = 'PRESENT' THEN i."looked_at" ELSE s."last_seen_at" END"""),
        "image_host": 'p."host"',
        "registry_kind": 'i."kind"',
    },
    # Outer joins, though there always is one: SQLite then begins with the spaces, by the index that has their order.
    joins=' LEFT JOIN "integration" i ON i."id" = s."integration_id"'
    ' LEFT JOIN "image_host" p ON p."integration_id" = s."integration_id" AND p."is_primary"',
)

BY_NAME = Order('s."name"', "name", 's."id"')
BY_CREATION = Order('s."created_at"', "created_at", 's."id"', is_time=True)

STANDING = (SpaceState.PRESENT, SpaceState.DECLARED)


@dataclass(frozen=True, slots=True)
class SpaceConditions:
    """What spaces must meet; None is no condition. Vanished ones are only shown when asked for."""

    text: str | None = None
    integration_ids: tuple[int, ...] | None = None
    visibilities: tuple[Visibility, ...] | None = None
    states: tuple[SpaceState, ...] = STANDING

    def __call__(self, statement: Statement) -> Sequence[str]:
        """Return the conditions as SQL."""
        conditions = [statement.is_one_of('s."state"', [state.value for state in self.states])]
        if self.text:
            conditions.append(statement.contains('s."name"', fold_name(self.text)))
        if self.integration_ids is not None:
            conditions.append(statement.is_one_of('s."integration_id"', self.integration_ids))
        if self.visibilities is not None:
            conditions.append(
                statement.is_one_of('s."visibility"', [visibility.value for visibility in self.visibilities])
            )
        return conditions


async def spaces_by_id(database: Database, ids: Sequence[int]) -> dict[int, SpaceRecord]:
    """Return those of the spaces that exist, by id, vanished ones included."""
    records = await SPACES.all(database, lambda statement: [statement.is_one_of('s."id"', ids)])
    return {record.id: record for record in records}


async def space_by_name(database: Database, integration_id: int, name: str) -> SpaceRecord | None:
    """Return the standing space of that name at an integration."""
    records = await SPACES.all(
        database,
        lambda statement: [
            f's."integration_id" = {statement.bind(integration_id)}',
            f's."name" = {statement.bind(name)}',
            statement.is_one_of('s."state"', [state.value for state in STANDING]),
        ],
    )
    return records[0] if records else None
