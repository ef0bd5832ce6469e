"""Everything at a glance: true for each viewer, and told again when a figure changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest

from models.database import NewEvent, Transaction
from models.enums import EventType, UsageMethod
from models.integration import IntegrationHealth
from models.usage import IntegrationUsage, SpaceUsage
from services import overview_stream
from tests.api.live import Subscribed, over_event_stream, over_websocket
from tests.api.statement_cost import noted_statements
from tests.api.surface import Surface
from tests.seeding import seed_integrations, seed_spaces
from tests.serving import RunningServer
from tests.tenants import OWN_OF_A, PLATFORM, Tenants, clear_tenants, store_tenants

Transport = Callable[..., AbstractContextManager[Subscribed]]

FIGURES = """
  integrationCount integrationsByHealth { status count } integrationsByKind { kind count }
  spaceCount publicSpaceCount privateSpaceCount unboundPrivateSpaceCount
  storageBytes storageBytesByIntegration { integration { name } storageBytes } measuredAt
  workspaceCount bindingCount failedEnforcementCount pendingRevocationCount
"""
WHOLE = f"{{ overview {{ {FIGURES} }} }}"
LIVE = "subscription { overview { storageBytes integrationsByHealth { status count } } }"


@pytest.fixture
def tenants(quiet_server: RunningServer) -> Iterator[Tenants]:
    """Two workspaces with registries and spaces, some of them measured."""
    stored = store_tenants(quiet_server)

    async def work(_: Transaction) -> None:
        now = quiet_server.services.clock()
        await IntegrationUsage.filter(integration_id=stored.integrations[PLATFORM]).update(storage_bytes=5_000_000_000)
        for number, space_id in enumerate(stored.spaces.values()):
            await SpaceUsage.create(
                space_id=space_id, storage_bytes=2**number, method=UsageMethod.REFERENCED_BLOBS, measured_at=now
            )

    quiet_server.run(quiet_server.services.database.transact(work))
    yield stored
    clear_tenants(quiet_server)


def test_platform_administrators_see_all(tenants: Tenants) -> None:
    seen = tenants.server.graphql(WHOLE)["overview"]
    measured_at = seen.pop("measuredAt")
    assert measured_at is not None
    assert seen == {
        "integrationCount": 3,
        "integrationsByHealth": [
            {"status": "HEALTHY", "count": 0},
            {"status": "UNHEALTHY", "count": 0},
            {"status": "UNKNOWN", "count": 3},
        ],
        "integrationsByKind": [{"kind": "HARBOR", "count": 0}, {"kind": "DOCKER_REGISTRY", "count": 3}],
        # Those that vanished are left out.
        "spaceCount": 11,
        "publicSpaceCount": 3,
        "privateSpaceCount": 8,
        "unboundPrivateSpaceCount": 4,
        "storageBytes": 5_000_000_020,
        "storageBytesByIntegration": [
            {"integration": {"name": PLATFORM}, "storageBytes": 5_000_000_000},
            {"integration": {"name": OWN_OF_A}, "storageBytes": 10},
            {"integration": {"name": "registry of B"}, "storageBytes": 10},
        ],
        "workspaceCount": 2,
        "bindingCount": 6,
        "failedEnforcementCount": 0,
        "pendingRevocationCount": 1,
    }


@pytest.mark.parametrize("viewer", ["member of A", "admin of A"])
def test_others_see_what_is_theirs(tenants: Tenants, viewer: str) -> None:
    token = tenants.tokens[viewer]
    seen = tenants.server.graphql(WHOLE, token=token)["overview"]
    # It agrees with the lists, and the sum is over what they show.
    lists = """{
      integrations { totalCount nodes { name } }
      spaces(first: 100) { totalCount nodes { visibility state usage { storageBytes } integration { name } } }
      workspaces { totalCount nodes { bindings { nodes { state } } } }
    }"""
    listed = tenants.server.graphql(lists, token=token)
    spaces = listed["spaces"]["nodes"]
    assert seen["integrationCount"] == listed["integrations"]["totalCount"] == 2
    assert seen["spaceCount"] == listed["spaces"]["totalCount"] == len(spaces)
    assert seen["publicSpaceCount"] == sum(space["visibility"] == "PUBLIC" for space in spaces)
    assert seen["publicSpaceCount"] + seen["privateSpaceCount"] == seen["spaceCount"]
    stored: dict[str, int] = {}
    for space in spaces:
        # One that is only expected was never seen to hold anything.
        if space["state"] == "PRESENT":
            name = space["integration"]["name"]
            stored[name] = stored.get(name, 0) + space["usage"]["storageBytes"]
    assert seen["storageBytes"] == sum(stored.values())
    assert {each["integration"]["name"]: each["storageBytes"] for each in seen["storageBytesByIntegration"]} == stored
    assert seen["workspaceCount"] == listed["workspaces"]["totalCount"] == 1
    states = [node["state"] for workspace in listed["workspaces"]["nodes"] for node in workspace["bindings"]["nodes"]]
    assert seen["pendingRevocationCount"] == states.count("REVOKING") == 1
    assert seen["bindingCount"] == len(states) - 1


def test_only_what_is_asked_for_is_counted(surface: Surface) -> None:
    for query, due in [
        ("{ overview { integrationCount integrationsByKind { count } } }", 1),
        ("{ overview { spaceCount unboundPrivateSpaceCount } }", 3),
        ("{ overview { bindingCount failedEnforcementCount pendingRevocationCount workspaceCount } }", 2),
        # What is stored is looked up for the sum, and for the list.
        (WHOLE, 8),
    ]:
        with noted_statements(surface.server) as statements:
            surface.server.graphql(query)
        assert len(statements) == due, statements


def test_statements_do_not_grow(surface: Surface) -> None:
    database = surface.server.services.database

    def asked(mark: str) -> int:
        with noted_statements(surface.server) as statements:
            surface.server.graphql(f"{WHOLE} # {mark}")
        return len(statements)

    few = asked("few")
    urls = [f"http://127.0.0.1:1/{number}" for number in range(20)]
    ids = surface.server.run(seed_integrations(database, urls))
    surface.server.run(seed_spaces(database, {id_: ["a", "b"] for id_ in ids}))

    async def work(_: Transaction) -> None:
        now = surface.server.services.clock()
        for id_ in ids:
            await IntegrationUsage.create(
                integration_id=id_,
                space_count=2,
                storage_bytes=id_,
                method=UsageMethod.REFERENCED_BLOBS,
                measured_at=now,
            )

    surface.server.run(database.transact(work))
    # The names of the largest integrations are looked up at once.
    assert asked("many") == few + 1


@pytest.mark.parametrize("first", [0, 101])
def test_bad_numbers_are_refused(surface: Surface, first: int) -> None:
    result = surface.server.post(f"{{ overview {{ storageBytesByIntegration(first: {first}) {{ storageBytes }} }} }}")
    (error,) = result["errors"]
    assert error["message"] == f"first must be between 1 and 100; it is {first}."
    assert error["extensions"]["code"] == "BAD_USER_INPUT"


@pytest.mark.parametrize("over", [over_websocket, over_event_stream], ids=["websocket", "sse"])
def test_it_is_told_again_when_a_figure_changes(
    tenants: Tenants, over: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overview_stream, "PAUSE_SECONDS", 0.01)
    server = tenants.server
    key = tenants.integrations[PLATFORM]

    async def happen(stored: int | None) -> None:
        async def work(transaction: Transaction) -> None:
            if stored is not None:
                await IntegrationUsage.filter(integration_id=key).update(storage_bytes=stored)
            data = {"integration_name": PLATFORM, "storage_bytes": stored, "by": "the test"}
            type_ = EventType.INTEGRATION_UPDATED if stored is None else EventType.USAGE_CHANGED
            transaction.events.append(NewEvent(type_, server.services.clock(), key, data))

        await server.services.database.transact(work)

    def stored(subscribed: Subscribed) -> int:
        size: int = subscribed.next()["data"]["overview"]["storageBytes"]
        return size

    with over(server, LIVE, {}) as first, over(server, LIVE, {}) as second:
        assert {stored(first), stored(second)} == {5_000_000_020}
        for size in (7_000_000_000, 1, 9):
            # What changes no figure is not told.
            server.run(happen(None))
            server.run(happen(size))
            assert {stored(first), stored(second)} == {size + 20}

        async def fall_ill(transaction: Transaction) -> None:
            await IntegrationHealth.filter(integration_id=key).update(status="HEALTHY")
            data = {"integration_name": PLATFORM, "by": "the test"}
            transaction.events.append(NewEvent(EventType.INTEGRATION_UPDATED, server.services.clock(), key, data))

        server.run(server.services.database.transact(fall_ill))
        told = first.next()["data"]["overview"]["integrationsByHealth"]
        assert told == second.next()["data"]["overview"]["integrationsByHealth"]
        assert told[0] == {"status": "HEALTHY", "count": 1}


def test_members_are_told_nothing_of_what_is_not_theirs(tenants: Tenants, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overview_stream, "PAUSE_SECONDS", 0.01)
    live = f"subscription {{ overview {{ {FIGURES} }} }}"
    with over_websocket(tenants.server, live, {}, token=tenants.tokens["member of B"]) as stream:
        seen: dict[str, Any] = stream.next()["data"]["overview"]
    assert seen == tenants.server.graphql(WHOLE, token=tenants.tokens["member of B"])["overview"]
    assert seen["integrationCount"] == 2
    assert OWN_OF_A not in str(seen)
