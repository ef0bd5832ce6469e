"""A Harbor of somebody's: what the contract suite makes there, and that nothing of it stays.

Everything has a name that nobody else would give: projects begin with `PREFIX`, robots carry `MARKER`. What an
earlier run left behind, because it was killed, is removed before a test begins; what a test made, when it ends.
"""

from __future__ import annotations

import asyncio
import base64
import http.client
import json
import secrets
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from urllib.parse import quote

from demo.images import push_image
from registry_clients.addresses import AddressPolicy
from registry_clients.endpoint import Credential, RegistryEndpoint
from registry_clients.harbor.api import ApiCall, HarborApi
from registry_clients.harbor.client import HarborClient
from registry_clients.harbor.refusals import Caller
from registry_clients.transport import AiohttpTransport, TransportSettings

PREFIX = "integrated-registry-contract-"
"""What every project begins with that the suite makes. Whatever is called so is removed."""

MARKER = "contract-suite"
"""The installation that the suite's robots say they are of."""

_TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class LiveHarbor:
    """Where it is, and an administrator's credential."""

    endpoint: RegistryEndpoint
    credential: Credential

    def push(self, repository: str, tag: str = "v1", text: str = "") -> str:
        """Push a small image, its project made where it is missing; return the digest."""
        asyncio.run(self._make_project(repository.partition("/")[0]))
        return push_image(self, repository, tag, text)

    def remove_what_we_made(self) -> None:
        """Delete every project and robot that is ours by its name, with all that is in it."""
        asyncio.run(self._remove())

    @property
    def leftovers(self) -> list[str]:
        """The names of all that is there of ours now."""
        return asyncio.run(self._leftovers())

    def connect(self) -> http.client.HTTPConnection:
        """Return a plain connection, for pushing without any client of ours."""
        url, trust = self.endpoint.url, self.endpoint.tls
        host, port = url.host or "", url.port
        if url.scheme == "http":
            return http.client.HTTPConnection(host, port, timeout=_TIMEOUT_SECONDS)
        context = ssl.create_default_context(cadata=trust.ca_certificate_pem)
        return http.client.HTTPSConnection(host, port, timeout=_TIMEOUT_SECONDS, context=context)

    def authorization_for(self, repository: str) -> dict[str, str]:
        """Return the header of one who may push to a repository, with a token as docker gets it."""
        basic = base64.b64encode(f"{self.credential.username}:{self.credential.password}".encode()).decode()
        scope = quote(f"repository:{repository}:pull,push", safe="")
        with closing(self.connect()) as connection:
            path = f"/service/token?service=harbor-registry&scope={scope}"
            connection.request("GET", path, headers={"Authorization": f"Basic {basic}"})
            response = connection.getresponse()
            body = response.read()
        assert response.status == 200, f"the token service answers {response.status}"
        return {"Authorization": f"Bearer {json.loads(body)['token']}"}

    @asynccontextmanager
    async def client(self, reader: Credential | None = None) -> AsyncIterator[HarborClient]:
        """Open a client as the administrator, and as a reader where one is given."""
        settings = TransportSettings()
        transport = await AiohttpTransport.open(self.endpoint.tls, AddressPolicy(), settings)
        client = HarborClient(self.endpoint, self.credential, transport, settings, reader)
        try:
            yield client
        finally:
            await client.aclose()

    async def _make_project(self, name: str) -> None:
        assert name.startswith(PREFIX), f"{name} would not be recognised as ours"
        async with self.client() as client:
            if await client.look_at_space(name) is None:
                await client.create_space(name, is_public=False)

    async def _remove(self) -> None:
        async with self.client() as client:
            await client.remove_stray_readers(MARKER, None)
            for space in await client.list_spaces():
                if space.name.startswith(PREFIX):
                    for repository in await client.look_at_repositories(space):
                        await client.delete_repository(repository.name)
                    await client.delete_space(space)

    async def _leftovers(self) -> list[str]:
        settings = TransportSettings()
        async with self.client() as client:
            spaces = [space.name for space in await client.list_spaces() if space.name.startswith(PREFIX)]
        transport = await AiohttpTransport.open(self.endpoint.tls, AddressPolicy(), settings)
        try:
            api = HarborApi(self.endpoint, self.credential, transport, settings, None)
            query = {"page_size": "100", "q": f"name=~{MARKER}"}
            response = await api.send(ApiCall("GET", ("robots",), Caller.ADMINISTRATOR, query))
        finally:
            await transport.aclose()
        return sorted(spaces) + sorted(robot["name"] for robot in json.loads(response.body))


@contextmanager
def cleaned(harbor: LiveHarbor) -> Iterator[str]:
    """Yield what names of projects are to begin with; before and after the block nothing of ours is there."""
    harbor.remove_what_we_made()
    try:
        yield f"{PREFIX}{secrets.token_hex(4)}-"
    finally:
        harbor.remove_what_we_made()
