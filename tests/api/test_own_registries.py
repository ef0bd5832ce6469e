"""Registries that workspaces bring: by whom, for whom, under which names, and where they may lie."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from models.database import Transaction
from models.enums import Role
from models.workspace import Workspace
from resolvers.global_ids import global_id, parse_global_id
from tests.api.conftest import HOUR_SECONDS
from tests.api.fake_registry import FakeRegistry, running_fake_registry
from tests.api.surface import Surface
from tests.serving import running_server
from tests.workspaces import add_workspace, token_in

WHOLE = "integration { id name url username imageHost imageHostAliases scope { id } tls { isVerificationSkipped } }"
WORKSPACE_PATH = ["input", "workspaceId"]


@pytest.fixture
def surface(tmp_path: Path, database_settings: dict[str, Any]) -> Iterator[Surface]:
    """A server whose workspaces may bring registries on this machine, as those of tests are."""
    settings = {
        "probe_interval_seconds": HOUR_SECONDS,
        "allow_loopback_workspace_registries": True,
        "most_workspace_registries": 3,
    }
    with running_server(tmp_path / "data", **settings, **database_settings) as server:
        yield Surface(server)


@dataclass(frozen=True)
class Tenant:
    """A workspace, and the tokens of those who belong to it."""

    key: int
    admin: str
    member: str

    @property
    def id(self) -> str:
        return global_id("Workspace", self.key)


def tenant(surface: Surface, name: str) -> Tenant:
    key = surface.server.run(add_workspace(surface.server.services.database, name))
    return Tenant(key, token_in(surface.server, key, Role.WORKSPACE_ADMIN), token_in(surface.server, key))


def given(surface: Surface, registry: FakeRegistry, **more: Any) -> dict[str, Any]:
    return {"name": surface.new_name(), "kind": "DOCKER_REGISTRY", "url": registry.url, **more}


def brought(surface: Surface, registry: FakeRegistry, by: Tenant, **more: Any) -> dict[str, Any]:
    """Integrate a registry for a workspace, which must succeed, and return it."""
    what = given(surface, registry, workspaceId=by.id, **more)
    payload = surface.mutate("integrateRegistry", what, WHOLE, by.admin)
    assert payload["errors"] == []
    integration: dict[str, Any] = payload["integration"]
    return integration


def refusals(surface: Surface, mutation: str, what: dict[str, Any], token: str | None = None) -> list[Any]:
    """Return code and path of each error of a mutation."""
    return [(error["code"], error["path"]) for error in surface.errors_of(mutation, what, token)]


def test_a_workspace_brings_a_registry_for_itself_alone(surface: Surface, guarded_registry: FakeRegistry) -> None:
    own, other = tenant(surface, "own"), tenant(surface, "other")
    events = len(surface.events())

    made = brought(surface, guarded_registry, own, username="robot", password="right", imageHost="own.example")

    seen = {
        "name": made["name"],
        "url": guarded_registry.url,
        "username": "robot",
        "imageHost": "own.example",
        "imageHostAliases": [],
        "scope": {"id": own.id},
        "tls": {"isVerificationSkipped": False},
    }
    assert made == {"id": made["id"], **seen}
    assert surface.rows('SELECT "workspace_id", "scope" FROM "integration"') == [(own.key, own.key)]
    assert surface.rows('SELECT "host", "scope" FROM "image_host"') == [("own.example", own.key)]
    # Whatever is told of it is the workspace's.
    told = surface.rows('SELECT "type", "workspace_id" FROM "event" ORDER BY "position"')[events:]
    assert told == [("INTEGRATION_ADDED", own.key), ("SPACE_ADDED", own.key)]
    query = f'query {{ integration(id: "{made["id"]}") {{ {WHOLE[len("integration {") :]} }}'
    found = {token: surface.server.graphql(query, token=token)["integration"] for token in (own.member, other.admin)}
    for_administrators = dict.fromkeys(["url", "username", "tls"])
    assert found == {own.member: made | for_administrators, other.admin: None}
    assert surface.server.graphql(query)["integration"] == made


def test_the_platform_brings_one_for_a_workspace(surface: Surface, registry: FakeRegistry) -> None:
    own = tenant(surface, "own")
    what = given(surface, registry, workspaceId=own.id)

    assert surface.errors_of("checkRegistry", {"url": registry.url, "workspaceId": own.id}) == []
    made = surface.mutate("integrateRegistry", what, WHOLE)["integration"]
    platforms = surface.integrate(registry, name=what["name"])

    assert made["scope"] == {"id": own.id}
    # Found by name it is the platform's, and lists can be asked for either.
    query = """query ($name: String!, $ids: [ID!]!) {
      integration(name: $name) { id scope { id } }
      own: integrations(filter: { workspaceIds: $ids }) { nodes { id } totalCount }
      platform: integrations(filter: { isPlatform: true }) { nodes { id } totalCount }
      brought: integrations(filter: { isPlatform: false }) { nodes { id } totalCount }
    }"""
    own_alone = {"nodes": [{"id": made["id"]}], "totalCount": 1}
    assert surface.server.graphql(query, {"name": what["name"], "ids": [own.id]}) == {
        "integration": {"id": platforms["id"], "scope": None},
        "own": own_alone,
        "platform": {"nodes": [{"id": platforms["id"]}], "totalCount": 1},
        "brought": own_alone,
    }


def test_who_may_bring_a_registry_for_whom(surface: Surface, registry: FakeRegistry) -> None:
    own, other, gone = (tenant(surface, name) for name in ("own", "other", "gone"))
    set_deleted(surface, gone.key, surface.server.services.clock())
    stored = surface.stored()
    for mutation, more in (("checkRegistry", {}), ("integrateRegistry", {"name": "x"})):
        what = {"url": registry.url, "kind": "DOCKER_REGISTRY", **more}
        for workspace_id, token, code in [
            (None, own.admin, "FORBIDDEN"),
            (other.id, own.admin, "NOT_FOUND"),
            (gone.id, gone.admin, "NOT_FOUND"),
            (gone.id, None, "NOT_FOUND"),
            *(
                (nothing, asker, "NOT_FOUND")
                for nothing in ("", "x" * 10_000, global_id("Workspace", 2**63 - 1), global_id("Space", own.key))
                for asker in (own.admin, None)
            ),
        ]:
            assert refusals(surface, mutation, {**what, "workspaceId": workspace_id}, token) == [(code, WORKSPACE_PATH)]
        assert refusals(surface, mutation, what, own.admin) == [("FORBIDDEN", WORKSPACE_PATH)]
        assert refusals(surface, mutation, {**what, "workspaceId": own.id}, own.member) == [("FORBIDDEN", [])]
    assert (surface.stored(), registry.requests) == (stored, [])


def set_deleted(surface: Surface, key: int, deleted_at: datetime) -> None:
    """Make a workspace one that is being deleted."""

    async def work(_: Transaction) -> None:
        await Workspace.filter(id=key).update(deleted_at=deleted_at)

    surface.server.run(surface.server.services.database.transact(work))


def changes(integration_id: str) -> list[tuple[str, dict[str, Any]]]:
    """Return an input of each mutation of an integration."""
    credential = {"username": "other", "password": "good"}
    return [
        ("checkIntegration", {"id": integration_id}),
        ("synchronizeIntegration", {"id": integration_id}),
        ("updateIntegration", {"id": integration_id, "description": "changed"}),
        ("rotateIntegrationCredential", {"id": integration_id, **credential}),
        ("removeIntegration", {"id": integration_id, "dryRun": True}),
        ("removeIntegration", {"id": integration_id}),
    ]


def test_each_changes_its_own_alone(surface: Surface, guarded_registry: FakeRegistry) -> None:
    own, other = tenant(surface, "own"), tenant(surface, "other")
    credential = {"username": "robot", "password": "right"}
    made = brought(surface, guarded_registry, own, **credential)
    theirs = brought(surface, guarded_registry, other, **credential)
    platforms = surface.integrate(guarded_registry, **credential)
    nothing = global_id("Integration", 2**63 - 1)
    stored, asked = surface.stored(), len(guarded_registry.requests)

    for integration_id, code in ((platforms["id"], "FORBIDDEN"), (theirs["id"], "NOT_FOUND"), (nothing, "NOT_FOUND")):
        for mutation, what in changes(integration_id):
            assert refusals(surface, mutation, what, own.admin) == [(code, ["input", "id"])]
    for mutation, what in changes(made["id"]):
        assert refusals(surface, mutation, what, own.member) == [("FORBIDDEN", [])]
    assert (surface.stored(), len(guarded_registry.requests)) == (stored, asked)

    for mutation, what in changes(made["id"]):
        payload = surface.mutate(mutation, what, "integration { id scope { id } }", own.admin)
        assert payload == {"errors": [], "integration": {"id": made["id"], "scope": {"id": own.id}}}
    left = surface.rows('SELECT "id" FROM "integration" ORDER BY "id"')
    assert left == [(parse_global_id(integration["id"])[1],) for integration in (theirs, platforms)]
    events = surface.rows('SELECT "type", "workspace_id", "integration_id" FROM "event" ORDER BY "position"')
    assert events[-3:] == [
        (type_, own.key, parse_global_id(made["id"])[1])
        for type_ in ("INTEGRATION_UPDATED", "INTEGRATION_UPDATED", "INTEGRATION_REMOVED")
    ]


def test_what_the_platform_holds_no_workspace_takes(surface: Surface, registry: FakeRegistry) -> None:
    own = tenant(surface, "own")
    holder = surface.integrate(registry, name="Held", imageHost="held.example")
    aliases = {"id": holder["id"], "imageHostAliases": ["alias.example"]}
    assert surface.errors_of("updateIntegration", aliases) == []
    free = given(surface, registry, url=registry.other_url, workspaceId=own.id)
    stored, asked = surface.stored(), len(registry.requests)

    for code, field, value in [
        ("NAME_TAKEN", "name", "hELD"),
        ("ADDRESS_TAKEN", "url", registry.url),
        ("IMAGE_HOST_TAKEN", "imageHost", "Held.example:443"),
        ("IMAGE_HOST_TAKEN", "imageHost", "alias.example"),
    ]:
        for token in (own.admin, None):
            (error,) = surface.errors_of("integrateRegistry", {**free, field: value}, token)
            assert (error["code"], error["path"], error["holder"]) == (code, ["input", field], {"name": "Held"})
    assert (surface.stored(), len(registry.requests)) == (stored, asked)

    made = brought(surface, registry, own, url=registry.other_url)
    stored = surface.stored()
    for code, field, new in [
        ("NAME_TAKEN", "name", "Held"),
        ("ADDRESS_TAKEN", "url", registry.url),
        ("IMAGE_HOST_TAKEN", "imageHost", "alias.example"),
        ("IMAGE_HOST_TAKEN", "imageHostAliases", ["held.example"]),
    ]:
        assert refusals(surface, "updateIntegration", {"id": made["id"], field: new}, own.admin) == [
            (code, ["input", field])
        ]
    assert surface.stored() == stored


def test_workspaces_know_nothing_of_each_other(surface: Surface, registry: FakeRegistry) -> None:
    own, other = tenant(surface, "own"), tenant(surface, "other")
    what = {"name": "the same", "imageHost": "same.example"}
    made, theirs = (brought(surface, registry, by, **what) for by in (own, other))

    for by in (own, other):
        (error,) = surface.errors_of("integrateRegistry", given(surface, registry, workspaceId=by.id), by.admin)
        assert (error["code"], error["holder"]) == ("ADDRESS_TAKEN", {"name": "the same"})
        (mine,) = surface.server.graphql("{ integrations { nodes { id } } }", token=by.admin)["integrations"]["nodes"]
        assert mine["id"] == (made if by is own else theirs)["id"]
    assert len(surface.rows('SELECT 1 FROM "integration"')) == 2


def test_the_platform_takes_what_a_workspace_holds(surface: Surface, registry: FakeRegistry) -> None:
    own = tenant(surface, "own")
    what = {"name": "the same", "imageHost": "same.example"}
    made = brought(surface, registry, own, **what)
    key = {"id": made["id"]}
    aliases = {**key, "imageHostAliases": ["alias.example"]}
    assert surface.errors_of("updateIntegration", aliases, own.admin) == []

    platforms = surface.integrate(registry, **what)
    assert surface.errors_of("updateIntegration", {"id": platforms["id"], "imageHostAliases": ["alias.example"]}) == []

    # What the workspace's has stays, whatever else is changed; taken off, it is the platform's.
    changed = {**aliases, **what, "url": registry.url, "description": "changed"}
    assert surface.errors_of("updateIntegration", changed, own.admin) == []
    assert surface.errors_of("updateIntegration", {**key, "imageHostAliases": []}, own.admin) == []
    assert refusals(surface, "updateIntegration", aliases, own.admin) == [
        ("IMAGE_HOST_TAKEN", ["input", "imageHostAliases"])
    ]
    hosts = surface.rows('SELECT "host", "scope" FROM "image_host" ORDER BY "host", "scope"')
    assert hosts == [("alias.example", 0), ("same.example", 0), ("same.example", own.key)]


def test_nothing_is_brought_for_a_workspace_that_is_deleted_meanwhile(surface: Surface, registry: FakeRegistry) -> None:
    own = tenant(surface, "own")
    registry.released.clear()
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(refusals, surface, "integrateRegistry", given(surface, registry, workspaceId=own.id))
        surface.wait_until(lambda: bool(registry.requests), "the registry was asked")
        services = surface.server.services
        surface.server.run(services.workspaces.delete(own.key, dry_run=False, by="the test"))
        stored = surface.stored()
        registry.released.set()
        assert answer.result() == [("NOT_FOUND", WORKSPACE_PATH)]
    assert surface.stored() == stored
    assert stored["integration"] == []


def test_a_workspace_brings_so_many_and_no_more(surface: Surface) -> None:
    shop, bank = tenant(surface, "shop"), tenant(surface, "bank")
    with ExitStack() as resources:
        registries = [resources.enter_context(running_fake_registry()) for _ in range(4)]
        for registry in registries[:3]:
            brought(surface, registry, shop)
        what = given(surface, registries[3], workspaceId=shop.id)
        for token in (shop.admin, None):
            assert refusals(surface, "integrateRegistry", what, token) == [("INVALID_INPUT", WORKSPACE_PATH)]
        brought(surface, registries[3], bank)
