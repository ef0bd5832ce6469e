"""Telling kinds of registries apart by what they answer to anybody; no credential is ever sent."""

from collections.abc import Mapping

import orjson
from yarl import URL

from registry_clients.errors import UnexpectedAnswer
from registry_clients.kind import RegistryKind
from registry_clients.transport import RegistryRequest, RegistryTransport

# Harbor 2.16 names these in its challenges: as service of its tokens, as realm of its catalogue.
_HARBOR_SERVICE = "harbor-registry"
_HARBOR_REALM = "harbor"


async def recognise(transport: RegistryTransport, url: URL) -> RegistryKind | None:
    """Return the kind of registry at an address, None for what is no registry that we know.

    Harbor is asked for first: its `/v2/` answers as a Docker Registry's does. Raises what the transport
    raises.
    """
    if await is_harbor(transport, url):
        return RegistryKind.HARBOR
    response = await transport.send(RegistryRequest("GET", url.joinpath("v2", "")))
    is_told = response.headers.get("Docker-Distribution-Api-Version", "").startswith("registry/2")
    if is_told or (response.status == 200 and response.body.strip() == b"{}"):
        return RegistryKind.DOCKER_REGISTRY
    return None


async def is_harbor(transport: RegistryTransport, url: URL) -> bool:
    """Say whether a Harbor answers at an address. Raises what the transport raises.

    Source: Harbor API, `GET /ping` ("Pong", as text or JSON by version) and `GET /systeminfo`, both without
    login.
    """
    api = url.joinpath("api", "v2.0")
    try:
        ping = await transport.send(RegistryRequest("GET", api.joinpath("ping")))
        if ping.status == 200 and ping.body.strip().strip(b'"') == b"Pong":
            return True
        information = await transport.send(RegistryRequest("GET", api.joinpath("systeminfo")))
        answer = orjson.loads(information.body)
    except (UnexpectedAnswer, orjson.JSONDecodeError):
        return False
    return information.status == 200 and isinstance(answer, dict) and "auth_mode" in answer


def hints_at_harbor(challenge_parameters: Mapping[str, str]) -> bool:
    """Say whether a challenge looks like Harbor's. A hint alone: anybody may use these names."""
    service, realm = challenge_parameters.get("service"), challenge_parameters.get("realm")
    return service == _HARBOR_SERVICE or realm == _HARBOR_REALM
