"""What can be tried without making anything: `make test-live REGISTRY_URL=…`, and a Harbor of HARBOR_URL as well.

It makes nothing, changes nothing, and tries a wrong credential under a name that nobody has.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from registry_clients.addresses import AddressPolicy
from registry_clients.endpoint import Credential, RegistryEndpoint
from registry_clients.errors import AddressRefused, CredentialRejected
from registry_clients.kind import RegistryKind
from registry_clients.kinds import open_client, recognise_kind
from registry_clients.protocol import ListsSpaces, RegistryClient
from registry_clients.transport import TransportSettings
from tests.contract.live_registries import live_credential, live_endpoint

pytestmark = pytest.mark.live

POLICY = AddressPolicy()
SETTINGS = TransportSettings()
NOBODY = Credential("nobody-of-this-name", "nothing")


@pytest.fixture(params=["REGISTRY", "HARBOR"])
def named(request: pytest.FixtureRequest) -> str:
    """What the variables of the environment begin with."""
    return str(request.param)


@pytest.fixture
def endpoint(named: str) -> RegistryEndpoint:
    """Where the registry is."""
    return live_endpoint(named)


@pytest.fixture
def credential(named: str) -> Credential | None:
    """What to use it with."""
    return live_credential(named)


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
