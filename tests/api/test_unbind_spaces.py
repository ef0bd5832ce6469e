"""unbindSpaces: gone at once where nothing is in force, else step by step, and it gives nothing meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from models.enums import Visibility
from resolvers.global_ids import global_id
from tests.api.tenants import LOSSES, Tenants, Told, key_of, lost, tenants_of
from tests.serving import RunningServer

WHOLE = f"bindings {{ id state revokedAt }} removedBindingIds {LOSSES}"
NOTHING = {"lossCount": 0, "losses": []}


@pytest.fixture
def tenants(quiet_server: RunningServer) -> Iterator[Tenants]:
    with tenants_of(quiet_server) as tenants:
        yield tenants


@pytest.fixture
def registry(tenants: Tenants) -> str:
    """A Harbor of the platform's."""
    return tenants.registry("h.example")


@pytest.fixture
def shop(tenants: Tenants) -> str:
    """A workspace with one namespace."""
    return tenants.workspace("shop", "shop")


def pullable(tenants: Tenants, workspace: str) -> list[str]:
    """Return the names of what a workspace may pull from, as its own page lists them."""
    query = "query ($id: ID!) { workspace(id: $id) { spaces { totalCount nodes { name } } } }"
    found = tenants.server.graphql(query, {"id": workspace})["workspace"]["spaces"]
    assert found["totalCount"] == len(found["nodes"])
    return [node["name"] for node in found["nodes"]]


def test_what_is_in_force_nowhere_is_gone_at_once(tenants: Tenants, registry: str, shop: str) -> None:
    spaces, bank = tenants.spaces(registry, ["team", "web"]), tenants.workspace("bank", "bank")
    bindings = tenants.bind(spaces, [shop, bank])
    tenants.new_events()
    expected = [("default/bank", "h.example/team/", None), ("default/shop", "h.example/web/", None)]
    given = {"bindingIds": [bindings[2], bindings[1]]}

    tried = tenants.tried("unbindSpaces", given, WHOLE)
    assert lost(tried) == expected
    assert tried["removedBindingIds"] == []
    assert [(each["id"], each["state"]) for each in tried["bindings"]] == [
        (id_, "ACTIVE") for id_ in given["bindingIds"]
    ]

    done = tenants.done("unbindSpaces", given, WHOLE)

    assert lost(done) == expected
    assert (done["bindings"], done["removedBindingIds"]) == ([], given["bindingIds"])
    # Oldest first, whatever the order in which they were named.
    assert tenants.new_events() == [
        Told(
            "BINDING_REVOKED",
            key_of(workspace),
            key_of(space),
            {
                "binding_id": key_of(binding),
                "space_name": space_name,
                "integration_name": "h.example",
                "workspace_name": workspace_name,
                "by": "admin",
            },
        )
        for binding, space, space_name, workspace, workspace_name in (
            (bindings[1], spaces[0], "team", bank, "bank"),
            (bindings[2], spaces[1], "web", shop, "shop"),
        )
    ]
    assert tenants.rows('SELECT "id" FROM "binding" ORDER BY "id"') == [(key_of(bindings[0]),), (key_of(bindings[3]),)]
    assert (pullable(tenants, shop), pullable(tenants, bank)) == (["team"], ["web"])
    # They are no longer there to be taken back.
    assert [error["__typename"] for error in tenants.refused("unbindSpaces", given)] == ["NotFound"] * 2


def test_what_may_be_in_force_stays_and_gives_nothing(tenants: Tenants, registry: str, shop: str) -> None:
    (in_force,) = tenants.bind([tenants.space(registry, "team")], [shop])
    tenants.put_in_force()
    (new,) = tenants.bind([tenants.space(registry, "web")], [shop])
    assert pullable(tenants, shop) == ["team", "web"]

    done = tenants.done("unbindSpaces", {"bindingIds": [new, in_force]}, WHOLE)

    (left,) = done["bindings"]
    assert (left["id"], left["state"]) == (in_force, "REVOKING")
    assert left["revokedAt"] is not None
    assert done["removedBindingIds"] == [new]
    assert len(lost(done)) == 2
    assert not tenants.may_pull("shop", "h.example/team/app")
    assert pullable(tenants, shop) == []
    step = tenants.binding(in_force, "enforcement { state registry { state message } }")
    assert step == {
        "enforcement": {
            "state": "PENDING",
            "registry": {"state": "PENDING", "message": "It waits to be taken away at the registry."},
        }
    }
    # Taken back once more it is no error: nothing is lost, written or told.
    before = tenants.stored()
    assert tenants.done("unbindSpaces", {"bindingIds": [in_force]}, WHOLE) == {
        "bindings": [left],
        "removedBindingIds": [],
        **NOTHING,
    }
    assert tenants.stored() == before


def test_bound_again_meanwhile_it_is_the_same_binding(tenants: Tenants, registry: str, shop: str) -> None:
    space = tenants.space(registry, "team")
    (binding,) = tenants.bind([space], [shop])
    tenants.put_in_force()
    tenants.done("unbindSpaces", {"bindingIds": [binding]})
    tenants.new_events()

    assert tenants.bind([space], [shop]) == [binding]

    assert tenants.binding(binding, "state revokedAt") == {"state": "ACTIVE", "revokedAt": None}
    assert tenants.new_event_types() == ["BINDING_CREATED"]
    assert tenants.may_pull("shop", "h.example/team/app")
    # What the first gave may still be in force, though what the second gave has never been tried.
    done = tenants.done("unbindSpaces", {"bindingIds": [binding]}, WHOLE)
    assert [each["state"] for each in done["bindings"]] == ["REVOKING"]
    assert tenants.rows('SELECT "revoked_by" FROM "binding"') == [("admin",)]


def test_what_was_tried_before_it_was_bound_does_not_keep_it(tenants: Tenants, registry: str, shop: str) -> None:
    space, other = tenants.spaces(registry, ["team", "web"])
    tenants.bind([other], [shop])
    tenants.put_in_force()
    (binding,) = tenants.bind([space], [shop])
    assert tenants.done("unbindSpaces", {"bindingIds": [binding]}, "removedBindingIds")["removedBindingIds"] == [
        binding
    ]
    # Bound anew it is another, with versions of its own.
    tenants.put_in_force()
    (second,) = tenants.bind([space], [shop])
    assert tenants.done("unbindSpaces", {"bindingIds": [second]}, "removedBindingIds")["removedBindingIds"] == [second]
    (third,) = tenants.bind([space], [shop])
    tenants.put_in_force()
    assert tenants.done("unbindSpaces", {"bindingIds": [third]}, "removedBindingIds")["removedBindingIds"] == []


def test_one_bad_id_and_nothing_is_taken_back(tenants: Tenants, registry: str, shop: str) -> None:
    (binding,) = tenants.bind([tenants.space(registry, "team")], [shop])

    def not_found(place: str) -> dict[str, Any]:
        message = "There is no binding with this id."
        return {"__typename": "NotFound", "message": message, "path": ["input", "bindingIds", place]}

    for dry_run in (True, False):
        given = {"bindingIds": [binding, global_id("Binding", 2**63 - 1)], "dryRun": dry_run}
        assert tenants.refused("unbindSpaces", given) == [not_found("1")]
        given = {"bindingIds": ["", binding, shop, registry], "dryRun": dry_run}
        assert tenants.refused("unbindSpaces", given) == [not_found(place) for place in "023"]
        given = {"bindingIds": [binding, binding], "dryRun": dry_run}
        (error,) = tenants.refused("unbindSpaces", given)
        assert (error["__typename"], error["path"]) == ("InvalidInput", ["input", "bindingIds", "1"])


def test_a_hundred_bindings_and_no_more(tenants: Tenants, registry: str) -> None:
    spaces = tenants.spaces(registry, [f"s{number:02}" for number in range(51)])
    workspaces = [tenants.workspace("one"), tenants.workspace("two")]
    bindings = [*tenants.bind(spaces[:50], workspaces), *tenants.bind(spaces[50:], workspaces[:1])]

    for given in (bindings, []):
        (error,) = tenants.refused("unbindSpaces", {"bindingIds": given})
        assert error == {
            "__typename": "InvalidInput",
            "message": "Give 1 to 100 bindings at once.",
            "path": ["input", "bindingIds"],
        }
    done = tenants.done("unbindSpaces", {"bindingIds": bindings[:100]}, "removedBindingIds")
    assert done["removedBindingIds"] == bindings[:100]
    # Each of the two targets has moved once, by one batch.
    versions = tenants.rows('SELECT "desired_version" FROM "registry_enforcement" ORDER BY "desired_version"')
    assert versions == [(2,), (3,)]


def test_what_is_public_is_kept_by_that(tenants: Tenants, registry: str, shop: str) -> None:
    (binding,) = tenants.bind([tenants.space(registry, "team", Visibility.PUBLIC)], [shop])

    done = tenants.done("unbindSpaces", {"bindingIds": [binding]}, WHOLE)

    assert lost(done) == [("default/shop", "h.example/team/", True)]
    assert tenants.may_pull("shop", "h.example/team/app")
    assert pullable(tenants, shop) == ["team"]


def test_what_is_suspended_loses_nothing(tenants: Tenants, registry: str, shop: str) -> None:
    (binding,) = tenants.bind([tenants.space(registry, "team")], [shop])
    tenants.put_in_force()
    tenants.see(registry, "team", None)

    done = tenants.done("unbindSpaces", {"bindingIds": [binding]}, WHOLE)

    assert [each["state"] for each in done["bindings"]] == ["REVOKING"]
    assert lost(done) == []
