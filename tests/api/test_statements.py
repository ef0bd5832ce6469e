"""What a query costs: the same number of SQL statements for few and for many, and no call to any registry."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from models.database import Transaction
from models.enums import HealthStatus, IntegrationOrigin, RegistryKind, SpaceState, Visibility
from models.integration import HealthCheck, ImageHost, Integration, IntegrationHealth
from models.space import Space
from tests.api.fake_registry import FakeRegistry
from tests.api.statement_cost import cost
from tests.api.surface import Surface

FEW, MANY = 2, 40

NESTED = """
query ($first: Int!) {
  integrations(first: $first) {
    nodes {
      name url imageHost imageHostAliases labels spaceCount
      health { status checks(last: 5) { isGood } }
      spaces(first: 3) { nodes { name imagePrefixes integration { name health { status } } } }
      more: spaces(first: 2, filter: { visibilities: [PUBLIC] }) { totalCount nodes { name } }
    }
  }
}
"""


@pytest.fixture
def crowd(surface: Surface, registry: FakeRegistry) -> Iterator[Surface]:
    """Forty integrations of one registry, by as many addresses, each with spaces and checks."""
    database, clock = surface.server.services.database, surface.server.services.clock

    async def fill(_: Transaction) -> None:
        now = clock()
        for number in range(MANY):
            integration = await Integration.create(
                name=f"a crowd {number:02}",
                name_key=f"a crowd {number:02}",
                kind=RegistryKind.DOCKER_REGISTRY,
                origin=IntegrationOrigin.INTEGRATED,
                url=f"{registry.url}/{number}",
                next_synchronization_at=now + timedelta(hours=1),
                created_by="the test",
                created_at=now,
                updated_at=now,
            )
            for host, is_primary in ((f"h{number}", True), (f"b{number}", False), (f"a{number}", False)):
                await ImageHost.create(host=host, integration=integration, is_primary=is_primary)
            await IntegrationHealth.create(
                integration=integration, status=HealthStatus.UNKNOWN, next_probe_at=now + timedelta(hours=1)
            )
            for space in range(4):
                await Space.create(
                    integration=integration,
                    external_id=f"space {space}",
                    name=f"space {space}",
                    visibility=Visibility.PRIVATE if space % 2 else Visibility.PUBLIC,
                    state=SpaceState.PRESENT,
                    created_at=now,
                )
                await HealthCheck.create(integration=integration, checked_at=now, is_good=space > 0)

    surface.integrate(registry, url=registry.other_url)
    surface.server.run(database.transact(fill))
    registry.requests.clear()
    yield surface
    assert registry.requests == []


def test_statements_do_not_grow_with_rows(crowd: Surface) -> None:
    few, small = cost(crowd, NESTED, first=FEW)
    many, large = cost(crowd, NESTED, first=MANY)

    assert len(small["integrations"]["nodes"]) == FEW
    assert len(large["integrations"]["nodes"]) == MANY
    # Integrations, health, aliases, space counts, checks, two pages of spaces, a total, and the spaces' integrations.
    assert (few, many) == (9, 9)


def test_each_gets_its_own(crowd: Surface) -> None:
    _, data = cost(crowd, NESTED, first=MANY)

    for number, node in enumerate(data["integrations"]["nodes"]):
        assert node["imageHostAliases"] == [f"a{number}", f"b{number}"]
        assert node["spaceCount"] == 4
        assert [check["isGood"] for check in node["health"]["checks"]] == [True, True, True, False]
        assert [space["imagePrefixes"] for space in node["spaces"]["nodes"]] == [
            [f"h{number}/space {space}/"] for space in range(3)
        ]
        assert {space["integration"]["name"] for space in node["spaces"]["nodes"]} == {node["name"]}
        assert node["more"] == {"totalCount": 2, "nodes": [{"name": "space 0"}, {"name": "space 2"}]}


@pytest.mark.parametrize("root", ["integrations", "spaces", "events", "auditEvents", "accessTokens"])
def test_the_total_is_counted_when_it_is_asked_for(crowd: Surface, root: str) -> None:
    without, _ = cost(crowd, f"{{ {root}(first: 2) {{ nodes {{ id }} }} }}")
    with_total, _ = cost(crowd, f"{{ {root}(first: 2) {{ totalCount }} }}")

    assert (without, with_total) == (1, 2)


def test_nodes_of_one_type_come_together(crowd: Surface) -> None:
    found = crowd.server.graphql("{ spaces(first: 100) { nodes { id } } integrations(first: 40) { nodes { id } } }")
    ids = [node["id"] for root in ("spaces", "integrations") for node in found[root]["nodes"]]
    query = "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename ... on Space { integration { name } } } }"

    for some in (ids[:1] + ids[-1:], ids[:60] + ids[-40:]):
        statements, data = cost(crowd, query, ids=some)
        assert [node is not None for node in data["nodes"]] == [True] * len(some)
        assert statements <= 3


def test_the_events_of_one_page_ask_for_their_integrations_together(crowd: Surface) -> None:
    query = "query ($first: Int!) { events(first: $first) { nodes { cursor integration { name } } } }"

    assert crowd.server.graphql(query, {"first": 100})["events"]["nodes"]
    assert cost(crowd, query, first=100)[0] <= 2
