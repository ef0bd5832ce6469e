"""What watching one registry costs us, against the two bare calls that it consists of."""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path

import aiohttp

from benchmarks.registries_apart import RegistriesApart, registries_apart
from benchmarks.report import Finding, compared
from server.assembly import running_services
from server.settings import read_settings
from tests.seeding import seed_integrations

REGISTRIES = 300
INTERVAL_SECONDS = 2.0
WATCHED_SECONDS = 10.0
BARE_PROBES = 2000


async def run() -> list[Finding]:
    """Return processor time, bytes on the wire and memory for each registry."""
    with registries_apart() as registries, tempfile.TemporaryDirectory() as folder:
        bare_seconds = await _bare(registries)
        settings = read_settings({}, data=Path(folder), probe_interval_seconds=INTERVAL_SECONDS)
        async with running_services(settings) as services:
            memory_before = _resident_bytes()
            urls = [registries.url(f"r{number}") for number in range(REGISTRIES)]
            await seed_integrations(services.database, urls, spread_over=settings.probe_interval)
            await asyncio.sleep(2 * INTERVAL_SECONDS)
            memory_each = (_resident_bytes() - memory_before) / REGISTRIES
            before, cpu_before = registries.traffic(), time.process_time()
            await asyncio.sleep(WATCHED_SECONDS)
            cpu_seconds, after = time.process_time() - cpu_before, registries.traffic()
    probes = after.probes - before.probes
    expected = REGISTRIES * WATCHED_SECONDS / INTERVAL_SECONDS
    ours = cpu_seconds / probes
    out, into = after.received_bytes - before.received_bytes, after.sent_bytes - before.sent_bytes
    return [
        compared("A probe, its outcome written (processor time)", ours, "two bare calls of aiohttp", bare_seconds),
        Finding("Probes made", f"{probes}", "one per registry and interval", f"{expected:.0f}", probes / expected),
        Finding("Bytes of a probe, out and in (no TLS)", f"{out / probes:.0f} + {into / probes:.0f}"),
        Finding("Memory for each registry that is watched", f"{memory_each / 1024:.0f} KiB"),
    ]


async def _bare(registries: RegistriesApart) -> float:
    """Return the processor time of two calls over one kept connection, in seconds."""
    async with aiohttp.ClientSession() as session:
        started = time.process_time()
        for _ in range(BARE_PROBES):
            for path in ("/v2/", "/v2/_catalog?n=1"):
                async with session.get(registries.url("bare") + path) as response:
                    await response.read()
        return (time.process_time() - started) / BARE_PROBES


def _resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096
