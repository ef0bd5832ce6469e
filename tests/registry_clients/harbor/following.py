"""Following the audit log of the double, or of one that is written down."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from yarl import URL

from registry_clients.endpoint import Credential, RegistryEndpoint
from registry_clients.harbor.client import HarborClient
from registry_clients.refusals import FeedLost
from registry_clients.transport import TransportSettings
from tests.doubles.harbor.server import HarborDouble
from tests.registry_clients.harbor.harbor_client import client_of, make_reader
from tests.registry_clients.scripted_transport import ScriptedTransport


def follow(harbor: HarborDouble, do: Callable[[HarborClient], Awaitable[None]]) -> None:
    """Follow the log as the reader, at a clock that stands still."""
    reader = make_reader(harbor)

    async def run() -> None:
        async with client_of(harbor, reader=reader) as client:
            await do(client)

    asyncio.run(run())


def lost(do: Callable[[], object]) -> FeedLost:
    """Return how the feed was lost when something was done."""
    with pytest.raises(FeedLost) as caught:
        do()
    return caught.value


async def newest_of(client: HarborClient) -> int:
    """Return where the log stands; it is not empty."""
    newest = await client.newest_change()
    assert newest is not None
    return newest


def entry(entry_id: int, operation: str = "create") -> dict[str, object]:
    """Return an entry as Harbor writes it, of a project named for its id."""
    return {
        "id": entry_id,
        "op_time": "2026-11-24T12:00:00Z",
        "operation": operation,
        "operation_result": True,
        "resource": f"p{entry_id}",
        "resource_type": "project",
    }


def scripted_client(transport: ScriptedTransport, clock: Callable[[], float] = lambda: 0.0) -> HarborClient:
    """Return a client of a Harbor that is written down."""
    endpoint = RegistryEndpoint(URL("https://harbor.test"))
    return HarborClient(endpoint, Credential("admin", "x"), transport, TransportSettings(), clock=clock)
