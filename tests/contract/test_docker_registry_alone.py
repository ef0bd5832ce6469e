"""What only a real Docker Registry shows, beyond the contract of all clients."""

import asyncio
from pathlib import Path

import pytest
from yarl import URL

from registry_clients.addresses import AddressPolicy
from registry_clients.endpoint import Credential, RegistryEndpoint
from registry_clients.errors import CredentialRejected, StorageUnreadable
from registry_clients.kind import RegistryKind
from registry_clients.kinds import open_client
from registry_clients.protocol import ListsSpaces
from registry_clients.records import FoundSpace
from registry_clients.transport import TransportSettings
from tests.servers.docker_registry import DockerRegistryServer, push_image, running_docker_registry
from tests.servers.token_server import running_token_server


async def spaces_at(server: DockerRegistryServer, credential: Credential | None = None) -> tuple[FoundSpace, ...]:
    client = await open_client(
        RegistryKind.DOCKER_REGISTRY,
        RegistryEndpoint(URL(server.url)),
        credential,
        AddressPolicy(),
        TransportSettings(),
    )
    try:
        assert isinstance(client, ListsSpaces)
        return await client.list_spaces()
    finally:
        await client.aclose()


def test_names_of_one_segment_belong_to_library(tmp_path: Path) -> None:
    with running_docker_registry(tmp_path) as server:
        for repository in ("web", "library/web", "team", "team/app", "team-a/app"):
            push_image(server, repository, "v1")
        assert asyncio.run(spaces_at(server)) == (
            FoundSpace("library", "library", None, ("library/web", "team", "web")),
            FoundSpace("team", "team", None, ("team/app",)),
            FoundSpace("team-a", "team-a", None, ("team-a/app",)),
        )


def test_the_same_image_has_the_same_digest(tmp_path: Path) -> None:
    with running_docker_registry(tmp_path) as server:
        assert push_image(server, "a/one", "v1", "same") == push_image(server, "b/two", "v2", "same")
        assert push_image(server, "a/one", "v1") != push_image(server, "a/one", "v2")


def test_a_token_server_that_grants_no_catalogue(tmp_path: Path) -> None:
    alice = Credential("alice", "wonder")
    repositories_only = frozenset({"repository"})
    with (
        running_token_server(tmp_path, {"alice": "wonder"}, repositories_only) as tokens,
        running_docker_registry(tmp_path, configuration=tokens.configuration) as server,
        pytest.raises(CredentialRejected) as caught,
    ):
        asyncio.run(spaces_at(server, alice))
    assert caught.value.message == (
        f"127.0.0.1:{server.port} does not let this user list its repositories (registry:catalog:*)."
    )


def test_a_failing_health_check_is_a_storage_that_is_away(tmp_path: Path) -> None:
    absent = tmp_path / "must-not-be-there"
    absent.write_text("it is")
    checks = {"health": {"file": [{"file": str(absent), "interval": "100ms"}]}}

    async def wait_for_failure(server: DockerRegistryServer) -> StorageUnreadable:
        async with asyncio.timeout(20):
            while True:
                try:
                    await spaces_at(server)
                except StorageUnreadable as error:
                    return error

    with running_docker_registry(tmp_path, configuration=checks) as server:
        error = asyncio.run(wait_for_failure(server))
    assert error.http_status == 503
    assert error.registry_message == "UNAVAILABLE: service unavailable"
