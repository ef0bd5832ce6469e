"""A transport that is closed while it is used: its registry was changed or removed meanwhile."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
from yarl import URL

from registry_clients.addresses import AddressPolicy
from registry_clients.errors import ConnectionFailed
from registry_clients.transport import AiohttpTransport, RegistryRequest, TransportSettings
from tests.servers.misbehaving import answering, misbehaving_server


class ClosedInBetween(AiohttpTransport):
    """Is closed when the head of an answer has come and its body has not."""

    async def _body_of(self, response: aiohttp.ClientResponse) -> bytes:
        await self._session.close()
        return await super()._body_of(response)


def test_closed_between_head_and_body_is_a_failed_connection() -> None:
    async def run() -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"
        async with misbehaving_server(answering(head)) as server:
            transport = ClosedInBetween(AddressPolicy(), TransportSettings())
            with pytest.raises(ConnectionFailed, match="closed"):
                await transport.send(RegistryRequest("GET", URL(server.url), is_retried=False))

    asyncio.run(run())
