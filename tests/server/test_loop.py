"""Nothing keeps the loop from turning: no single step computes for long, and nobody waits for a hanging name."""

from __future__ import annotations

import asyncio
import gc
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import trustme

from models.enums import RegistryKind
from server import garbage_collection
from services.integrating import NewIntegration
from services.registry_input import RegistryInput
from tests.server.loop_watchdog import LongStep, watched_steps
from tests.server.many_registries import many_registries
from tests.server.processes import wait_until
from tests.serving import RunningServer, running_server

LIMIT_MILLISECONDS = 50.0

BIG_QUERY = """
{
  integrations(first: 100) {
    totalCount
    nodes { id name url kind health { status since } spaceCount spaces(first: 20) { nodes { id name visibility } } }
  }
}
"""


@pytest.fixture(autouse=True)
def _as_in_serve() -> Iterator[None]:
    """The garbage collector as `serve` sets it; without, collections over the whole of pytest show up here."""
    threshold = gc.get_threshold()
    garbage_collection.settle()
    yield
    gc.unfreeze()
    gc.set_threshold(*threshold)


def integrate_all(server: RunningServer, registries: Sequence[RegistryInput]) -> list[int]:
    async def work() -> list[int]:
        turn = asyncio.Semaphore(10)

        async def one(number: int, registry: RegistryInput) -> int:
            async with turn:
                record = await server.services.integrator.integrate(
                    NewIntegration(f"registry {number}", registry), "test"
                )
                return record.id

        return await asyncio.gather(*(one(number, registry) for number, registry in enumerate(registries)))

    return server.run(work())


def plain(url: str, **further: Any) -> RegistryInput:
    return RegistryInput(url=url, kind=RegistryKind.DOCKER_REGISTRY, **further)


def loop_thread() -> threading.Thread:
    (thread,) = (thread for thread in threading.enumerate() if thread.name == "server under test")
    return thread


def check_none(long_steps: list[LongStep]) -> None:
    assert not long_steps, "\n".join(
        f"{step.cpu_milliseconds:.0f} ms of CPU, {step.collecting_milliseconds:.0f} of it collecting: {step.what}"
        for step in long_steps
    )


def test_two_hundred_probes_and_the_big_query_leave_the_loop_turning(tmp_path: Path) -> None:
    holdings = [[f"space-{number}/app" for number in range(20)]] * 200
    with many_registries(holdings) as urls, running_server(tmp_path / "data", probe_interval_seconds=1) as server:
        integrate_all(server, [plain(url) for url in urls])
        with watched_steps(loop_thread(), LIMIT_MILLISECONDS) as long_steps:
            began = probes(server)
            while probes(server) < began + 400:
                data = server.graphql(BIG_QUERY)["integrations"]
                assert (data["totalCount"], len(data["nodes"])) == (200, 100)
        check_none(long_steps)


def probes(server: RunningServer) -> int:
    rows = server.run(server.services.database.fetch('SELECT count(*) FROM "health_check"'))
    return int(rows[0][0])


def test_two_thousand_new_spaces_leave_the_loop_turning(tmp_path: Path) -> None:
    held = [f"space-{number:04}/app" for number in range(10)]
    with many_registries([held]) as urls, running_server(tmp_path / "data") as server:
        (integration_id,) = integrate_all(server, [plain(url) for url in urls])
        held.extend(f"space-{number:04}/app" for number in range(10, 2010))
        with watched_steps(loop_thread(), LIMIT_MILLISECONDS) as long_steps:
            result = server.run(server.services.synchronizer.synchronize(integration_id, accept_loss=False))
            again = server.run(server.services.synchronizer.synchronize(integration_id, accept_loss=False))
        assert (result.added_space_count, again.added_space_count) == (2000, 0)
        del held[10:]
        with watched_steps(loop_thread(), LIMIT_MILLISECONDS) as more_long_steps:
            result = server.run(server.services.synchronizer.synchronize(integration_id, accept_loss=True))
        assert result.vanished_space_count == 2000
        check_none(long_steps + more_long_steps)


def test_certificates_of_many_registries_leave_the_loop_turning(tmp_path: Path) -> None:
    bundle = "".join(trustme.CA().cert_pem.bytes().decode() for _ in range(100))
    with running_server(tmp_path / "data") as server:
        with watched_steps(loop_thread(), LIMIT_MILLISECONDS) as long_steps:
            for _ in range(3):
                answer = server.graphql(
                    'mutation ($pem: String!) { checkRegistry(input: {url: "https://127.0.0.1:1",'
                    " tls: {caCertificatePem: $pem}}) { errors { code } } }",
                    {"pem": bundle},
                )
                assert answer["checkRegistry"]["errors"] == [{"code": "REGISTRY_REFUSED"}]
        check_none(long_steps)


def test_names_that_hang_hold_up_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()
    hanging: list[str] = []
    real = socket.getaddrinfo

    def getaddrinfo(host: Any, *arguments: Any, **further: Any) -> Any:
        if isinstance(host, str) and host.endswith(".hanging.test"):
            hanging.append(host)
            assert released.wait(60)
            raise socket.gaierror(socket.EAI_AGAIN, "the name server was away")
        return real(host, *arguments, **further)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    query = "mutation ($url: URL!) { checkRegistry(input: {url: $url}) { check { kind } errors { message } } }"
    with many_registries([["team/app"]]) as urls, running_server(tmp_path / "data") as server:
        threads = [
            threading.Thread(target=server.post, args=(query, {"url": f"http://n{number}.hanging.test"}), daemon=True)
            for number in range(100)
        ]
        for thread in threads:
            thread.start()
        try:
            wait_until(lambda: len(set(hanging)) == 100, "every name was looked up")
            began = time.monotonic()
            found = server.graphql(query, {"url": urls[0].replace("127.0.0.1", "localhost")})["checkRegistry"]
            assert found == {"check": {"kind": "DOCKER_REGISTRY"}, "errors": []}
            assert time.monotonic() - began < 8, "it waited for a deadline of the others"
        finally:
            released.set()
            for thread in threads:
                thread.join(60)
