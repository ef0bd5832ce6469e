"""Who finds which images, over HTTP, as names, spaces and bindings come and go; and what that costs."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from models.enums import Role, SpaceState, Visibility
from tests.api.fake_registry import FakeRegistry
from tests.api.images import SEARCH, found, push
from tests.api.statement_cost import cost, noted_statements
from tests.api.surface import Surface
from tests.api.tenants import Tenants, key_of, named, tenants_of
from tests.serving import RunningServer
from tests.tenants import OPEN, SPACES, VIEWERS, clear_tenants, store_tenants
from tests.workspaces import token_in

NAMES = "query ($text: String!, $first: Int) { images(query: $text, first: $first) { nodes { repository { name } } } }"


@pytest.fixture
def tenants(quiet_server: RunningServer) -> Iterator[Tenants]:
    """A server's tenants, gone at the end."""
    with tenants_of(quiet_server) as tenants:
        yield tenants


def test_the_same_host_at_several_workspaces(tenants: Tenants) -> None:
    for name in ("shop", "bank"):
        workspace = tenants.workspace(name, name)
        registry = tenants.registry("own.example", workspace=workspace)
        push(tenants, tenants.space(registry, name), [f"{name}/app"])
    everywhere = ["own.example/shop/app", "own.example/bank/app"]

    assert found(tenants, "own.example/app") == found(tenants, "app") == everywhere
    for name in ("shop", "bank"):
        # Bound or public it must be, to be pulled.
        assert found(tenants, "own.example/", namespace=named(name)[0]) == []
        tenants.write('UPDATE "space" SET "visibility" = \'PUBLIC\' WHERE "name" = ' + f"'{name}'")
        own = [f"own.example/{name}/app"]
        assert found(tenants, "own.example/", namespace=named(name)[0]) == own
        assert found(tenants, "own.example/app", namespace=named(name)[0]) == []
        assert found(tenants, "app", namespace=named(name)[0]) == own
        assert tenants.may_pull(name, own[0])
    assert found(tenants, "app") == everywhere
    # The platform's goes before what workspaces brought.
    push(tenants, tenants.space(tenants.registry("own.example"), "shop"), ["shop/platform-app"])
    assert found(tenants, "own.example/") == ["own.example/shop/platform-app"]
    assert found(tenants, "app", namespace=named("shop")[0]) == []
    assert not tenants.may_pull("shop", "own.example/shop/app")


@pytest.mark.parametrize("viewer", VIEWERS)
def test_each_finds_what_it_sees_and_a_namespace_what_it_may_pull(quiet_server: RunningServer, viewer: str) -> None:
    clear_tenants(quiet_server)
    stored = store_tenants(quiet_server)
    seen, token = VIEWERS[viewer], stored.tokens[viewer]

    def names(**given: object) -> set[str]:
        nodes = quiet_server.graphql(
            'query ($namespace: NamespaceRef) { images(query: "app", namespace: $namespace, first: 100) {'
            " totalCount nodes { repository { name space { name } } } } }",
            given,
            token,
        )["images"]
        spaces = {node["repository"]["space"]["name"] for node in nodes["nodes"]}
        assert len(spaces) == nodes["totalCount"] == len(nodes["nodes"])
        assert {node["repository"]["name"] for node in nodes["nodes"]} == {f"{space}/app" for space in spaces}
        return spaces

    try:
        assert names() == {name for name in seen.spaces if SPACES[name][2] is not SpaceState.VANISHED}
        for workspace, pullable in {
            "A": {OPEN, "bound to A", "shared", "own of A, open", "own of A, bound"},
            "B": {OPEN, "bound to B", "shared", "own of B, open"},
        }.items():
            namespace = {"cluster": "c", "name": f"{workspace.lower()}1"}
            assert names(namespace=namespace) == (pullable if workspace in seen.workspaces else {OPEN})
        for unknown in ({"cluster": "c", "name": "none"}, {"name": "a1"}):
            assert names(namespace=unknown) == {OPEN}
    finally:
        clear_tenants(quiet_server)


def test_what_is_found_follows_every_change(tenants: Tenants) -> None:
    shop = tenants.workspace("shop", "shop-1")
    member = token_in(tenants.server, key_of(shop), Role.WORKSPACE_MEMBER)
    registry = tenants.registry("h.example")
    space = tenants.space(registry, "team")
    namespace = named("shop-1")[0]

    def who_finds() -> list[bool]:
        image = ["h.example/team/app"]
        results = [
            found(tenants, "app"),
            found(tenants, "app", member),
            found(tenants, "app", namespace=namespace),
            found(tenants, "app", namespace=named("nobodys")[0]),
        ]
        assert all(result in ([], image) for result in results)
        return [bool(result) for result in results]

    nobody, everybody = [False] * 4, [True] * 4
    assert who_finds() == nobody
    push(tenants, space, ["team/app"])
    assert who_finds() == [True, False, False, False]
    [binding] = tenants.bind([space], [shop])
    assert who_finds() == [True, True, True, False]
    tenants.see(registry, "team", "team", is_public=True)
    assert who_finds() == nobody, "the look has found no repository there"
    push(tenants, space, ["team/app"])
    assert who_finds() == everybody
    tenants.write('UPDATE "space" SET "visibility" = \'PRIVATE\'')
    assert who_finds() == [True, True, True, False]
    tenants.put_in_force()
    tenants.done("unbindSpaces", {"bindingIds": [binding]})
    assert tenants.binding(binding) == {"state": "REVOKING"}
    # What may have been pulled is still seen, and may not be pulled.
    assert who_finds() == [True, True, False, False]
    tenants.see(registry, "team", None)
    assert who_finds() == nobody
    # Another one has the name, and what the first one held stays with that.
    tenants.see(registry, "team", "another")
    assert who_finds() == nobody
    tenants.see(registry, "team", "team")
    assert who_finds() == nobody
    push(tenants, space, ["team/app"])
    assert who_finds() == [True, True, False, False]
    tenants.write('DELETE FROM "space" WHERE "id" = ' + str(key_of(space)))
    assert who_finds() == nobody


def test_what_looks_find_is_found(surface: Surface, registry: FakeRegistry) -> None:
    registry.repositories = ["team/app", "team/web", "web"]
    integration = surface.integrate(registry, imageHost="images.example")

    def names(text: str) -> list[str]:
        nodes = surface.server.graphql(NAMES, {"text": text, "first": 100})["images"]["nodes"]
        return [node["repository"]["name"] for node in nodes]

    assert names("web") == ["team/web", "web"]
    assert names("images.example/") == ["team/app", "team/web", "web"]
    registry.repositories = ["team/app", "team/webhook", "web", "another/web"]
    surface.mutate("synchronizeIntegration", {"id": integration["id"]})
    assert names("web") == ["web", "another/web", "team/webhook"]
    assert names("team") == ["team/app", "team/webhook"]
    # The host is another one, and nothing is written of the names.
    payload = surface.mutate("updateIntegration", {"id": integration["id"], "imageHost": "new.example"})
    assert payload["errors"] == []
    assert names("new.example/web") == ["web"]
    assert names("images.example/web") == []
    surface.mutate("removeIntegration", {"id": integration["id"]})
    assert names("web") == []


def test_pages_without_repeats_or_gaps_while_names_come_and_go(tenants: Tenants) -> None:
    chance = random.Random(7)
    shop = tenants.workspace("shop")
    member = token_in(tenants.server, key_of(shop), Role.WORKSPACE_MEMBER)
    registry = tenants.registry("h.example")
    spaces = tenants.spaces(registry, ["one"], Visibility.PUBLIC) + tenants.spaces(registry, ["two"])
    tenants.bind(spaces[1:], [shop])
    parts = ("web", "a-web", "web/web", "cobweb", "webs", "x")
    for number in range(120):
        push(tenants, spaces[number % 2], [f"{chance.choice(parts)}/{chance.choice(parts)}{number}"])

    def matching(name: str) -> bool:
        return "web" in name

    for token in (None, member):
        stays = {row[0] for row in tenants.rows('SELECT "name" FROM "repository"') if matching(row[0])}
        walked: list[str] = []
        after, rounds = None, 0
        while True:
            page = tenants.server.graphql(SEARCH, {"text": "web", "first": 7, "after": after}, token)["images"]
            walked += [node["image"].partition("/")[2] for node in page["nodes"]]
            assert [edge["cursor"] for edge in page["edges"]][-1:] == [page["pageInfo"]["endCursor"]]
            assert page["pageInfo"]["hasPreviousPage"] is (after is not None)
            after, rounds = page["pageInfo"]["endCursor"], rounds + 1
            if not page["pageInfo"]["hasNextPage"]:
                break
            # One that was shown goes, one that may be shown yet goes, and others come.
            gone = {walked[-1], chance.choice(sorted(stays))}
            for name in gone:
                tenants.write('DELETE FROM "repository" WHERE "name" = ' + f"'{name}'")
            stays -= gone
            push(tenants, chance.choice(spaces), [f"new/{chance.choice(parts)}-{rounds}-{token is None}"])
        assert rounds > 5
        assert len(set(walked)) == len(walked)
        assert stays <= set(walked)


def test_statements_do_not_grow_with_names(surface: Surface, registry: FakeRegistry) -> None:
    registry.repositories = [f"team/app-{number:03}" for number in range(5)]
    integration = surface.integrate(registry)
    query = """query ($text: String!, $namespace: NamespaceRef) {
      images(query: $text, namespace: $namespace, first: 4) {
        nodes { image repository { name space { name integration { name } } } } } }"""
    asked = ("app", "ea", "eam", f"{registry.image_host}/team")

    def costs() -> list[int]:
        found = [cost(surface, query, text=text) for text in asked]
        assert [len(data["images"]["nodes"]) for _, data in found] == [4, 0, 4, 4]
        return [statements for statements, _ in found]

    few = costs()
    registry.repositories = [f"team/app-{number:03}" for number in range(300)]
    surface.mutate("synchronizeIntegration", {"id": integration["id"]})
    registry.requests.clear()
    # What begins with it, what a word begins with, and what holds it, as far as needed; or what has the host, and what
    # begins with it. Then the spaces and the registries of what was found.
    assert costs() == few == [3, 2, 5, 4]
    assert registry.requests == []


def test_an_answer_is_kept_until_a_name_or_a_space_changes(tenants: Tenants) -> None:
    space = tenants.space(tenants.registry("h.example"), "team", Visibility.PUBLIC)
    push(tenants, space, ["team/app"])
    member = token_in(tenants.server, key_of(tenants.workspace("shop")), Role.WORKSPACE_MEMBER)

    def asked() -> tuple[int, list[str]]:
        with noted_statements(tenants.server) as statements:
            images = found(tenants, "app", member)
        return len(statements), images

    assert asked()[0] > 0
    assert asked() == (0, ["h.example/team/app"])
    push(tenants, space, ["team/app-2"])
    assert asked()[1] == ["h.example/team/app", "h.example/team/app-2"]
    assert asked()[0] == 0
    tenants.write('UPDATE "space" SET "visibility" = \'PRIVATE\'')
    assert asked()[1] == []
    tenants.write('UPDATE "space" SET "visibility" = \'PUBLIC\', "state" = ' + f"'{SpaceState.VANISHED.value}'")
    assert asked()[1] == []
    tenants.write('UPDATE "space" SET "state" = ' + f"'{SpaceState.DECLARED.value}'")
    assert len(asked()[1]) == 2
    tenants.write('DELETE FROM "repository"')
    assert asked()[1] == []
