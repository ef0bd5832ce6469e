"""Whose turn it is, on both kinds of database."""

from __future__ import annotations

import asyncio
import base64
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from models.database import Database, Transaction
from models.enums import HealthReason, HealthStatus
from models.integration import IntegrationHealth
from models.migrate import migrate
from services.clock import utc_now
from services.credential_cipher import CredentialCipher, parse_keys
from services.health_claims import LEASE, DueProbe, ProbeClaims
from services.health_rules import ProbeOutcome
from services.health_writing import HealthWriter, Probed
from services.installation import ensure_installation
from tests.seeding import seed_integrations
from tests.servers.fake_registries import FakeRegistries
from tests.servers.postgresql import PostgreSQLServer
from tests.services.integrated import integrate
from tests.serving import running_server
from tests.waiting import eventually

INTERVAL = timedelta(seconds=15)
ALL = "1 = 1"
KEYS = f"test:{base64.b64encode(bytes(32)).decode()}"
SHARED: dict[str, Any] = {"probe_interval_seconds": 1, "encryption_keys": KEYS}


@asynccontextmanager
async def opened(address: str, integrations: int = 0) -> AsyncIterator[tuple[Database, list[int]]]:
    """Open the database, migrated, with so many integrations that are due."""
    database = await Database.open(address)
    try:
        await migrate(database)
        await ensure_installation(database, CredentialCipher(parse_keys(KEYS)), utc_now)
        urls = [f"http://127.0.0.1:1/{number}" for number in range(integrations)]
        yield database, await seed_integrations(database, urls)
    finally:
        await database.close()


async def health(database: Database, integration_id: int) -> dict[str, Any]:
    rows = await database.fetch('SELECT * FROM "integration_health"')
    return next(dict(row) for row in rows if row["integration_id"] == integration_id)


def test_each_is_claimed_once_however_many_ask(database_address: str) -> None:
    async def work() -> None:
        async with opened(database_address, integrations=100) as (database, ids):
            replicas = [ProbeClaims(database, utc_now, INTERVAL) for _ in range(4)]
            taken = await asyncio.gather(*(replica.take_due(ALL, 40) for replica in replicas))
            claimed = Counter(due.integration_id for batch in taken for due in batch)
            assert max(claimed.values()) == 1
            assert max(len(batch) for batch in taken) <= 40
            while batch := await replicas[0].take_due(ALL, 40):
                claimed.update(due.integration_id for due in batch)
            assert claimed == Counter(ids)

    asyncio.run(work())


def test_what_a_dead_replica_claimed_is_free_after_its_lease(database_address: str) -> None:
    async def work() -> None:
        async with opened(database_address, integrations=1) as (database, [only]):
            now = utc_now()
            dead = ProbeClaims(database, lambda: now, INTERVAL)
            assert [due.integration_id for due in await dead.take_due(ALL, 10)] == [only]
            almost = ProbeClaims(database, lambda: now + LEASE - timedelta(milliseconds=1), INTERVAL)
            assert await almost.take_due(ALL, 10) == []
            after = ProbeClaims(database, lambda: now + LEASE, INTERVAL)
            assert [due.integration_id for due in await after.take_due(ALL, 10)] == [only]

    asyncio.run(work())


def test_only_ones_own_claims_are_given_back(database_address: str) -> None:
    async def work() -> None:
        async with opened(database_address, integrations=2) as (database, ids):
            now = utc_now()
            first = ProbeClaims(database, lambda: now, INTERVAL)
            second = ProbeClaims(database, lambda: now + LEASE, INTERVAL)
            lost = await first.take_due(ALL, 10)
            held = await second.take_due(ALL, 10)
            assert {due.integration_id for due in held} == set(ids)
            await first.give_back(lost)
            assert await second.take_due(ALL, 10) == []
            await second.give_back(held)
            assert len(await second.take_due(ALL, 10)) == 2

    asyncio.run(work())


def test_one_is_taken_out_of_turn_once_nobody_else_has_it(database_address: str) -> None:
    async def work() -> None:
        async with opened(database_address, integrations=1) as (database, [only]):
            claims = ProbeClaims(database, utc_now, INTERVAL)
            [held] = await claims.take_due(ALL, 10)
            waiting = asyncio.create_task(claims.take(only))
            done, _ = await asyncio.wait([waiting], timeout=0.5)
            assert not done
            await claims.give_back([held])
            taken = await asyncio.wait_for(waiting, 5)
            assert taken is not None
            assert taken.integration_id == only
            assert await claims.take(only + 1) is None

    asyncio.run(work())


@pytest.mark.parametrize(
    ("reason", "ahead", "is_mended"),
    [
        (None, timedelta(seconds=14), False),
        (None, timedelta(seconds=16), True),
        (HealthReason.TIMED_OUT, timedelta(minutes=30), True),
        (HealthReason.UNAUTHORIZED, timedelta(minutes=59), False),
        (HealthReason.UNAUTHORIZED, timedelta(minutes=61), True),
    ],
)
def test_what_is_planned_too_far_ahead_is_due_now(
    database_address: str, reason: HealthReason | None, ahead: timedelta, is_mended: bool
) -> None:
    async def work() -> None:
        async with opened(database_address, integrations=1) as (database, [only]):
            now = utc_now()
            await set_health(database, only, next_probe_at=now + ahead, reason=reason)
            claims = ProbeClaims(database, lambda: now, INTERVAL)
            assert await claims.mend() == int(is_mended)
            assert len(await claims.take_due(ALL, 10)) == int(is_mended)

    asyncio.run(work())


def test_a_lease_from_the_future_is_ended(database_address: str) -> None:
    async def work() -> None:
        async with opened(database_address, integrations=1) as (database, [only]):
            now = utc_now()
            await set_health(database, only, lease_until=now + timedelta(hours=1))
            claims = ProbeClaims(database, lambda: now, INTERVAL)
            assert await claims.take_due(ALL, 10) == []
            assert await claims.mend() == 1
            assert len(await claims.take_due(ALL, 10)) == 1

    asyncio.run(work())


async def set_health(database: Database, integration_id: int, **values: object) -> None:
    async def work(_: Transaction) -> None:
        await IntegrationHealth.filter(integration_id=integration_id).update(**values)

    await database.transact(work)


def test_one_that_can_not_be_written_keeps_none_of_the_others_from_it(database_address: str) -> None:
    async def work() -> None:
        async with opened(database_address, integrations=5) as (database, ids):
            taken = await ProbeClaims(database, utc_now, INTERVAL).take_due(ALL, 10)
            poisoned = ids[2]
            batch = [
                Probed(
                    due,
                    ProbeOutcome(
                        datetime.now(UTC),
                        None,
                        # Nothing that JSON has a word for.
                        components=[{"name": object()}] if due.integration_id == poisoned else None,
                    ),
                )
                for due in taken
            ]
            assert await HealthWriter(database, utc_now, INTERVAL).write(batch) == []
            statuses = {id_: (await health(database, id_))["status"] for id_ in ids}
            assert statuses == dict.fromkeys(ids, HealthStatus.HEALTHY) | {poisoned: HealthStatus.UNKNOWN}
            assert (await health(database, poisoned))["lease_until"] is not None

    asyncio.run(work())


def test_what_was_seen_by_a_lost_claim_is_not_written(database_address: str) -> None:
    async def work() -> None:
        async with opened(database_address, integrations=1) as (database, [only]):
            now = utc_now()
            [lost] = await ProbeClaims(database, lambda: now, INTERVAL).take_due(ALL, 10)
            [_] = await ProbeClaims(database, lambda: now + LEASE, INTERVAL).take_due(ALL, 10)
            before = await health(database, only)
            seen = Probed(lost, ProbeOutcome(now, None))
            assert await HealthWriter(database, utc_now, INTERVAL).write([seen]) == []
            assert await health(database, only) == before
            assert len(await database.fetch('SELECT 1 FROM "health_check"')) == 0
            assert len(await database.fetch('SELECT 1 FROM "event"')) == 0

    asyncio.run(work())


@pytest.mark.parametrize("replica_count", [1, 2])
def test_each_registry_is_probed_once_an_interval(
    replica_count: int, tmp_path: Path, postgresql_server: PostgreSQLServer, fakes: FakeRegistries
) -> None:
    names = [f"r{number}" for number in range(20)]
    with postgresql_server.database(f"replicas_{replica_count}") as url, ExitStack() as stack:
        servers = [
            stack.enter_context(running_server(tmp_path / str(number), database_url=url, **SHARED))
            for number in range(replica_count)
        ]
        began = utc_now()
        servers[0].run(seed_integrations(servers[0].services.database, [fakes.url(name) for name in names]))
        eventually(lambda: min(fakes.pings[name] for name in names) >= 5)
        counts = {name: fakes.pings[name] for name in names}
        passed_seconds = (utc_now() - began).total_seconds()
        # The first comes at once, each further one an interval of a second later: a little late at times.
        assert max(counts.values()) <= passed_seconds + 1
        assert min(counts.values()) >= passed_seconds - 2
        clients = [len(server.services.monitor._connections._clients) for server in servers]
        assert sum(clients) >= len(names)
        assert all(clients)


def test_a_replica_that_is_gone_is_replaced(
    tmp_path: Path, postgresql_server: PostgreSQLServer, fakes: FakeRegistries
) -> None:
    with (
        postgresql_server.database("replica_gone") as url,
        running_server(tmp_path, database_url=url, **SHARED) as here,
    ):
        database = here.services.database
        # Given: a claim that nobody will ever end, two seconds before its lease does.
        [only] = here.run(seed_integrations(database, [fakes.url("one")], first_probe_in=timedelta(hours=1)))
        until = utc_now() + timedelta(seconds=2)
        here.run(set_health(database, only, next_probe_at=utc_now(), lease_until=until))
        eventually(lambda: fakes.pings["one"])
        assert until <= utc_now() <= until + timedelta(seconds=2)


def test_one_that_another_replica_removed_is_let_go(
    tmp_path: Path, postgresql_server: PostgreSQLServer, fakes: FakeRegistries
) -> None:
    with (
        postgresql_server.database("removed_elsewhere") as url,
        running_server(tmp_path / "here", database_url=url, **SHARED) as here,
        running_server(tmp_path / "there", database_url=url, **SHARED) as there,
    ):
        integrated = integrate(here, fakes.url("one"))
        connections = there.services.monitor._connections
        targets = there.run(connections.targets([integrated.key]))
        there.run(connections.client(targets[integrated.key]))
        assert list(connections._clients) == [integrated.key]
        assert integrated.mutate("removeIntegration")["errors"] == []
        eventually(lambda: not connections._clients)


def test_a_client_that_a_late_probe_opened_is_let_go(tmp_path: Path, fakes: FakeRegistries) -> None:
    with running_server(tmp_path, probe_interval_seconds=3600) as server:
        integrated = integrate(server, fakes.url("one"))
        monitor = server.services.monitor
        targets = server.run(monitor._connections.targets([integrated.key]))
        assert integrated.mutate("removeIntegration")["errors"] == []
        server.run(monitor._connections.client(targets[integrated.key]))
        late = Probed(DueProbe(integrated.key, utc_now(), utc_now()), ProbeOutcome(utc_now(), None))
        server.run(monitor._write([late]))
        assert monitor._connections._clients == {}
