"""The API as the demonstration uses it: plain GraphQL over HTTP, as any client would."""

from __future__ import annotations

from collections.abc import Set
from typing import Any, Final

import aiohttp

from demo.registries import DemoRegistry

TIMEOUT: Final = aiohttp.ClientTimeout(total=60)

INTEGRATE: Final = """
mutation Integrate($input: IntegrateRegistryInput!) {
  integrateRegistry(input: $input) {
    integration { id }
    errors { code message }
  }
}
"""


SPACES: Final = "{ spaces(first: 100) { nodes { id name } } }"

UPSERT: Final = """
mutation Upsert($input: UpsertWorkspaceInput!) {
  upsertWorkspace(input: $input) { workspace { id } errors { code message } }
}
"""

BIND: Final = """
mutation Bind($input: BindSpacesInput!) { bindSpaces(input: $input) { errors { code message } } }
"""

OPEN: Final = """
mutation Open($input: SetSpaceVisibilityInput!) { setSpaceVisibility(input: $input) { errors { code message } } }
"""

TENANTS: Final = {"Shop": ("shop", {"payments", "releases"}), "Lab": ("lab", {"search", "sandbox"})}
"""What each workspace is given: a namespace, and spaces."""

OPEN_TO_ALL: Final = {"tools"}


class ApiRefused(Exception):
    """The server did not do what the demonstration asked of it; the message has its words."""


async def integrate(url: str, token: str, registry: DemoRegistry) -> None:
    """Make a registry known to the server at `url`. Raises ApiRefused, aiohttp.ClientError, TimeoutError."""
    given = {
        "name": registry.name,
        "kind": "DOCKER_REGISTRY",
        "url": registry.server.url,
        "description": registry.description.capitalize() + ".",
        "username": registry.username,
        "password": registry.password,
        "tls": {"caCertificatePem": registry.server.ca_certificate_pem},
    }
    await _change(url, token, INTEGRATE, given)


async def give_spaces(url: str, token: str) -> None:
    """Make workspaces and give them some of the spaces. Raises ApiRefused, aiohttp.ClientError, TimeoutError."""
    spaces = (await _send(url, token, SPACES, {}))["spaces"]["nodes"]

    def ids(names: Set[str]) -> list[str]:
        return [space["id"] for space in spaces if space["name"] in names]

    for name, (namespace, given) in TENANTS.items():
        tenant = {"externalId": namespace, "name": name, "namespaces": [{"name": namespace}]}
        workspace = (await _change(url, token, UPSERT, tenant))["workspace"]
        await _change(url, token, BIND, {"spaceIds": ids(given), "workspaceIds": [workspace["id"]]})
    await _change(url, token, OPEN, {"ids": ids(OPEN_TO_ALL), "visibility": "PUBLIC"})


async def _change(url: str, token: str, mutation: str, given: dict[str, Any]) -> Any:
    (payload,) = (await _send(url, token, mutation, {"input": given})).values()
    if payload["errors"]:
        raise ApiRefused("; ".join(f"{error['code']}: {error['message']}" for error in payload["errors"]))
    return payload


async def _send(url: str, token: str, query: str, variables: dict[str, Any]) -> Any:
    async with (
        aiohttp.ClientSession(timeout=TIMEOUT) as session,
        session.post(
            f"{url}/graphql",
            json={"query": query, "variables": variables},
            headers={"Authorization": f"Bearer {token}"},
        ) as answer,
    ):
        result = await answer.json(content_type=None)
    if "errors" in result:
        raise ApiRefused("; ".join(str(error["message"]) for error in result["errors"]))
    return result["data"]
