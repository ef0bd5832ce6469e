"""What watching one Docker Registry costs it: the first measurement, the next ones, and then each minute."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.counting_relay import CountingRelay, counting_relay
from benchmarks.report import Finding
from tests.servers.docker_registry import DockerRegistryServer, push_image, running_docker_registry
from tests.services.integrated import Integrated, integrate
from tests.serving import RunningServer, running_server
from tests.waiting import eventually

REPOSITORIES = 1_000
REPOSITORIES_OF_A_SPACE = 20
PROBES_SECONDS = 60.0
INTERVAL_MINUTES = 5
"""Between two measurements, and between two looks at everything, as they are set by default."""

_ANSWERED = b'msg="response completed"'


async def run() -> list[Finding]:
    """Return calls and bytes."""
    return await asyncio.to_thread(_run)


def _run() -> list[Finding]:
    with tempfile.TemporaryDirectory() as folder:
        (registry_folder := Path(folder) / "registry").mkdir()
        with running_docker_registry(registry_folder) as registry:
            for number in range(REPOSITORIES):
                push_image(registry, f"space-{number // REPOSITORIES_OF_A_SPACE:02}/app-{number:04}", "1")
            with (
                counting_relay(registry.port) as relay,
                running_server(Path(folder) / "data", usage_interval_seconds=60 * INTERVAL_MINUTES) as server,
            ):
                return _findings(server, registry, relay)


def _findings(server: RunningServer, registry: DockerRegistryServer, relay: CountingRelay) -> list[Finding]:
    def counted(work: Callable[[], object]) -> tuple[int, int]:
        calls, sent = _calls(registry), relay.received_bytes + relay.sent_bytes
        work()
        return _calls(registry) - calls, relay.received_bytes + relay.sent_bytes - sent

    made: list[Integrated] = []

    def first() -> None:
        made.append(integrate(server, f"http://127.0.0.1:{relay.port}"))
        eventually(lambda: _is_measured(made[0]), 120)

    at_first = counted(first)
    integrated = made[0]
    measured = counted(lambda: _measure_again(integrated))
    swept = counted(integrated.synchronize)
    probed = counted(lambda: time.sleep(PROBES_SECONDS))
    minute = [probed[part] + (measured[part] + swept[part]) / INTERVAL_MINUTES for part in (0, 1)]
    what = f"A Docker Registry of {REPOSITORIES:,} repositories, a tag each"
    return [
        Finding(f"{what}: integrated and measured, calls", f"{at_first[0]:,}", "measured again", f"{measured[0]:,}"),
        Finding("Bytes for that, both ways", f"{at_first[1]:,}", "measured again", f"{measured[1]:,}"),
        Finding("Calls a minute to watch it", f"{minute[0]:,.0f}", "of them probes", f"{probed[0]:,}"),
        Finding("Bytes a minute, both ways", f"{minute[1]:,.0f}", "of them probes", f"{probed[1]:,}"),
    ]


def _calls(registry: DockerRegistryServer) -> int:
    return registry.log.read_bytes().count(_ANSWERED)


def _is_measured(integrated: Integrated) -> bool:
    sql = (
        'SELECT count(*) AS "count" FROM "usage_measurement" JOIN "integration_usage" USING ("integration_id")'
        ' WHERE "whole_at" IS NOT NULL AND "lease_until" IS NULL AND "hinted_at" IS NULL AND "repository_count" = ?1'
    )
    rows = integrated.server.run(integrated.server.services.database.fetch(sql, REPOSITORIES))
    return bool(rows[0]["count"] == 1)


def _measure_again(integrated: Integrated) -> None:
    server = integrated.server
    database, now = server.services.database, server.services.clock()

    async def make_due() -> None:
        await database.transact(
            lambda transaction: transaction.execute('UPDATE "usage_measurement" SET "next_at" = ?1', now)
        )

    def is_done() -> bool:
        sql = 'SELECT count(*) AS "count" FROM "usage_measurement" WHERE "next_at" > ?1 AND "lease_until" IS NULL'
        return bool(server.run(database.fetch(sql, now))[0]["count"] == 1)

    server.run(make_due())
    eventually(is_done, 120)
