"""What public clients see of a real registry that dies, comes back, and loses its storage."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme

from server.settings import read_settings
from tests.clients.driver import PUBLIC_CLIENTS, Connect, PublicClient
from tests.servers.docker_registry import DockerRegistryServer, push_image, running_docker_registry
from tests.serving import RunningServer, running_server

USERS = {"deployer": "a word of its own"}
DEADLINE_SECONDS = 60.0
EXTRA_SECONDS = 5.0
"""How much longer than an interval it may take until everybody knows."""

INTEGRATE = """
mutation Integrate($input: IntegrateRegistryInput!) {
  integrateRegistry(input: $input) {
    integration { id health { status } spaces { nodes { name } } }
    errors { code message }
  }
}
"""

SYNCHRONIZE = """
mutation Synchronize($id: ID!) {
  synchronizeIntegration(input: { id: $id }) {
    errors { __typename code ... on MirrorDoubted { missingSpaceCount standingSpaceCount } }
  }
}
"""

MIRROR = """
query Mirror($id: ID!) {
  integration(id: $id) { stale { reason } spaceCount spaces { nodes { name state } } }
}
"""

HEALTH = """
subscription Health($after: Cursor) {
  integrationHealth(after: $after) {
    integration { name }
    previous { status }
    current { status reason }
    cursor
  }
}
"""

WELL = {"status": "HEALTHY", "reason": None}
REFUSED = {"status": "UNHEALTHY", "reason": "CONNECTION_REFUSED"}


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[DockerRegistryServer]:
    """A registry with two spaces, for users only, behind TLS with an authority of its own."""
    folder = tmp_path / "registry"
    folder.mkdir()
    with running_docker_registry(folder, htpasswd=USERS, tls=trustme.CA()) as server:
        push_image(server, "payments/api", "1.0")
        push_image(server, "search/indexer", "1.0")
        yield server


@pytest.fixture(params=PUBLIC_CLIENTS)
def connect(request: pytest.FixtureRequest) -> Connect:
    """Each of the public clients in turn."""
    return PUBLIC_CLIENTS[request.param]


async def integrate(client: PublicClient, registry: DockerRegistryServer) -> str:
    """Integrate the registry as "main" and return the id."""
    ((username, password),) = USERS.items()
    answer = await client.execute(
        INTEGRATE,
        input={
            "name": "main",
            "kind": "DOCKER_REGISTRY",
            "url": registry.url,
            "username": username,
            "password": password,
            "tls": {"caCertificatePem": registry.ca_certificate_pem},
        },
    )
    assert answer["integrateRegistry"]["errors"] == []
    integration = answer["integrateRegistry"]["integration"]
    identifier: str = integration.pop("id")
    assert integration == {
        "health": {"status": "HEALTHY"},
        "spaces": {"nodes": [{"name": "payments"}, {"name": "search"}]},
    }
    return identifier


async def next_health(events: AsyncIterator[Any]) -> dict[str, Any]:
    """Return the next message of integrationHealth, without its cursor."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        message: dict[str, Any] = (await anext(events))["integrationHealth"]
    assert message.pop("cursor")
    return message


def health(previous: str | None, current: dict[str, Any]) -> dict[str, Any]:
    """Return a message about the registry "main"."""
    return {
        "integration": {"name": "main"},
        "previous": previous and {"status": previous},
        "current": current,
    }


async def watch_it_die_and_return(client: PublicClient, registry: DockerRegistryServer, interval: float) -> None:
    async with client.subscribe(HEALTH) as events:
        assert await next_health(events) == health(None, WELL)

        registry.stop()
        stopped = time.monotonic()
        assert await next_health(events) == health("HEALTHY", REFUSED)
        assert time.monotonic() - stopped < interval + EXTRA_SECONDS

        registry.start()
        started = time.monotonic()
        assert await next_health(events) == health("UNHEALTHY", WELL)
        assert time.monotonic() - started < interval + EXTRA_SECONDS


def test_everybody_knows_when_a_registry_dies_and_returns(
    tmp_path: Path, registry: DockerRegistryServer, connect: Connect
) -> None:
    async def scenario(server: RunningServer) -> None:
        async with connect(f"{server.url}/graphql", server.admin_token) as client:
            await integrate(client, registry)
            await watch_it_die_and_return(client, registry, interval=1)

    with running_server(tmp_path / "data", probe_interval_seconds=1) as server:
        asyncio.run(scenario(server))


@pytest.mark.soak
def test_everybody_knows_within_the_interval_that_is_the_default(
    tmp_path: Path, registry: DockerRegistryServer, connect: Connect
) -> None:
    async def scenario(server: RunningServer) -> None:
        async with connect(f"{server.url}/graphql", server.admin_token) as client:
            await integrate(client, registry)
            await watch_it_die_and_return(client, registry, interval=15)

    with running_server(tmp_path / "data") as server:
        assert server.settings.probe_interval_seconds == 15
        asyncio.run(scenario(server))


def test_nothing_is_lost_when_the_storage_of_a_registry_is_moved_away(
    running_server: RunningServer, registry: DockerRegistryServer, connect: Connect
) -> None:
    async def scenario() -> None:
        async with connect(f"{running_server.url}/graphql", running_server.admin_token) as client:
            identifier = await integrate(client, registry)
            registry.storage.rename(registry.storage.with_name("elsewhere"))

            answer = await client.execute(SYNCHRONIZE, id=identifier)

            assert answer["synchronizeIntegration"]["errors"] == [
                {
                    "__typename": "MirrorDoubted",
                    "code": "MIRROR_DOUBTED",
                    "missingSpaceCount": 2,
                    "standingSpaceCount": 2,
                }
            ]
            spaces = [{"name": name, "state": "PRESENT"} for name in ("payments", "search")]
            doubted = {"stale": {"reason": "MOST_SPACES_GONE"}, "spaceCount": 2, "spaces": {"nodes": spaces}}
            assert await client.execute(MIRROR, id=identifier) == {"integration": doubted}

            registry.storage.with_name("elsewhere").rename(registry.storage)
            await client.execute(SYNCHRONIZE, id=identifier)

            assert await client.execute(MIRROR, id=identifier) == {"integration": doubted | {"stale": None}}

    asyncio.run(scenario())


@contextmanager
def restarted(server: RunningServer) -> Iterator[RunningServer]:
    """Start the server anew on its data folder and its port, and stop it at the end of the block."""
    again = RunningServer(
        read_settings(
            {},
            data=server.settings.data,
            port=server.port,
            probe_interval_seconds=server.settings.probe_interval_seconds,
        )
    )
    again.start()
    try:
        yield again
    finally:
        again.stop()


def test_a_client_that_comes_back_is_told_what_it_missed(
    tmp_path: Path, registry: DockerRegistryServer, connect: Connect
) -> None:
    async def scenario(server: RunningServer) -> None:
        async with connect(f"{server.url}/graphql", server.admin_token) as client:
            identifier = await integrate(client, registry)
            async with client.subscribe(HEALTH, after=None) as events:
                assert await next_health(events) == health(None, WELL)
                await asyncio.to_thread(server.stop)
                # While nobody can be told, the registry dies and comes back.
                with running_server(tmp_path / "data", probe_interval_seconds=1) as unseen:
                    for change in (registry.stop, registry.start):
                        change()
                        unseen.post(CHECK, {"id": identifier})
                with restarted(server):
                    assert await next_health(events) == health("HEALTHY", REFUSED)
                    assert await next_health(events) == health("UNHEALTHY", WELL)
                    # Then it is live.
                    registry.stop()
                    assert await next_health(events) == health("HEALTHY", REFUSED)

    server = RunningServer(read_settings({}, data=tmp_path / "data", port=0, probe_interval_seconds=1))
    server.start()
    try:
        asyncio.run(scenario(server))
    finally:
        server.stop()


CHECK = "mutation Check($id: ID!) { checkIntegration(input: { id: $id }) { errors { code } } }"
