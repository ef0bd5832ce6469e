"""Reading the mirror of spaces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from models.enums import SpaceState, Visibility
from models.integration import PLATFORM_SCOPE
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


def _open_to_owner(workspace: str) -> str:
    return (
        f"""s."visibility" || '' = '{Visibility.PUBLIC.value}' AND s."integration_id" IN"""
        f' (SELECT pi."id" FROM "integration" pi WHERE pi."workspace_id" = {workspace})'
    )


def _bound(workspace: str) -> str:
    return (
        f's."id" IN (SELECT pb."space_id" FROM "binding" pb WHERE pb."workspace_id" = {workspace}'
        ' AND pb."revoked_at" IS NULL)'
    )


# An image of such a host is one of the platform's registry, whatever a workspace brought before.
_HOST_IS_ANOTHERS = (
    'EXISTS (SELECT 1 FROM "image_host" oh JOIN "image_host" ph ON ph."host" = oh."host"'
    f' AND ph."scope" = {PLATFORM_SCOPE} WHERE oh."integration_id" = s."integration_id" AND oh."is_primary"'
    f' AND oh."scope" <> {PLATFORM_SCOPE})'
)

PULLABLE_SPACES = RecordReader(
    PullableSpaceRecord,
    '"space" s',
    {**_COLUMNS, "workspace_id": 'parents."id"'},
    joins=_JOINS,
    of_parent=(_OPEN_TO_ALL, _open_to_owner('parents."id"'), _bound('parents."id"')),
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


@dataclass(frozen=True, slots=True)
class PullableOfOwn:
    """Spaces whose images the namespaces of a workspace may pull, and not everybody; with None of no workspace."""

    workspace_id: int | None

    def spaces_of_own(self, statement: Statement) -> Sequence[str]:
        """Return conditions on spaces (`s`), of which such spaces meet one."""
        if self.workspace_id is None:
            return ["FALSE"]
        workspace = statement.bind(self.workspace_id)
        return [
            f"{condition} AND NOT {_HOST_IS_ANOTHERS}" for condition in (_open_to_owner(workspace), _bound(workspace))
        ]


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
