"""The contract over a registry of somebody's, which it only reads: `make test-live REGISTRY_URL=…`.

It makes nothing, changes nothing, and tries a wrong credential under a name that nobody has.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from registry_clients.addresses import AddressPolicy
from registry_clients.endpoint import Credential, RegistryEndpoint, TlsTrust, parse_registry_url
from registry_clients.errors import AddressRefused, CredentialRejected
from registry_clients.kind import RegistryKind
from registry_clients.kinds import open_client, recognise_kind
from registry_clients.protocol import ListsSpaces, RegistryClient
from registry_clients.transport import TransportSettings

POLICY = AddressPolicy()
SETTINGS = TransportSettings()
NOBODY = Credential("nobody-of-this-name", "nothing")


@pytest.fixture
def endpoint() -> RegistryEndpoint:
    """Where the registry is, from REGISTRY_URL and REGISTRY_CA_FILE."""
    url = os.environ.get("REGISTRY_URL")
    if not url:
        pytest.skip("REGISTRY_URL names no registry")
    ca_file = os.environ.get("REGISTRY_CA_FILE")
    return RegistryEndpoint(parse_registry_url(url), TlsTrust(Path(ca_file).read_text() if ca_file else None))


@pytest.fixture
def credential() -> Credential | None:
    """The credential in REGISTRY_USERNAME and REGISTRY_PASSWORD."""
    username = os.environ.get("REGISTRY_USERNAME")
    return Credential(username, os.environ.get("REGISTRY_PASSWORD", "")) if username else None


async def kind_of(endpoint: RegistryEndpoint) -> RegistryKind:
    kind = await recognise_kind(endpoint, POLICY, SETTINGS)
    assert kind is not None, "this is no registry that we know"
    return kind


@asynccontextmanager
async def client_of(
    endpoint: RegistryEndpoint, credential: Credential | None, policy: AddressPolicy = POLICY
) -> AsyncIterator[RegistryClient]:
    client = await open_client(await kind_of(endpoint), endpoint, credential, policy, SETTINGS)
    try:
        yield client
    finally:
        await client.aclose()


def test_it_is_verified(endpoint: RegistryEndpoint, credential: Credential | None) -> None:
    async def verify() -> None:
        async with client_of(endpoint, credential) as client:
            verification = await client.verify()
            assert verification.kind is client.kind
            if credential is None:
                assert not verification.is_credential_verified

    asyncio.run(verify())


def test_a_probe_says_that_it_works(endpoint: RegistryEndpoint, credential: Credential | None) -> None:
    async def probe() -> None:
        async with client_of(endpoint, credential) as client:
            answers = [await client.probe() for _ in range(3)]
            assert all(0 < answer.latency_milliseconds < SETTINGS.total_timeout_seconds * 1000 for answer in answers)
            assert all(component.is_healthy for component in answers[-1].components)

    asyncio.run(probe())


def test_spaces_are_sorted_and_told_apart(endpoint: RegistryEndpoint, credential: Credential | None) -> None:
    async def look() -> None:
        async with client_of(endpoint, credential) as client:
            assert isinstance(client, ListsSpaces)
            spaces = await client.list_spaces()
            assert list(spaces) == sorted(spaces, key=lambda space: space.name)
            assert len({space.external_id for space in spaces}) == len(spaces)
            for space in spaces:
                assert list(space.repository_names) == sorted(set(space.repository_names))

    asyncio.run(look())


def test_nobody_is_not_let_in(endpoint: RegistryEndpoint, credential: Credential | None) -> None:
    async def verify() -> None:
        async with client_of(endpoint, NOBODY) as client:
            if credential is None:
                # Who asks for no credential can't tell a wrong one.
                assert not (await client.verify()).is_credential_verified
                return
            with pytest.raises(CredentialRejected) as caught:
                await client.verify()
            assert NOBODY.password not in caught.value.message

    asyncio.run(verify())


def test_a_host_of_its_own_network_is_refused_where_that_is_forbidden(endpoint: RegistryEndpoint) -> None:
    if endpoint.url.host != "127.0.0.1":
        pytest.skip("the registry is not on this machine")

    async def verify() -> None:
        forbidding = replace(POLICY, allows_loopback=False)
        async with client_of(endpoint, None, forbidding) as client:
            with pytest.raises(AddressRefused):
                await client.verify()

    asyncio.run(verify())
