"""Whether there is a Harbor, and whether the credential is an administrator's."""

from registry_clients.endpoint import RegistryEndpoint
from registry_clients.errors import NotAnAdministrator, OtherKind, UnexpectedAnswer
from registry_clients.harbor.api import ApiCall, HarborApi
from registry_clients.harbor.payloads import parse_current_user, parse_system_information
from registry_clients.harbor.refusals import Caller
from registry_clients.kind import RegistryKind
from registry_clients.recognition import recognise
from registry_clients.records import Verification
from registry_clients.transport import RegistryTransport


class Verifier:
    """Verifies one Harbor as the administrator."""

    def __init__(self, api: HarborApi, endpoint: RegistryEndpoint, transport: RegistryTransport) -> None:
        self._api = api
        self._endpoint = endpoint
        self._transport = transport

    async def verify(self) -> Verification:
        """Return the version of Harbor. Raises OtherKind, CredentialRejected, NotAnAdministrator.

        No credential is sent before it is known that a Harbor is there. Source: `GET /users/current`, one of the
        few that tell a wrong password from none (seen on 2.16.0).
        """
        await self._require_harbor()
        await self._require_administrator()
        response = await self._api.send(ApiCall("GET", ("systeminfo",), Caller.ADMINISTRATOR))
        information = parse_system_information(response.body, self._api.host)
        return Verification(kind=RegistryKind.HARBOR, version=information.version, is_credential_verified=True)

    async def _require_harbor(self) -> None:
        kind = await recognise(self._transport, self._endpoint.url)
        if kind is RegistryKind.HARBOR:
            return
        host = self._api.host
        if kind is not None:
            raise OtherKind(f"{host} is a Docker Registry, not a Harbor: integrate it as such.")
        # What answers there says best what it is: TLS, a proxy without its Harbor, a web page.
        await self._api.send(ApiCall("GET", ("ping",), Caller.NOBODY))
        raise UnexpectedAnswer(f"There is no Harbor at {host}: its API answers otherwise.")

    async def _require_administrator(self) -> None:
        host = self._api.host
        response = await self._api.send(ApiCall("GET", ("users", "current"), Caller.ADMINISTRATOR), taken=(200, 412))
        if response.status == 412:
            raise NotAnAdministrator(
                f"This is a robot account, and {host} is integrated with an administrator's: give the username and"
                " password of a user whom Harbor lists as administrator. We make the robots that we need ourselves.",
                registry_message=self._api.words_of(response),
                http_status=412,
            )
        if not parse_current_user(response.body, host).is_administrator:
            raise NotAnAdministrator(
                f"This user is no administrator of {host}: in Harbor, under Administration, Users, choose"
                " “Set as Admin” for it, or give another user.",
                http_status=200,
            )
