"""Connections: every item once, whatever comes and goes meanwhile; counts and filters agree."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from resolvers.global_ids import parse_global_id
from tests.api.fake_registry import FakeRegistry, running_fake_registry
from tests.api.surface import Surface

SPACE_NAMES = [f"s{number:02}" for number in range(12)]
ORDERS = [(field, direction) for field in ("NAME", "CREATED_AT") for direction in ("ASC", "DESC")]


@pytest.fixture
def registries() -> Iterator[list[FakeRegistry]]:
    with running_fake_registry() as first, running_fake_registry() as second, running_fake_registry() as third:
        yield [first, second, third]


def page(surface: Surface, root: str, arguments: dict[str, Any], selection: str = "name") -> dict[str, Any]:
    kind = root.removesuffix("s").capitalize()
    query = (
        f"query ($first: Int, $after: Cursor, $filter: {kind}Filter, $orderBy: {kind}Order)"
        f" {{ {root}(first: $first, after: $after, filter: $filter, orderBy: $orderBy) {{ nodes {{ {selection} }}"
        " edges { cursor } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"
    )
    found: dict[str, Any] = surface.server.graphql(query, arguments)[root]
    return found


def walk(surface: Surface, root: str, arguments: dict[str, Any]) -> Iterator[list[str]]:
    """Yield the names of page after page; what is done between two happens between two requests."""
    after: str | None = None
    while True:
        found = page(surface, root, {**arguments, "after": after})
        cursors = [edge["cursor"] for edge in found["edges"]]
        info = found["pageInfo"]
        assert (info["startCursor"], info["endCursor"]) == ((cursors[0], cursors[-1]) if cursors else (None, None))
        assert info["hasPreviousPage"] == (after is not None)
        yield [node["name"] for node in found["nodes"]]
        if not info["hasNextPage"]:
            return
        assert len(cursors) == arguments["first"]
        after = info["endCursor"]


@pytest.mark.parametrize(("field", "direction"), ORDERS)
def test_every_space_is_met_once_while_others_come_and_go(
    surface: Surface, registry: FakeRegistry, field: str, direction: str
) -> None:
    registry.repositories = [f"{name}/app" for name in SPACE_NAMES]
    key = {"id": surface.integrate(registry)["id"]}
    order = {"field": field, "direction": direction}
    pages = []
    for number, names in enumerate(walk(surface, "spaces", {"first": 5, "orderBy": order})):
        pages.append(names)
        # One that was shown goes, one comes before everything and one behind.
        shown, come = names[0], {f"a{number}/app", f"z{number}/app"}
        registry.repositories = [name for name in registry.repositories if name != f"{shown}/app"] + sorted(come)
        assert surface.errors_of("synchronizeIntegration", key) == []

    met = [name for names in pages for name in names]
    assert len(met) == len(set(met))
    # All of those that stood there the whole time, in order.
    stayed = [name for name in met if name in SPACE_NAMES]
    expected = SPACE_NAMES if direction == "ASC" else SPACE_NAMES[::-1]
    assert stayed == expected


@pytest.mark.parametrize("direction", ["ASC", "DESC"])
@pytest.mark.parametrize("first", [1, 2, 3, 100])
def test_names_of_many_letters_sort_alike_on_both_databases(
    surface: Surface, registries: list[FakeRegistry], first: int, direction: str
) -> None:
    names = ["Éa", "Zz", "aB"]
    for name, registry in zip(names, registries, strict=True):
        surface.integrate(registry, name=name)
    arguments = {"first": first, "orderBy": {"field": "NAME", "direction": direction}}

    met = [name for names in walk(surface, "integrations", arguments) for name in names]

    # By their folded letters' code points.
    assert met == (["aB", "Zz", "Éa"] if direction == "ASC" else ["Éa", "Zz", "aB"])


@pytest.mark.parametrize(("field", "direction"), ORDERS)
def test_the_spaces_of_one_integration_are_paged_the_same_way(
    surface: Surface, registry: FakeRegistry, field: str, direction: str
) -> None:
    registry.repositories = [f"{name}/app" for name in SPACE_NAMES]
    integration_id = surface.integrate(registry)["id"]
    query = """query ($id: ID!, $after: Cursor, $orderBy: SpaceOrder) { integration(id: $id) {
      spaces(first: 5, after: $after, orderBy: $orderBy) { nodes { name } pageInfo { endCursor hasNextPage } }
    } }"""
    met: list[str] = []
    after: str | None = None
    while True:
        order = {"field": field, "direction": direction}
        variables = {"id": integration_id, "after": after, "orderBy": order}
        found = surface.server.graphql(query, variables)["integration"]["spaces"]
        met += [node["name"] for node in found["nodes"]]
        after = found["pageInfo"]["endCursor"]
        if not found["pageInfo"]["hasNextPage"]:
            break
    assert met == (SPACE_NAMES if direction == "ASC" else SPACE_NAMES[::-1])


def test_events_audit_and_tokens_are_paged_newest_first(surface: Surface, registry: FakeRegistry) -> None:
    surface.integrate(registry)
    surface.new_token("WORKSPACE_MEMBER")
    for root in ("events", "auditEvents", "accessTokens"):
        met: list[str] = []
        after = "null"
        while after:
            found = surface.server.graphql(
                f"{{ {root}(first: 7, after: {after}) {{"
                " nodes { id } pageInfo { endCursor hasNextPage } totalCount } }"
            )[root]
            met += [node["id"] for node in found["nodes"]]
            after = f'"{found["pageInfo"]["endCursor"]}"' if found["pageInfo"]["hasNextPage"] else ""
        assert len(met) == len(set(met)) == found["totalCount"] > 1
        keys = [parse_global_id(node_id)[1] for node_id in met]
        assert keys == sorted(keys, reverse=True)


FILTERS: list[tuple[dict[str, Any], set[str]]] = [
    ({}, {"Alpha", "Beta", "100%_"}),
    ({"text": "ALP"}, {"Alpha"}),
    ({"text": "%"}, {"100%_"}),
    ({"text": "_"}, {"100%_"}),
    ({"text": "\\"}, set()),
    ({"text": ""}, {"Alpha", "Beta", "100%_"}),
    ({"kinds": ["DOCKER_REGISTRY"]}, {"Alpha", "Beta", "100%_"}),
    ({"kinds": ["HARBOR"]}, set()),
    ({"kinds": []}, set()),
    ({"origins": ["INTEGRATED", "MANAGED"]}, {"Alpha", "Beta", "100%_"}),
    ({"origins": ["MANAGED"]}, set()),
    ({"origins": []}, set()),
    ({"healthStatuses": ["UNHEALTHY"]}, {"Beta"}),
    ({"healthStatuses": ["HEALTHY"], "text": "a"}, {"Alpha"}),
    ({"healthStatuses": []}, set()),
]


def test_integrations_are_filtered(surface: Surface, registries: list[FakeRegistry]) -> None:
    keys = {
        name: surface.integrate(registry, name=name)["id"]
        for name, registry in zip(["Alpha", "Beta", "100%_"], registries, strict=True)
    }
    registries[1].users = {"robot": "right"}
    surface.mutate("checkIntegration", {"id": keys["Beta"]})

    for given, expected in FILTERS:
        query = "query ($f: IntegrationFilter) { integrations(filter: $f) { nodes { name } totalCount } }"
        found = surface.server.graphql(query, {"f": given})["integrations"]
        assert {node["name"] for node in found["nodes"]} == expected, given
        assert found["totalCount"] == len(expected), given


def test_spaces_are_filtered_and_vanished_ones_are_shown_when_asked_for(
    surface: Surface, registries: list[FakeRegistry]
) -> None:
    first, second, _ = registries
    first.repositories = ["one/x", "two/x", "three/x"]
    second.repositories = ["one/x"]
    keys = [surface.integrate(registry)["id"] for registry in (first, second)]
    first.repositories = ["one/x", "two/x"]
    assert surface.errors_of("synchronizeIntegration", {"id": keys[0]}) == []
    expected: list[tuple[dict[str, Any], list[str]]] = [
        ({}, ["one", "one", "two"]),
        ({"states": ["VANISHED"]}, ["three"]),
        ({"states": ["VANISHED", "PRESENT"]}, ["one", "one", "three", "two"]),
        ({"states": []}, []),
        ({"text": "O"}, ["one", "one", "two"]),
        ({"text": "O", "integrationIds": [keys[1]]}, ["one"]),
        ({"integrationIds": []}, []),
        ({"integrationIds": ["nothing", keys[0]]}, ["one", "two"]),
        ({"visibilities": ["PUBLIC"]}, []),
        ({"visibilities": ["PRIVATE"]}, ["one", "one", "two"]),
        ({"visibilities": []}, []),
    ]
    for given, names in expected:
        query = "query ($f: SpaceFilter) { spaces(filter: $f) { nodes { name } totalCount } }"
        found = surface.server.graphql(query, {"f": given})["spaces"]
        assert ([node["name"] for node in found["nodes"]], found["totalCount"]) == (names, len(names)), given
    by_name = "query ($i: ID, $n: String) { space(integration: $i, name: $n) { name } }"
    assert surface.server.graphql(by_name, {"i": keys[0], "n": "two"}) == {"space": {"name": "two"}}
    # One that vanished is found by its id alone.
    assert surface.server.graphql(by_name, {"i": keys[0], "n": "three"}) == {"space": None}


def test_events_and_audit_are_filtered(surface: Surface, registry: FakeRegistry) -> None:
    key = surface.integrate(registry)["id"]
    surface.errors_of("updateIntegration", {"id": "nothing", "name": "x"})
    by_place: list[tuple[dict[str, Any], list[str]]] = [
        ({"integrationIds": [key]}, ["SPACE_ADDED", "INTEGRATION_ADDED"]),
        ({"integrationIds": [key], "types": ["SPACE_ADDED", "HEALTH_CHANGED"]}, ["SPACE_ADDED"]),
        ({"integrationIds": [key], "types": []}, []),
        ({"integrationIds": []}, []),
    ]
    for given, types in by_place:
        query = "query ($f: EventFilter) { events(filter: $f) { nodes { type } totalCount } }"
        found = surface.server.graphql(query, {"f": given})["events"]
        assert ([node["type"] for node in found["nodes"]], found["totalCount"]) == (types, len(types)), given
    rows: list[tuple[dict[str, Any], bool]] = [
        ({"mutations": ["updateIntegration"], "outcomes": ["REFUSED"], "viewerName": "admin"}, True),
        ({"mutations": ["updateIntegration"], "viewerName": "nobody"}, False),
        ({"mutations": []}, False),
        ({"outcomes": []}, False),
        ({"outcomes": ["STARTED"]}, False),
        ({"since": "9999-12-31T23:59:59Z"}, False),
        ({"since": "0001-01-01T00:00:00Z"}, True),
    ]
    for given, is_found in rows:
        query = "query ($f: AuditFilter) { auditEvents(filter: $f) { nodes { mutation outcome } totalCount } }"
        found = surface.server.graphql(query, {"f": given})["auditEvents"]
        assert (len(found["nodes"]) > 0) == (found["totalCount"] > 0) == is_found, given
