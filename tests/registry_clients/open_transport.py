"""A real transport for a test, closed when the test is done with it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from registry_clients.addresses import AddressPolicy
from registry_clients.endpoint import TlsTrust
from registry_clients.transport import AiohttpTransport, TransportSettings

SETTINGS = TransportSettings(
    connect_timeout_seconds=2, read_timeout_seconds=2, total_timeout_seconds=4, max_answer_bytes=100_000
)


@asynccontextmanager
async def transport_for(
    tls: TlsTrust | None = None,
    settings: TransportSettings = SETTINGS,
    policy: AddressPolicy | None = None,
) -> AsyncIterator[AiohttpTransport]:
    """Open a real transport as long as the block, by default one that may go anywhere."""
    transport = await AiohttpTransport.open(tls or TlsTrust(), policy or AddressPolicy(), settings)
    try:
        yield transport
    finally:
        await transport.aclose()
