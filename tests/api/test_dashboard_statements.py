"""The big dashboard, with all bindings and whose they are: as many SQL statements for much as for little."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from models.enums import Role
from tests.api.statement_cost import noted_statements
from tests.api.surface import Surface
from tests.seeding import seed_integrations, seed_spaces
from tests.serving import RunningServer
from tests.tenant_seeding import seed_bindings, seed_workspaces, space_ids
from tests.workspaces import token_in

INTEGRATIONS, SPACES_EACH, BINDINGS_EACH, WORKSPACES = 50, 20, 2, 10

DASHBOARD = """
query ($integrations: Int!, $spaces: Int!, $bindings: Int!) {
  integrations(first: $integrations) {
    nodes {
      id name kind imageHost labels %s
      health { status reason message since checkedAt }
      spaces(first: $spaces) {
        nodes { id name visibility %s bindings(first: $bindings) { nodes { id state %s workspace { name } } } }
      }
    }
  }
}
"""
PLAIN = DASHBOARD % ("", "", "")
USAGE = "usage { storageBytes quotaUsedBytes method growthBytesPerWeek measuredAt isStale }"
MEASURED = DASHBOARD % (USAGE, USAGE, "")
WHOLE = DASHBOARD % ("imageHostAliases spaceCount boundWorkspaceCount", "", "enforcement { state }")


@pytest.fixture(scope="module")
def dashboard(quiet_server: RunningServer) -> Surface:
    """Fifty integrations with twenty spaces each, each given to two workspaces; the tests only ask."""
    database = quiet_server.services.database
    urls = [f"http://127.0.0.1:1/r{number}" for number in range(INTEGRATIONS)]
    ids = quiet_server.run(seed_integrations(database, urls, first_probe_in=timedelta(hours=1)))
    names = [f"space-{number:03}" for number in range(SPACES_EACH)]
    quiet_server.run(seed_spaces(database, dict.fromkeys(ids, names)))
    workspaces = quiet_server.run(seed_workspaces(database, WORKSPACES))
    spaces = quiet_server.run(space_ids(database))
    pairs = [(space, workspaces[(space + offset) % WORKSPACES]) for space in spaces for offset in range(BINDINGS_EACH)]
    quiet_server.run(seed_bindings(database, pairs))
    return Surface(quiet_server)


@pytest.mark.parametrize(("query", "due"), [(PLAIN, 5), (MEASURED, 7), (WHOLE, 9)], ids=["plain", "measured", "whole"])
def test_statements_do_not_grow(dashboard: Surface, query: str, due: int) -> None:
    few, small = asked(dashboard, query, 2, 3, 1)
    many, large = asked(dashboard, query, INTEGRATIONS, SPACES_EACH, BINDINGS_EACH)

    assert sizes(small) == (2, 6, 6)
    assert sizes(large) == (INTEGRATIONS, INTEGRATIONS * SPACES_EACH, INTEGRATIONS * SPACES_EACH * BINDINGS_EACH)
    # Integrations, health, spaces, bindings, workspaces; the usage of both; aliases, two counts and enforcement.
    assert (len(few), len(many)) == (due, due), many


def test_each_has_its_own(dashboard: Surface) -> None:
    _, data = asked(dashboard, WHOLE, INTEGRATIONS, SPACES_EACH, BINDINGS_EACH)

    rows = dashboard.rows(
        'SELECT i."name", s."name", w."name" FROM "binding" b JOIN "space" s ON s."id" = b."space_id"'
        ' JOIN "integration" i ON i."id" = s."integration_id" JOIN "workspace" w ON w."id" = b."workspace_id"'
    )
    shown = [
        (integration["name"], space["name"], binding["workspace"]["name"])
        for integration, space, binding in bindings_in(data)
    ]
    assert sorted(shown) == sorted(rows)
    assert {integration["boundWorkspaceCount"] for integration in data["integrations"]["nodes"]} == {WORKSPACES}
    assert {integration["spaceCount"] for integration in data["integrations"]["nodes"]} == {SPACES_EACH}


def test_a_member_sees_its_part_with_as_many_statements(dashboard: Surface) -> None:
    (workspace_id,) = dashboard.rows('SELECT "id" FROM "workspace" WHERE "name" = \'workspace-00003\'')[0]
    token = token_in(dashboard.server, workspace_id, Role.WORKSPACE_MEMBER)

    few, _ = asked(dashboard, WHOLE, 2, 3, BINDINGS_EACH, token)
    many, data = asked(dashboard, WHOLE, INTEGRATIONS, SPACES_EACH, BINDINGS_EACH, token)

    assert (len(few), len(many)) == (9, 9), many
    seen = list(bindings_in(data))
    assert {binding["workspace"]["name"] for _, _, binding in seen} == {"workspace-00003"}
    assert len(seen) == INTEGRATIONS * SPACES_EACH * BINDINGS_EACH // WORKSPACES


def asked(
    surface: Surface, query: str, integrations: int, spaces: int, bindings: int, token: str | None = None
) -> tuple[list[str], Any]:
    """Return the statements of a query, without those of the background work that goes on beside it, and its data."""
    variables = {"integrations": integrations, "spaces": spaces, "bindings": bindings}
    with noted_statements(surface.server) as statements:
        return statements, surface.server.graphql(query, variables, token)


def bindings_in(data: Any) -> Iterator[tuple[Any, Any, Any]]:
    """Yield every binding, with its integration and its space."""
    for integration in data["integrations"]["nodes"]:
        for space in integration["spaces"]["nodes"]:
            for binding in space["bindings"]["nodes"]:
                yield integration, space, binding


def sizes(data: Any) -> tuple[int, int, int]:
    """Return how many integrations, spaces and bindings are shown."""
    integrations = data["integrations"]["nodes"]
    spaces = sum(len(integration["spaces"]["nodes"]) for integration in integrations)
    return len(integrations), spaces, len(list(bindings_in(data)))
