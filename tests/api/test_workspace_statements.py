"""What workspaces and bindings cost: as many SQL statements for few as for many; and totals agree with pages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from models.enums import Visibility
from tests.api.statement_cost import cost
from tests.api.surface import Surface
from tests.api.tenants import Tenants, named, tenants_of
from tests.serving import RunningServer

FEW, MANY = 2, 20
SPACES = 6

NESTED = """
query ($first: Int!) {
  workspaces(first: $first) {
    nodes {
      name labels { key value }
      namespaces(first: 2) { totalCount nodes { cluster name workspace { name } } }
      bindings(first: 3) {
        totalCount nodes { state enforcement { state registry { message } } space { name integration { name } } }
      }
      spaces(first: 3) { totalCount nodes { imagePrefixes } }
    }
  }
}
"""

OF_SPACES = """
query ($first: Int!) {
  spaces(first: $first) {
    nodes { name bindings(first: 3) { totalCount nodes { state enforcement { state } workspace { name } } } }
  }
}
"""


@pytest.fixture
def tenants(quiet_server: RunningServer) -> Iterator[Tenants]:
    with tenants_of(quiet_server) as tenants:
        yield tenants


@pytest.fixture
def crowd(tenants: Tenants) -> list[str]:
    """Twenty workspaces with namespaces, each bound to four of the spaces of one of twenty registries and one more.

    One space in all is public; returned are the workspaces.
    """
    workspaces = []
    shared = tenants.space(tenants.registry("shared.example"), "shared")
    for number in range(MANY):
        namespaces = named(*(f"c{number}/n{each}" for each in range(3)))
        given = {"externalId": f"t{number}", "name": f"w{number:02}", "namespaces": namespaces}
        made = tenants.done("upsertWorkspace", given, "workspace { id }")["workspace"]["id"]
        registry = tenants.registry(f"h{number:02}.example")
        spaces = tenants.spaces(registry, [f"s{each}" for each in range(SPACES - 1)])
        tenants.bind([*spaces[:3], shared], [made])
        workspaces.append(made)
    tenants.space(registry, "open", Visibility.PUBLIC)
    return workspaces


def test_statements_do_not_grow_with_workspaces(tenants: Tenants, crowd: list[str]) -> None:
    surface = Surface(tenants.server)

    few, small = cost(surface, NESTED, first=FEW)
    many, large = cost(surface, NESTED, first=MANY)

    assert (len(small["workspaces"]["nodes"]), len(large["workspaces"]["nodes"])) == (FEW, MANY)
    # Workspaces, three lists and their totals, the workspaces of namespaces, how far bindings are true, their spaces,
    # and those's registries.
    assert (few, many) == (11, 11)


def test_each_gets_its_own(tenants: Tenants, crowd: list[str]) -> None:
    _, data = cost(Surface(tenants.server), NESTED, first=MANY)

    step = {"state": "PENDING", "registry": {"message": "It waits to be made true at the registry."}}
    for number, node in enumerate(data["workspaces"]["nodes"]):
        integration = {"name": f"h{number:02}.example"}
        assert node == {
            "name": f"w{number:02}",
            "labels": [],
            "namespaces": {
                "totalCount": 3,
                "nodes": [
                    {"cluster": f"c{number}", "name": f"n{each}", "workspace": {"name": f"w{number:02}"}}
                    for each in range(2)
                ],
            },
            "bindings": {
                "totalCount": 4,
                "nodes": [
                    {
                        "state": "ACTIVE",
                        "enforcement": step,
                        "space": {"name": f"s{each}", "integration": integration},
                    }
                    for each in range(3)
                ],
            },
            # By name, the public one and the one that all have among them.
            "spaces": {
                "totalCount": 5,
                "nodes": [
                    {"imagePrefixes": [f"h{MANY - 1:02}.example/open/"]},
                    {"imagePrefixes": [f"h{number:02}.example/s0/"]},
                    {"imagePrefixes": [f"h{number:02}.example/s1/"]},
                ],
            },
        }


def test_statements_do_not_grow_with_spaces(tenants: Tenants, crowd: list[str]) -> None:
    surface = Surface(tenants.server)

    few, small = cost(surface, OF_SPACES, first=FEW)
    many, large = cost(surface, OF_SPACES, first=100)

    assert (len(small["spaces"]["nodes"]), len(large["spaces"]["nodes"])) == (FEW, 100)
    # Spaces, their bindings and how many, the workspaces, and how far bindings are true.
    assert (few, many) == (5, 5)


def test_a_space_tells_of_all_its_bindings(tenants: Tenants, crowd: list[str]) -> None:
    query = """{ spaces(filter: { text: "shared" }) { nodes { bindings(first: 100) {
      totalCount nodes { workspace { id } } } } } }"""

    (found,) = tenants.server.graphql(query)["spaces"]["nodes"]

    assert found["bindings"]["totalCount"] == MANY
    assert [binding["workspace"]["id"] for binding in found["bindings"]["nodes"]] == crowd


PAGES = """
query ($ids: [ID!]!, $after: Cursor) {
  nodes(ids: $ids) { ... on Workspace { name LIST(first: 2, after: $after) {
    totalCount nodes { id } pageInfo { hasNextPage endCursor }
  } } }
}
"""


@pytest.mark.parametrize("listed", ["namespaces", "bindings", "spaces"])
def test_totals_agree_with_pages(tenants: Tenants, crowd: list[str], listed: str) -> None:
    def page(ids: list[str], after: str | None) -> list[Any]:
        query = PAGES.replace("LIST", listed)
        nodes: list[Any] = tenants.server.graphql(query, {"ids": ids, "after": after})["nodes"]
        return [node[listed] for node in nodes]

    # Several workspaces at once, with one space in the lists of all.
    first = page(crowd[:3], None)
    for workspace, found in zip(crowd[:3], first, strict=True):
        ids, total = [node["id"] for node in found["nodes"]], found["totalCount"]
        while found["pageInfo"]["hasNextPage"]:
            (found,) = page([workspace], found["pageInfo"]["endCursor"])
            assert found["totalCount"] == total
            ids += [node["id"] for node in found["nodes"]]
        assert len(ids) == len(set(ids)) == total
        assert total == {"namespaces": 3, "bindings": 4, "spaces": 5}[listed]
