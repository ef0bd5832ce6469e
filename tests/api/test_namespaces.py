"""addNamespaces and removeNamespaces: all of them or none, and each namespace one workspace's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from resolvers.global_ids import global_id
from tests.api.tenants import LOSSES, Tenants, Told, key_of, lost, named, tenants_of
from tests.serving import RunningServer

NAMESPACES = "namespaces { id cluster name workspace { name } createdAt }"


@pytest.fixture
def tenants(quiet_server: RunningServer) -> Iterator[Tenants]:
    with tenants_of(quiet_server) as tenants:
        yield tenants


def names(payload: dict[str, Any]) -> list[str]:
    """Return the namespaces of a payload."""
    return [f"{each['cluster']}/{each['name']}" for each in payload["namespaces"]]


def held(tenants: Tenants) -> list[tuple[str, str, str]]:
    """Return every namespace with its workspace."""
    return tenants.rows(
        'SELECT w."name", n."cluster", n."name" FROM "namespace" n JOIN "workspace" w ON w."id" = n."workspace_id"'
        ' ORDER BY n."cluster", n."name"'
    )


def test_namespaces_are_given_and_its_own_are_no_error(tenants: Tenants) -> None:
    shop = tenants.workspace("shop")
    tenants.new_events()
    given = {"workspaceId": shop, "namespaces": named("b", "c2/b", "a")}

    first = tenants.done("addNamespaces", given, f"workspace {{ id }} {NAMESPACES}")

    assert (first["workspace"], names(first)) == ({"id": shop}, ["default/b", "c2/b", "default/a"])
    by = {"workspace_name": "shop", "by": "admin"}
    assert tenants.new_events() == [
        Told("NAMESPACE_ADDED", key_of(shop), None, {**by, "cluster": cluster, "namespace_name": name})
        for cluster, name in (("default", "b"), ("c2", "b"), ("default", "a"))
    ]
    before = tenants.stored()
    assert tenants.done("addNamespaces", given, f"workspace {{ id }} {NAMESPACES}") == first
    assert tenants.stored() == before
    # Of what is named some are new, some are not.
    more = tenants.done("addNamespaces", {"workspaceId": shop, "namespaces": named("a", "new")}, NAMESPACES)
    assert names(more) == ["default/a", "default/new"]
    assert [event.data["namespace_name"] for event in tenants.new_events()] == ["new"]


def test_one_that_another_has_stops_all(tenants: Tenants) -> None:
    shop = tenants.workspace("shop", "own")
    tenants.workspace("bank", "bank", "c2/bank")

    errors = tenants.refused(
        "addNamespaces", {"workspaceId": shop, "namespaces": named("new", "bank", "c3/bank", "c2/bank", "own")}
    )

    assert errors == [
        {
            "__typename": "NamespaceTaken",
            "message": f"The namespace “bank” of the cluster “{cluster}” belongs to the workspace “bank”. Remove it"
            " there first.",
            "path": ["input", "namespaces", place],
            "holder": {"name": "bank"},
        }
        for cluster, place in (("default", "1"), ("c2", "3"))
    ]


def test_namespaces_are_taken_away(tenants: Tenants) -> None:
    shop = tenants.workspace("shop", "a", "b", "c2/a")
    tenants.workspace("bank", "bank")
    tenants.bind([tenants.space(tenants.registry("h.example"), "team")], [shop])
    tenants.new_events()
    given = {"workspaceId": shop, "namespaces": named("c2/a", "b")}
    expected = [("c2/a", "h.example/team/", None), ("default/b", "h.example/team/", None)]

    tried = tenants.tried("removeNamespaces", given, f"workspace {{ name }} {NAMESPACES} {LOSSES}")
    done = tenants.done("removeNamespaces", given, f"workspace {{ name }} {NAMESPACES} {LOSSES}")

    assert tried == done
    assert (done["workspace"], names(done), lost(done)) == ({"name": "shop"}, ["c2/a", "default/b"], expected)
    by = {"workspace_name": "shop", "by": "admin"}
    assert tenants.new_events() == [
        Told("NAMESPACE_REMOVED", key_of(shop), None, {**by, "cluster": cluster, "namespace_name": name})
        for cluster, name in (("c2", "a"), ("default", "b"))
    ]
    assert held(tenants) == [("shop", "default", "a"), ("bank", "default", "bank")]
    assert not tenants.may_pull("b", "h.example/team/app")
    assert tenants.may_pull("a", "h.example/team/app")


def test_those_that_it_does_not_have_stop_all(tenants: Tenants) -> None:
    shop = tenants.workspace("shop", "a")
    tenants.workspace("bank", "bank")

    for dry_run in (True, False):
        errors = tenants.refused(
            "removeNamespaces",
            {"workspaceId": shop, "namespaces": named("a", "bank", "c2/a", "none"), "dryRun": dry_run},
        )
        assert errors == [
            {
                "__typename": "InvalidInput",
                "message": "“shop” has no such namespace.",
                "path": ["input", "namespaces", place],
            }
            for place in "123"
        ]


WRONG = {
    "empty": ("", "name"),
    "upper case": ("Shop", "name"),
    "underscore": ("my_shop", "name"),
    "dot": ("my.shop", "name"),
    "a dash first": ("-shop", "name"),
    "a dash last": ("shop-", "name"),
    "64": ("x" * 64, "name"),
    "5,000": ("x" * 5000, "name"),
    "a line break": ("shop\n", "name"),
    "a null": ("shop\x00", "name"),
    "an accent": ("caf\u00e9", "name"),
    "digits of others": ("\u0661", "name"),
    "cluster": ("C2/shop", "cluster"),
    "a cluster with a dot": ("c.2/shop", "cluster"),
}


@pytest.mark.parametrize(("name", "field"), WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("mutation", ["addNamespaces", "removeNamespaces"])
def test_names_that_kubernetes_refuses(tenants: Tenants, mutation: str, name: str, field: str) -> None:
    shop = tenants.workspace("shop", "good")

    (error,) = tenants.refused(mutation, {"workspaceId": shop, "namespaces": named("good", name)})

    assert (error["__typename"], error["path"]) == ("InvalidInput", ["input", "namespaces", "1", field])


@pytest.mark.parametrize("name", ["a", "0", "x" * 63, "a--b", "0-9", f"{'c' * 63}/n"])
def test_names_that_kubernetes_takes(tenants: Tenants, name: str) -> None:
    shop = tenants.workspace("shop")

    tenants.done("addNamespaces", {"workspaceId": shop, "namespaces": named(name)})

    assert [(cluster, found) for _, cluster, found in held(tenants)] == [
        (name.rpartition("/")[0] or "default", name.rpartition("/")[2])
    ]


@pytest.mark.parametrize("mutation", ["addNamespaces", "removeNamespaces"])
def test_one_that_is_named_twice_and_too_many(tenants: Tenants, mutation: str) -> None:
    shop = tenants.workspace("shop", "a", "b")

    twice = tenants.refused(mutation, {"workspaceId": shop, "namespaces": named("a", "c2/a", "default/a", "b", "b")})
    assert [(error["__typename"], error["path"][2]) for error in twice] == [
        ("InvalidInput", "2"),
        ("InvalidInput", "4"),
    ]
    too_many = {"workspaceId": shop, "namespaces": named(*(f"n{number}" for number in range(1001)))}
    (error,) = tenants.refused(mutation, too_many)
    assert (error["__typename"], error["path"]) == ("InvalidInput", ["input", "namespaces"])


def test_a_thousand_come_and_go(tenants: Tenants) -> None:
    shop = tenants.workspace("shop")
    given = {"workspaceId": shop, "namespaces": named(*(f"n{number}" for number in range(1000)))}
    tenants.new_events()

    assert len(tenants.done("addNamespaces", given, NAMESPACES)["namespaces"]) == 1000
    assert tenants.new_event_types() == ["NAMESPACE_ADDED"] * 1000
    assert tenants.done("removeNamespaces", given, "lossCount") == {"lossCount": 0}
    assert tenants.new_event_types() == ["NAMESPACE_REMOVED"] * 1000
    assert held(tenants) == []


@pytest.mark.parametrize("id_", ["", "nothing", global_id("Space", 1), global_id("Workspace", 2**63 - 1)])
@pytest.mark.parametrize("mutation", ["addNamespaces", "removeNamespaces"])
def test_a_workspace_that_is_none(tenants: Tenants, mutation: str, id_: str) -> None:
    tenants.workspace("shop", "a")

    (error,) = tenants.refused(mutation, {"workspaceId": id_, "namespaces": named("a")})

    assert (error["__typename"], error["path"]) == ("NotFound", ["input", "workspaceId"])
