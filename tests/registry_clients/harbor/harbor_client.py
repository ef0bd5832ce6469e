"""Clients of the Harbor double, over the network as in life."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import pytest
from yarl import URL

from registry_clients.addresses import AddressPolicy
from registry_clients.endpoint import Credential, RegistryEndpoint, TlsTrust
from registry_clients.errors import RegistryError
from registry_clients.harbor.client import HarborClient
from registry_clients.transport import AiohttpTransport, TransportSettings
from tests.doubles.harbor.server import HarborDouble

SETTINGS = TransportSettings(read_timeout_seconds=4, total_timeout_seconds=8)
MARKER = "0123456789abcdef"

Result = TypeVar("Result")
Do = Callable[[HarborClient], Awaitable[Result]]


def administrator_of(harbor: HarborDouble) -> Credential:
    """Return the administrator's credential of a double."""
    return Credential(*harbor.administrator)


@asynccontextmanager
async def client_of(
    harbor: HarborDouble,
    credential: Credential | None = None,
    reader: Credential | None = None,
    clock: Callable[[], float] = lambda: 0.0,
) -> AsyncIterator[HarborClient]:
    """Open a client as the administrator, or whoever is given."""
    endpoint = RegistryEndpoint(URL(harbor.url), TlsTrust(ca_certificate_pem=harbor.ca_certificate_pem))
    transport = await AiohttpTransport.open(endpoint.tls, AddressPolicy(), SETTINGS)
    client = HarborClient(endpoint, credential or administrator_of(harbor), transport, SETTINGS, reader, clock)
    try:
        yield client
    finally:
        await client.aclose()


def done(harbor: HarborDouble, do: Do[Result], reader: Credential | None = None) -> Result:
    """Return what one call comes to."""

    async def run() -> Result:
        async with client_of(harbor, reader=reader) as client:
            return await do(client)

    return asyncio.run(run())


def failure(
    harbor: HarborDouble, do: Do[object], credential: Credential | None = None, reader: Credential | None = None
) -> RegistryError:
    """Return the error that one call raises; no password is in it."""

    async def run() -> None:
        async with client_of(harbor, credential, reader) as client:
            await do(client)

    with pytest.raises(RegistryError) as caught:
        asyncio.run(run())
    error = caught.value
    shown = f"{error!r} {error.message} {error.registry_message} {error.__cause__!r} {error.__context__!r}"
    for secret in (harbor.administrator[1], credential and credential.password, reader and reader.password):
        assert not secret or secret not in shown
    return error


def make_reader(harbor: HarborDouble) -> Credential:
    """Make a reader robot as the service does, and forget the calls that it took."""
    made = done(harbor, lambda client: client.make_reader(MARKER))
    harbor.calls.reset()
    return made.credential


def asked(harbor: HarborDouble) -> list[str]:
    """Return the calls since the last reset, as `METHOD template credential`."""
    return [
        f"{call.method} {call.template.removeprefix('/api/v2.0')} {call.credential.partition(' ')[0]}"
        for call in harbor.calls.all
    ]
