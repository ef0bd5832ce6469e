"""The API as the demonstration uses it: plain GraphQL over HTTP, as any client would."""

from __future__ import annotations

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
    data = await _send(url, token, INTEGRATE, {"input": given})
    errors = data["integrateRegistry"]["errors"]
    if errors:
        raise ApiRefused("; ".join(f"{error['code']}: {error['message']}" for error in errors))


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
