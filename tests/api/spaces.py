"""Spaces as tests change them through the surface, with workspaces to lose access to them."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from models.database import Transaction
from registry_clients.transport import TransportSettings
from resolvers.global_ids import parse_global_id
from tests.api.surface import Surface

SPACE_ERRORS = """
errors {
  message
  ... on SpaceNameTaken { holder { name visibility } }
  ... on SpaceRefused { registryMessage }
  ... on SpaceNotEmpty { repositoryCount }
}
"""
SPACE = "id name visibility state isVisibilityEnforced lastSeenAt"
LOSSES = "lossCount losses { imagePrefix namespace { cluster name } keepsAccessBy { id } keepsAccessAsPublic }"

SECONDS_TO_ANSWER = 1.5
"""How long registries are waited for in tests whose answers stay away."""


@dataclass(frozen=True, slots=True)
class Tenant:
    """A workspace with one namespace."""

    id: str
    name: str
    namespace: dict[str, str]

    def loss(self, image_prefix: str, kept_by: str | None = None) -> dict[str, Any]:
        """Return a loss of its namespace, as the surface tells it."""
        return {
            "imagePrefix": image_prefix,
            "namespace": self.namespace,
            "keepsAccessBy": kept_by and {"id": kept_by},
            "keepsAccessAsPublic": False,
        }


@contextmanager
def impatient_registries() -> Iterator[None]:
    """Have servers that are started within the block wait for registries for a moment alone."""
    settings = partial(
        TransportSettings, read_timeout_seconds=SECONDS_TO_ANSWER, total_timeout_seconds=SECONDS_TO_ANSWER
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("server.assembly.TransportSettings", settings)
        yield


def create_space(surface: Surface, token: str | None = None, /, **given: Any) -> dict[str, Any]:
    """Make a space and return the payload."""
    return surface.mutate("createSpace", given, f"space {{ {SPACE} }} {SPACE_ERRORS}", token)


def set_visibility(surface: Surface, token: str | None = None, /, **given: Any) -> dict[str, Any]:
    """Open or close spaces and return the payload."""
    return surface.mutate("setSpaceVisibility", given, f"spaces {{ {SPACE} }} {LOSSES} {SPACE_ERRORS}", token)


def delete_space(surface: Surface, token: str | None = None, /, **given: Any) -> dict[str, Any]:
    """Delete a space and return the payload."""
    return surface.mutate("deleteSpace", given, f"space {{ {SPACE} }} {LOSSES} {SPACE_ERRORS}", token)


def space_ids(surface: Surface, integration_id: str) -> dict[str, str]:
    """Return the ids of an integration's standing spaces, by name."""
    query = "query ($id: ID!) { integration(id: $id) { spaces(first: 100) { nodes { id name } } } }"
    nodes = surface.server.graphql(query, {"id": integration_id})["integration"]["spaces"]["nodes"]
    return {node["name"]: node["id"] for node in nodes}


def space_rows(surface: Surface, integration_id: str) -> list[tuple[Any, ...]]:
    """Return name, visibility and state of an integration's spaces, as the mirror has them."""
    _, key = parse_global_id(integration_id)
    return surface.rows(
        f'SELECT "name", "visibility", "state" FROM "space" WHERE "integration_id" = {key} ORDER BY "name", "id"'
    )


def is_due(surface: Surface, integration_id: str) -> bool:
    """Return whether everything of an integration is to be looked at now, or was looked at since."""
    _, key = parse_global_id(integration_id)
    ((due_at,),) = surface.rows(f'SELECT "next_synchronization_at" FROM "integration" WHERE "id" = {key}')
    database = surface.server.services.database
    return bool(database.dialect.datetime(due_at) <= surface.server.services.clock())


def follow_no_log(surface: Surface) -> None:
    """Let no registry's log of changes be read any more: what is found is found by a look at everything."""

    async def work(transaction: Transaction) -> None:
        await transaction.execute('DELETE FROM "change_feed"')

    surface.server.run(surface.server.services.database.transact(work))


def new_tenant(surface: Surface) -> Tenant:
    """Make a workspace with a namespace that nobody has."""
    name = f"tenant-{secrets.token_hex(4)}"
    namespace = {"cluster": "one", "name": name}
    made = surface.mutate("createWorkspace", {"name": name}, "workspace { id }")
    assert made["errors"] == []
    key = made["workspace"]["id"]
    added = surface.mutate("addNamespaces", {"workspaceId": key, "namespaces": [namespace]})
    assert added["errors"] == []
    return Tenant(key, name, namespace)


def bind(surface: Surface, space_id: str, tenant: Tenant) -> str:
    """Give a space to a workspace and return the binding's id."""
    given = {"spaceIds": [space_id], "workspaceIds": [tenant.id]}
    payload = surface.mutate("bindSpaces", given, "bindings { id }")
    assert payload["errors"] == []
    ((binding),) = payload["bindings"]
    key: str = binding["id"]
    return key


def binding_rows(surface: Surface, binding_id: str) -> list[tuple[Any, ...]]:
    """Return whether a binding was taken away; no row when it is gone."""
    _, key = parse_global_id(binding_id)
    return surface.rows(f'SELECT "revoked_at" IS NOT NULL FROM "binding" WHERE "id" = {key}')


def new_events(surface: Surface, before: int) -> list[tuple[str, dict[str, Any]]]:
    """Return type and data of the events since there were so many."""
    return surface.events()[before:]
