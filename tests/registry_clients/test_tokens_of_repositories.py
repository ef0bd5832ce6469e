"""Tokens for many repositories: side by side, each once, and no more kept than is good."""

import asyncio
import json

import pytest

from registry_clients.transport import RegistryRequest, RegistryResponse
from tests.registry_clients.docker_registry_answers import ALICE, AS_ALICE, client_over
from tests.registry_clients.scripted_transport import ScriptedTransport, response, who


class TokenRegistry(ScriptedTransport):
    """A registry with its token server beside it, which holds each token until as many are asked for as it says."""

    def __init__(self, together: int = 1) -> None:
        super().__init__(self._answer)
        self.fetched: list[str] = []
        self._held = 0
        self._together = together
        self._released = asyncio.Event()

    async def send(self, request: RegistryRequest) -> RegistryResponse:
        """Answer, a token only when enough of them are asked for."""
        if request.url.path == "/token":
            self._held += 1
            if self._held >= self._together:
                self._released.set()
            await self._released.wait()
        return await super().send(request)

    def _answer(self, request: RegistryRequest) -> RegistryResponse:
        if request.url.path == "/token":
            scope = request.url.query["scope"]
            self.fetched.append(scope)
            return response(200, json.dumps({"token": scope.replace(":", "."), "expires_in": 300}).encode())
        if not who(request):
            return response(401, WWW_Authenticate='Bearer realm="http://registry.test/token",service="s"')
        name = request.url.path.removeprefix("/v2/").removesuffix("/tags/list")
        assert who(request) == f"bearer repository.{name}.pull"
        return response(200, b'{"tags":["v1"]}')


def test_tokens_of_different_repositories_are_fetched_side_by_side() -> None:
    async def many() -> list[str]:
        registry = TokenRegistry(together=8)
        client = client_over(registry, ALICE)
        async with asyncio.timeout(10):
            await asyncio.gather(*(client.list_tags(f"team/app{number % 8}") for number in range(32)))
        return registry.fetched

    assert sorted(asyncio.run(many())) == [f"repository:team/app{number}:pull" for number in range(8)]


def test_the_challenge_of_one_repository_serves_for_all() -> None:
    async def each() -> list[str]:
        registry = TokenRegistry()
        client = client_over(registry, ALICE)
        for number in range(3):
            await client.list_tags(f"team/app{number}")
        return [who(request) for request in registry.requests]

    assert asyncio.run(each()) == [
        "",
        AS_ALICE,
        "bearer repository.team/app0.pull",
        AS_ALICE,
        "bearer repository.team/app1.pull",
        AS_ALICE,
        "bearer repository.team/app2.pull",
    ]


def test_a_password_is_asked_for_once_for_all_repositories() -> None:
    def script(request: RegistryRequest) -> RegistryResponse:
        return response(200, b'{"tags":[]}') if who(request) else response(401, WWW_Authenticate='Basic realm="r"')

    async def each() -> list[str]:
        transport = ScriptedTransport(script)
        client = client_over(transport, ALICE)
        for number in range(3):
            await client.list_tags(f"team/app{number}")
        return [who(request) for request in transport.requests]

    assert asyncio.run(each()) == ["", AS_ALICE, AS_ALICE, AS_ALICE]


def test_tokens_least_lately_used_are_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registry_clients.docker_registry.authentication._MAX_TOKENS", 2)

    async def each() -> list[str]:
        registry = TokenRegistry()
        client = client_over(registry, ALICE)
        for number in (0, 1, 0, 2, 0, 1):
            await client.list_tags(f"team/app{number}")
        return registry.fetched

    assert [scope.split(":")[1] for scope in asyncio.run(each())] == [
        "team/app0",
        "team/app1",
        "team/app2",
        "team/app1",
    ]
