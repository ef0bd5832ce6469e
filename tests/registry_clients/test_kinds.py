"""What kinds of registries there are, and telling them apart."""

import asyncio

import pytest
from yarl import URL

from registry_clients.addresses import AddressPolicy
from registry_clients.docker_registry.client import DockerRegistryClient
from registry_clients.endpoint import RegistryEndpoint, TlsTrust
from registry_clients.errors import ConnectionRefused, TlsNotTrusted, UnexpectedAnswer
from registry_clients.harbor.client import HarborClient
from registry_clients.kind import KindNotSupported, RegistryKind
from registry_clients.kinds import KIND_DESCRIPTIONS, client_over, open_client, recognise_kind
from registry_clients.protocol import (
    ChangesSpaces,
    DeletesArtifacts,
    DeletesRepositories,
    DeletesTags,
    HasChangeFeed,
    ListsArtifacts,
    ListsContents,
    ListsRepositories,
    ListsSpaces,
    LooksAtSpaces,
    MakesReaderCredential,
    ReadsManifests,
    ReadsStorage,
    RegistryClient,
)
from registry_clients.recognition import recognise
from registry_clients.transport import RegistryResponse, TransportSettings
from tests.recordings.recording import recorded_response
from tests.registry_clients.scripted_transport import by_path, response
from tests.servers.misbehaving import answering, http_answer, misbehaving_server

ENDPOINT = RegistryEndpoint(URL("http://registry.test:5000"))
NOT_FOUND = response(404, b"404 page not found\n")
NO_HARBOR: dict[str, RegistryResponse | Exception] = {
    "/api/v2.0/ping": NOT_FOUND,
    "/api/v2.0/systeminfo": NOT_FOUND,
}


def test_each_kind_is_described() -> None:
    assert set(KIND_DESCRIPTIONS) == set(RegistryKind)
    for kind, description in KIND_DESCRIPTIONS.items():
        assert description.kind is kind
        assert description.title
        assert description.description
        assert description.abilities


def test_each_supported_kind_opens_a_client_and_the_others_say_so() -> None:
    async def opened(kind: RegistryKind) -> RegistryKind:
        client = await open_client(kind, ENDPOINT, None, AddressPolicy(), TransportSettings())
        await client.aclose()
        return client.kind

    for kind, description in KIND_DESCRIPTIONS.items():
        if description.is_supported:
            assert asyncio.run(opened(kind)) is kind
        else:
            with pytest.raises(KindNotSupported) as caught:
                asyncio.run(opened(kind))
            assert caught.value.kind is kind
            assert caught.value.message == f"{description.title} registries can't be integrated yet."


@pytest.mark.parametrize("kind", RegistryKind)
def test_each_kind_has_a_client_supported_or_not(kind: RegistryKind) -> None:
    client = client_over(kind, ENDPOINT, None, by_path({}), TransportSettings())
    assert client.kind is kind
    for protocol in (ListsSpaces, ListsRepositories, ListsContents):
        assert isinstance(client, protocol)


def every_ability(
    client: HarborClient,
) -> tuple[
    RegistryClient,
    ListsSpaces,
    ListsRepositories,
    ListsContents,
    LooksAtSpaces,
    ListsArtifacts,
    ReadsStorage,
    ChangesSpaces,
    HasChangeFeed,
    MakesReaderCredential,
    DeletesArtifacts,
    DeletesTags,
    DeletesRepositories,
]:
    """Hold a Harbor's client to the protocols' signatures: `isinstance` looks at names alone."""
    return (client,) * 13


def test_a_harbor_offers_what_only_some_do() -> None:
    client = client_over(RegistryKind.HARBOR, ENDPOINT, None, by_path({}), TransportSettings())
    assert isinstance(client, HarborClient)
    assert len(every_ability(client)) == 13
    offered = (LooksAtSpaces, ReadsStorage, ChangesSpaces, HasChangeFeed, MakesReaderCredential, DeletesRepositories)
    for protocol in (*offered, ListsArtifacts, DeletesArtifacts, DeletesTags):
        assert isinstance(client, protocol)
    other = client_over(RegistryKind.DOCKER_REGISTRY, ENDPOINT, None, by_path({}), TransportSettings())
    assert not any(isinstance(other, protocol) for protocol in offered)


def every_ability_of_a_docker_registry(
    client: DockerRegistryClient,
) -> tuple[
    RegistryClient,
    ListsSpaces,
    ListsRepositories,
    ListsContents,
    ListsArtifacts,
    ReadsManifests,
    DeletesArtifacts,
    DeletesTags,
]:
    """Hold a Docker Registry's client to the protocols' signatures."""
    return (client,) * 8


def test_a_docker_registry_offers_what_only_some_do() -> None:
    client = client_over(RegistryKind.DOCKER_REGISTRY, ENDPOINT, None, by_path({}), TransportSettings())
    assert isinstance(client, DockerRegistryClient)
    assert len(every_ability_of_a_docker_registry(client)) == 8
    for protocol in (ListsArtifacts, ReadsManifests, DeletesArtifacts, DeletesTags):
        assert isinstance(client, protocol)
    harbor = client_over(RegistryKind.HARBOR, ENDPOINT, None, by_path({}), TransportSettings())
    assert not isinstance(harbor, ReadsManifests)


def test_a_bad_certificate_shows_when_the_client_is_opened() -> None:
    endpoint = RegistryEndpoint(ENDPOINT.url, TlsTrust(ca_certificate_pem="nonsense"))
    with pytest.raises(TlsNotTrusted):
        asyncio.run(open_client(RegistryKind.DOCKER_REGISTRY, endpoint, None, AddressPolicy(), TransportSettings()))


@pytest.mark.parametrize(
    "answers",
    [
        {"/api/v2.0/ping": response(200, b"Pong")},
        {"/api/v2.0/ping": response(200, b'"Pong"\n')},
        {"/api/v2.0/ping": NOT_FOUND, "/api/v2.0/systeminfo": response(200, b'{"auth_mode":"db_auth"}')},
    ],
)
def test_a_harbor_is_recognised(answers: dict[str, RegistryResponse | Exception]) -> None:
    assert asyncio.run(recognise(by_path(answers), ENDPOINT.url)) is RegistryKind.HARBOR


@pytest.mark.parametrize("version", ["distribution-2.8.2", "distribution-3.1.2"])
@pytest.mark.parametrize("what", ["ping:GET /v2/", "htpasswd:/v2/ without credentials"])
def test_a_docker_registry_is_recognised_with_and_without_login(version: str, what: str) -> None:
    name, _, exchange = what.partition(":")
    transport = by_path(NO_HARBOR | {"/v2/": recorded_response(f"{version}/{name}", exchange)})
    assert asyncio.run(recognise(transport, ENDPOINT.url)) is RegistryKind.DOCKER_REGISTRY


@pytest.mark.parametrize("answer", [response(200, b"<html>"), NOT_FOUND, response(401), response(200)])
def test_what_is_no_registry_is_none(answer: RegistryResponse) -> None:
    assert asyncio.run(recognise(by_path(NO_HARBOR | {"/v2/": answer}), ENDPOINT.url)) is None


def test_a_registry_that_redirects_the_unknown_is_recognised_all_the_same() -> None:
    moved = UnexpectedAnswer("registry.test:5000 redirects to https://login.test.")
    transport = by_path({"/api/v2.0/ping": moved, "/api/v2.0/systeminfo": moved, "/v2/": response(200, b"{}")})
    assert asyncio.run(recognise(transport, ENDPOINT.url)) is RegistryKind.DOCKER_REGISTRY


def test_recognising_over_the_network_closes_what_it_opens() -> None:
    async def both() -> tuple[RegistryKind | None, URL]:
        async with misbehaving_server(answering(http_answer(200, b"Pong"))) as server:
            url = URL(server.url)
            return await recognise_kind(RegistryEndpoint(url), AddressPolicy(), TransportSettings()), url

    kind, url = asyncio.run(both())
    assert kind is RegistryKind.HARBOR
    with pytest.raises(ConnectionRefused):
        asyncio.run(recognise_kind(RegistryEndpoint(url), AddressPolicy(), TransportSettings(attempts=1)))


def test_the_client_of_docker_registry_is_one() -> None:
    async def opened() -> type:
        client = await open_client(RegistryKind.DOCKER_REGISTRY, ENDPOINT, None, AddressPolicy(), TransportSettings())
        await client.aclose()
        return type(client)

    assert asyncio.run(opened()) is DockerRegistryClient
