"""Repositories of spaces: their pages, what is counted, and what it costs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from models.database import Transaction
from models.enums import SpaceState, Visibility
from models.space import Repository, Space
from tests.api.fake_registry import FakeRegistry
from tests.api.statement_cost import cost
from tests.api.surface import Surface

SPACES = 12
NAMES = ("a-b", "a.b", "a/b", "a0", "a_b", "ab", "b/app", "b/web-app")
"""In the order of their bytes, which no locale has."""

MANY_PULLS = 2**40
UPDATED_AT = datetime(2026, 2, 1, 8, 30, tzinfo=UTC)

PAGE = """
query ($id: ID!, $first: Int, $after: Cursor, $filter: RepositoryFilter) {
  node(id: $id) { ... on Space { repositories(first: $first, after: $after, filter: $filter) {
    totalCount nodes { name } edges { cursor } pageInfo { hasNextPage hasPreviousPage endCursor }
  } } }
}
"""


@dataclass(frozen=True, slots=True)
class Filled:
    """A surface whose one registry has twelve spaces with eight repositories each."""

    surface: Surface
    space_ids: list[str]
    registry: FakeRegistry

    def page(self, space: int = 0, token: str | None = None, **variables: object) -> dict[str, Any]:
        """Return a page of the repositories of a space."""
        given = {"id": self.space_ids[space], **variables}
        page: dict[str, Any] = self.surface.server.graphql(PAGE, given, token)["node"]["repositories"]
        return page


@pytest.fixture
def filled(surface: Surface, registry: FakeRegistry) -> Iterator[Filled]:
    """Fill the mirror, and see that no registry is asked for what is read of it."""
    registry.repositories = []
    surface.integrate(registry, imageHost="images.example")
    ((integration_id,),) = surface.rows('SELECT "id" FROM "integration"')
    now = surface.server.services.clock()

    async def fill(_: Transaction) -> None:
        for number in range(SPACES):
            space = await Space.create(
                integration_id=integration_id,
                external_id=f"s{number:02}",
                name=f"s{number:02}",
                visibility=Visibility.PRIVATE,
                state=SpaceState.PRESENT,
                created_at=now,
            )
            # Not in the order of their names, so that it isn't the order of their ids that comes out.
            for name in reversed(NAMES):
                await Repository.create(
                    space=space,
                    name=f"{space.name}/{name}",
                    artifact_count=len(name),
                    pull_count=MANY_PULLS + number,
                    updated_at=UPDATED_AT,
                    created_at=now,
                )

    surface.server.run(surface.server.services.database.transact(fill))
    spaces = surface.server.graphql("{ spaces(first: 100) { nodes { id } } }")["spaces"]["nodes"]
    registry.requests.clear()
    yield Filled(surface, [space["id"] for space in spaces], registry)
    assert registry.requests == []


def test_pages_follow_one_another_by_the_bytes_of_names(filled: Filled) -> None:
    expected = [f"s03/{name}" for name in NAMES]
    found, after = [], None
    for number in range(3):
        page = filled.page(3, first=3, after=after)
        found += [node["name"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        assert after == page["edges"][-1]["cursor"]
        assert page["totalCount"] == len(NAMES)
        assert (page["pageInfo"]["hasPreviousPage"], page["pageInfo"]["hasNextPage"]) == (number > 0, number < 2)
    assert found == expected
    assert filled.page(3, first=3, after=after)["nodes"] == []


def test_a_cursor_of_another_list_is_refused(filled: Filled) -> None:
    spaces = filled.surface.server.graphql("{ spaces(first: 1, orderBy: {field: CREATED_AT}) { edges { cursor } } }")
    given = {"id": filled.space_ids[0], "after": spaces["spaces"]["edges"][0]["cursor"]}

    result = filled.surface.server.post(PAGE, given)

    assert [error["path"] for error in result["errors"]] == [["node", "repositories"]]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("APP", ["b/app", "b/web-app"]),
        ("a_b", ["a_b"]),
        ("%", []),
        ("s00/a/", ["a/b"]),
        ("s01", []),
        ("", list(NAMES)),
        (None, list(NAMES)),
    ],
)
def test_a_part_of_the_name_is_looked_for_as_it_stands(filled: Filled, text: str | None, names: list[str]) -> None:
    page = filled.page(filter={"text": text})

    assert [node["name"] for node in page["nodes"]] == [f"s00/{name}" for name in names]
    assert page["totalCount"] == len(names)


def test_a_repository_of_a_public_space_is_shown_to_members_as_to_administrators(filled: Filled) -> None:
    fields = "__typename id name image artifactCount pullCount updatedAt createdAt space { id name }"
    listed = (
        "query ($id: ID!) { node(id: $id) {"
        f" ... on Space {{ repositories(first: 1) {{ nodes {{ {fields} }} }} }} }} }}"
    )
    (shown,) = filled.surface.server.graphql(listed, {"id": filled.space_ids[4]})["node"]["repositories"]["nodes"]
    nodes = f"query ($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on Repository {{ {fields} }} }} }}"

    assert shown == {
        "__typename": "Repository",
        "id": shown["id"],
        "name": "s04/a-b",
        "image": "images.example/s04/a-b",
        "artifactCount": 3,
        "pullCount": MANY_PULLS + 4,
        "updatedAt": "2026-02-01T08:30:00Z",
        "createdAt": shown["createdAt"],
        "space": {"id": filled.space_ids[4], "name": "s04"},
    }
    member = filled.surface.member_token
    database = filled.surface.server.services.database
    assert filled.surface.server.graphql(nodes, {"ids": [shown["id"]]}, member) == {"nodes": [None]}
    opened = """UPDATE "space" SET "visibility" = 'PUBLIC' WHERE "name" = 's04'"""
    filled.surface.server.run(database.transact(lambda work: work.execute(opened)))
    for token in (None, member):
        assert filled.surface.server.graphql(nodes, {"ids": [shown["id"]]}, token) == {"nodes": [shown]}
        assert filled.page(4, token) == filled.page(4)
    filled.surface.server.run(database.transact(lambda work: work.execute('DELETE FROM "repository"')))
    assert filled.surface.server.graphql(nodes, {"ids": [shown["id"]]}) == {"nodes": [None]}


def test_statements_do_not_grow_with_spaces_or_repositories(filled: Filled) -> None:
    query = """
    query ($spaces: Int!, $first: Int!) { spaces(first: $spaces) { nodes { name
      repositories(first: $first) { totalCount nodes { name image space { name } } }
      apps: repositories(first: $first, filter: { text: "app" }) { totalCount nodes { name } }
    } } }
    """
    few, small = cost(filled.surface, query, spaces=2, first=1)
    many, large = cost(filled.surface, query, spaces=SPACES, first=50)

    assert len(small["spaces"]["nodes"]) == 2
    assert len(large["spaces"]["nodes"]) == SPACES
    for space in large["spaces"]["nodes"]:
        assert [node["name"] for node in space["repositories"]["nodes"]] == [
            f"{space['name']}/{name}" for name in NAMES
        ]
        assert {node["space"]["name"] for node in space["repositories"]["nodes"]} == {space["name"]}
        assert (space["repositories"]["totalCount"], space["apps"]["totalCount"]) == (len(NAMES), 2)
    # Spaces, two pages and two totals of repositories, and the repositories' spaces.
    assert (few, many) == (6, 6)


def test_repositories_of_many_spaces_come_together_as_nodes(filled: Filled) -> None:
    query = "{ spaces(first: 100) { nodes { repositories(first: 100) { nodes { id } } } } }"
    spaces = filled.surface.server.graphql(query)["spaces"]["nodes"]
    ids = [node["id"] for space in spaces for node in space["repositories"]["nodes"]]
    assert len(set(ids)) == SPACES * len(NAMES)
    nodes = "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Repository { name space { name } } } }"

    for some in (ids[:2], ids):
        statements, data = cost(filled.surface, nodes, ids=some)
        assert len({node["name"] for node in data["nodes"]}) == len(some)
        assert statements == 2
