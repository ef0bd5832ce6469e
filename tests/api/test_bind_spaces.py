"""bindSpaces: spaces to workspaces, all of it or nothing, as often as one likes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from models.enums import RegistryKind, Role, SpaceState, Visibility
from resolvers.global_ids import global_id
from tests.api.tenants import BINDINGS, Tenants, Told, key_of, tenants_of
from tests.serving import RunningServer
from tests.workspaces import token_in

ABSENT = 2**63 - 1


@pytest.fixture
def tenants(quiet_server: RunningServer) -> Iterator[Tenants]:
    with tenants_of(quiet_server) as tenants:
        yield tenants


@pytest.fixture
def registry(tenants: Tenants) -> str:
    """A Harbor of the platform's."""
    return tenants.registry("h.example")


def not_found(what: str, *path: str) -> dict[str, Any]:
    return {"__typename": "NotFound", "message": f"There is no {what} with this id.", "path": ["input", *path]}


def test_each_of_the_spaces_goes_to_each_of_the_workspaces(tenants: Tenants, registry: str) -> None:
    other = tenants.registry("o.example")
    spaces = [tenants.space(registry, "team"), tenants.space(other, "team"), tenants.space(registry, "web")]
    workspaces = [tenants.workspace("shop", "shop"), tenants.workspace("bank")]
    tenants.new_events()

    payload = tenants.done(
        "bindSpaces",
        {"spaceIds": spaces, "workspaceIds": workspaces},
        "bindings { id state boundBy boundAt revokedAt space { id } workspace { id } }",
    )

    bindings = payload["bindings"]
    pairs = [(space, workspace) for space in spaces for workspace in workspaces]
    assert [(each["space"]["id"], each["workspace"]["id"]) for each in bindings] == pairs
    assert {(each["state"], each["boundBy"], each["revokedAt"]) for each in bindings} == {("ACTIVE", "admin", None)}
    assert len({each["boundAt"] for each in bindings}) == 1
    names = {
        spaces[0]: ("team", "h.example"),
        spaces[1]: ("team", "o.example"),
        spaces[2]: ("web", "h.example"),
        workspaces[0]: "shop",
        workspaces[1]: "bank",
    }
    assert tenants.new_events() == [
        Told(
            "BINDING_CREATED",
            key_of(workspace),
            key_of(space),
            {
                "binding_id": key_of(binding["id"]),
                "space_name": names[space][0],
                "integration_name": names[space][1],
                "workspace_name": names[workspace],
                "by": "admin",
            },
        )
        for binding, (space, workspace) in zip(bindings, pairs, strict=True)
    ]
    assert tenants.may_pull("shop", "o.example/team/app")
    assert not tenants.may_pull("shop", "o.example/web/app")


def versions(tenants: Tenants) -> list[tuple[Any, ...]]:
    """Return how often what is wanted has changed, by workspace and registry."""
    return tenants.rows(
        'SELECT "workspace_id", "integration_id", "desired_version" FROM "registry_enforcement" ORDER BY 1, 2'
    )


def test_what_is_bound_stays_as_it_is(tenants: Tenants, registry: str) -> None:
    spaces = tenants.spaces(registry, ["team", "web"])
    shop, bank = tenants.workspace("shop"), tenants.workspace("bank")
    first = tenants.bind(spaces, [shop])
    before = tenants.stored()

    assert tenants.bind(spaces, [shop]) == first
    assert tenants.stored() == before
    assert versions(tenants) == [(key_of(shop), key_of(registry), 1)]
    tenants.new_events()
    # Of four pairs two are new: those alone are written and told, and one target moves.
    bindings = tenants.bind(spaces[::-1], [bank, shop])
    assert bindings[1::2] == first[::-1]
    assert [(event.type, event.workspace_id) for event in tenants.new_events()] == [
        ("BINDING_CREATED", key_of(bank))
    ] * 2
    assert versions(tenants) == [(key_of(shop), key_of(registry), 1), (key_of(bank), key_of(registry), 1)]


def test_a_hundred_pairs_and_no_more(tenants: Tenants, registry: str) -> None:
    spaces = tenants.spaces(registry, [f"s{number:02}" for number in range(26)])
    workspaces = [tenants.workspace(f"w{number}") for number in range(4)]

    for more, fewer in ((spaces, workspaces), (spaces[:1] * 101, workspaces[:1])):
        given = {"spaceIds": more, "workspaceIds": fewer}
        (error,) = tenants.refused("bindSpaces", given)
        assert error["__typename"] == "InvalidInput"
    (error,) = tenants.refused("bindSpaces", {"spaceIds": spaces, "workspaceIds": workspaces})
    assert error == {
        "__typename": "InvalidInput",
        "message": "At most 100 pairs of space and workspace can be bound at once; these are 104.",
        "path": ["input", "spaceIds"],
    }
    assert len(set(tenants.bind(spaces[:25], workspaces))) == 100
    assert len(tenants.rows('SELECT 1 FROM "binding"')) == 100


def test_one_that_is_named_twice(tenants: Tenants, registry: str) -> None:
    spaces, shop = tenants.spaces(registry, ["team", "web"]), tenants.workspace("shop")
    twice = {"__typename": "InvalidInput", "message": "This is named twice: name each once."}

    given = {"spaceIds": [*spaces, spaces[0]], "workspaceIds": [shop]}
    assert tenants.refused("bindSpaces", given) == [{**twice, "path": ["input", "spaceIds", "2"]}]
    given = {"spaceIds": spaces, "workspaceIds": [shop, shop]}
    assert tenants.refused("bindSpaces", given) == [{**twice, "path": ["input", "workspaceIds", "1"]}]


@pytest.mark.parametrize("empty", ["spaceIds", "workspaceIds"])
def test_none_at_all(tenants: Tenants, registry: str, empty: str) -> None:
    given = {"spaceIds": [tenants.space(registry, "team")], "workspaceIds": [tenants.workspace("shop")], empty: []}

    (error,) = tenants.refused("bindSpaces", given)

    assert (error["__typename"], error["path"]) == ("InvalidInput", ["input", empty])


def test_one_bad_id_and_nothing_is_bound(tenants: Tenants, registry: str) -> None:
    space, shop = tenants.space(registry, "team"), tenants.workspace("shop")
    gone = global_id("Space", ABSENT)

    # Ids of other types, and of nothing.
    given = {"spaceIds": [space, shop, "", registry, "\x00"], "workspaceIds": [shop]}
    assert tenants.refused("bindSpaces", given) == [not_found("space", "spaceIds", place) for place in "1234"]
    given = {"spaceIds": [space], "workspaceIds": [shop, space]}
    assert tenants.refused("bindSpaces", given) == [not_found("workspace", "workspaceIds", "1")]
    # Ids of what isn't there.
    given = {"spaceIds": [gone, space], "workspaceIds": [shop, global_id("Workspace", ABSENT)]}
    assert tenants.refused("bindSpaces", given) == [
        not_found("workspace", "workspaceIds", "1"),
        not_found("space", "spaceIds", "0"),
    ]


def test_a_space_that_vanished_is_not_bound(tenants: Tenants, registry: str) -> None:
    space, shop = tenants.space(registry, "team"), tenants.workspace("shop")
    tenants.see(registry, "team", None)
    standing = tenants.space(registry, "web")

    errors = tenants.refused("bindSpaces", {"spaceIds": [standing, space], "workspaceIds": [shop]})

    assert errors == [
        {
            "__typename": "InvalidInput",
            "message": "The space “team” is no longer at its registry.",
            "path": ["input", "spaceIds", "1"],
        }
    ]


def test_a_space_of_a_registry_that_was_just_removed(tenants: Tenants, registry: str) -> None:
    space, shop = tenants.space(registry, "team"), tenants.workspace("shop")
    tenants.done("removeIntegration", {"id": registry})

    assert tenants.refused("bindSpaces", {"spaceIds": [space], "workspaceIds": [shop]}) == [
        not_found("space", "spaceIds", "0")
    ]


def test_a_declared_space_is_bound_before_its_first_image(tenants: Tenants) -> None:
    registry = tenants.registry("d.example", kind=RegistryKind.DOCKER_REGISTRY)
    space = tenants.space(registry, "team", state=SpaceState.DECLARED)

    tenants.bind([space], [tenants.workspace("shop", "shop")])

    assert tenants.may_pull("shop", "d.example/team/app")


def test_a_public_space_may_be_bound_and_that_changes_nothing_today(tenants: Tenants, registry: str) -> None:
    space, shop = tenants.space(registry, "team", Visibility.PUBLIC), tenants.workspace("shop", "shop")
    given = {"spaceIds": [space], "workspaceIds": [shop]}
    assert tenants.may_pull("shop", "h.example/team/app")

    payload = tenants.done("bindSpaces", given, "bindings { state enforcement { state registry { state message } } }")

    assert payload["bindings"] == [
        {
            "state": "ACTIVE",
            "enforcement": {
                "state": "NOT_APPLICABLE",
                "registry": {
                    "state": "NOT_APPLICABLE",
                    "message": "The space is public: every namespace may pull from it, bound or not.",
                },
            },
        }
    ]


def test_what_a_workspace_brought_is_bound_to_that_alone(tenants: Tenants) -> None:
    shop, bank = tenants.workspace("shop", "shop"), tenants.workspace("bank", "bank")
    own = tenants.space(tenants.registry("own.example", workspace=shop), "team")
    message = "“team” lies at a registry that one workspace brought: it can be bound to that alone."

    for others in ([bank], [shop, bank]):
        assert tenants.refused("bindSpaces", {"spaceIds": [own], "workspaceIds": others}) == [
            {"__typename": "InvalidInput", "message": message, "path": ["input", "spaceIds", "0"]}
        ]
    tenants.bind([own], [shop])
    assert [tenants.may_pull(namespace, "own.example/team/app") for namespace in ("shop", "bank")] == [True, False]


def test_who_administers_a_workspace_binds_what_that_brought(tenants: Tenants, registry: str) -> None:
    shop, bank = tenants.workspace("shop", "shop"), tenants.workspace("bank")
    own = tenants.space(tenants.registry("own.example", workspace=shop), "team")
    of_bank = tenants.space(tenants.registry("own.example", workspace=bank), "team")
    hidden, public = tenants.space(registry, "hidden"), tenants.space(registry, "open", Visibility.PUBLIC)
    given = tenants.space(registry, "given")
    (binding,) = tenants.bind([given], [shop])
    administrator = token_in(tenants.server, key_of(shop), Role.WORKSPACE_ADMIN)
    member = token_in(tenants.server, key_of(shop))
    forbidden = "Spaces of the platform's registries are bound by platform administrators."

    # What can't be seen is as if it weren't there; what can be seen is the platform's to bind.
    spaces = [own, of_bank, hidden, public, given]
    errors = tenants.refused("bindSpaces", {"spaceIds": spaces, "workspaceIds": [shop]}, administrator)
    assert errors == [
        not_found("space", "spaceIds", "1"),
        not_found("space", "spaceIds", "2"),
        {"__typename": "PermissionDenied", "message": forbidden, "path": ["input", "spaceIds", "3"]},
        {"__typename": "PermissionDenied", "message": forbidden, "path": ["input", "spaceIds", "4"]},
    ]
    errors = tenants.refused("bindSpaces", {"spaceIds": [own], "workspaceIds": [bank]}, administrator)
    assert errors[0] == not_found("workspace", "workspaceIds", "0")
    (error,) = tenants.refused("unbindSpaces", {"bindingIds": [binding]}, administrator)
    assert (error["__typename"], error["path"]) == ("PermissionDenied", ["input", "bindingIds", "0"])
    # Members only look.
    for mutation, ids in (
        ("bindSpaces", {"spaceIds": [own], "workspaceIds": [shop]}),
        ("unbindSpaces", {"bindingIds": [binding]}),
    ):
        (error,) = tenants.refused(mutation, ids, member)
        assert (error["__typename"], error["path"]) == ("PermissionDenied", [])

    payload = tenants.done(
        "bindSpaces", {"spaceIds": [own], "workspaceIds": [shop]}, f"{BINDINGS} __typename", administrator
    )
    (made,) = payload["bindings"]
    assert (made["state"], made["space"]["name"], made["workspace"]["name"]) == ("ACTIVE", "team", "shop")
    assert tenants.may_pull("shop", "own.example/team/app")
    # Nobody else takes it back, and who gave it does.
    (error,) = tenants.refused("unbindSpaces", {"bindingIds": [made["id"]]}, member)
    assert error["__typename"] == "PermissionDenied"
    other = token_in(tenants.server, key_of(bank), Role.WORKSPACE_ADMIN)
    assert tenants.refused("unbindSpaces", {"bindingIds": [made["id"]]}, other) == [
        not_found("binding", "bindingIds", "0")
    ]
    taken = tenants.done("unbindSpaces", {"bindingIds": [made["id"]]}, "removedBindingIds", administrator)
    assert taken == {"removedBindingIds": [made["id"]]}
