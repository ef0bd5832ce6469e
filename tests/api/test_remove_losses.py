"""removeIntegration says who loses what, takes bindings away, and tells each workspace of its own alone."""

from __future__ import annotations

from typing import Any

from models.enums import Role
from resolvers.global_ids import global_id, parse_global_id
from services.viewer import Viewer
from services.workspace_input import NamespaceName
from services.workspaces import WorkspaceInput
from tests.api.fake_registry import FakeRegistry
from tests.api.surface import Surface
from tests.workspaces import token_in

WHOLE = """
integration { id name }
losses { namespace { cluster name } imagePrefix keepsAccessBy { id } keepsAccessAsPublic }
lossCount
"""


def workspace(surface: Surface, name: str, *namespaces: str) -> int:
    names = [NamespaceName("production", namespace) for namespace in namespaces]
    services, name = surface.server.services, f"{name} {surface.new_name()}"
    made = surface.server.run(services.workspaces.create(WorkspaceInput(name=name), "the test"))
    assert made.workspace is not None
    surface.server.run(services.workspaces.add_namespaces(made.workspace.id, names, "the test"))
    return made.workspace.id


def bind(surface: Surface, integration_id: str, *workspace_ids: int) -> None:
    """Give every space of an integration to workspaces."""
    services = surface.server.services
    spaces = surface.rows(
        f'SELECT "id" FROM "space" WHERE "integration_id" = {services.database.dialect.placeholder(1)}',
        parse_global_id(integration_id)[1],
    )
    viewer = Viewer(Role.PLATFORM_ADMIN, None, 0, "the test", services.clock())
    surface.server.run(services.binder.bind([id_ for (id_,) in spaces], workspace_ids, viewer))


def loss(namespace: str, prefix: str) -> dict[str, Any]:
    return {
        "namespace": {"cluster": "production", "name": namespace},
        "imagePrefix": prefix,
        "keepsAccessBy": None,
        "keepsAccessAsPublic": False,
    }


def remove_workspaces(surface: Surface, *ids: int) -> None:
    for id_ in ids:
        surface.server.run(surface.server.services.workspaces.delete(id_, dry_run=False, by="the test"))


def test_dry_and_real_say_the_same_and_only_one_does_it(surface: Surface, registry: FakeRegistry) -> None:
    registry.repositories = ["nginx", "team/app", "team/web"]
    before = surface.integrate(registry, imageHost="images.example")
    other = surface.integrate(registry, url=registry.other_url)
    first = workspace(surface, "first", "shop", "blog")
    second = workspace(surface, "second", "bank")
    bind(surface, before["id"], first, second)
    bind(surface, other["id"], first)
    bindings = surface.rows('SELECT * FROM "binding" ORDER BY "id"')
    targets = surface.rows('SELECT * FROM "registry_enforcement" ORDER BY "id"')
    counts = {
        token: surface.server.graphql(
            "query ($id: ID!) { integration(id: $id) { boundWorkspaceCount } }", {"id": before["id"]}, token
        )["integration"]["boundWorkspaceCount"]
        for token in (None, token_in(surface.server, second, Role.WORKSPACE_ADMIN), surface.member_token)
    }
    assert list(counts.values()) == [2, 1, 0]
    stored, asked = surface.stored(), len(registry.requests)

    dry = surface.mutate("removeIntegration", {"id": before["id"], "dryRun": True}, WHOLE)

    prefixes = ("images.example/", "images.example/library/", "images.example/team/")
    assert dry == {
        "errors": [],
        "integration": {"id": before["id"], "name": before["name"]},
        "losses": [loss(namespace, prefix) for prefix in prefixes for namespace in ("bank", "blog", "shop")],
        "lossCount": 9,
    }
    assert (surface.stored(), len(registry.requests)) == (stored, asked)
    assert surface.rows('SELECT * FROM "binding" ORDER BY "id"') == bindings
    assert surface.rows('SELECT * FROM "registry_enforcement" ORDER BY "id"') == targets

    events = len(surface.events())
    assert surface.mutate("removeIntegration", {"id": before["id"]}, WHOLE) == dry

    told = surface.rows('SELECT "type", "workspace_id" FROM "event" ORDER BY "position"')[events:]
    assert sorted(told[:-1]) == [("BINDING_REVOKED", key) for key in (first, first, second, second)]
    assert told[-1] == ("INTEGRATION_REMOVED", None)
    # What has nothing to do with it stays.
    (key,) = surface.rows('SELECT "id" FROM "integration"')
    assert global_id("Integration", key[0]) == other["id"]
    left = surface.rows('SELECT "workspace_id", "space_id" FROM "binding"')
    assert [row for row in left if row[0] == first] == left
    assert set(surface.rows('SELECT "workspace_id", "integration_id" FROM "registry_enforcement"')) == {(first, key[0])}
    remove_workspaces(surface, first, second)


def test_what_was_taken_back_already_is_not_lost_again(surface: Surface, registry: FakeRegistry) -> None:
    before = surface.integrate(registry, imageHost="images.example")
    key = workspace(surface, "bound", "club")
    bind(surface, before["id"], key)

    async def revoke() -> None:
        services = surface.server.services
        viewer = Viewer(Role.PLATFORM_ADMIN, None, 0, "the test", services.clock())
        ids = [row["id"] for row in await services.database.fetch('SELECT "id" FROM "binding"')]
        await services.binder.unbind(ids, False, viewer)

    surface.server.run(revoke())
    payload = surface.mutate("removeIntegration", {"id": before["id"], "dryRun": True}, WHOLE)

    assert (payload["losses"], payload["lossCount"]) == ([], 0)
    remove_workspaces(surface, key)
