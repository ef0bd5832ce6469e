"""Reading the mirror of spaces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from models.enums import SpaceState, Visibility
from models.names import fold_name
from models.queries.sight import EVERYTHING, Sight
from models.reading import Order, Readable, RecordReader, Statement
from models.records import PullableSpaceRecord, SpaceRecord

_COLUMNS = {
    **{
        name: f's."{name}"'
        for name in ["id", "integration_id", "external_id", "name", "visibility", "state", "created_at"]
    },
    # Of one that stands there now, the last look is the time it was seen.
    "last_seen_at": ("""CASE WHEN s."state" = 'PRESENT' THEN i."looked_at" ELSE s."last_seen_at" END"""),
    "image_host": 'p."host"',
    "registry_kind": 'i."kind"',
    "integration_workspace_id": 'i."workspace_id"',
}
# Outer joins, though there always is one: SQLite then begins with the spaces, by the index that has their order.
_JOINS = (
    ' LEFT JOIN "integration" i ON i."id" = s."integration_id"'
    ' LEFT JOIN "image_host" p ON p."integration_id" = s."integration_id" AND p."is_primary"'
)

SPACES = RecordReader(SpaceRecord, '"space" s', _COLUMNS, joins=_JOINS)

# The signs keep SQLite from going by integration, where it would have to sort, and from looking for what is the
# workspace's anew for each public space.
_OPEN_TO_ALL = (
    f"""s."visibility" = '{Visibility.PUBLIC.value}' AND +s."integration_id" IN"""
    ' (SELECT pi."id" FROM "integration" pi WHERE pi."workspace_id" IS NULL)'
)
_OPEN_TO_OWNER = (
    f"""s."visibility" || '' = '{Visibility.PUBLIC.value}' AND s."integration_id" IN"""
    ' (SELECT pi."id" FROM "integration" pi WHERE pi."workspace_id" = parents."id")'
)
_BOUND = (
    's."id" IN (SELECT pb."space_id" FROM "binding" pb WHERE pb."workspace_id" = parents."id"'
    ' AND pb."revoked_at" IS NULL)'
)

PULLABLE_SPACES = RecordReader(
    PullableSpaceRecord,
    '"space" s',
    {**_COLUMNS, "workspace_id": 'parents."id"'},
    joins=_JOINS,
    of_parent=(_OPEN_TO_ALL, _OPEN_TO_OWNER, _BOUND),
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
    sight: Sight = EVERYTHING

    def __call__(self, statement: Statement) -> Sequence[str]:
        """Return the conditions as SQL."""
        conditions = [statement.is_one_of('s."state"', [state.value for state in self.states])]
        conditions += self.sight.spaces(statement)
        if self.text:
            conditions.append(statement.contains('s."name"', fold_name(self.text)))
        if self.integration_ids is not None:
            conditions.append(statement.is_one_of('s."integration_id"', self.integration_ids))
        if self.visibilities is not None:
            conditions.append(
                statement.is_one_of('s."visibility"', [visibility.value for visibility in self.visibilities])
            )
        return conditions


async def spaces_by_id(readable: Readable, ids: Sequence[int], sight: Sight = EVERYTHING) -> dict[int, SpaceRecord]:
    """Return those of the spaces that exist and are seen, by id, vanished ones included."""
    records = await SPACES.all(
        readable, lambda statement: [statement.is_one_of('s."id"', ids), *sight.spaces(statement)]
    )
    return {record.id: record for record in records}


async def space_by_name(
    database: Readable, integration_id: int, name: str, sight: Sight = EVERYTHING
) -> SpaceRecord | None:
    """Return the standing space of that name at an integration, if it is seen."""
    records = await SPACES.all(
        database,
        lambda statement: [
            f's."integration_id" = {statement.bind(integration_id)}',
            f's."name" = {statement.bind(name)}',
            statement.is_one_of('s."state"', [state.value for state in STANDING]),
            *sight.spaces(statement),
        ],
    )
    return records[0] if records else None
