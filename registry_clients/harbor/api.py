"""One call to Harbor's API: who asks, with what deadline, and what a bad answer means."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import orjson

from registry_clients.discretion import without_secret
from registry_clients.endpoint import Credential, RegistryEndpoint
from registry_clients.error_bodies import registry_message
from registry_clients.errors import CredentialRejected, RegistryError
from registry_clients.harbor.refusals import Caller, is_own_not_found, refusal_of
from registry_clients.harbor.urls import api_url
from registry_clients.transport import RegistryRequest, RegistryResponse, RegistryTransport, TransportSettings

# A name of digits alone would be read as an id without it (seen on 2.16.0).
BY_NAME: Mapping[str, str] = {"X-Is-Resource-Name": "true"}


@dataclass(frozen=True, slots=True)
class ApiCall:
    """What is asked. ``is_probe``: with the shorter deadline, and never again when it failed."""

    method: str
    segments: tuple[str, ...]
    caller: Caller
    query: Mapping[str, str] | None = None
    is_by_name: bool = False
    is_probe: bool = False
    body: Mapping[str, object] | None = None


class HarborApi:
    """Sends calls to one Harbor with basic authentication, and never a cookie: the transport keeps none.

    No call is sent with a credential that we don't have.
    """

    def __init__(
        self,
        endpoint: RegistryEndpoint,
        credential: Credential | None,
        transport: RegistryTransport,
        settings: TransportSettings,
        reader: Credential | None,
    ) -> None:
        self._endpoint = endpoint
        self._administrator = credential
        self._transport = transport
        self._settings = settings
        self.reader = reader

    @property
    def host(self) -> str:
        """The host for people."""
        return self._endpoint.host

    def has_reader(self, caller: Caller) -> bool:
        """Say whether the reader robot is the one that asks."""
        return caller is Caller.ROUTINE and self.reader is not None

    async def send(self, call: ApiCall, taken: Collection[int] = (200,)) -> RegistryResponse:
        """Return the answer when its status is one of those ``taken``. Raises what any other one means.

        A 404 is taken only in Harbor's own words.
        """
        response = await self._transport.send(
            RegistryRequest(
                call.method,
                api_url(self._endpoint.url, call.segments, call.query),
                headers=self._headers(call),
                timeout_seconds=self._settings.read_timeout_seconds if call.is_probe else None,
                is_retried=not call.is_probe,
                body=None if call.body is None else orjson.dumps(call.body),
            )
        )
        if response.status not in taken or (response.status == 404 and not is_own_not_found(response)):
            raise self.refusal(call, response)
        return response

    def refusal(self, call: ApiCall, response: RegistryResponse) -> RegistryError:
        """Return what an answer means that was not to be taken."""
        return refusal_of(response, self.words_of(response), self.host, is_reader=self.has_reader(call.caller))

    def words_of(self, response: RegistryResponse) -> str | None:
        """Return what Harbor said, for administrators: no credential of ours is in it, should it repeat one."""
        words = registry_message(response.body, response.headers.get("Content-Type", ""))
        for credential in (self._administrator, self.reader):
            if words is not None and credential is not None:
                words = without_secret(words, credential)
        return words

    def _headers(self, call: ApiCall) -> dict[str, str]:
        headers = dict(BY_NAME) if call.is_by_name else {}
        if call.body is not None:
            headers["Content-Type"] = "application/json"
        if call.caller is not Caller.NOBODY:
            headers["Authorization"] = _basic(self._credential_of(call.caller))
        return headers

    def _credential_of(self, caller: Caller) -> Credential:
        credential = self.reader if self.has_reader(caller) else self._administrator
        if credential is None:
            raise CredentialRejected(f"{self.host} needs an administrator's username and password.")
        return credential


def _basic(credential: Credential) -> str:
    return "Basic " + b64encode(f"{credential.username}:{credential.password}".encode()).decode("ascii")
