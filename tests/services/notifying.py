"""A Docker Registry that tells of its changes, set up as its owner would: by what the API says is to be pasted."""

from __future__ import annotations

import contextlib
from typing import Any

from registry_clients.docker_registry.notifications import SECRET_PLACEHOLDER
from tests.servers.docker_registry import DockerRegistryServer
from tests.services.integrated import Integrated
from tests.serving import HttpAnswer, RunningServer
from tests.waiting import eventually

HOOK = "query ($id: ID!) { integration(id: $id) { hook { url configuration hasSecret lastReceivedAt } } }"
ROTATE = """mutation ($id: ID!) {
  rotateHookSecret(input: {integrationId: $id}) { secret integration { id } errors { __typename message path } }
}"""
CONTENT_TYPE = "application/vnd.docker.distribution.events.v1+json"


def hook_of(integrated: Integrated, token: str | None = None) -> Any:
    """Return what is told of an integration's hook."""
    return integrated.server.graphql(HOOK, {"id": integrated.id}, token)["integration"]["hook"]


def rotated_secret(integrated: Integrated) -> str:
    """Make the hook's secret anew and return it."""
    payload = integrated.server.graphql(ROTATE, {"id": integrated.id})["rotateHookSecret"]
    assert payload["errors"] == []
    assert payload["integration"]["id"] == integrated.id
    secret: str = payload["secret"]
    return secret


def have_notifications_sent(registry: DockerRegistryServer, integrated: Integrated) -> str:
    """Paste the snippet with a new secret into the registry's configuration, and start it again; return the secret."""
    secret = rotated_secret(integrated)
    snippet: str = hook_of(integrated)["configuration"]
    assert snippet.count(SECRET_PLACEHOLDER) == 1
    registry.stop()
    registry.pasted = snippet.replace(SECRET_PLACEHOLDER, secret)
    registry.start()
    return secret


def wait_until_measured(integrated: Integrated) -> None:
    """Return once all was measured, and nothing is to be looked at again."""
    database = integrated.server.services.database
    place = database.dialect.placeholder(1)
    sql = f"""SELECT 1 FROM "usage_measurement" WHERE "integration_id" = {place} AND "whole_at" IS NOT NULL
              AND "hinted_at" IS NULL AND "lease_until" IS NULL"""
    eventually(lambda: integrated.server.run(database.fetch(sql, integrated.key)))


def delete_manifest(registry: DockerRegistryServer, repository: str, digest: str) -> None:
    """Delete an artifact by the registry's own API."""
    with contextlib.closing(registry.connect()) as connection:
        connection.request("DELETE", f"/v2/{repository}/manifests/{digest}")
        answer = connection.getresponse()
        assert answer.status == 202, answer.read()


def post(
    server: RunningServer, url: str, body: bytes, secret: str | None, content_type: str | None = CONTENT_TYPE
) -> HttpAnswer:
    """Post something to a hook of the server."""
    headers = {} if secret is None else {"Authorization": f"Bearer {secret}"}
    if content_type is not None:
        headers["Content-Type"] = content_type
    assert url.startswith(server.url)
    return server.request("POST", url.removeprefix(server.url), body, headers)
