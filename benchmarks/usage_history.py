"""A year of usage history of many integrations: how much it takes, and how long it takes to ask for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.application import OpenApplication, open_application, post
from benchmarks.databases import DatabaseKind, both_kinds
from benchmarks.report import Finding, spread
from benchmarks.timing import paired_seconds
from models.database import Database, Transaction
from models.enums import HealthStatus
from models.usage import SLOT_SECONDS, slot_of
from resolvers.global_ids import global_id
from services.usage_thinning import FINE_FOR, HOURLY_FOR, to_be_forgotten
from tests.seeding import seed_integrations

INTEGRATIONS = 1_000
YEAR = timedelta(days=365)
SHOWN = 50
ROUNDS = 30
INTEGRATIONS_WRITTEN_AT_ONCE = 20

_COLUMNS = (
    '"integration_id", "measured_at", "slot", "repository_count", "artifact_count", "storage_bytes", "quota_used_bytes"'
)

ONE = """query ($id: ID!, $from: DateTime!, $to: DateTime!) {
  node(id: $id) { ... on Integration { usageHistory(from: $from, to: $to) { measuredAt storageBytes } } } }"""
MANY = "query ($first: Int!) { integrations(first: $first) { nodes { usageHistory { measuredAt storageBytes } } } }"
NONE = "query ($first: Int!) { integrations(first: $first) { nodes { createdAt } } }"


async def run() -> list[Finding]:
    """Return size and times, where every measurement of the year has found something else."""
    findings: list[Finding] = []
    with both_kinds() as kinds:
        for kind in kinds:
            findings += await _run(kind)
    return findings


async def _run(kind: DatabaseKind) -> list[Finding]:
    async with open_application(kind=kind) as application:
        database = application.services.database
        urls = [f"http://127.0.0.1:1/r{number}" for number in range(INTEGRATIONS)]
        ids = await seed_integrations(database, urls, status=HealthStatus.HEALTHY, first_probe_in=timedelta(minutes=50))
        before, now = await _bytes(database), datetime.now(UTC)
        moments = _moments(now)
        for start in range(0, len(ids), INTEGRATIONS_WRITTEN_AT_ONCE):
            await _write(database, ids[start : start + INTEGRATIONS_WRITTEN_AT_ONCE], moments)
        await database.transact(lambda transaction: transaction.execute("ANALYZE"))
        size = await _bytes(database) - before
        times = await _times(application, ids[0], now)
    what = f"{kind.name}: usage of a year of {INTEGRATIONS:,} integrations that never stand still"
    return [
        Finding(what, f"{len(moments) * INTEGRATIONS:,} points", "each", f"{size / len(moments) / INTEGRATIONS:.0f} B"),
        Finding(f"{kind.name}: all of that", f"{size / 2**20:,.0f} MiB"),
        spread(f"{kind.name}: usageHistory of one over a year", times[0], "over a day", times[1]),
        spread(
            f"{kind.name}: usageHistory of {SHOWN} over a month", times[2], f"{SHOWN} integrations without", times[3]
        ),
    ]


def _moments(now: datetime) -> list[datetime]:
    """Return when the points were measured that are left of a year, oldest first."""
    return list(_thinned([*_steps(now - YEAR, now - FINE_FOR, timedelta(hours=1)), *_steps_of_fine(now)], now))


def _steps_of_fine(now: datetime) -> Iterator[datetime]:
    return _steps(now - FINE_FOR, now, timedelta(seconds=SLOT_SECONDS))


def _steps(start: datetime, end: datetime, step: timedelta) -> Iterator[datetime]:
    for number in range((end - start) // step):
        yield start + number * step


def _thinned(moments: Sequence[datetime], now: datetime) -> Iterator[datetime]:
    forgotten = set(to_be_forgotten(list(enumerate(moments)), now))
    assert len(moments) - len(forgotten) < FINE_FOR / timedelta(seconds=SLOT_SECONDS) + 24 * HOURLY_FOR.days + YEAR.days
    return (moment for number, moment in enumerate(moments) if number not in forgotten)


async def _write(database: Database, ids: Sequence[int], moments: Sequence[datetime]) -> None:
    async def work(transaction: Transaction) -> None:
        values = ", ".join(transaction.dialect.placeholder(number) for number in range(1, 8))
        await transaction.execute_many(
            f'INSERT INTO "usage_point" ({_COLUMNS}) VALUES ({values})',  # noqa: S608 (placeholders)
            [
                (id_, moment, slot_of(moment), number, 10 * number, 2**40 + number, 2**41 + number)
                for id_ in ids
                for number, moment in enumerate(moments)
            ],
        )

    await database.transact(work)


async def _bytes(database: Database) -> int:
    """Return how much the history takes, its indexes included."""
    if database.dialect.name == "postgres":
        rows = await database.fetch("SELECT pg_total_relation_size('usage_point') AS size")
        return int(rows[0]["size"])
    rows = await database.fetch('SELECT "file" FROM pragma_database_list WHERE "name" = \'main\'')
    file = Path(rows[0]["file"])
    return sum(path.stat().st_size for path in file.parent.glob(f"{file.name}*"))


async def _times(application: OpenApplication, id_: int, now: datetime) -> list[list[float]]:
    async def ask(query: str, **variables: object) -> bytes:
        return await post(application.app, application.token, query, variables)

    def history(span: timedelta) -> dict[str, str]:
        return {"id": global_id("Integration", id_), "from": (now - span).isoformat(), "to": now.isoformat()}

    return await paired_seconds(
        [
            lambda: ask(ONE, **history(YEAR)),
            lambda: ask(ONE, **history(timedelta(days=1))),
            lambda: ask(MANY, first=SHOWN),
            lambda: ask(NONE, first=SHOWN),
        ],
        ROUNDS,
    )
