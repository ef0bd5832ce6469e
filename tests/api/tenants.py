"""Workspaces, their namespaces, and spaces to give them: made, changed and looked at as the tests of them need it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from models.database import Transaction
from models.enums import (
    HealthStatus,
    IntegrationOrigin,
    RegistryKind,
    SpaceState,
    Visibility,
)
from models.integration import PLATFORM_SCOPE, ImageHost, Integration, IntegrationHealth
from models.names import fold_name
from models.space import Space
from registry_clients.records import FoundSpace
from resolvers.global_ids import global_id, parse_global_id
from services.clock import utc_now
from services.mirror import SpaceLook, write_space_looks
from tests.databases import every_row
from tests.serving import RunningServer

NOT_SOON = timedelta(days=300)

ERRORS = """
errors {
  __typename message path
  ... on NamespaceTaken { holder { name } }
  ... on WorkspaceNameTaken { holder { name } }
  ... on ExternalIdTaken { holder { name } }
  ... on WorkspaceUpdateConflict { current { name updatedAt } }
  ... on WorkspaceHasIntegrations { integrationCount }
}
"""

LOSSES = """
lossCount losses { namespace { cluster name workspace { name } } imagePrefix keepsAccessBy { id } keepsAccessAsPublic }
"""

BINDINGS = "bindings { id state space { name } workspace { name } }"


@dataclass(frozen=True, slots=True)
class Told:
    """An event, as it is stored."""

    type: str
    workspace_id: int | None
    space_id: int | None
    data: dict[str, Any]


def key_of(id_: str) -> int:
    """Return the key that a global id stands for."""
    return int(parse_global_id(id_)[1])


def named(*names: str) -> list[dict[str, str]]:
    """Return namespaces as inputs take them: `name`, or `cluster/name`."""
    parts = [name.rpartition("/") for name in names]
    return [{"name": name, **({"cluster": cluster} if cluster else {})} for cluster, _, name in parts]


def lost(payload: dict[str, Any]) -> list[tuple[str, str, str | bool | None]]:
    """Return the losses of a payload, which lists them all: who, what, and by which binding, or True, it is kept."""
    assert payload["lossCount"] == len(payload["losses"])
    return [
        (
            f"{loss['namespace']['cluster']}/{loss['namespace']['name']}",
            loss["imagePrefix"],
            loss["keepsAccessBy"]["id"] if loss["keepsAccessBy"] else loss["keepsAccessAsPublic"] or None,
        )
        for loss in payload["losses"]
    ]


class Tenants:
    """A server whose tenants come and go; it begins without any, and without registries."""

    def __init__(self, server: RunningServer) -> None:
        self.server = server
        self.database = server.services.database
        self._told_up_to = 0
        self.new_events()

    def rows(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Return the rows of a statement."""
        return [tuple(row) for row in self.server.run(self.database.fetch(sql, *parameters))]

    def write(self, sql: str, *parameters: object) -> None:
        """Run a statement that changes something."""

        async def work(transaction: Transaction) -> None:
            await transaction.execute(sql, *parameters)

        self.server.run(self.database.transact(work))

    def stored(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return all that is stored but the audit."""
        tables = self.server.run(every_row(self.database))
        return {name: rows for name, rows in tables.items() if name != "audit_event"}

    def mutate(
        self, mutation: str, given: dict[str, Any], selection: str = "__typename", token: str | None = None
    ) -> dict[str, Any]:
        """Run a mutation and return its payload, with its errors."""
        capital = mutation[0].upper() + mutation[1:]
        query = f"mutation ($input: {capital}Input!) {{ {mutation}(input: $input) {{ {selection} {ERRORS} }} }}"
        payload: dict[str, Any] = self.server.graphql(query, {"input": given}, token)[mutation]
        return payload

    def done(
        self, mutation: str, given: dict[str, Any], selection: str = "__typename", token: str | None = None
    ) -> dict[str, Any]:
        """Run a mutation that must succeed and return its payload without errors."""
        payload = self.mutate(mutation, given, selection, token)
        assert payload.pop("errors") == []
        return payload

    def refused(self, mutation: str, given: dict[str, Any], token: str | None = None) -> list[dict[str, Any]]:
        """Run a mutation that must change nothing and return its errors."""
        before = self.stored()
        errors: list[dict[str, Any]] = self.mutate(mutation, given, token=token)["errors"]
        assert self.stored() == before
        assert errors
        return errors

    def tried(self, mutation: str, given: dict[str, Any], selection: str) -> dict[str, Any]:
        """Run a dry run, which must change nothing, and return its payload without errors."""
        before = self.stored()
        payload = self.done(mutation, {**given, "dryRun": True}, selection)
        assert self.stored() == before
        return payload

    def new_events(self) -> list[Told]:
        """Return the events since the last time, oldest first."""
        rows = self.rows('SELECT "position", "type", "workspace_id", "space_id", "data" FROM "event" ORDER BY 1')
        new = [row for row in rows if row[0] > self._told_up_to]
        self._told_up_to = max((row[0] for row in rows), default=0)
        return [Told(type_, workspace, space, json.loads(data)) for _, type_, workspace, space, data in new]

    def new_event_types(self) -> list[str]:
        """Return the types of the events since the last time, oldest first."""
        return [event.type for event in self.new_events()]

    def workspace(self, name: str, *namespaces: str, external_id: str | None = None) -> str:
        """Make a workspace with namespaces and return its id."""
        given = {"name": name, "externalId": external_id}
        id_: str = self.done("createWorkspace", given, "workspace { id }")["workspace"]["id"]
        if namespaces:
            self.done("addNamespaces", {"workspaceId": id_, "namespaces": named(*namespaces)})
        return id_

    def bind(self, spaces: Sequence[str], workspaces: Sequence[str]) -> list[str]:
        """Bind each of the spaces to each of the workspaces and return the bindings' ids."""
        given = {"spaceIds": list(spaces), "workspaceIds": list(workspaces)}
        return [binding["id"] for binding in self.done("bindSpaces", given, "bindings { id }")["bindings"]]

    def binding(self, id_: str, selection: str = "state") -> dict[str, Any] | None:
        """Return a binding, None when it is gone."""
        query = f"query ($id: ID!) {{ node(id: $id) {{ ... on Binding {{ {selection} }} }} }}"
        found: dict[str, Any] | None = self.server.graphql(query, {"id": id_})["node"]
        return found

    def put_in_force(self) -> None:
        """Have all that is wanted now tried at its registry, as far as anybody knows."""
        self.write('UPDATE "registry_enforcement" SET "attempted_version" = "desired_version"')

    def may_pull(self, namespace: str, image: str) -> bool:
        """Return what pullAccess decides."""
        query = "query ($n: NamespaceRef!, $i: String!) { pullAccess(namespace: $n, image: $i) { isAllowed } }"
        found = self.server.graphql(query, {"n": named(namespace)[0], "i": image})
        return bool(found["pullAccess"]["isAllowed"])

    def registry(
        self,
        host: str,
        *aliases: str,
        kind: RegistryKind = RegistryKind.HARBOR,
        workspace: str | None = None,
    ) -> str:
        """Write a registry, the platform's or one that a workspace brought, and return its id; nothing asks it."""
        workspace_id = None if workspace is None else key_of(workspace)
        scope = PLATFORM_SCOPE if workspace_id is None else workspace_id

        async def work(_: Transaction) -> int:
            now = utc_now()
            integration = await Integration.create(
                name=host,
                name_key=fold_name(host),
                kind=kind,
                origin=IntegrationOrigin.INTEGRATED,
                workspace_id=workspace_id,
                scope=scope,
                url=f"https://{host}",
                next_synchronization_at=now + NOT_SOON,
                created_by="the test",
                created_at=now,
                updated_at=now,
            )
            for name in (host, *aliases):
                await ImageHost.create(host=name, scope=scope, integration=integration, is_primary=name == host)
            await IntegrationHealth.create(
                integration=integration, status=HealthStatus.UNKNOWN, next_probe_at=now + NOT_SOON
            )
            return int(integration.id)

        return global_id("Integration", self.server.run(self.database.transact(work)))

    def space(
        self,
        registry: str,
        name: str,
        visibility: Visibility = Visibility.PRIVATE,
        state: SpaceState = SpaceState.PRESENT,
    ) -> str:
        """Write a space, known to its registry by its name, and return its id."""
        return self.spaces(registry, [name], visibility, state)[0]

    def spaces(
        self,
        registry: str,
        names: Sequence[str],
        visibility: Visibility = Visibility.PRIVATE,
        state: SpaceState = SpaceState.PRESENT,
    ) -> list[str]:
        """Write spaces and return their ids."""

        async def work(_: Transaction) -> list[int]:
            now = utc_now()
            made = [
                await Space.create(
                    integration_id=key_of(registry),
                    external_id=name,
                    name=name,
                    visibility=visibility,
                    state=state,
                    created_at=now,
                )
                for name in names
            ]
            return [int(space.id) for space in made]

        return [global_id("Space", id_) for id_ in self.server.run(self.database.transact(work))]

    def see(self, registry: str, name: str, external_id: str | None, *, is_public: bool | None = None) -> None:
        """Write what a look at one name finds: the space with that id at the registry, or, with None, nothing."""
        found = None if external_id is None else FoundSpace(external_id, name, is_public)

        async def work(transaction: Transaction) -> None:
            integration = await Integration.get(id=key_of(registry))
            await write_space_looks(transaction, integration, [SpaceLook(name, found)], utc_now())

        self.server.run(self.database.transact(work))


@contextmanager
def tenants_of(server: RunningServer) -> Iterator[Tenants]:
    """Give a server's tenants to one test; all of them, and the registries, are gone at the end."""
    yield Tenants(server)
    database = server.services.database

    async def clear(transaction: Transaction) -> None:
        await transaction.execute('DELETE FROM "access_token" WHERE "workspace_id" IS NOT NULL')
        await transaction.execute('DELETE FROM "integration"')
        await transaction.execute('DELETE FROM "workspace"')

    server.run(database.transact(clear))
