"""What watching one large Harbor costs it: the first look, the next, and then each minute."""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from pathlib import Path

from websockets.sync.client import connect
from websockets.typing import Subprotocol

from benchmarks.harbor_apart import HarborApart, HarborTraffic, harbor_apart
from benchmarks.report import Finding, compared
from services.readers import CHECK_INTERVAL
from tests.serving import RunningServer, running_server
from tests.waiting import eventually

PROJECTS = 1000
REPOSITORIES_EACH = 10
MEASURED_SECONDS = 60.0
"""A whole number of probes, of 15 s, and of idle reads of the audit log, of 12 s."""

PUSHES_PER_SECOND = 10

QUIET_SECONDS = 40.0
"""How long after a change the log is read as often as if somebody watched, and a little more."""

_INTEGRATE = """
mutation ($input: IntegrateRegistryInput!) {
  integrateRegistry(input: $input) { integration { id } errors { message } }
}"""
_SYNCHRONIZE = """
mutation ($input: SynchronizeIntegrationInput!) {
  synchronizeIntegration(input: $input) { addedSpaceCount errors { message } }
}"""
_SUBSCRIPTION = "subscription { events { type } }"


async def run() -> list[Finding]:
    """Return calls, bytes and seconds, and how many of the calls carry the administrator's password."""
    return await asyncio.to_thread(_run)


def _run() -> list[Finding]:
    with (
        harbor_apart(PROJECTS, REPOSITORIES_EACH) as harbor,
        tempfile.TemporaryDirectory() as folder,
        running_server(Path(folder), usage_interval_seconds=300) as server,
    ):
        first_seconds, first, integration_id = _integrate(server, harbor)
        eventually(lambda: _is_settled(server), 60)
        eventually(lambda: _is_measured(server), 60)
        next_seconds, following = _synchronize(server, harbor, integration_id)
        _pause(QUIET_SECONDS)
        idle = _each_minute(harbor)
        with connect(
            f"ws://127.0.0.1:{server.port}/graphql",
            subprotocols=[Subprotocol("graphql-transport-ws")],
            additional_headers={"Authorization": f"Bearer {server.admin_token}"},
        ) as socket:
            socket.send(json.dumps({"type": "connection_init"}))
            socket.recv(10)
            socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": {"query": _SUBSCRIPTION}}))
            watched = _each_minute(harbor)
        pushed = _each_minute(harbor, pushes_per_second=PUSHES_PER_SECOND)
        check = _administrator_check(server, harbor)
    what = f"A Harbor of {PROJECTS:,} projects, {PROJECTS * REPOSITORIES_EACH:,} repositories"
    minutes = CHECK_INTERVAL.total_seconds() / 60
    return [
        compared(f"{what}: integrated and all looked at", first_seconds, "looked at again", next_seconds),
        Finding("Calls for that, of them with the password", _shown(first), "looked at again", _shown(following)),
        Finding(
            "Calls a minute to watch it, idle, of them with the password", _shown(idle), "watched", _shown(watched)
        ),
        Finding(
            f"Calls a minute with {PUSHES_PER_SECOND} pushes a second, of them with the password",
            _shown(pushed),
            "idle",
            _shown(idle),
        ),
        Finding("Bytes a minute, to it and from it, idle", _bytes(idle), "watched", _bytes(watched)),
        Finding(f"Bytes a minute with {PUSHES_PER_SECOND} pushes a second", _bytes(pushed), "idle", _bytes(idle)),
        Finding(f"Calls with the password every {minutes:.0f} minutes", f"{check.administrator_calls}"),
    ]


def _integrate(server: RunningServer, harbor: HarborApart) -> tuple[float, HarborTraffic, str]:
    before, began = harbor.traffic(), time.perf_counter()
    given = {
        "name": "large",
        "url": harbor.url,
        "kind": "HARBOR",
        "username": harbor.username,
        "password": harbor.password,
    }
    payload = server.graphql(_INTEGRATE, {"input": given})["integrateRegistry"]
    assert payload["errors"] == [], payload
    return time.perf_counter() - began, harbor.traffic().since(before), payload["integration"]["id"]


def _synchronize(server: RunningServer, harbor: HarborApart, id_: str) -> tuple[float, HarborTraffic]:
    before, began = harbor.traffic(), time.perf_counter()
    payload = server.graphql(_SYNCHRONIZE, {"input": {"id": id_}})["synchronizeIntegration"]
    assert payload == {"addedSpaceCount": 0, "errors": []}, payload
    return time.perf_counter() - began, harbor.traffic().since(before)


def _is_settled(server: RunningServer) -> bool:
    """Return whether the log is followed, and the look at everything that came with that is over."""
    sql = (
        'SELECT count(*) AS "count" FROM "integration" JOIN "change_feed" ON "integration_id" = "id"'
        ' WHERE "position" IS NOT NULL AND "synchronization_lease_until" IS NULL AND "next_synchronization_at" > ?1'
    )
    services = server.services
    return bool(server.run(services.database.fetch(sql, services.clock()))[0]["count"] == 1)


def _is_measured(server: RunningServer) -> bool:
    """Return whether everything was measured, and nothing is to be measured again."""
    sql = (
        'SELECT count(*) AS "count" FROM "usage_measurement"'
        ' WHERE "whole_at" IS NOT NULL AND "lease_until" IS NULL AND "hinted_at" IS NULL'
    )
    return bool(server.run(server.services.database.fetch(sql))[0]["count"] == 1)


def _each_minute(harbor: HarborApart, pushes_per_second: int = 0) -> HarborTraffic:
    before, ending = harbor.traffic(), time.monotonic() + MEASURED_SECONDS
    while time.monotonic() < ending:
        if pushes_per_second:
            harbor.push()
        _pause(1 / pushes_per_second if pushes_per_second else MEASURED_SECONDS)
    return harbor.traffic().since(before)


def _administrator_check(server: RunningServer, harbor: HarborApart) -> HarborTraffic:
    """Return what the look after credential and robot takes, made due at once."""
    before = harbor.traffic()
    database = server.services.database
    now = server.services.clock()

    async def make_due() -> None:
        await database.transact(
            lambda transaction: transaction.execute('UPDATE "reader_credential" SET "next_check_at" = ?1', now)
        )

    server.run(make_due())

    def is_done() -> bool:
        sql = 'SELECT count(*) AS "count" FROM "reader_credential" WHERE "next_check_at" > ?1'
        return bool(server.run(database.fetch(sql, now))[0]["count"] == 1)

    eventually(is_done, 30)
    return harbor.traffic().since(before)


def _pause(seconds: float) -> None:
    time.sleep(seconds)


def _shown(traffic: HarborTraffic) -> str:
    return f"{traffic.calls}, {traffic.administrator_calls}"


def _bytes(traffic: HarborTraffic) -> str:
    return f"{traffic.received_bytes:,} + {traffic.sent_bytes:,}"
