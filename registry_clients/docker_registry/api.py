"""One call to a Docker Registry's API: where to, with what token, and by when."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping

from registry_clients.discretion import without_secret
from registry_clients.docker_registry.authentication import AuthenticatedAnswer, Authentication
from registry_clients.docker_registry.refusals import Call, refusal_of
from registry_clients.endpoint import Credential, RegistryEndpoint
from registry_clients.error_bodies import registry_message
from registry_clients.errors import RegistryError, TimedOut
from registry_clients.transport import RegistryRequest, RegistryResponse, RegistryTransport, TransportSettings


class RegistryApi:
    """Sends calls to one registry, each with a deadline over its token exchange and all."""

    def __init__(
        self,
        endpoint: RegistryEndpoint,
        credential: Credential | None,
        transport: RegistryTransport,
        settings: TransportSettings,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._endpoint = endpoint
        self._credential = credential
        self._settings = settings
        self.authentication = Authentication(endpoint, credential, transport, clock)

    @property
    def host(self) -> str:
        """The host for people."""
        return self._endpoint.host

    async def send(
        self,
        method: str,
        path: str,
        scope: str | None,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout_seconds: float | None = None,
        is_retried: bool = True,
    ) -> AuthenticatedAnswer:
        """Return the answer to a call, whatever its status. ``path`` is what follows `/v2/`.

        ``scope`` is what a token for it must allow. Without ``timeout_seconds`` the settings' total holds.
        """
        seconds = timeout_seconds or self._settings.total_timeout_seconds
        request = RegistryRequest(
            method,
            self._endpoint.url.joinpath("v2", path).with_query(query),
            headers=headers or {},
            timeout_seconds=seconds,
            is_retried=is_retried,
        )
        try:
            # Over the token exchange and all: each of its calls has the same deadline at most.
            async with asyncio.timeout(seconds):
                return await self.authentication.send(request, scope)
        except TimeoutError as error:
            raise TimedOut(f"{self.host} did not answer within {seconds:g} seconds.") from error

    def refusal(self, response: RegistryResponse, call: Call) -> RegistryError:
        """Return what an answer means that was not to be taken."""
        return refusal_of(response, call, self.host)

    def words_of(self, response: RegistryResponse) -> str | None:
        """Return what the registry said, for administrators: without our password, should it repeat it."""
        words = registry_message(response.body, response.headers.get("Content-Type", ""))
        return words if words is None or self._credential is None else without_secret(words, self._credential)


def pull_scope(repository_name: str) -> str:
    """Return what a token must allow for reading in a repository."""
    return f"repository:{repository_name}:pull"


def delete_scope(repository_name: str) -> str:
    """Return what a token must allow for deleting in a repository: that alone, as the registry asks for it."""
    return f"repository:{repository_name}:delete"
