"""Two workspaces beside the platform: what each viewer sees, exactly, in lists, totals, nodes, events and live."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest

from models.database import NewEvent
from models.enums import ADMINISTRATORS_EVENT_TYPES, Role
from resolvers.global_ids import global_id
from tests.api.live import over_event_stream
from tests.api.statement_cost import noted_statements
from tests.serving import RunningServer
from tests.tenant_events import happened
from tests.tenants import (
    BOUND_TO_A,
    BOUND_TO_B,
    CLOSED,
    OPEN,
    OWN_OF_A,
    OWN_OF_B,
    PLATFORM,
    SHARED,
    SPACES,
    VIEWERS,
    Seen,
    Tenants,
    brought_by,
    store_tenants,
)

ALL_STATES = "{ states: [PRESENT, DECLARED, VANISHED] }"
EACH_VIEWER = pytest.mark.parametrize("name", VIEWERS)


@pytest.fixture(scope="module")
def tenants(quiet_server: RunningServer) -> Tenants:
    return store_tenants(quiet_server)


@pytest.fixture
def ask(tenants: Tenants, name: str) -> Callable[..., Any]:
    """Ask as the viewer of the test."""

    def asked(query: str, **variables: object) -> Any:
        return tenants.server.graphql(query, variables, tenants.tokens[name])

    return asked


def names_of(connection: dict[str, Any]) -> set[str]:
    """Return the names in a list that is whole, each of them once, and as many as its total says."""
    names = [node["name"] for node in connection["nodes"]]
    assert connection["totalCount"] == len(names) == len(set(names))
    return set(names)


def standing(names: set[str]) -> set[str]:
    return {name for name in names if SPACES[name][2].value != "VANISHED"}


@EACH_VIEWER
def test_lists_and_their_totals(ask: Callable[..., Any], name: str) -> None:
    seen = VIEWERS[name]

    data = ask(
        "{ integrations { totalCount nodes { name } } spaces { totalCount nodes { name } }"
        f" every: spaces(filter: {ALL_STATES}) {{ totalCount nodes {{ name }} }}"
        ' private: spaces(filter: { visibilities: [PRIVATE], text: "own" }) { totalCount nodes { name } }'
        " workspaces { totalCount nodes { name namespaces { totalCount nodes { name } } } } }"
    )

    assert names_of(data["integrations"]) == seen.integrations
    assert names_of(data["every"]) == seen.spaces
    assert names_of(data["spaces"]) == standing(seen.spaces)
    assert names_of(data["private"]) == {
        space for space in seen.spaces if space.startswith("own") and not space.endswith("open")
    }
    assert names_of(data["workspaces"]) == seen.workspaces
    for workspace in data["workspaces"]["nodes"]:
        assert names_of(workspace["namespaces"]) == {f"{workspace['name'].lower()}{number}" for number in range(3)}


@EACH_VIEWER
@pytest.mark.parametrize("root", ["integrations", "spaces", "workspaces", "events"])
def test_pages_agree_with_the_total(ask: Callable[..., Any], name: str, root: str) -> None:
    everything = ask(f"{{ {root}(first: 100) {{ totalCount nodes {{ id }} }} }}")[root]
    paged, after = [], None
    while True:
        selection = "{ totalCount nodes { id } pageInfo { hasNextPage endCursor } }"
        page = ask(f"query ($after: Cursor) {{ {root}(first: 2, after: $after) {selection} }}", after=after)[root]
        assert page["totalCount"] == everything["totalCount"]
        paged += page["nodes"]
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]
    assert paged == everything["nodes"]
    assert len(paged) == everything["totalCount"]


@EACH_VIEWER
def test_what_an_integration_holds(ask: Callable[..., Any], name: str) -> None:
    seen = VIEWERS[name]
    data = ask(
        "{ integrations { nodes { name spaceCount spaces { totalCount nodes { name repositories { nodes { name } } } }"
        f" every: spaces(filter: {ALL_STATES}) {{ totalCount nodes {{ name }} }} }} }} }}"
    )

    for integration in data["integrations"]["nodes"]:
        there = {space for space in seen.spaces if SPACES[space][0] == integration["name"]}
        assert names_of(integration["every"]) == there
        assert names_of(integration["spaces"]) == standing(there)
        assert integration["spaceCount"] == len(standing(there))
        for space in integration["spaces"]["nodes"]:
            assert space["repositories"]["nodes"] == [{"name": f"{space['name']}/app"}]


@EACH_VIEWER
def test_bindings_from_both_sides(ask: Callable[..., Any], tenants: Tenants, name: str) -> None:
    seen = VIEWERS[name]
    expected = {pair for pair in tenants.bindings if pair[1] in seen.workspaces}
    binding = "bindings { totalCount nodes { space { name integration { name } } workspace { name } } }"

    data = ask(f"{{ workspaces {{ nodes {{ {binding} }} }} spaces(filter: {ALL_STATES}) {{ nodes {{ {binding} }} }} }}")

    for side in ("workspaces", "spaces"):
        pairs = []
        for parent in data[side]["nodes"]:
            nodes = parent["bindings"]["nodes"]
            assert parent["bindings"]["totalCount"] == len(nodes)
            pairs += [(node["space"]["name"], node["workspace"]["name"]) for node in nodes]
        assert sorted(pairs) == sorted(expected), side


@EACH_VIEWER
def test_nodes_of_what_is_not_seen_are_as_if_absent(ask: Callable[..., Any], tenants: Tenants, name: str) -> None:
    seen = VIEWERS[name]
    query = "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }"

    def require(type_name: str, keys: dict[Any, int], expected: set[Any]) -> None:
        ids = {what: global_id(type_name, key) for what, key in keys.items()}
        found = ask(query, ids=list(ids.values()))["nodes"]
        assert found == [
            {"__typename": type_name, "id": id_} if what in expected else None for what, id_ in ids.items()
        ]
        for what, id_ in ids.items():
            assert (ask("query ($id: ID!) { node(id: $id) { id } }", id=id_)["node"] is not None) == (what in expected)

    require("Integration", tenants.integrations, seen.integrations)
    require("Space", tenants.spaces, seen.spaces)
    require("Repository", tenants.repositories, seen.spaces)
    require("Workspace", tenants.workspaces, seen.workspaces)
    namespaces = {namespace for namespace in tenants.namespaces if namespace[0].upper() in seen.workspaces}
    require("Namespace", tenants.namespaces, namespaces)
    require("Binding", tenants.bindings, {pair for pair in tenants.bindings if pair[1] in seen.workspaces})


@EACH_VIEWER
def test_one_by_its_id_or_its_name(ask: Callable[..., Any], tenants: Tenants, name: str) -> None:
    seen = VIEWERS[name]

    for integration, key in tenants.integrations.items():
        by_id = ask("query ($id: ID!) { integration(id: $id) { name } }", id=global_id("Integration", key))
        by_name = ask("query ($name: String!) { integration(name: $name) { name } }", name=integration.upper())
        expected = {"name": integration} if integration in seen.integrations else None
        assert (by_id, by_name) == ({"integration": expected}, {"integration": expected})
    for space, key in tenants.spaces.items():
        by_id = ask("query ($id: ID!) { space(id: $id) { name } }", id=global_id("Space", key))
        assert by_id == {"space": {"name": space} if space in seen.spaces else None}
        at = global_id("Integration", tenants.integrations[SPACES[space][0]])
        query = "query ($at: ID!, $name: String!) { space(integration: $at, name: $name) { name } }"
        assert ask(query, at=at, name=space) == {"space": {"name": space} if space in standing(seen.spaces) else None}
    for workspace, key in tenants.workspaces.items():
        by_id = ask("query ($id: ID!) { workspace(id: $id) { name } }", id=global_id("Workspace", key))
        by_name = ask("query ($name: String!) { workspace(name: $name) { name } }", name=workspace.lower())
        expected = {"name": workspace} if workspace in seen.workspaces else None
        assert (by_id, by_name) == ({"workspace": expected}, {"workspace": expected})


@EACH_VIEWER
def test_what_is_for_administrators(ask: Callable[..., Any], name: str) -> None:
    seen = VIEWERS[name]
    data = ask(
        "{ integrations { nodes { name routineCredential { reason }"
        " health { registryMessage components { name message } checks { registryMessage } } } } }"
    )

    words = "the registry's own words" if seen.role is Role.PLATFORM_ADMIN else None
    for integration in data["integrations"]["nodes"]:
        workspace = brought_by(integration["name"])
        administers = seen.role is Role.PLATFORM_ADMIN or (
            seen.role is Role.WORKSPACE_ADMIN and workspace == seen.workspace
        )
        assert integration == {
            "name": integration["name"],
            "routineCredential": {"reason": "there is none"} if administers else None,
            "health": {
                "registryMessage": words,
                "components": [{"name": "core", "message": words}] if administers else None,
                "checks": [{"registryMessage": words}],
            },
        }


EVENT = """
__typename type cursor integration { name }
... on SpaceAdded { spaceName } ... on ImagePushed { spaceName } ... on TagChanged { spaceName }
... on IntegrationUpdated { integrationName by } ... on IntegrationRemoved { integrationName by }
... on WorkspaceUpdated { workspaceName by } ... on BindingCreated { spaceName workspaceName by }
"""
LIVE = f"subscription ($after: Cursor) {{ events(after: $after) {{ {EVENT} }} }}"
QUERY = f"query ($first: Int!) {{ events(first: $first) {{ totalCount nodes {{ {EVENT} }} }} }}"


def is_seen(seen: Seen, event: NewEvent, workspace: str | None, space: str | None) -> bool:
    if seen.role is Role.PLATFORM_ADMIN:
        return True
    return event.type not in ADMINISTRATORS_EVENT_TYPES and seen.sees_event_of(workspace, space)


def test_events_asked_for_missed_and_live(tenants: Tenants) -> None:
    """The same in a page, behind a cursor, and while it happens."""
    before = {"after": tenants.cursor()}
    events = happened(tenants)
    expected = {
        name: [event for event, *whose in events if is_seen(seen, event, *whose)] for name, seen in VIEWERS.items()
    }
    assert len({len(of_one) for of_one in expected.values()}) == 4, "no two but those of A see as much"
    with ExitStack() as streams:
        live = {
            name: streams.enter_context(over_event_stream(tenants.server, LIVE, before, token))
            for name, token in tenants.tokens.items()
        }
        # Each stream is known to be live when it has told something.
        tenants.write_events(tenants.space_event(OPEN, tenants.server.services.clock()))
        for stream in live.values():
            assert stream.next()["data"]["events"]["spaceName"] == OPEN
        tenants.write_events(*(event for event, *_ in events))
        told = {name: [stream.next()["data"]["events"] for _ in expected[name]] for name, stream in live.items()}
        # Behind the last there is nothing more: the next that is told happens now.
        tenants.write_events(tenants.space_event(OPEN, tenants.server.services.clock()))
        for stream in live.values():
            assert stream.next()["data"]["events"]["type"] == "IMAGE_PUSHED"

    for name, seen in VIEWERS.items():
        assert [event["type"] for event in told[name]] == [event.type.value for event in expected[name]]
        named = [event.get("spaceName", event.get("integrationName")) for event in told[name]]
        assert named == [event.data.get("space_name", event.data.get("integration_name")) for event in expected[name]]
        for event in told[name]:
            shown = event["integration"]
            assert shown is None or shown["name"] in seen.integrations
            assert event.get("by") in ((None, "the test") if seen.role is Role.PLATFORM_ADMIN else (None,))
        with over_event_stream(tenants.server, LIVE, before, tenants.tokens[name]) as missed:
            replayed = [missed.next()["data"]["events"] for _ in range(len(expected[name]) + 2)]
        assert replayed[1:-1] == told[name]
        asked = tenants.server.graphql(QUERY, {"first": 100}, tenants.tokens[name])["events"]
        assert [node for node in asked["nodes"] if node in replayed] == replayed[::-1]
        assert asked["nodes"][: len(replayed)] == replayed[::-1]


@EACH_VIEWER
def test_events_of_an_integration_that_is_not_seen(ask: Callable[..., Any], tenants: Tenants, name: str) -> None:
    tenants.write_events(*(tenants.space_event(space, tenants.server.services.clock()) for space in SPACES))
    query = """query ($filter: EventFilter) { events(first: 100, filter: $filter) {
      totalCount nodes { ... on ImagePushed { spaceName } } } }"""
    for integration, key in tenants.integrations.items():
        which = {"types": ["IMAGE_PUSHED"], "integrationIds": [global_id("Integration", key)]}
        found = ask(query, filter=which)["events"]
        expected = {space for space in VIEWERS[name].spaces if SPACES[space][0] == integration}
        assert {node["spaceName"] for node in found["nodes"]} == expected
        assert found["totalCount"] == len(found["nodes"])


HEALTH = """subscription { integrationHealth {
  integration { name } previous { status } current { status registryMessage } } }"""


def test_health_of_what_is_seen(tenants: Tenants) -> None:
    """The present state, then each change, also of one that was integrated later."""
    server = tenants.server
    with ExitStack() as streams:
        live = {
            name: streams.enter_context(over_event_stream(server, HEALTH, {}, token))
            for name, token in tenants.tokens.items()
        }
        for name, seen in VIEWERS.items():
            present = [live[name].next()["data"]["integrationHealth"] for _ in seen.integrations]
            assert {told["integration"]["name"] for told in present} == seen.integrations
            assert {told["previous"] and told["previous"]["status"] for told in present} == {None}
        # One bad check is no change yet.
        for integration in (OWN_OF_A, OWN_OF_B, PLATFORM) * 2:
            server.run(server.services.monitor.check_now(tenants.integrations[integration]))
        for name, seen in VIEWERS.items():
            changed = [live[name].next()["data"]["integrationHealth"] for _ in seen.integrations]
            assert [told["integration"] for told in changed] == [
                {"name": integration}
                for integration in (OWN_OF_A, OWN_OF_B, PLATFORM)
                if integration in seen.integrations
            ]
            assert {told["previous"]["status"] for told in changed} == {"UNKNOWN"}
            if seen.role is not Role.PLATFORM_ADMIN:
                assert {told["current"]["registryMessage"] for told in changed} == {None}


def test_a_viewer_sees_what_it_belongs_to(tenants: Tenants) -> None:
    for name, seen in VIEWERS.items():
        viewer = tenants.server.graphql("{ viewer { role workspace { name } } }", token=tenants.tokens[name])["viewer"]
        assert viewer == {
            "role": seen.role.value,
            "workspace": None if seen.workspace is None else {"name": seen.workspace},
        }


def test_what_is_tried_is_not_empty() -> None:
    assert {BOUND_TO_A, SHARED} <= VIEWERS["member of A"].spaces - VIEWERS["member of nothing"].spaces
    assert not {CLOSED, BOUND_TO_B} & VIEWERS["member of A"].spaces


NESTED = """{ integrations(first: 100) { totalCount nodes {
  name spaceCount health { components { name } checks { isGood } } routineCredential { reason }
  spaces { totalCount nodes { name integration { name } repositories { nodes { name } } bindings { totalCount } } }
} } }"""


@EACH_VIEWER
def test_who_asks_makes_hardly_more_statements(tenants: Tenants, name: str) -> None:
    """Whose the integrations are is one for a workspace's administrator; a member needs no routine credentials."""
    statements = {}
    for viewer in ("platform admin", name):
        # A document of its own, or the administrator's answer would be the one that is kept.
        with noted_statements(tenants.server) as made:
            tenants.server.graphql(f"{NESTED} # {viewer} beside {name}", token=tenants.tokens[viewer])
        statements[viewer] = len(made)

    more = {Role.PLATFORM_ADMIN: 0, Role.WORKSPACE_ADMIN: 1, Role.WORKSPACE_MEMBER: -1}[VIEWERS[name].role]
    assert statements[name] == statements["platform admin"] + more
