"""Reading integrations, their image hosts and their checks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from models.enums import HealthStatus, IntegrationOrigin, RegistryKind
from models.names import fold_name
from models.queries.sight import EVERYTHING, Sight
from models.reading import Order, Readable, RecordReader, Statement
from models.records import HealthCheckRecord, IntegrationRecord, PresentHealthRecord

INTEGRATIONS = RecordReader(
    IntegrationRecord,
    '"integration" i JOIN "image_host" p ON p."integration_id" = i."id" AND p."is_primary"',
    {
        **{
            name: f'i."{name}"'
            for name in [
                "id",
                "name",
                "name_key",
                "description",
                "kind",
                "origin",
                "workspace_id",
                "url",
                "username",
                "token_realm",
                "ca_certificate_pem",
                "is_verification_skipped",
                "looked_at",
                "stale_since",
                "stale_reason",
                "stale_message",
                "created_by",
                "created_at",
                "updated_at",
            ]
        },
        "has_password": 'i."password_encrypted" IS NOT NULL',
        "image_host": 'p."host"',
    },
)

PRESENT_HEALTH = RecordReader(
    PresentHealthRecord,
    '"integration_health" h',
    {
        name: f'h."{name}"'
        for name in [
            "integration_id",
            "status",
            "reason",
            "message",
            "registry_message",
            "since",
            "checked_at",
            "latency_milliseconds",
            "components",
            "version",
            "is_read_only",
        ]
    },
)

HEALTH_CHECKS = RecordReader(
    HealthCheckRecord,
    '"health_check" c',
    {
        name: f'c."{name}"'
        for name in [
            "id",
            "integration_id",
            "checked_at",
            "is_good",
            "reason",
            "message",
            "registry_message",
            "latency_milliseconds",
        ]
    },
)

BY_NAME = Order('i."name_key"', "name_key", 'i."id"')
BY_CREATION = Order('i."created_at"', "created_at", 'i."id"', is_time=True)
NEWEST_CHECK_FIRST = Order('c."id"', "id", 'c."id"', is_descending=True)


@dataclass(frozen=True, slots=True)
class IntegrationConditions:
    """What integrations must meet; None is no condition, an empty tuple is met by none."""

    text: str | None = None
    kinds: tuple[RegistryKind, ...] | None = None
    origins: tuple[IntegrationOrigin, ...] | None = None
    health_statuses: tuple[HealthStatus, ...] | None = None
    workspace_ids: tuple[int, ...] | None = None
    is_platform: bool | None = None
    sight: Sight = EVERYTHING

    def __call__(self, statement: Statement) -> Sequence[str]:
        """Return the conditions as SQL."""
        conditions = list(self.sight.integrations(statement))
        if self.text:
            conditions.append(statement.contains('i."name_key"', fold_name(self.text)))
        if self.kinds is not None:
            conditions.append(statement.is_one_of('i."kind"', [kind.value for kind in self.kinds]))
        if self.origins is not None:
            conditions.append(statement.is_one_of('i."origin"', [origin.value for origin in self.origins]))
        if self.health_statuses is not None:
            met = statement.is_one_of('h."status"', [status.value for status in self.health_statuses])
            conditions.append(f'i."id" IN (SELECT h."integration_id" FROM "integration_health" h WHERE {met})')
        if self.workspace_ids is not None:
            conditions.append(statement.is_one_of('i."workspace_id"', self.workspace_ids))
        if self.is_platform is not None:
            conditions.append(f'i."workspace_id" IS {"" if self.is_platform else "NOT "}NULL')
        return conditions


async def integrations_by_id(
    database: Readable, ids: Sequence[int], sight: Sight = EVERYTHING
) -> dict[int, IntegrationRecord]:
    """Return those of the integrations that exist and are seen, by id."""
    records = await INTEGRATIONS.all(
        database, lambda statement: [statement.is_one_of('i."id"', ids), *sight.integrations(statement)]
    )
    return {record.id: record for record in records}


async def health_by_integration_id(database: Readable, ids: Sequence[int]) -> dict[int, PresentHealthRecord]:
    """Return how integrations are, by their id."""
    records = await PRESENT_HEALTH.all(database, lambda statement: [statement.is_one_of('h."integration_id"', ids)])
    return {record.integration_id: record for record in records}


async def health_at_position(
    database: Readable, ids: Sequence[int] | None, sight: Sight
) -> tuple[list[PresentHealthRecord], int]:
    """Return how integrations that are seen (None: all) are, by name, and the position of the last event before that.

    One statement sees one moment: no event is both in a record and behind the position, and none is in neither.
    """
    statement = Statement(database.dialect)
    # The outer join gives a row, and so the position, when there is no integration.
    conditions = [*([] if ids is None else [statement.is_one_of('i."id"', ids)]), *sight.integrations(statement)]
    found = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    rows = await database.fetch(
        f'SELECT r.*, e."position" AS event_position FROM "event_position" e LEFT JOIN'
        f' (SELECT {PRESENT_HEALTH.select_list}, i."name_key" FROM {PRESENT_HEALTH.source}'
        f' JOIN "integration" i ON i."id" = h."integration_id"{found}) AS r ON TRUE'
        ' WHERE e."id" = 1 ORDER BY r."name_key"',
        *statement.values,
    )
    present = [row for row in rows if row["integration_id"] is not None]
    return PRESENT_HEALTH.read(database.dialect, present), int(rows[0]["event_position"])


async def integration_by_name(database: Readable, name: str, sight: Sight = EVERYTHING) -> IntegrationRecord | None:
    """Return the integration of that name, whatever its case: the platform's, else the oldest that is seen."""
    records = await INTEGRATIONS.all(
        database,
        lambda statement: [f'i."name_key" = {statement.bind(fold_name(name))}', *sight.integrations(statement)],
    )
    return min(records, key=lambda record: (record.workspace_id is not None, record.id), default=None)


async def image_host_aliases(database: Readable, ids: Sequence[int]) -> dict[int, list[str]]:
    """Return the further image hosts of each integration, sorted."""
    statement = Statement(database.dialect)
    condition = statement.is_one_of('"integration_id"', ids)
    rows = await database.fetch(
        f'SELECT "integration_id", "host" FROM "image_host" WHERE NOT "is_primary" AND {condition} ORDER BY "host"',
        *statement.values,
    )
    found: dict[int, list[str]] = {integration_id: [] for integration_id in ids}
    for row in rows:
        found[row["integration_id"]].append(row["host"])
    return found


async def bound_workspace_counts(database: Readable, ids: Sequence[int], sight: Sight) -> dict[int, int]:
    """Return to how many workspaces that are seen spaces of integrations are given, less those given to none."""
    statement = Statement(database.dialect)
    conditions = " AND ".join(
        ['b."revoked_at" IS NULL', statement.is_one_of('s."integration_id"', ids), *sight.bindings(statement)]
    )
    rows = await database.fetch(
        'SELECT s."integration_id", COUNT(DISTINCT b."workspace_id") AS count FROM "space" s'
        f' JOIN "binding" b ON b."space_id" = s."id" WHERE {conditions} GROUP BY s."integration_id"',
        *statement.values,
    )
    return {row["integration_id"]: row["count"] for row in rows}
