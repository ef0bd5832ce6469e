"""What registries and spaces hold, as the surface tells it: figures, history, and to whom."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from models.database import Transaction
from models.enums import UsageMethod
from resolvers.global_ids import global_id
from services.usage_writing import Figures, write_integration_usage, write_space_usage
from tests.api.statement_cost import noted_statements
from tests.api.surface import Surface
from tests.seeding import seed_integrations, seed_spaces
from tests.serving import RunningServer
from tests.tenant_seeding import space_ids
from tests.tenants import OPEN, OWN_OF_A, PLATFORM, clear_tenants, store_tenants

START = datetime(2026, 5, 1, tzinfo=UTC)
HISTORY = """
query ($id: ID!, $from: DateTime, $to: DateTime, $resolution: UsageResolution! = DAY) {
  node(id: $id) {
    ... on Integration { usageHistory(from: $from, to: $to, resolution: $resolution) { measuredAt storageBytes } }
    ... on Space { usageHistory(from: $from, to: $to, resolution: $resolution) { measuredAt storageBytes } }
  }
}"""


@pytest.fixture
def space(surface: Surface) -> tuple[int, int]:
    """An integration with a space."""
    database = surface.server.services.database
    (integration_id,) = surface.server.run(seed_integrations(database, ["http://127.0.0.1:1/"]))
    surface.server.run(seed_spaces(database, {integration_id: ["team"]}))
    (space_id,) = surface.server.run(space_ids(database))
    return integration_id, space_id


def measured(surface: Surface, space: tuple[int, int], stored: int, at: datetime) -> None:
    """Write a measurement in which the space is all that its registry holds."""
    integration_id, space_id = space
    method = UsageMethod.REFERENCED_BLOBS

    async def work(transaction: Transaction) -> None:
        figures = {space_id: Figures(repository_count=1, artifact_count=2, storage_bytes=stored)}
        await write_space_usage(transaction, integration_id, figures, method, at)
        await write_integration_usage(
            transaction, integration_id, stored, method, at, total_measured_at=at, is_stale=False
        )

    surface.server.run(surface.server.services.database.transact(work))


def history(surface: Surface, type_name: str, key: int, **given: object) -> list[tuple[str, int]]:
    """Return moments and bytes of a history."""
    found = surface.server.graphql(HISTORY, {"id": global_id(type_name, key), **given})["node"]["usageHistory"]
    return [(point["measuredAt"], point["storageBytes"]) for point in found]


def test_a_history_in_steps(surface: Surface, space: tuple[int, int]) -> None:
    for hours in range(0, 72, 8):
        measured(surface, space, 2**40 + hours, START + timedelta(hours=hours))
    days = {"from": "2026-05-01T00:00:00Z", "to": "2026-05-04T00:00:00Z"}
    last_of_each = [(f"2026-05-0{day + 1}T16:00:00Z", 2**40 + 24 * day + 16) for day in range(3)]
    for type_name, key in zip(("Integration", "Space"), space, strict=True):
        assert history(surface, type_name, key, **days) == last_of_each
        assert len(history(surface, type_name, key, **days, resolution="HOUR")) == 9
        # What was held when the time began.
        part = {"from": "2026-05-02T05:00:00+02:00", "to": "2026-05-02T08:00:00Z"}
        assert history(surface, type_name, key, **part) == [("2026-05-02T00:00:00Z", 2**40 + 24)]
        assert history(surface, type_name, key, **{"from": "2020-01-01T00:00:00Z", "to": "2020-01-02T00:00:00Z"}) == []
        # By default the last 30 days: they may be long over, and then tell what is held since.
        assert history(surface, type_name, key) == last_of_each[-1:]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"from": "2026-05-02T00:00:00Z", "to": "2026-05-02T00:00:00Z"}, "`from` must be before `to`."),
        (
            {"from": "2024-01-01T00:00:00Z", "to": "2026-05-02T00:00:00Z"},
            "A history has 400 steps at most: ask for a shorter time, or in larger steps.",
        ),
        (
            {"from": "2026-05-01T00:00:00Z", "to": "2026-05-03T00:00:00Z", "resolution": "FIVE_MINUTES"},
            "A history has 400 steps at most: ask for a shorter time, or in larger steps.",
        ),
        ({"to": "0001-01-01T00:00:00Z"}, "`from` must be before `to`."),
    ],
)
def test_times_that_make_no_sense(
    surface: Surface, space: tuple[int, int], given: dict[str, object], message: str
) -> None:
    result = surface.server.post(HISTORY, {"id": global_id("Space", space[1]), **given})
    (error,) = result["errors"]
    assert (error["message"], error["extensions"]["code"]) == (message, "BAD_USER_INPUT")


def test_statements_do_not_grow(surface: Surface) -> None:
    database = surface.server.services.database
    query = """query ($first: Int!) { integrations(first: $first) { nodes {
      usage { storageBytes } usageHistory { storageBytes }
      spaces(first: $first) { nodes { usage { storageBytes isStale } usageHistory { storageBytes } } } } } }"""
    ids = surface.server.run(seed_integrations(database, [f"http://127.0.0.1:1/{number}" for number in range(20)]))
    surface.server.run(seed_spaces(database, {id_: [f"s{number}" for number in range(20)] for id_ in ids}))

    def asked(first: int) -> int:
        with noted_statements(surface.server) as statements:
            found = surface.server.graphql(query, {"first": first})["integrations"]["nodes"]
        assert len(found) == first
        assert {len(node["spaces"]["nodes"]) for node in found} == {first}
        return len(statements)

    # Integrations and their spaces; of both, what they hold and held.
    assert [asked(2), asked(12)] == [6, 6]


def test_what_could_cost_too_much_is_refused(surface: Surface) -> None:
    result = surface.server.post(
        "{ integrations(first: 20) { nodes { spaces(first: 100) { nodes { usageHistory { storageBytes } } } } } }"
    )
    assert result["errors"][0]["extensions"]["code"] == "LIMIT_EXCEEDED"


def test_who_sees_what(quiet_server: RunningServer) -> None:
    tenants = store_tenants(quiet_server)
    try:
        query = "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Integration { usage { storageBytes } usageHistory {"
        query += " storageBytes } } ... on Space { usage { storageBytes } usageHistory { storageBytes } } } }"
        ids = [global_id("Integration", tenants.integrations[name]) for name in (PLATFORM, OWN_OF_A)]
        ids.append(global_id("Space", tenants.spaces[OPEN]))

        def seen(viewer: str) -> list[Any]:
            found: list[Any] = quiet_server.graphql(query, {"ids": ids}, tenants.tokens[viewer])["nodes"]
            return found

        nothing = {"usage": None, "usageHistory": None}
        whole: dict[str, Any] = {"usage": {"storageBytes": 10}, "usageHistory": []}
        # Of the space nothing was measured yet.
        space: dict[str, Any] = {"usage": None, "usageHistory": []}
        assert seen("platform admin") == [whole, whole, space]
        assert seen("admin of A") == [nothing, whole, space]
        assert seen("member of A") == [nothing, nothing, space]
        assert seen("member of B") == [nothing, None, space]
    finally:
        clear_tenants(quiet_server)
