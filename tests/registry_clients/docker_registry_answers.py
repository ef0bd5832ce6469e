"""Docker Registries made of recorded answers of both versions, for a client without a network."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from yarl import URL

from registry_clients.docker_registry.client import DockerRegistryClient
from registry_clients.endpoint import Credential, RegistryEndpoint
from registry_clients.errors import (
    RegistryError,
)
from registry_clients.transport import RegistryResponse, TransportSettings
from tests.recordings.recording import recorded_response
from tests.registry_clients.scripted_transport import ScriptedTransport, response

ALICE = Credential("alice", "wonder")
AS_ALICE = "basic alice:wonder"
HOST = "registry.test:5000"
REALM = URL("https://auth.registry.test/token")
BOTH = pytest.mark.parametrize("version", ["distribution-2.8.2", "distribution-3.1.2"])

Do = Callable[[DockerRegistryClient], Coroutine[Any, Any, Any]]


def client_over(
    transport: ScriptedTransport,
    credential: Credential | None = None,
    url: str = f"http://{HOST}",
    token_realm: URL | None = None,
    clock: Callable[[], float] = lambda: 0.0,
) -> DockerRegistryClient:
    endpoint = RegistryEndpoint(URL(url), token_realm=token_realm)
    return DockerRegistryClient(endpoint, credential, transport, TransportSettings(), clock)


def failure_of(do: Do, client: DockerRegistryClient) -> RegistryError:
    with pytest.raises(RegistryError) as caught:
        asyncio.run(do(client))
    assert "wonder" not in repr(caught.value) + str(caught.value.registry_message) + caught.value.message
    return caught.value


def open_registry(version: str) -> dict[str, RegistryResponse | Exception]:
    return {
        "/v2/": recorded_response(f"{version}/ping", "GET /v2/"),
        "/v2/_catalog?n=1": recorded_response(f"{version}/catalog", "n=1"),
        "/v2/_catalog?n=1000": recorded_response(f"{version}/catalog", "n=1000, the most"),
    }


def basic_registry(version: str) -> dict[str, RegistryResponse | Exception]:
    name = f"{version}/htpasswd"
    return {
        "/v2/": recorded_response(name, "/v2/ without credentials"),
        f"/v2/ {AS_ALICE}": recorded_response(name, "/v2/ with the right password"),
        "/v2/_catalog?n=1": recorded_response(name, "/v2/_catalog without credentials"),
        f"/v2/_catalog?n=1 {AS_ALICE}": recorded_response(name, "/v2/_catalog with the right password"),
        "/v2/ basic alice:wrong": recorded_response(name, "wrong password"),
    }


def bearer_registry(version: str) -> dict[str, RegistryResponse | Exception]:
    name = f"{version}/token_challenges"
    token = "/token?service=registry.test&account=alice"
    return {
        "/v2/": recorded_response(name, "GET /v2/ without a token"),
        "/v2/_catalog?n=1": recorded_response(name, "GET /v2/_catalog without a token"),
        f"{token} {AS_ALICE}": response(200, b'{"token":"for-ping"}'),
        f"{token}&scope=registry:catalog:* {AS_ALICE}": response(200, b'{"access_token":"for-list"}'),
        "/v2/ bearer for-ping": recorded_response(f"{version}/ping", "GET /v2/"),
        "/v2/_catalog?n=1 bearer for-list": recorded_response(f"{version}/catalog", "n=1"),
    }
