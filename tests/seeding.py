"""Many integrations at once, straight into the database: nothing is asked of their registries."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from models.database import Database, Transaction
from models.enums import HealthStatus, IntegrationOrigin, RegistryKind, SpaceState, Visibility
from models.integration import PLATFORM_SCOPE
from models.names import fold_name

LONG = timedelta(hours=1)
"""Longer than a test takes, and no further ahead than the server itself plans, which would make it due at once."""


async def seed_integrations(
    database: Database,
    urls: Sequence[str],
    *,
    status: HealthStatus = HealthStatus.UNKNOWN,
    first_probe_in: timedelta = timedelta(0),
    first_synchronization_in: timedelta = LONG,
    spread_over: timedelta = timedelta(0),
) -> list[int]:
    """Write an integration for each address, named `registry-00000` and so on; return their ids in order.

    Their first probes are spread evenly, as the phases of those that came one after the other are.
    """
    now = datetime.now(UTC)
    names = [f"registry-{number:05}" for number in range(len(urls))]

    async def work(transaction: Transaction) -> list[int]:
        await _insert(
            transaction,
            "integration",
            (
                "name",
                "name_key",
                "kind",
                "origin",
                "scope",
                "url",
                "is_verification_skipped",
                "next_synchronization_at",
                "created_by",
                "created_at",
                "updated_at",
            ),
            [
                (
                    name,
                    fold_name(name),
                    RegistryKind.DOCKER_REGISTRY,
                    IntegrationOrigin.INTEGRATED,
                    PLATFORM_SCOPE,
                    url,
                    False,
                    now + first_synchronization_in,
                    "seeding",
                    now,
                    now,
                )
                for name, url in zip(names, urls, strict=True)
            ],
        )
        rows = await transaction.fetch('SELECT "id", "url" FROM "integration"')
        id_of = {row["url"]: int(row["id"]) for row in rows}
        ids = [id_of[url] for url in urls]
        await _insert(
            transaction,
            "integration_health",
            ("integration_id", "status", "since", "is_read_only", "bad_checks_in_row", "next_probe_at"),
            [
                (id_, status, now, False, 0, now + first_probe_in + spread_over * (number / len(ids)))
                for number, id_ in enumerate(ids)
            ],
        )
        await _insert(
            transaction,
            "image_host",
            ("host", "scope", "integration_id", "is_primary"),
            [(f"{name}.example", PLATFORM_SCOPE, id_, True) for name, id_ in zip(names, ids, strict=True)],
        )
        return ids

    return await database.transact(work)


async def seed_spaces(database: Database, names_by_integration: dict[int, Sequence[str]]) -> None:
    """Write spaces that stand at their registries."""
    now = datetime.now(UTC)

    async def work(transaction: Transaction) -> None:
        await _insert(
            transaction,
            "space",
            ("integration_id", "external_id", "name", "visibility", "state", "created_at"),
            [
                (id_, name, name, Visibility.PRIVATE, SpaceState.PRESENT, now)
                for id_, names in names_by_integration.items()
                for name in names
            ],
        )

    await database.transact(work)


async def _insert(
    transaction: Transaction, table: str, columns: Sequence[str], rows: Sequence[tuple[object, ...]]
) -> None:
    names = ", ".join(f'"{column}"' for column in columns)
    values = ", ".join(transaction.dialect.placeholder(number) for number in range(1, len(columns) + 1))
    await transaction.execute_many(f'INSERT INTO "{table}" ({names}) VALUES ({values})', rows)
